"""The filter on a user's own file, without Dagster or a warehouse: `gpla lexicon`."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.lexicon.filtering import LexiconError, checked_frequencies, sweep
from gpla_assets.lexicon.names import filter_names
from gpla_assets.lexicon.similarity import value_similarities
from gpla_assets.lexicon.spelling import common_spellings
from gpla_assets.studies.lexicon import LISTED_COSINE, SAME_COSINE, SAME_ROUGE, LexiconSettings

COLUMNS = ["value", "frequency", "kept", "winner", "rule", "similarity"]


ROUGE_SWEEP = (0.4, SAME_ROUGE, 0.6, 0.7, 0.8, 1.0)
COSINE_SWEEP = (LISTED_COSINE, 0.45, 0.5, SAME_COSINE, 0.6, 0.7, 0.8, 1.0)


def filter_file(path: Path, settings: LexiconSettings) -> pd.DataFrame:
    """Decisions on the values of a CSV with columns value,frequency.

    Names that are equal in normal form are one value: the more frequent spelling, frequencies
    summed. Raises LexiconError for a file or a row that cannot be read.
    """
    merged = _read(path)
    vectors = make_embedder().encode(list(merged["value"]))
    return filter_names(merged, vectors, settings)[COLUMNS]


def sweep_file(path: Path) -> pd.DataFrame:
    """Size of the lexicon by thresholds: rows (rouge_threshold, cosine_threshold, size).

    Lists all near pairs, of which there are some millions for 5,000 values.
    """
    merged = _read(path)
    names = list(merged["value"])
    similarities = value_similarities(names, make_embedder().encode(names), LISTED_COSINE)
    return sweep(merged, similarities, ROUGE_SWEEP, COSINE_SWEEP)


def _read(path: Path) -> pd.DataFrame:
    """Values merged by normal form: rows (value, frequency)."""
    try:
        rows = pd.read_csv(path, dtype={"value": str}, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise LexiconError(f"{path} cannot be read as CSV: {error}") from error
    if {"value", "frequency"} - set(rows.columns):
        raise LexiconError(
            f"{path} has columns {', '.join(rows.columns)}, expected value,frequency."
        )
    checked_frequencies(rows.drop_duplicates("value"))
    rows["frequency"] = pd.to_numeric(rows["frequency"])
    rows["value"] = rows["value"].map(common_spellings(rows.groupby("value")["frequency"].max()))
    return rows.groupby("value", as_index=False)["frequency"].sum()
