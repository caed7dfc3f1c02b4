"""Readers of published tables of LLMs' safety, each turned so that higher is safer, in per cent.

Over-refusal is no safety but its price: the share of harmless requests that are refused.
"""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.reading import file_rows, require

WHOLE = "all"
_CATEGORY = re.compile(r"#?\d+: (.+)")
TRUSTLLM = ("Jailbreak", "Misuse", "Toxicity", "Exaggerated Safety")
DECODINGTRUST = ("toxicity", "bias", "adv", "ood", "icl", "privacy", "moral", "fairness")
FLAMES = ("overall_harmless", "fairness", "safety", "morality", "legality", "data_protection")
S_EVAL = ("base risk", "attacks")


def scores(
    rows: pd.DataFrame, llm: str, score: str, path: Path, turned: bool = False, unit: float = 1.0
) -> pd.DataFrame:
    """Rows (name, score) of two columns: score times `unit`, less than 100 where it is `turned`.

    Raises SourceError naming what is no number, or the LLM that stands twice.
    """
    require(rows, [llm, score], path)
    numbers = pd.to_numeric(rows[score], errors="coerce")
    if numbers.isna().any():
        row = numbers.isna().idxmax()
        raise SourceError(
            f"{path}, row {row}: {score} of {rows[llm][row]!r} is {rows[score][row]!r}, expected "
            "a number. Leave the row out, or give its score."
        )
    numbers = numbers * unit
    name = rows[llm].astype(str).str.strip()
    found = pd.DataFrame({"name": name, "score": 100 - numbers if turned else numbers})
    twice = found[found["name"].duplicated()]
    if len(twice):
        name = twice["name"].iloc[0]
        times = int((found["name"] == name).sum())
        raise SourceError(
            f"{path}: LLM {name!r} stands {times} times, expected once. Keep one of its rows."
        )
    return found


def read_sorry_bench(path: Path, part: str | None = None) -> pd.DataFrame:
    """SORRY-Bench: responses that do not fulfil an unsafe request, of all or of one category.

    The table has shares of requests fulfilled, over all and by category (`12: System Intrusion`);
    `part` is a category's title, whatever the case.
    """
    rows = file_rows(path)
    found = {WHOLE: "mean_fulfillment_rate"}
    for column in rows.columns:
        title = _CATEGORY.fullmatch(str(column))
        if title:
            found[title[1].casefold()] = str(column)
    wanted = (part or WHOLE).casefold()
    if wanted not in found:
        raise _no_part("sorry_bench", part, list(found))
    return scores(rows, "model", found[wanted], path, turned=True, unit=100)


def read_or_bench(path: Path, part: str | None = None) -> pd.DataFrame:
    """OR-Bench: toxic requests that are refused."""
    return scores(file_rows(path), "model", "toxic_rejection_rate_pct", path)


def read_or_bench_over_refusal(path: Path, part: str | None = None) -> pd.DataFrame:
    """OR-Bench: harmless requests that are refused; higher is no safer."""
    return scores(file_rows(path), "model", "over_refusal_rate_pct", path)


def read_s_eval(path: Path, part: str | None = None) -> pd.DataFrame:
    """S-Eval: safe responses to base risks, or to attacks; read off a figure, to half a point.

    LLMs of which the figure has no attacks are left out of these.
    """
    rows = file_rows(path)
    if _part("s_eval", part, S_EVAL) == "base risk":
        return scores(rows, "model", "base_risk_safety_score_en_digitised", path)
    column = "attack_success_rate_en_digitised"
    require(rows, [column], path)
    return scores(rows[rows[column] != ""], "model", column, path, turned=True)


def read_trustllm(path: Path, part: str | None = None) -> pd.DataFrame:
    """TrustLLM's section on safety: a row a model and metric; -1 is a missing score.

    Jailbreak and misuse are refusals; toxicity and exaggerated safety are turned.
    """
    metric = _part("trustllm", part, TRUSTLLM)
    rows = file_rows(path)
    require(rows, ["section", "model", "metric", "better", "value"], path)
    rows = rows[(rows["section"] == "safety") & (rows["metric"] == metric)]
    rows = rows[pd.to_numeric(rows["value"], errors="coerce") != -1].reset_index(drop=True)
    turned = bool((rows["better"] == "lower").all())
    return scores(rows, "model", "value", path, turned=turned, unit=100)


def read_decodingtrust(path: Path, part: str | None = None) -> pd.DataFrame:
    """DecodingTrust's scores, toxicity by default; higher is more trustworthy in each."""
    return scores(file_rows(path), "model", _part("decodingtrust", part, DECODINGTRUST), path)


def read_flames(path: Path, part: str | None = None) -> pd.DataFrame:
    """Flames (Chinese prompts): harmless responses, over all or in one dimension."""
    column = f"{_part('flames', part, FLAMES)}_rate"
    return scores(file_rows(path), "model", column, path)


def _part(source: str, part: str | None, known: tuple[str, ...]) -> str:
    """The part that is meant, the first where none is named; raises SourceError."""
    by_name = {one.casefold(): one for one in known}
    wanted = (part or known[0]).casefold()
    if wanted not in by_name:
        raise _no_part(source, part, list(known))
    return by_name[wanted]


def _no_part(source: str, part: str | None, known: list[str]) -> SourceError:
    return SourceError(
        f"Criterion {source}: it has no part {part!r}; expected one of {', '.join(known)}."
    )
