"""What is asked of M_G: perceptions in, values out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import pandas as pd

from gpla_assets.agents.protocol import Agent


class ValueGenerator(Agent, Protocol):
    """M_G: perceptions -> values."""

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability); `row` is the position of the perception."""
        ...
