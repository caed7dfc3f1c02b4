"""What the preference model sees of a response to a prompt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.alignment.degeneration import WORD, degeneration
from gpla_assets.embedding.embedder import Encoder

Floats = NDArray[np.float64]
LENGTH = ("log words", "log words squared")
FORM = (
    "lines of a list", "headings", "bold", "code", "digits", "questions", "refusal", "repetition",
    "distinct words", "prompt's words", "unfinished",
)  # fmt: skip
REFUSAL = re.compile(
    r"\b(as an ai|i (cannot|can't|am unable|won't)|i'm (sorry|unable)|i am sorry)\b", re.IGNORECASE
)
LIST_LINE = re.compile(r"^\s*([-*•]|\d+[.)])\s", re.MULTILINE)
HEADING = re.compile(r"^\s*#{1,6}\s", re.MULTILINE)
FINISHED = re.compile(r"[.!?:\"'`)\]}>*|]\s*$")


def features(
    prompts: Sequence[str], responses: Sequence[str], encoder: Encoder, with_length: bool
) -> Floats:
    """(n, f): embedding of the response and its product with the prompt's, cosine, form, length.

    The encoder reads the first 128 tokens. Without length, no feature counts words: an aligned
    LLM cannot please by going on.
    """
    u = encoder.encode(list(prompts)).astype(float)
    v = encoder.encode(list(responses)).astype(float)
    form = form_of(prompts, responses)
    seen = form[[*LENGTH, *FORM] if with_length else [*FORM]].to_numpy(float)
    return np.hstack([v, u * v, (u * v).sum(1, keepdims=True), seen])


def form_of(prompts: Sequence[str], responses: Sequence[str]) -> pd.DataFrame:
    """One row a response: its length and form, shares rather than counts beside the length."""
    signs = degeneration(responses)
    rows = []
    for prompt, text in zip(prompts, responses, strict=True):
        words = [word.casefold() for word in WORD.findall(text)]
        asked = {word.casefold() for word in WORD.findall(prompt)}
        lines = max(1, sum(bool(line.strip()) for line in text.splitlines()))
        count = max(1, len(words))
        rows.append(
            {
                "log words": np.log1p(len(words)),
                "log words squared": np.log1p(len(words)) ** 2,
                "lines of a list": len(LIST_LINE.findall(text)) / lines,
                "headings": len(HEADING.findall(text)) / lines,
                "bold": min(1.0, text.count("**") / 2 / lines),
                "code": float("```" in text),
                "digits": sum(c.isdigit() for c in text) / max(1, len(text)),
                "questions": text.count("?") / lines,
                "refusal": float(bool(REFUSAL.search(text[:300]))),
                "prompt's words": sum(word in asked for word in words) / count,
                "unfinished": float(not FINISHED.search(text)),
            }
        )
    found = pd.DataFrame(rows, columns=[*LENGTH, *(n for n in FORM if n not in _FROM_SIGNS)])
    found["repetition"] = signs["repetition"].fillna(0.0).to_numpy(float)
    found["distinct words"] = signs["distinct"].fillna(1.0).to_numpy(float)
    return found


_FROM_SIGNS = ("repetition", "distinct words")
