"""Readers of public sets of labelled statements that M_E learns from: one a set.

Rows have text, and what it is labelled with; see each reader.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.sources.reading import ReadResult, file_rows, require, usable

Columns = Mapping[str, str]
SIDES = {1: "support", -1: "oppose"}
SURE = 0.7
"""Least confidence in a persona statement's label: labels below it are often wrong."""


def read_persona(path: Path, columns: Columns) -> ReadResult:
    """Anthropic's persona statements whose label is sure: rows (trait, stance, statement)."""
    rows = file_rows(path)
    require(rows, ["trait", "statement", "label", "label_confidence"], path)
    sure = pd.to_numeric(rows["label_confidence"], errors="coerce") >= SURE
    kept = rows[sure].reset_index(drop=True)
    stances = pd.to_numeric(kept["label"]).map(SIDES)
    found = usable(
        kept[["trait", "statement"]].assign(stance=stances), ["trait", "statement"], "statement"
    )
    return _with_skipped(found, f"label less sure than {SURE}", int((~sure).sum()))


def read_virtue(path: Path, columns: Columns) -> ReadResult:
    """ETHICS' virtues: rows (text, trait, shown), `shown` 1 where the sentence shows the trait."""
    rows = file_rows(path)
    require(rows, ["text", "trait", "label"], path)
    plain = pd.DataFrame(
        {
            "text": rows["text"].str.strip(),
            "trait": rows["trait"].str.strip(),
            "shown": pd.to_numeric(rows["label"]).astype(int),
        }
    )
    return usable(plain, ["text", "trait"], "text")


def read_fulcra(path: Path, columns: Columns) -> ReadResult:
    """Value FULCRA's answers of LLMs: rows (text, question, value, stance), a value a row."""
    rows = file_rows(path)
    require(rows, ["prompt", "response", "value_items"], path)
    labels = rows["value_items"].fillna("").str.split("|").explode()
    parts = labels[labels.str.contains(":")].str.rsplit(":", n=1, expand=True)
    labelled = rows.loc[parts.index]
    plain = pd.DataFrame(
        {
            "text": labelled["response"].to_numpy(),
            "question": labelled["prompt"].to_numpy(),
            "value": parts[0].str.strip().to_numpy(),
            # +1 and -1, at times written 1+
            "stance": np.where(parts[1].str.contains("-", regex=False), "oppose", "support"),
        }
    )
    return usable(plain, ["text", "value"], "text")


def _with_skipped(found: ReadResult, reason: str, count: int) -> ReadResult:
    return ReadResult(found.rows, {**found.skipped, reason: count}) if count else found
