"""Cues of stance that sentence embeddings blur: sentiment (VADER) and negation."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

Floats = NDArray[np.float32]

NEGATION = re.compile(
    r"\b(?:not|no|never|nothing|none|nobody|nor|hardly|rarely|seldom|without|cannot|\w+n['’]t|"
    r"hate|dislike|avoid|reject|refuse|resist|oppose|against|unnecessary|needless|overrated|"
    r"pointless|useless|wrong|less|little)\b",
    re.IGNORECASE,
)
MOST_NEGATIONS = 3


@lru_cache
def _analyser() -> SentimentIntensityAnalyzer:
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


def text_cues(texts: Sequence[str]) -> Floats:
    """(n, 5): VADER's compound, negative and positive shares; has a negation; how many of 3."""
    found: dict[str, tuple[float, ...]] = {}
    for text in dict.fromkeys(texts):
        sentiment = _analyser().polarity_scores(text)
        negations = min(len(NEGATION.findall(text)), MOST_NEGATIONS)
        found[text] = (
            sentiment["compound"],
            sentiment["neg"],
            sentiment["pos"],
            float(negations > 0),
            negations / MOST_NEGATIONS,
        )
    return np.array([found[text] for text in texts], np.float32).reshape(len(texts), 5)


def sentiment(texts: Sequence[str]) -> Floats:
    """VADER's compound of each text, -1 to 1: (n,)."""
    return text_cues(texts)[:, 0]
