"""Texts made fit to send: cleaned, in one line, shortened, counted in tokens."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

WORD_PIECE = 6
"""Letters a token, rounded up by word: 17% above MiniLM's own count on the mean of the demo's texts
and not below it in 99% of them, so that chunks stay within their limit."""
JOINERS = "\u200c\u200d"
"""Zero-width signs that belong to words and emoji; all others are dropped."""
LONGEST_STATEMENT = 4000
"""Characters of a perception that are sent."""
TokenCounter = Callable[[str], int]


@dataclass(frozen=True)
class Traced:
    """A text made from another: character n of `text` is character `places[n]` of the other."""

    text: str
    places: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the other text of a span that is not empty."""
        return self.places[start], self.places[end - 1] + 1


def cleaned(text: str) -> Traced:
    """A text without what a server refuses or a reader cannot see.

    Control characters become blanks; lone surrogates, marks of direction and other invisible
    signs (with which text can be hidden) are dropped; line ends and tabs stay.
    """
    signs = {sign: _as_sent(sign) for sign in set(text)}
    if all(sign == sent for sign, sent in signs.items()):
        return Traced(text, range(len(text)))
    kept = [place for place, sign in enumerate(text) if signs[sign]]
    return Traced("".join(signs[text[place]] for place in kept), kept)


def _as_sent(sign: str) -> str:
    category = unicodedata.category(sign)
    if sign in "\n\t" or sign in JOINERS or category not in ("Cc", "Cf", "Cs"):
        return sign
    return " " if category == "Cc" else ""


def one_line(text: str) -> str:
    """A text cleaned and in one line of single blanks."""
    return " ".join(cleaned(text).text.split())


def shortened(text: str, longest: int) -> str:
    """The beginning of a text that has more than `longest` characters, marked as such."""
    return text if len(text) <= longest else text[:longest] + " [...]"


def estimated_tokens(text: str) -> int:
    """Tokens of a text without a tokenizer: WORD_PIECE letters each; of Chinese one each."""
    words = re.findall(r"\w+|[^\w\s]", text)
    return sum(
        math.ceil(len(word) / WORD_PIECE) if ord(word[0]) < 0x2E80 else len(word) for word in words
    )
