"""The filter on a user's own file, without Dagster or a warehouse: `gpla lexicon`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpla_assets.agents import make_embedder
from gpla_assets.lexicon.filtering import LexiconError, filter_lexicon, normal_form, sweep
from gpla_assets.lexicon.similarity import value_similarities

COLUMNS = ["value", "frequency", "kept", "winner", "rule", "similarity"]


ROUGE_SWEEP = (0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
COSINE_SWEEP = (0.4, 0.45, 0.5, 0.53, 0.6, 0.7, 0.8, 1.0)


def filter_file(path: Path, rouge_threshold: float, cosine_threshold: float) -> pd.DataFrame:
    """Decisions on the values of a CSV with columns value,frequency.

    Names that are equal in normal form are one value: the more frequent spelling, frequencies
    summed. Raises LexiconError for a file or a row that cannot be read.
    """
    merged, similarities = _read(path, rouge_threshold, cosine_threshold)
    return filter_lexicon(merged, similarities, rouge_threshold, cosine_threshold)[COLUMNS]


def sweep_file(path: Path) -> pd.DataFrame:
    """Size of the lexicon by thresholds: rows (rouge_threshold, cosine_threshold, size)."""
    merged, similarities = _read(path, 1.0, 1.0)
    return sweep(merged, similarities, ROUGE_SWEEP, COSINE_SWEEP)


def _read(path: Path, rouge: float, cosine: float) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values merged by normal form, and their similarities."""
    try:
        rows = pd.read_csv(path, dtype={"value": str}, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise LexiconError(f"{path} cannot be read as CSV: {error}") from error
    if {"value", "frequency"} - set(rows.columns):
        raise LexiconError(
            f"{path} has columns {', '.join(rows.columns)}, expected value,frequency."
        )
    filter_lexicon(rows.drop_duplicates("value"), _nothing(), rouge, cosine)
    rows["frequency"] = pd.to_numeric(rows["frequency"])
    rows["form"] = rows["value"].map(normal_form)
    spelled = rows.sort_values(["frequency", "value"], ascending=[False, True])
    merged = spelled.groupby("form", sort=False).agg(
        value=("value", "first"), frequency=("frequency", "sum")
    )
    names = list(merged["value"])
    similarities = value_similarities(names, make_embedder().encode(names))
    return merged.reset_index(drop=True), similarities


def _nothing() -> pd.DataFrame:
    return pd.DataFrame(
        columns=["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]
    )
