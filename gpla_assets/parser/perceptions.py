"""Rows of `perceptions` from parents (texts or responses) and a parser."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.parser.protocol import PerceptionParser, Utterance

COLUMNS = [
    "perception_id",
    "parent_id",
    "source",
    "subject_id",
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
    progress: Callable[[int], None] = lambda count: None,
) -> pd.DataFrame:
    """Perceptions of parents (parent_id, content, subject_id, source, question_text).

    `progress` is told how many parents are finished.
    """
    # the NaN of a missing question would count as a question
    parents = parents.astype(object).where(parents.notna(), None)
    found = parser.parse(
        [Utterance(row.parent_id, row.content, row.question_text) for row in parents.itertuples()],
        progress,
    )
    by_parent = {row.parent_id: row for row in parents.itertuples()}
    rows = [
        (
            key_of(item.parent, item.start, item.end, item.content),
            item.parent,
            by_parent[item.parent].source,
            by_parent[item.parent].subject_id,
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
    return frame.drop_duplicates("perception_id").reset_index(drop=True)
