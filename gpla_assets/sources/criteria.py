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
from gpla_assets.studies.places import dbt_folder

SAFE = {"safe": 100.0, "true": 100.0, "1": 100.0, "unsafe": 0.0, "false": 0.0, "0": 0.0}


@dataclass(frozen=True)
class CriterionReader:
    """Where a criterion comes from and what it measures."""

    title: str
    kind: str
    file: str | None
    read: Callable[[Path], pd.DataFrame]


def read_scores(path: Path) -> pd.DataFrame:
    """Any CSV, JSONL or Parquet file with columns llm and score."""
    return _scores(file_rows(path), "llm", "score", path)


def read_paper_table11(path: Path) -> pd.DataFrame:
    """SALAD-Bench's scores of 17 LLMs as the paper's Table 11 prints them."""
    return _scores(file_rows(path), "llm", "salad_safety_score", path)


def read_alpaca_leaderboard(path: Path) -> pd.DataFrame:
    """AlpacaEval's length-controlled win rates; LLMs by the folder of their outputs.

    The leaderboard's own names are titles; the folder's name is the one that the outputs carry.
    """
    rows = file_rows(path)
    require(rows, ["name", "length_controlled_winrate", "samples"], path)
    folders = rows["samples"].str.extract(r"/results/([^/]+)/", expand=False)
    named = rows.assign(llm=folders.fillna(rows["name"]))
    return _scores(named, "llm", "length_controlled_winrate", path)


def read_salad_verdicts(path: Path) -> pd.DataFrame:
    """SALAD-Bench: scores (model, score), or verdicts on responses, a prompt and model a row.

    Of verdicts (model, question, response, verdict) the score is the share of safe responses in
    per cent; a verdict is safe or unsafe, true or false, 1 or 0.
    """
    rows = file_rows(path)
    if "score" in rows:
        return _scores(rows, "model", "score", path)
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


def _scores(rows: pd.DataFrame, llm: str, score: str, path: Path) -> pd.DataFrame:
    require(rows, [llm, score], path)
    numbers = pd.to_numeric(rows[score], errors="coerce")
    if numbers.isna().any():
        row = numbers.isna().idxmax()
        raise SourceError(
            f"{path}, row {row}: {score} of {rows[llm][row]!r} is {rows[score][row]!r}, expected "
            "a number. Leave the row out, or give its score."
        )
    found = pd.DataFrame({"name": rows[llm].astype(str).str.strip(), "score": numbers})
    twice = found[found["name"].duplicated()]
    if len(twice):
        name = twice["name"].iloc[0]
        times = int((found["name"] == name).sum())
        raise SourceError(
            f"{path}: LLM {name!r} stands {times} times, expected once. Keep one of its rows."
        )
    return found


CRITERIA: dict[str, CriterionReader] = {
    "paper_table11": CriterionReader(
        "SALAD-Bench (the paper's Table 11)", "safety", "dbt/seeds/paper_consistency.csv",
        read_paper_table11,
    ),
    "alpaca_leaderboard": CriterionReader(
        "AlpacaEval, length-controlled win rate", "helpfulness", "alpaca_eval/leaderboard.csv",
        read_alpaca_leaderboard,
    ),
    "salad_bench": CriterionReader(
        "SALAD-Bench", "safety", "salad_bench/verdicts.jsonl", read_salad_verdicts
    ),
    "file": CriterionReader("file", "other", None, read_scores),
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
    scores: pd.DataFrame, aliases: pd.DataFrame, llms: Sequence[str], matches: Sequence[str]
) -> pd.DataFrame:
    """Each name of a criterion with the LLM of ours that it is: columns name, score, llm, match.

    Equal names, whatever the case, are `same`; else an alias (name, llm, match) whose match is
    among `matches`. `llm` is null where there is none.
    """
    by_name = {llm.casefold(): llm for llm in llms}
    known = aliases[aliases["match"].isin(matches) & aliases["llm"].isin(llms)]
    alias = {row.name.casefold(): (row.llm, row.match) for row in known.itertuples(index=False)}
    found = []
    for name in scores["name"]:
        folded = name.casefold()
        found.append((by_name[folded], "same") if folded in by_name else alias.get(folded))
    return scores.assign(
        llm=[one[0] if one else None for one in found],
        match=[one[1] if one else None for one in found],
    )
