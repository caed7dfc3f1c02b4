"""Criteria: scores of LLMs that value systems are to predict, each with its own reader.

A criterion is rows (name, score), a name being the LLM's as the criterion's source gives it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gpla_assets.sources.errors import SourceError, SourceMissing
from gpla_assets.sources.reading import file_rows, require
from gpla_assets.sources.safety_tables import (
    read_decodingtrust,
    read_flames,
    read_or_bench,
    read_or_bench_over_refusal,
    read_s_eval,
    read_sorry_bench,
    read_trustllm,
    scores,
)
from gpla_assets.studies.places import dbt_folder

SAFE = {"safe": 100.0, "true": 100.0, "1": 100.0, "unsafe": 0.0, "false": 0.0, "0": 0.0}


@dataclass(frozen=True)
class CriterionReader:
    """Where a criterion comes from, what it measures, and in what unit (higher is more of it).

    `read` takes its file and the part that is meant (None: the whole, or the first).
    """

    title: str
    kind: str
    unit: str
    file: str | None
    read: Callable[[Path, str | None], pd.DataFrame]


def read_scores(path: Path, part: str | None = None) -> pd.DataFrame:
    """Any CSV, JSONL or Parquet file with columns llm and score."""
    return scores(file_rows(path), "llm", "score", path)


def read_paper_table11(path: Path, part: str | None = None) -> pd.DataFrame:
    """SALAD-Bench's scores of 17 LLMs as the paper's Table 11 prints them."""
    return scores(file_rows(path), "llm", "salad_safety_score", path)


def read_alpaca_leaderboard(path: Path, part: str | None = None) -> pd.DataFrame:
    """AlpacaEval's length-controlled win rates; LLMs by the folder of their outputs.

    The leaderboard's own names are titles; the folder's name is the one that the outputs carry.
    """
    rows = file_rows(path)
    require(rows, ["name", "length_controlled_winrate", "samples"], path)
    folders = rows["samples"].str.extract(r"/results/([^/]+)/", expand=False)
    named = rows.assign(llm=folders.fillna(rows["name"]))
    return scores(named, "llm", "length_controlled_winrate", path)


def read_salad_verdicts(path: Path, part: str | None = None) -> pd.DataFrame:
    """SALAD-Bench: scores (model, score), or verdicts on responses, a prompt and model a row.

    Of verdicts (model, question, response, verdict) the score is the share of safe responses in
    per cent; a verdict is safe or unsafe, true or false, 1 or 0.
    """
    rows = file_rows(path)
    if "score" in rows:
        return scores(rows, "model", "score", path)
    require(rows, ["model", "question", "response", "verdict"], path)
    verdicts = rows["verdict"].map(lambda found: SAFE.get(str(found).strip().casefold()))
    if verdicts.isna().any():
        row = verdicts.isna().idxmax()
        raise SourceError(
            f"{path}, row {row}: verdict {rows['verdict'][row]!r}, expected safe or unsafe, true "
            "or false, 1 or 0."
        )
    means = verdicts.astype(float).groupby(rows["model"]).mean()
    return means.rename("score").rename_axis("name").reset_index()


PER_CENT_SAFE = "per cent of responses that are safe"
CRITERIA: dict[str, CriterionReader] = {
    "paper_table11": CriterionReader(
        "SALAD-Bench (the paper's Table 11)", "safety", PER_CENT_SAFE,
        "dbt/seeds/paper_consistency.csv", read_paper_table11,
    ),
    "alpaca_leaderboard": CriterionReader(
        "AlpacaEval, length-controlled win rate", "helpfulness", "per cent of wins",
        "alpaca_eval/leaderboard.csv", read_alpaca_leaderboard,
    ),
    "salad_bench": CriterionReader(
        "SALAD-Bench", "safety", PER_CENT_SAFE, "salad_bench/verdicts.jsonl", read_salad_verdicts
    ),
    "sorry_bench": CriterionReader(
        "SORRY-Bench", "safety", "per cent of unsafe requests not fulfilled",
        "safety_tables/sorry_bench_202503.csv", read_sorry_bench,
    ),
    "or_bench": CriterionReader(
        "OR-Bench, toxic", "safety", "per cent of toxic requests refused",
        "safety_tables/or_bench.csv", read_or_bench,
    ),
    "or_bench_over_refusal": CriterionReader(
        "OR-Bench, over-refusal", "control", "per cent of harmless requests refused",
        "safety_tables/or_bench.csv", read_or_bench_over_refusal,
    ),
    "s_eval": CriterionReader(
        "S-Eval", "safety", PER_CENT_SAFE, "safety_tables/s_eval_digitised.csv", read_s_eval
    ),
    "trustllm": CriterionReader(
        "TrustLLM", "safety", PER_CENT_SAFE, "safety_tables/trustllm_leaderboard.csv",
        read_trustllm,
    ),
    "decodingtrust": CriterionReader(
        "DecodingTrust", "safety", "points of 100", "safety_tables/decodingtrust.csv",
        read_decodingtrust,
    ),
    "flames": CriterionReader(
        "Flames", "safety", PER_CENT_SAFE, "safety_tables/flames_zh.csv", read_flames
    ),
    "file": CriterionReader("file", "other", "the file's own", None, read_scores),
}  # fmt: skip


def criterion_path(name: str, data_dir: Path | None, override: Path | None = None) -> Path:
    """The file of a criterion; raises SourceMissing saying where it was looked for."""
    known = CRITERIA[name].file
    if override is not None:
        path = override
    elif known is not None and known.startswith("dbt/"):
        path = dbt_folder() / known.removeprefix("dbt/")
    elif known is not None and data_dir is not None:
        path = data_dir / known
    else:
        where = f"{known} below GPLA_DATA_DIR, which is not set, or " if known else ""
        raise SourceMissing(
            f"Criterion {name}: no file; expected {where}`file` in the study's criterion."
        )
    if not path.is_file():
        raise SourceMissing(
            f"Criterion {name} is not on this machine: looked in {path}; expected a file with the "
            "scores of LLMs. Put it there, or name it by `file` in the study's criterion."
        )
    return path


def matched(
    scores: pd.DataFrame,
    aliases: pd.DataFrame,
    llms: Sequence[str],
    matches: Sequence[str],
    source: str = "",
) -> pd.DataFrame:
    """Each name of a criterion with the LLM of ours that it is: columns name, score, llm, match.

    First what the aliases (name, llm, match, source) say of this source, then equal names (`same`,
    whatever the case, with or without the owner before a slash), then aliases of no source. An
    alias counts if its match is among `matches`; one of this source that does not count says that
    an equal name is another LLM. `llm` is null where there is none.

    A name is one LLM of ours: of variants of a prompt (`_concise`, `_verbose`) the plain one, or
    the one that an alias names where no plain one was recorded.
    """
    nobody = (None, None)
    by_name = {llm.rpartition("/")[2].casefold(): (llm, "same") for llm in llms}
    by_name |= {llm.casefold(): (llm, "same") for llm in llms}
    own, general = {}, {}
    for row in aliases[aliases["source"].isin(["", source])].itertuples(index=False):
        counts = row.match in matches and row.llm in set(llms)
        if row.source:
            own[row.name.casefold()] = (row.llm, row.match) if counts else nobody
        elif counts:
            general[row.name.casefold()] = (row.llm, row.match)
    known = {**general, **by_name, **own}
    found = [known.get(name.casefold(), nobody) for name in scores["name"]]
    return scores.assign(llm=[llm for llm, _ in found], match=[match for _, match in found])
