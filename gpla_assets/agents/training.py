"""What M_E is trained on: the project's items, and ValueBench's where they are at hand."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pandas as pd

from gpla_assets.agents.embedding import Encoder
from gpla_assets.agents.embedding_evaluator import held_out_accuracy
from gpla_assets.content import definitions_of, value_items, vocabulary
from gpla_assets.sources import SOURCES, SourceMissing, locate, read
from gpla_assets.studies import data_dir

COLUMNS = ["value", "definition", "stance", "statement"]


def project_items() -> pd.DataFrame:
    """The shipped items with the vocabulary's definitions: rows (value, definition, ...)."""
    items = value_items()
    return items.assign(definition=definitions_of(items["value"], vocabulary()))[COLUMNS]


def valuebench_items() -> pd.DataFrame | None:
    """ValueBench's questionnaire items; None where GPLA_DATA_DIR has none."""
    try:
        path = locate(SOURCES["valuebench_items"], data_dir(), None)
    except SourceMissing:
        return None
    rows = read("valuebench_items", path).rows
    return rows.assign(definition=rows["definition"].fillna(""))[COLUMNS]


def training_items() -> pd.DataFrame:
    """All items at hand; a statement that both sets hold for a value counts once."""
    found = [items for items in (project_items(), valuebench_items()) if items is not None]
    rows = pd.concat(found, ignore_index=True)
    return rows.drop_duplicates(["value", "statement"], ignore_index=True)


def training_report(embedder: Encoder, seed: int) -> dict[str, Any]:
    """Accuracy on values held out in training, for the project's items and for all at hand.

    ValueBench's alone cannot train it: none of them takes no side.
    """
    report: dict[str, Any] = {
        "project items": asdict(held_out_accuracy(project_items(), embedder, seed=seed))
    }
    if valuebench_items() is not None:
        everything = training_items()
        report["with ValueBench's items"] = asdict(
            held_out_accuracy(everything, embedder, seed=seed)
        )
    return report
