"""Style of responses: length, refusals, markdown; what scores owe to it can be taken away."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from gpla_assets.parser.sentences import BOLD_LABEL, LIST_MARKER, SKIPPED_LINE, sentence_spans

STYLE = ["log_words", "log_sentences", "refusal", "markdown"]
FIRST_CHARACTERS = 160
"""Where a refusal begins; later "I can't" may be anything."""
REFUSALS = (
    r"^sorry\b",
    r"\bI(?:'m| am) (?:very |so |truly )?sorry\b(?! (?:to|you|for)\b)",
    r"\bI (?:must |have to )?apologi[sz]e\b|\bmy apologies\b",
    r"\bI(?:'m| am) (?:not able|unable|not comfortable|not going|not in a position)\b",
    r"\bI (?:cannot|can't|can not|will not|won't|must decline|have to decline)\b",
    r"\bI (?:prefer|aim) not\b|\bI(?:'d| would) (?:prefer|rather) not\b|^I (?:aim|strive) to\b",
    r"\bI (?:do not|don't) (?:feel comfortable|engage|create|generate|write|produce|provide)\b",
    r"\bas an AI\b[^.!?]{0,80}\b(?:cannot|can't|not able|unable|do not have|don't have)\b",
)
REFUSES = re.compile("|".join(REFUSALS), re.IGNORECASE)
"""What a response is refused with; "I aim to be balanced" is how Claude 3.5 Sonnet begins to."""


def refuses(text: str) -> bool:
    """Whether a response begins with a refusal, by its first words.

    >>> refuses("I’m sorry, but I can't help with that."), refuses("Honesty matters. I can't lie.")
    (True, False)
    """
    first = text.lstrip()[:FIRST_CHARACTERS].replace("’", "'")
    opening = re.split(r"(?<=[.!?])\s+|\n+", first)[0]
    return REFUSES.search(opening) is not None


def markdown_share(text: str) -> float:
    """Share of a text's lines that hold markdown: headings, lists, tables, bold; 0 of no line."""
    lines = [line for line in text.splitlines() if line.strip()]
    marked = [
        line
        for line in lines
        if SKIPPED_LINE.match(line)
        or LIST_MARKER.match(line)
        or BOLD_LABEL.match(line)
        or "**" in line
        or line.lstrip().startswith("```")
    ]
    return len(marked) / len(lines) if lines else 0.0


def styles(responses: pd.DataFrame) -> pd.DataFrame:
    """The STYLE of each response, of rows with a column content; in their order and index.

    Logs are of 1 + the number of words and of sentences, `refusal` is 0 or 1.
    """
    texts = responses["content"]
    return pd.DataFrame(
        {
            "log_words": [np.log1p(len(text.split())) for text in texts],
            "log_sentences": [np.log1p(len(sentence_spans(text))) for text in texts],
            "refusal": [float(refuses(text)) for text in texts],
            "markdown": [markdown_share(text) for text in texts],
        },
        index=responses.index,
    )


def less_style(scores: np.ndarray, style: np.ndarray) -> np.ndarray:
    """Residuals of scores (n, m) on the units' style (n, c), value by value; NaN stays.

    The regression is linear with an intercept, over the units that have a score. NaN where a value
    has no more units than style has columns, plus one.
    """
    design = np.column_stack([np.ones(len(style)), style])
    found = np.full(scores.shape, np.nan)
    known = ~np.isnan(scores)
    for pattern in np.unique(known, axis=1).T:
        columns = (known == pattern[:, None]).all(axis=0)
        if pattern.sum() <= design.shape[1]:
            continue
        x, y = design[pattern], scores[np.ix_(pattern, columns)]
        found[np.ix_(pattern, columns)] = y - x @ np.linalg.lstsq(x, y, rcond=None)[0]
    return found
