"""What the frames that M_G and M_E give must be: checked wherever their rows are taken over."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import pandas as pd

from gpla_assets.agents.protocol import Agent
from gpla_assets.common.errors import KnownError
from gpla_assets.common.frames import ColumnRule, fault, frame_schema

if TYPE_CHECKING:
    from pandera.pandas import DataFrameSchema

ROW, NAME, SHARE = ColumnRule(int, low=0), ColumnRule(str), ColumnRule(float, low=0.0, high=1.0)
GENERATED: Mapping[str, ColumnRule] = {"row": ROW, "value": NAME, "probability": SHARE}
"""M_G: the place of the perception among those given, a value, and how strongly it is seen."""
MEASURED: Mapping[str, ColumnRule] = {
    **{"row": ROW, "value": NAME, "relevance": SHARE},
    **{"p_support": SHARE, "p_oppose": SHARE, "p_either": SHARE},
    "score": ColumnRule(float, nullable=True, low=-1.0, high=1.0),
}
"""M_E: the place of the perception, a value, its relevance and valence, and the score if any."""


class AgentFault(KnownError, ValueError):
    """Rows of an agent that are not what was asked of it; the message names agent and fault."""


def generated(rows: pd.DataFrame, agent: Agent, n_perceptions: int) -> pd.DataFrame:
    """Rows of M_G, unchanged; raises AgentFault where they are none of `n_perceptions`."""
    return _checked(rows, "generated", agent, n_perceptions)


def measured(rows: pd.DataFrame, agent: Agent, n_perceptions: int) -> pd.DataFrame:
    """Rows of M_E, unchanged; raises AgentFault where they are none of `n_perceptions`."""
    return _checked(rows, "measured", agent, n_perceptions)


@lru_cache
def _rules(what: str) -> tuple[Mapping[str, ColumnRule], DataFrameSchema]:
    rules = {"generated": GENERATED, "measured": MEASURED}[what]
    return rules, frame_schema(rules, ("row", "value"))


def _checked(rows: pd.DataFrame, what: str, agent: Agent, n_perceptions: int) -> pd.DataFrame:
    rules, schema = _rules(what)
    wrong = fault(rows, rules, schema)
    if wrong is None and len(rows) and int(rows["row"].max()) >= n_perceptions:
        wrong = f"row is {int(rows['row'].max())}, expected less than {n_perceptions} perceptions"
    if wrong:
        raise AgentFault(
            f"{agent.name} ({agent.model}) gave rows that cannot be used: {wrong}. It is a fault "
            "of this backend; choose another, or mend it."
        )
    return rows
