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
    "part",
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
    """Perceptions of parents (parent_id, content, subject_id, source, question_text, part).

    A parent may stand once for each of its parts. `progress` is told how many are finished.
    """
    # the NaN of a missing question would count as a question
    parents = parents.astype(object).where(parents.notna(), None)
    known = {str(place): row for place, row in enumerate(parents.itertuples())}
    found = parser.parse(
        [Utterance(key, row.content, row.question_text) for key, row in known.items()], progress
    )
    rows = [
        (
            # the same words may be thought and said
            key_of(row.parent_id, row.part, one.start, one.end, one.content),
            row.parent_id,
            row.source,
            row.subject_id,
            row.part,
            one.ordinal,
            one.start,
            one.end,
            one.sentence,
            one.content,
            float(one.attitude),
        )
        for one in found
        for row in (known[one.parent],)
    ]
    frame = pd.DataFrame(rows, columns=COLUMNS)
    return frame.drop_duplicates("perception_id").reset_index(drop=True)
