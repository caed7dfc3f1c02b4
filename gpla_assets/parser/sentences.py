"""Sentences and clauses of an LLM's text, with their places in it.

Markdown is what LLMs write: code blocks, tables and headings are left out, list markers and bold
labels are stripped, and every line is a paragraph of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import sentencex

CODE_BLOCK = re.compile(r"```.*?(?:```|\Z)|<code>.*?</code>", re.DOTALL)
SKIPPED_LINE = re.compile(r"^\s*(?:#{1,6}\s|\||[-=*_]{3,}\s*$|>\s|\$\$|<[a-z/])", re.IGNORECASE)
LIST_MARKER = re.compile(r"^\s*(?:[-*•+–●▪]\s+|\(?\d{1,3}[.):]\s+|\(?[a-zA-Z][.)]\s+)+")
BOLD_LABEL = re.compile(
    r"^\s*(?:\*\*|__)[^*_\n]{1,80}(?:\*\*|__)\s*[:.–-]?\s+|^\s*\*\*[^*\n]{1,80}:\*\*\s*"
)
EMPHASIS = re.compile(r"\*\*|__|(?<!\w)[*_](?=\S)|(?<=\S)[*_](?!\w)|`")

CONTRAST = re.compile(r"\s*;\s+(?:however,?\s+|but\s+|instead,?\s+)?|,\s+(?:but|yet|whereas)\s+")
CONCESSION = re.compile(
    r"^(?:while|although|though|even though|whereas)\s+([^,]+),\s+", re.IGNORECASE
)
MINIMUM_CLAUSE_WORDS = 3


@dataclass(frozen=True)
class Span:
    """A sentence or clause: `text[start:end]` of the utterance, and its sentence's number."""

    start: int
    end: int
    sentence: int


def sentence_spans(text: str) -> list[Span]:
    """The sentences of the prose in a text, in order."""
    # blanks of equal length keep the offsets
    prose = CODE_BLOCK.sub(lambda found: re.sub(r"[^\n]", " ", found.group()), text)
    spans: list[Span] = []
    for start, line in _lines(prose):
        for first, last in _line_sentences(line):
            spans.append(Span(start + first, start + last, len(spans)))
    return spans


def clause_spans(text: str, span: Span) -> list[Span]:
    """A sentence cut where it turns ("..., but ...", "While ..., ..."), so that each part has one
    attitude; the sentence itself where no part would be a clause."""
    sentence = text[span.start : span.end]
    conceded = CONCESSION.match(sentence)
    if conceded:
        parts = [(conceded.start(1), conceded.end(1)), (conceded.end(), len(sentence))]
    else:
        cuts = list(CONTRAST.finditer(sentence))
        starts = [0, *(cut.end() for cut in cuts)]
        parts = list(zip(starts, [*(cut.start() for cut in cuts), len(sentence)], strict=True))
    # "Yes, but no" has no clauses that state anything
    if len(parts) == 1 or any(len(sentence[a:b].split()) < MINIMUM_CLAUSE_WORDS for a, b in parts):
        return [span]
    return [Span(span.start + a, span.start + b, span.sentence) for a, b in parts]


def plain(text: str) -> str:
    """The text without emphasis marks and with single blanks."""
    return " ".join(EMPHASIS.sub("", text).split()).strip("\"“”' ")


def _lines(text: str) -> Iterator[tuple[int, str]]:
    start = 0
    for line in text.splitlines(keepends=True):
        if line.strip() and not SKIPPED_LINE.match(line):
            marker = LIST_MARKER.match(line)
            first = marker.end() if marker else 0
            label = BOLD_LABEL.match(line[first:])
            first += label.end() if label else 0
            yield start + first, line[first:].rstrip()
        start += len(line)


def _line_sentences(line: str) -> Iterator[tuple[int, int]]:
    place = 0
    for sentence in sentencex.segment("en", line):
        stripped = sentence.strip()
        # the segmenter gives no offsets; sentences come in order
        first = line.find(stripped, place) if stripped else -1
        if first >= 0:
            place = first + len(stripped)
            yield first, place
