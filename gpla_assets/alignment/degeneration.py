"""Signs that a policy pleases its reward by worse text: length, repetition, poverty of words."""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence

import pandas as pd

WORD = re.compile(r"\w+(?:['’]\w+)*")
GRAM = 4


def degeneration(responses: Sequence[str]) -> pd.DataFrame:
    """One row a response: words, repetition, distinct, compression.

    `repetition`: share of 4-grams of words that stood before in the response; `distinct`:
    different words by words; `compression`: bytes by compressed bytes, high where text repeats.
    The last three are missing where a response is too short to tell.
    """
    return pd.DataFrame(
        [_of(response) for response in responses],
        columns=["words", "repetition", "distinct", "compression"],
    )


def _of(response: str) -> tuple[int, float | None, float | None, float | None]:
    words = [word.casefold() for word in WORD.findall(response)]
    grams = list(zip(*(words[n:] for n in range(GRAM)), strict=False))
    raw = response.encode("utf-8", "surrogatepass")
    return (
        len(words),
        1 - len(set(grams)) / len(grams) if grams else None,
        len(set(words)) / len(words) if words else None,
        # zlib's header and checksum weigh too much in a shorter text
        len(raw) / len(zlib.compress(raw)) if len(raw) >= 40 else None,
    )


def likeness(responses: Sequence[str]) -> float | None:
    """Mean share of a response's words that another response has too (Jaccard), over all pairs.

    Rises where a policy gives everybody the same answer. None for fewer than two.
    """
    words = [frozenset(word.casefold() for word in WORD.findall(one)) for one in responses]
    shares = [
        len(a & b) / len(a | b)
        for place, a in enumerate(words)
        for b in words[place + 1 :]
        if a | b
    ]
    return sum(shares) / len(shares) if shares else None
