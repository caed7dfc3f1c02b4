"""How time and memory grow with size: ours beside plain DuckDB, pandas and the loop that peers use.

Each measurement runs in a process of its own, so that its peak memory is its own (Python and the
libraries that it needs are in it). What is prepared (tables, names, frames) is not timed.
"""

from __future__ import annotations

import math
import multiprocessing
import resource
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import duckdb
import jinja2
import numpy as np
import pandas as pd

from gpla_assets.lexicon import filter_lexicon, filter_names, value_similarities
from gpla_assets.lexicon.similarity import cosines
from gpla_assets.orchestration.making import state_of
from gpla_assets.orchestration.plan import stale_in
from gpla_assets.orchestration.scale_data import PROFILES, VALUES, embeddings, value_names
from gpla_assets.storage import RunRecord, Write
from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.files import connected
from gpla_assets.studies import LexiconSettings, load_study
from gpla_assets.studies.places import dbt_folder

MATRIX = "intermediate/structure/int_subject_list_values.sql"
CORRELATIONS = "marts/structure/value_correlations.sql"
SUMS = [
    *("weight_sum", "logit_sum", "relevant_n", "sided_n", "score_sum"),
    *("top_n", "top_weight", "top_sum"),
]
AT_ONCE = 50
"""Subjects whose rows are replaced in one transaction, where all are."""
Work = Callable[[], object]
"""What is timed; the function that gives it has prepared it."""


@dataclass(frozen=True)
class Case:
    """Something to measure: by `way`, up to `most` of what sizes count."""

    what: str
    way: str
    prepare: Callable[[int, Path], Work]
    most: float = math.inf


@dataclass(frozen=True)
class Measured:
    """Seconds by the clock and of CPU (all cores), and MiB at the peak, of a case at a size."""

    what: str
    way: str
    size: int
    seconds: float
    cpu_seconds: float
    peak_mib: float


def model_sql(model: str, tables: Mapping[str, str]) -> str:
    """The query of one of dbt's models, with names of tables for its references."""
    macros = (dbt_folder() / "macros" / "sums.sql").read_text("utf-8")
    text = (dbt_folder() / "models" / model).read_text("utf-8")
    return jinja2.Template(macros + text).render(var=lambda name: "salience", ref=tables.get)


def _opened(folder: Path) -> duckdb.DuckDBPyConnection:
    return connected(FileWarehouse(folder / "scale.duckdb").working)


def _made(folder: Path, sql: str) -> Work:
    def run() -> None:
        with closing(_opened(folder)) as connection:
            connection.execute(f"create temp table found as {sql}")

    return run


def matrix_ours(rows: int, folder: Path) -> Work:
    return _made(folder, model_sql(MATRIX, {"stg_expressions": "evidence.expressions"}))


def matrix_plain(rows: int, folder: Path) -> Work:
    """The same sums, and means by question, in floats whose last digits hang on the order."""
    sums = ", ".join(f"sum({name}) as {name}" for name in SUMS)
    return _made(
        folder,
        'with brought as (select question_id, "value", avg(logit_sum / weight_sum) as logits '
        "from evidence.expressions group by all) "
        f'select subject_id, "value", {sums}, sum(weight_sum * logits) as brought '
        'from evidence.expressions join brought using (question_id, "value") group by all',
    )


def matrix_pandas(rows: int, folder: Path) -> Work:
    columns = ", ".join(["subject_id", "question_id", '"value"', *SUMS])

    def run() -> None:
        with closing(_opened(folder)) as connection:
            own = connection.execute(f"select {columns} from evidence.expressions").df()
        logits = own["logit_sum"] / own["weight_sum"]
        own["brought"] = logits.groupby([own["question_id"], own["value"]]).transform("mean")
        own["brought"] *= own["weight_sum"]
        own.groupby(["subject_id", "value"])[[*SUMS, "brought"]].sum()

    return run


def _scores(subjects: int) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    values = [f"value {place:03}" for place in range(VALUES)]
    return pd.DataFrame(rng.normal(size=(subjects, VALUES)), columns=values)


def correlations_ours(subjects: int, folder: Path) -> Work:
    connection = duckdb.connect()
    connection.register("wide", _scores(subjects).rename_axis("subject_id").reset_index())
    connection.execute("set enable_progress_bar = false")
    connection.execute(
        "create table scores as from (unpivot wide on columns(* exclude subject_id) "
        'into name "value" value score)'
    )
    sql = model_sql(CORRELATIONS, {"subject_values": "scores"})
    return lambda: connection.execute(f"create table found as {sql}")


def correlations_pandas(subjects: int, folder: Path) -> Work:
    scores = _scores(subjects)
    return lambda: scores.corr(min_periods=3)


def lexicon_ours(n: int, folder: Path) -> Work:
    values, vectors = value_names(n), embeddings(n)
    filter_names(values.head(9), vectors[:9], LexiconSettings())  # imports what it needs
    return lambda: filter_names(values, vectors, LexiconSettings())


def lexicon_listed(n: int, folder: Path) -> Work:
    """As the pipeline does it: all near pairs are listed, so that thresholds can be changed."""
    values, vectors, settings = value_names(n), embeddings(n), LexiconSettings()
    names = list(values["value"])
    return lambda: filter_lexicon(
        values, value_similarities(names, vectors, settings.listed_cosine), settings
    )


def lexicon_loop(n: int, folder: Path) -> Work:
    """Down the ranks with rouge_score, a pair at a time."""
    from rouge_score.rouge_scorer import RougeScorer

    values, vectors, settings = value_names(n), embeddings(n), LexiconSettings()
    ordered = values.sort_values(["frequency", "value"], ascending=[False, True])
    names = list(values["value"])

    def run() -> list[int]:
        scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
        kept: list[int] = []
        for one in ordered.index:
            for other in kept:
                a, b = sorted((one, other), key=names.__getitem__)
                rouge = scorer.score(names[a], names[b])["rougeLsum"]
                cosine = cosines(vectors, np.array([a]), np.array([b]))[0]
                if max(rouge) >= settings.rouge_threshold or cosine >= settings.cosine_threshold:
                    break
            else:
                kept.append(one)
        return kept

    return run


def _replacing(folder: Path, of_all: Callable[[list[str]], list[str]]) -> Work:
    """Rows of some subjects, read beforehand, take the place of those that are stored."""
    warehouse = FileWarehouse(folder / "scale.duckdb")
    every = list(
        warehouse.read("select subject_id from evidence.subjects order by 1")["subject_id"]
    )
    chosen = of_all(every)

    def run() -> None:
        for first in range(0, len(chosen), AT_ONCE):
            keys = chosen[first : first + AT_ONCE]
            rows = warehouse.read(
                "select * from evidence.expressions where subject_id in (select unnest(?))", [keys]
            )
            record = RunRecord("measurements", "x", {}, "x", partition_key=keys[0])
            write = Write("expressions", rows, "subject_id", tuple(keys))
            warehouse.replace_partition([write], [record])

    return run


def replace_one(rows: int, folder: Path) -> Work:
    return _replacing(folder, lambda every: every[len(every) // 2 :][:1])


def replace_all(rows: int, folder: Path) -> Work:
    return _replacing(folder, lambda every: every)


def replace_plain(rows: int, folder: Path) -> Work:
    """Delete and insert of one subject in a table of plain DuckDB, without a key or a lock."""
    file = folder / "plain.duckdb"
    source = FileWarehouse(folder / "scale.duckdb").working
    with closing(connected(file)) as connection:
        connection.execute(f"attach '{source}' as stored (read_only)")
        connection.execute("create table if not exists own as from stored.evidence.expressions")

    def run() -> None:
        with closing(connected(file)) as connection:
            connection.execute("set variable one = (select subject_id from own limit 1)")
            chosen = "from own where subject_id = getvariable('one')"
            connection.execute(f"create temp table replaced as {chosen}")
            connection.begin()
            connection.execute(f"delete {chosen}")
            connection.execute("insert into own from replaced")
            connection.commit()

    return run


def add_llm_rows(rows: int, folder: Path) -> Work:
    return _replacing(folder, lambda every: every[-PROFILES:])


def publish(rows: int, folder: Path) -> Work:
    return FileWarehouse(folder / "scale.duckdb").publish


def publish_plain(rows: int, folder: Path) -> Work:
    """The file's bytes alone."""
    source = FileWarehouse(folder / "scale.duckdb").working

    def run() -> None:
        with source.open("rb") as read, (folder / "copy").open("wb") as written:
            while part := read.read(2**24):
                written.write(part)

    return run


def status(rows: int, folder: Path) -> Work:
    """Of a study whose subjects all have their records."""
    warehouse, study = FileWarehouse(folder / "scale.duckdb"), load_study("demo")
    subjects = warehouse.read("select subject_id from evidence.subjects")["subject_id"]
    steps = ("responses", "subject_perceptions", "measurements")
    warehouse.replace_partition(
        [], [RunRecord(step, "x", {}, "x", partition_key=key) for step in steps for key in subjects]
    )
    return lambda: stale_in(study, state_of(warehouse))


ROWS = (
    Case("subject x value matrix", "ours", matrix_ours),
    Case("subject x value matrix", "plain DuckDB", matrix_plain),
    Case("subject x value matrix", "pandas", matrix_pandas, most=12_000_000),
    Case("replace one subject", "ours", replace_one),
    Case("replace one subject", "plain DuckDB", replace_plain),
    Case("add one LLM: its rows", "ours", add_llm_rows),
    Case("status", "ours", status),
    Case("publish", "ours", publish),
    Case("publish", "bytes alone", publish_plain),
    Case("replace all subjects", "ours", replace_all, most=12_000_000),
)
"""By rows of `expressions` that are stored."""
SUBJECTS = (
    Case("123 x 123 correlations", "ours", correlations_ours),
    Case("123 x 123 correlations", "pandas", correlations_pandas),
)
NAMES = (
    Case("lexicon filter", "ours", lexicon_ours),
    Case("lexicon filter", "listed pairs", lexicon_listed, most=3_000),
    Case("lexicon filter", "rouge_score loop", lexicon_loop, most=1_000),
)


def measured(cases: Sequence[Case], size: int, folder: Path) -> Iterator[Measured]:
    """Each case at a size, one after the other, each in a process of its own."""
    for case in cases:
        if size <= case.most:
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                numbers = pool.apply(_timed, (case.prepare, size, folder))
            yield Measured(case.what, case.way, size, *numbers)


def _timed(
    prepare: Callable[[int, Path], Work], size: int, folder: Path
) -> tuple[float, float, float]:
    work = prepare(size, folder)
    clock, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - clock, time.process_time() - cpu, _peak_mib()


def _peak_mib() -> float:
    """Of this process; what getrusage tells begins with what its parent had."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(one for one in status.read_text().splitlines() if one.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def exponents(found: Sequence[Measured]) -> dict[tuple[str, str], float]:
    """How time grows with size, by what and way: b of CPU seconds ~ size**b, by least squares of
    the logarithms; absent where there is one size. Of CPU, so that other programs do not count."""
    rows = pd.DataFrame([vars(one) for one in found])
    grown = {}
    for key, own in rows.groupby(["what", "way"], sort=False):
        if own["size"].nunique() > 1:
            logs = np.log(own[["size", "cpu_seconds"]].astype(float).clip(lower=1e-3).to_numpy())
            grown[key] = float(np.polyfit(logs[:, 0], logs[:, 1], 1)[0])
    return grown
