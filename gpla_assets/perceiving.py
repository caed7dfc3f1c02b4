"""Rows of `perceptions` from parents (texts or responses) and a parser."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from gpla_assets.agents import PerceptionParser, Utterance
from gpla_assets.keys import key_of

COLUMNS = [
    "perception",
    "origin",
    "parent",
    "source",
    "subject",
    "ordinal",
    "start_offset",
    "end_offset",
    "sentence",
    "content",
    "attitude",
]


def perceive(
    parents: pd.DataFrame,
    parser: PerceptionParser,
    origin: str,
    progress: Callable[[int], None] = lambda count: None,
) -> pd.DataFrame:
    """Perceptions of parents (parent, content, subject, source, question_text).

    `progress` is told how many parents are finished.
    """
    parents = parents.astype(object).where(parents.notna(), None)
    found = parser.parse(
        [Utterance(row.parent, row.content, row.question_text) for row in parents.itertuples()],
        progress,
    )
    by_parent = {row.parent: row for row in parents.itertuples()}
    rows = [
        (
            key_of(item.parent, item.start, item.end, item.content),
            origin,
            item.parent,
            by_parent[item.parent].source,
            by_parent[item.parent].subject,
            item.ordinal,
            item.start,
            item.end,
            item.sentence,
            item.content,
            float(item.attitude),
        )
        for item in found
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.drop_duplicates("perception").reset_index(drop=True)
