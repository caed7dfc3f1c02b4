"""Which share of conversations a list of values covers (the paper's appendix B.1)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.naming import Encode


def labelled(questions: list[str], topics: pd.DataFrame, encode: Encode) -> pd.DataFrame:
    """Zero-shot topics of conversations by what their user asks first.

    `topics` (topic, description, value_laden); the topic is the one whose name and description are
    nearest by cosine. One row per question: topic, topic_cosine, value_laden.
    """
    names = [f"{row.topic}: {row.description}" for row in topics.itertuples()]
    cosines = encode(questions) @ encode(names).T
    best = cosines.argmax(1)
    return pd.DataFrame(
        {
            "topic": topics["topic"].to_numpy()[best],
            "topic_cosine": cosines[np.arange(len(best)), best],
            "value_laden": topics["value_laden"].to_numpy()[best],
        }
    )


def coverage(
    conversations: pd.DataFrame, n_perceptions: pd.Series, lists: dict[str, pd.DataFrame]
) -> pd.DataFrame:
    """One row per conversation and list of values: how many different values it holds.

    `conversations` (conversation_id, topic, value_laden); `n_perceptions` by conversation; `lists`
    by name: measurements (conversation_id, value), one row a relevant pair. A conversation without
    any has 0.
    """
    frames = []
    for name, found in lists.items():
        counts = found.groupby("conversation_id")["value"].nunique()
        frames.append(
            conversations[["conversation_id", "topic", "value_laden"]].assign(
                lexicon=name,
                n_values=conversations["conversation_id"].map(counts).fillna(0).astype(int),
                n_perceptions=conversations["conversation_id"]
                .map(n_perceptions)
                .fillna(0)
                .astype(int),
            )
        )
    return pd.concat(frames, ignore_index=True)
