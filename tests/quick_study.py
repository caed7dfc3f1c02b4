"""A small study that runs in seconds, its tables as frames, and who calls what stale."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import yaml

from gpla_assets.content import CONTENT
from tests.commands import forked

NAME = "quick"
LLMS, ADDABLE = 6, 3
QUESTIONS = 10
CLI = "from gpla_assets.cli import app; app()"
ROOT = Path(__file__).resolve().parents[1]

TIMES = frozenset({"finished_at", "seconds", "made_at", "last_made_at", "asked_at"})
"""Columns that tell when, or how long it took: no two makings share them."""
HISTORY: Mapping[str, str] = {
    "value_systems": "keeps every value system that the study ever had",
    "value_system_loadings": "keeps the loadings of all of them",
    "system_congruence": "compares the present one with all earlier ones",
    "model_calls": "keeps what endpoints replied",
    "agents": "keeps every agent that ever made a row",
    "schema_versions": "says when the tables were brought to which version",
    "published": "of a lake: says when it was published",
}
"""Tables that hold more than the present state implies, each with the reason."""
OF_RUNS = ["asset", "partition_key", "fingerprint", "code_version", "row_count"]


def settings() -> dict[str, Any]:
    """The study as plain data; its paths begin at its own folder."""
    return {
        "name": NAME,
        "corpus": [{"source": "table", "file": "corpus.jsonl"}],
        "subjects": [
            {
                "backend": "recorded",
                "source": "table",
                "file": "answers.jsonl",
                "llms": [f"llm-{number:02d}" for number in range(LLMS)],
            }
        ],
        "questions": {
            "origin": "source",
            "count": QUESTIONS,
            "pilot_llms": [f"llm-{number:02d}" for number in range(5)],
        },
        "lexicon": {"size": 10, "cosine_threshold": 0.53},
        "evaluator": {"minimum_relevance": 0.5},
        "structure": {
            "n_factors": 2,
            "minimum_coverage": 0.2,
            "minimum_gap": 0.0,
            "minimum_alpha": 0.0,
            "parallel_repeats": 20,
            "resamples": 50,
        },
        "cfa": {"splits": 2, "nulls": 1},
        "probe": {"criteria": [], "repeats": 10, "permutations": 9, "partitions": 9},
        "validation": {"conversations": "responses", "n_conversations": 40},
    }


@dataclass
class QuickStudy:
    """The small study in a folder of its own: file, answers, and one warehouse folder a study.

    `environment` is what its commands run under.
    """

    folder: Path
    warehouses: Path
    embeddings_mb: str = "100"
    content: dict[str, Any] = field(default_factory=settings)

    @property
    def file(self) -> Path:
        """The study's YAML."""
        return self.folder / f"{NAME}.yaml"

    @property
    def answers(self) -> Path:
        """The recorded answers of the study's own LLMs."""
        return self.folder / "answers.jsonl"

    @property
    def corpus(self) -> Path:
        """The texts that the lexicon is drawn from."""
        return self.folder / "corpus.jsonl"

    @property
    def published(self) -> Path:
        """The published warehouse."""
        return self.warehouses / f"{NAME}.duckdb"

    @property
    def working(self) -> Path:
        """The working file."""
        return self.warehouses / "work" / f"{NAME}.duckdb"

    @property
    def added(self) -> Path:
        """Where answers of added LLMs are kept."""
        return self.warehouses / "added" / NAME

    @property
    def environment(self) -> dict[str, str]:
        """What the study's commands run under."""
        return os.environ | {
            "GPLA_WAREHOUSE_DIR": str(self.warehouses),
            "GPLA_EMBEDDINGS_MB": self.embeddings_mb,
            "PYTHONPATH": str(ROOT),
            "HF_HUB_OFFLINE": "1",
            "DAGSTER_DISABLE_TELEMETRY": "yes",
            "COLUMNS": "160",
        }

    def save(self) -> None:
        """Write the study's file."""
        self.file.write_text(yaml.safe_dump(self.content, sort_keys=False), "utf-8")

    def command(self, *arguments: str) -> list[str]:
        """A `gpla` command of this checkout."""
        return [sys.executable, "-u", "-c", CLI, *arguments]

    def run(self) -> str:
        """Make all that is stale; what was printed. Raises AssertionError where it fails."""
        return self.well("run", str(self.file))

    def status(self) -> str:
        """What `gpla status` says; raises AssertionError where it fails or prints a traceback."""
        return self.well("status", str(self.file))

    def well(self, *arguments: str) -> str:
        """Run a command that must end well; its output."""
        done = forked(arguments, self.environment, self.folder)
        assert done.code == 0, f"{arguments[0]}: exit {done.code}\n{done.output[-4000:]}"
        assert "Traceback" not in done.output, done.output[-4000:]
        return done.output


def quick_study(folder: Path) -> QuickStudy:
    """Write the small study into a folder: six LLMs, and three more that can be added."""
    folder.mkdir(parents=True, exist_ok=True)
    study = QuickStudy(folder, folder / "warehouse")
    texts = pd.read_parquet(CONTENT / "demo_texts.parquet")
    profiles = list(dict.fromkeys(texts["profile"]))
    for number in range(LLMS + ADDABLE):
        own = texts[texts["profile"] == profiles[number]]
        rows = [
            {
                "llm": f"llm-{number:02d}",
                "question_text": row.question_text,
                "content": row.content,
            }
            for row in own.itertuples()
        ]
        if number < LLMS:
            append_lines(study.answers, rows)
            append_lines(study.corpus, rows)
        else:
            append_lines(addable(study, number - LLMS), rows)
    study.save()
    return study


def addable(study: QuickStudy, number: int) -> Path:
    """A file of answers for `gpla add-llm`."""
    return study.folder / f"addable-{number}.jsonl"


def append_lines(path: Path, rows: list[dict[str, str]]) -> None:
    """Append rows to a file of JSON lines."""
    with path.open("a", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def tables_of(path: Path) -> dict[str, pd.DataFrame]:
    """All tables and views of a warehouse whose rows follow from study and files, in one order.

    Left out: `TIMES`, the tables of `HISTORY`, and of `runs` all but `OF_RUNS`.
    """
    with duckdb.connect(str(path), read_only=True) as connection:
        return tables_in(connection)


def tables_in(connection: duckdb.DuckDBPyConnection) -> dict[str, pd.DataFrame]:
    """The same, of what a connection's present catalogue holds."""
    names = connection.execute(
        "select table_schema || '.' || table_name, table_name from information_schema.tables "
        "where table_schema <> 'main' and table_catalog = current_database()"
    ).fetchall()
    found = {
        place: connection.execute(f"from {place}").df()
        for place, name in sorted(names)
        if name not in HISTORY
    }
    found["internal.runs"] = found["internal.runs"][OF_RUNS]
    return {name: _ordered(rows) for name, rows in found.items()}


def _ordered(rows: pd.DataFrame) -> pd.DataFrame:
    kept = rows[[name for name in rows.columns if name not in TIMES]]
    lines = ["\x1f".join(map(repr, row)) for row in kept.itertuples(index=False)]
    order = sorted(range(len(lines)), key=lines.__getitem__)
    return kept.iloc[order].reset_index(drop=True)


def differences(one: Mapping[str, pd.DataFrame], other: Mapping[str, pd.DataFrame]) -> list[str]:
    """What differs between the tables of two warehouses: a line a table; [] where nothing does."""
    lines = [f"{name}: in one of the two only" for name in sorted(one.keys() ^ other.keys())]
    for name in sorted(one.keys() & other.keys()):
        try:
            pd.testing.assert_frame_equal(one[name], other[name], check_exact=True)
        except AssertionError as error:
            counts = f"{len(one[name])} rows and {len(other[name])}"
            lines.append(f"{name} ({counts}): {' '.join(str(error).split())[:300]}")
    return lines


Keys = set[tuple[str, str]]


@dataclass(frozen=True)
class Verdicts:
    """The stale steps and partitions by `gpla status` and by Dagster; Dagster's reasons."""

    cli: Keys
    dagster: Keys
    causes: Mapping[tuple[str, str], str] = field(default_factory=dict)

    @property
    def disagreement(self) -> str:
        """What only one of the two calls stale; "" where they agree."""
        only_dagster = [f"{key} ({self.causes[key]})" for key in sorted(self.dagster - self.cli)]
        parts = [
            ("only the CLI: ", [str(key) for key in sorted(self.cli - self.dagster)]),
            ("only Dagster: ", only_dagster),
        ]
        return "; ".join(word + ", ".join(keys[:8]) for word, keys in parts if keys)


def verdicts(study: QuickStudy, tell: bool = True) -> Verdicts:
    """What both call stale; `tell` has Dagster know first what the warehouse holds, as `gpla ui`
    does, else it is asked as a run left it."""
    with environment_of(study):
        return _verdicts(str(study.file), tell)


def stale_steps(study: QuickStudy) -> list[tuple[str, str]]:
    """The stale steps and partitions, as `gpla status` finds them."""
    from gpla_assets.orchestration.plan import stale_now
    from gpla_assets.studies import load_study

    with environment_of(study):
        return [(one.step, one.partition_key) for one in stale_now(load_study(str(study.file)))]


def runs_under_way(study: QuickStudy) -> int:
    """Runs that Dagster takes to be going on."""
    import dagster as dg

    from gpla_assets.orchestration.dead_runs import UNDER_WAY
    from gpla_assets.orchestration.running import dagster_home
    from gpla_assets.studies import load_study

    with environment_of(study):
        dagster_home(load_study(str(study.file)))
        with dg.DagsterInstance.get() as instance:
            return len(instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)))


@contextmanager
def environment_of(study: QuickStudy) -> Iterator[None]:
    """The study's environment for what runs in this process."""
    before = dict(os.environ)
    os.environ.update(study.environment, GPLA_STUDY=str(study.file))
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _verdicts(name: str, tell: bool) -> Verdicts:
    import dagster as dg
    from dagster._core.definitions.data_version import CachingStaleStatusResolver
    from dagster._core.loader import LoadingContextForTest

    from gpla_assets.orchestration.dagster_assets import definitions
    from gpla_assets.orchestration.mirror import mirror
    from gpla_assets.orchestration.plan import stale_now
    from gpla_assets.orchestration.running import dagster_home
    from gpla_assets.orchestration.versions import asked_steps
    from gpla_assets.studies import load_study

    study = load_study(name)
    dagster_home(study)
    cli = {(one.step, one.partition_key) for one in stale_now(study)}
    causes = {}
    with dg.DagsterInstance.get() as instance:
        if tell:
            mirror(instance, study)
        graph = definitions(name).resolve_asset_graph()
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        for step in asked_steps(study):
            key = dg.AssetKey(step.table if step.models else step.name)
            kind = step.partitions
            keys: Sequence[str | None] = instance.get_dynamic_partitions(kind) if kind else [None]
            for partition in keys:
                status = resolver.get_status(key, partition)
                if status.value != "FRESH":
                    said = [cause.reason for cause in resolver.get_stale_causes(key, partition)]
                    causes[step.name, partition or ""] = f"{status.value}: {'; '.join(said)}"
    return Verdicts(cli, set(causes), causes)
