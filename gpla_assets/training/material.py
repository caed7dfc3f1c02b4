"""What M_E is trained on: what the project wrote, ValueBench where it is at hand; and its folds."""

from __future__ import annotations

import pandas as pd

from gpla_assets.content import (
    definitions_of,
    labelled_perceptions,
    opposing_perceptions,
    training_perceptions,
    value_items,
    value_statements,
    vocabulary,
)
from gpla_assets.sources import SOURCES, SourceMissing, locate, read
from gpla_assets.studies import data_dir
from gpla_assets.training import folds
from gpla_assets.training.examples import (
    ANSWER_COLUMNS,
    PAIR_COLUMNS,
    STATEMENT_COLUMNS,
    answer_examples,
    pair_examples,
    question_examples,
    statement_examples,
)
from gpla_assets.training.labels import labelled_relations, texts_with_hash

FOLDS = 5
EVERYTHING = -1
"""The fold that holds nothing out: its weights ship."""
NO_FOLD = -2
"""Of values that are trained on in every fold."""


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
    return rows.assign(definition=rows["definition"].fillna("")) if "definition" in rows else rows


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
    """All statements, those written for the cross-encoder among them, as in `examples`."""
    statements = pd.concat([training_statements(), written_examples()], ignore_index=True)
    return statements.drop_duplicates(["value", "text"], ignore_index=True)


def labelled_pairs_of_training() -> pd.DataFrame:
    """Labelled sentences of LLMs beside values, as in `examples`; none without AlpacaEval."""
    return labelled_pairs_of(pd.concat([training_perceptions(), opposing_perceptions()]))


def prose_examples() -> pd.DataFrame:
    """The relevant ones of these as statements, as in `examples`; none without AlpacaEval."""
    parts = []
    for source, labels in (
        ("LLM prose", training_perceptions()),
        ("LLM prose, opposing", opposing_perceptions()),
    ):
        pairs = labelled_pairs_of(labels[labels["relation"] != "-"])
        parts.append(pairs.assign(source=source, group=pairs["text"], inventory=""))
    return pd.concat(parts, ignore_index=True)[STATEMENT_COLUMNS]


def labelled_pairs_of_test() -> pd.DataFrame:
    """The labelled perceptions of the test, likewise."""
    return labelled_pairs_of(labelled_perceptions())


def labelled_pairs_of(labels: pd.DataFrame) -> pd.DataFrame:
    """Labels' sentences beside their values, as in `examples`; none without AlpacaEval."""
    texts = texts_with_hash("alpaca_eval", set(labels["text"]))
    if texts is None:
        return pd.DataFrame(columns=PAIR_COLUMNS)
    return pair_examples(labelled_relations(texts, labels))


def dealt_folds() -> dict[str, int]:
    """The fold of each value that is dealt one, names in lower case."""
    dealt = pd.concat([training_statements()["value"], training_answers()["value"]])
    return dict(zip(dealt.str.casefold(), folds.fold_of(dealt, FOLDS, 0), strict=True))


def known_folds(rows: pd.DataFrame) -> pd.Series:
    """Each row's fold by its value, dealt as for the bi-encoder.

    Values that the written statements alone hold are of NO_FOLD: dealing them too would deal all
    others anew.
    """
    of = dealt_folds()
    return rows["value"].str.casefold().map(lambda value: of.get(value, NO_FOLD))


def apart(rows: pd.DataFrame, fold_of: pd.Series, fold: int) -> pd.DataFrame:
    """The rows that a fold is trained on: none of its values, none of its statements."""
    held = (fold_of == fold).to_numpy()
    texts = {*rows.loc[held, "group"], *rows.loc[held, "text"]}
    names = rows["value"].str.casefold()
    # a set that is dealt by other groups may hold the same value
    known = rows["group"].isin(texts) | rows["text"].isin(texts) | names.isin(set(names[held]))
    return rows[~held & ~known.to_numpy()].reset_index(drop=True)
