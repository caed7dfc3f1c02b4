"""What M_E is trained on: what the project wrote, and ValueBench where it is at hand."""

from __future__ import annotations

import pandas as pd

from gpla_assets.content import definitions_of, value_items, value_statements, vocabulary
from gpla_assets.evaluator.examples import (
    ANSWER_COLUMNS,
    answer_examples,
    question_examples,
    statement_examples,
)
from gpla_assets.sources import SOURCES, SourceMissing, locate, read
from gpla_assets.studies import data_dir


def project_items() -> pd.DataFrame:
    """The shipped items with the vocabulary's definitions: rows (value, definition, ...)."""
    items = value_items()
    return items.assign(definition=definitions_of(items["value"], vocabulary()))


def source_rows(source: str) -> pd.DataFrame | None:
    """The rows of a source; None where GPLA_DATA_DIR has none."""
    try:
        path = locate(SOURCES[source], data_dir(), None)
    except SourceMissing:
        return None
    rows = read(source, path).rows
    return rows.assign(definition=rows["definition"].fillna(""))


def training_statements() -> pd.DataFrame:
    """All statements at hand, as in `examples`; one that two sets hold for a value counts once."""
    parts = [statement_examples(project_items(), "project")]
    items, ratings = source_rows("valuebench_items"), source_rows("valuebench_ratings")
    if items is not None:
        parts.append(statement_examples(items, "ValueBench items"))
    if ratings is not None:
        parts.append(question_examples(ratings))
    rows = pd.concat(parts, ignore_index=True)
    return rows.drop_duplicates(["value", "text"], ignore_index=True)


def training_answers() -> pd.DataFrame:
    """Rated answers as in `examples`; none without ValueBench's data."""
    ratings = source_rows("valuebench_ratings")
    return pd.DataFrame(columns=ANSWER_COLUMNS) if ratings is None else answer_examples(ratings)


def written_examples() -> pd.DataFrame:
    """The statements that were written for the cross-encoder, as in `examples`."""
    return statement_examples(value_statements(), "written")


def cross_examples() -> pd.DataFrame:
    """All that the cross-encoder is trained on, as in `examples`."""
    statements = pd.concat([training_statements(), written_examples()], ignore_index=True)
    return statements.drop_duplicates(["value", "text"], ignore_index=True)
