"""Style of responses: length, refusals, markdown; what scores owe to it can be taken away."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.parser.sentences import BOLD_LABEL, LIST_MARKER, SKIPPED_LINE, sentence_spans
from gpla_assets.sources.refusals import refuses

STYLE = ["log_words", "log_sentences", "refusal", "markdown"]


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
