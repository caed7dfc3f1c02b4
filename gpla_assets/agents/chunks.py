"""Texts made fit to send, cut on semantic borders, and passages found again in them."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MINIMUM_RATIO = 0.8
"""Least share of words in common, in order, for a passage that is not found as it stands. Letters
would not do: 'I love power' and 'I love flowers' share 85% of theirs."""
WORD_RATIO = 0.8
"""Least share of letters for two words to be one, misspelt or corrected."""
FUZZY_MINIMUM = 12
"""Letters of a passage that is looked for with errors; a shorter one is like too many others."""
REACH = 3
"""Words by which the ends of the window of most common letters are moved to have most words."""
WORD_PIECE = 6
"""Letters a token, rounded up by word: 17% above MiniLM's own count on the mean of the demo's texts
and not below it in 99% of them, so that chunks stay within their limit."""

JOINERS = "\u200c\u200d"
"""Zero-width signs that belong to words and emoji; all others are dropped."""
PLAIN = str.maketrans("“”„«»‘’‐‑‒–—―", '"""""\'\'------')
MARKS = "*`_"
"""Markdown's marks: an LLM leaves them out when it quotes."""
QUOTES = " \t\n\"'“”„‘’«»"

TokenCounter = Callable[[str], int]


@dataclass(frozen=True)
class Traced:
    """A text made from another: character n of `text` is character `places[n]` of the other."""

    text: str
    places: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """The span in the other text of a span that is not empty."""
        return self.places[start], self.places[end - 1] + 1


@dataclass(frozen=True)
class Chunk:
    """A part of a text that begins at character `start` of it."""

    start: int
    text: str


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


def token_counter(tokenizer: Any) -> TokenCounter:
    """Counts by a transformers tokenizer."""
    return lambda text: len(tokenizer.encode(text, add_special_tokens=False))


def chunks_of(text: str, chunk_tokens: int, count: TokenCounter = estimated_tokens) -> list[Chunk]:
    """Parts of at most `chunk_tokens`, in order, by semchunk; those without a letter are left out.

    semchunk cuts at the widest border that does: line ends, then sentences, clauses, words.
    """
    import semchunk

    if chunk_tokens < 1:
        raise ValueError(f"chunk_tokens = {chunk_tokens}: expected at least 1.")
    if not any(sign.isalpha() for sign in text):
        return []
    found: Any = semchunk.chunk(text, chunk_tokens, count, memoize=False, offsets=True)
    parts = [(start, text[start:end]) for start, end in found[1]]
    return [
        Chunk(start + len(part) - len(part.lstrip()), part.strip())
        for start, part in parts
        if any(sign.isalpha() for sign in part)
    ]


def aligned(
    quote: str, text: str, start: int = 0, minimum_ratio: float = MINIMUM_RATIO
) -> tuple[int, int] | None:
    """Where a quote stands in a text: (start, end) in characters, or None.

    As it stands, then whatever the blanks, case and typography, then the window that has most of
    its words; of equals the first from `start` on, else the first. A match never cuts a word.
    """
    quote = quote.strip().strip(QUOTES)
    if not any(sign.isalnum() for sign in quote):
        return None
    if found := _found(quote, text, start):
        return found
    folded, wanted = _folded(text), _folded(quote).text.strip()
    from_here = next((n for n, place in enumerate(folded.places) if place >= start), 0)
    span = wanted and _found(wanted, folded.text, from_here)
    span = span or _nearest(wanted, folded.text, minimum_ratio)
    return folded.span(*span) if span else None


def _found(quote: str, text: str, start: int) -> tuple[int, int] | None:
    for first in (start, 0) if start else (0,):
        place = text.find(quote, first)
        while place >= 0:
            end = place + len(quote)
            if not (_within_word(text, place) or _within_word(text, end)):
                return place, end
            place = text.find(quote, place + 1)
    return None


def _within_word(text: str, border: int) -> bool:
    """Whether a border cuts a word; scripts without blanks between words have none to cut."""
    around = text[border - 1 : border + 1] if border else ""
    return len(around) == 2 and all(one.isalnum() and ord(one) < 0x2E80 for one in around)


def _folded(text: str) -> Traced:
    signs: list[str] = []
    places: list[int] = []
    for place, sign in enumerate(text):
        if sign in MARKS:
            continue
        for one in unicodedata.normalize("NFKC", sign).translate(PLAIN).casefold():
            if one.isspace() and signs and signs[-1] == " ":
                continue
            signs.append(" " if one.isspace() else one)
            places.append(place)
    return Traced("".join(signs), places)


def _nearest(quote: str, text: str, minimum_ratio: float) -> tuple[int, int] | None:
    from rapidfuzz import fuzz

    # A longer quote would be the text that is searched, and any short chunk be found in it.
    if sum(map(str.isalnum, quote)) < FUZZY_MINIMUM or len(quote) * minimum_ratio > len(text):
        return None
    best = fuzz.partial_ratio_alignment(quote, text)
    if best is None or best.dest_end <= best.dest_start:
        return None
    words = [found.span() for found in re.finditer(r"\w+", text)]
    within = [n for n, (a, b) in enumerate(words) if a < best.dest_end and b > best.dest_start]
    if not within:
        return None
    # The window has the quote's length: where the quote leaves words out, its ends are elsewhere.
    near = [
        (words[first][0], words[last][1])
        for first in range(max(within[0] - REACH, 0), within[0] + REACH + 1)
        for last in range(within[-1] - REACH, min(within[-1] + REACH + 1, len(words)))
        if first <= last and first < len(words)
    ]
    ratio, _, start, end = max((_common_words(quote, text[a:b]), a - b, a, b) for a, b in near)
    return (start, end) if ratio >= minimum_ratio else None


def _common_words(first: str, second: str) -> float:
    """2 x the longest common subsequence of words / the words of both."""
    from rapidfuzz import fuzz

    a, b = re.findall(r"\w+", first), re.findall(r"\w+", second)
    row = [0] * (len(b) + 1)
    for word in a:
        diagonal = 0
        for n, other in enumerate(b, 1):
            above = row[n]
            same = word == other or fuzz.ratio(word, other) >= 100 * WORD_RATIO
            row[n] = diagonal + 1 if same else max(above, row[n - 1])
            diagonal = above
    return 2 * row[-1] / (len(a) + len(b)) if a or b else 0.0
