"""What judges of responses have in common."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def readable(texts: Sequence[str]) -> list[str]:
    """Texts that every tokenizer takes: halves of characters (lone surrogates) become "?"."""
    return [text.encode("utf-8", "replace").decode("utf-8") for text in texts]


class _Named(Protocol):
    @property
    def name(self) -> str:
        """What the judge is, as tables and reports call it."""
        ...

    @property
    def model(self) -> str:
        """The weights or the LLM behind it."""
        ...

    @property
    def measure(self) -> str:
        """helpfulness or harmlessness."""
        ...

    @property
    def inferences(self) -> int:
        """Texts that went through a model so far."""
        ...


class Judge(_Named, Protocol):
    """Scores a response to a prompt by itself."""

    @property
    def pairwise(self) -> Literal[False]:
        """Tells it from a PairwiseJudge."""
        ...

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Floats:
        """(n,) scores in order; higher is better, on a scale of the judge's own."""
        ...


class PairwiseJudge(_Named, Protocol):
    """Says which of two responses to a prompt is better."""

    @property
    def pairwise(self) -> Literal[True]:
        """Tells it from a Judge."""
        ...

    def prefer(self, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]) -> Floats:
        """(n,) in [0, 1]: 1 where the first is better, .5 for a tie, NaN without a verdict."""
        ...
