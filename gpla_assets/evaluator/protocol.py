"""What is asked of M_E: perceptions and values in, relevance and valence out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from gpla_assets.agents.protocol import Agent
from gpla_assets.evaluator.expression import NO_TOP, Reading


class ValueEvaluator(Agent, Protocol):
    """M_E: perceptions x values -> relevance and valence."""

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """Relevance of all pairs that M_E gives it of, and the valence of those that are relevant
        or their perception's most relevant above `top_relevance`.

        Arrays of perceptions x values: give so many perceptions at a time as memory allows.
        """
        ...

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Rows (row, value, relevance, p_support, p_oppose, p_either, score) of relevant pairs."""
        ...

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """The same columns for aligned pairs, all of them, in order."""
        ...
