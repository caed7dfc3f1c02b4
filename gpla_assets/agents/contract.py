"""What the frames that M_G and M_E give must be: checked wherever their rows are taken over."""

from __future__ import annotations

import pandas as pd

from gpla_assets.agents.protocol import Agent
from gpla_assets.common.errors import KnownError
from gpla_assets.common.frames import ColumnRule, Contract

ROW, NAME, SHARE = ColumnRule(int, low=0), ColumnRule(str), ColumnRule(float, low=0.0, high=1.0)
KEY = ("row", "value")
GENERATED = Contract({"row": ROW, "value": NAME, "probability": SHARE}, KEY)
"""M_G: the place of the perception among those given, a value, and how strongly it is seen."""
MEASURED = Contract(
    {
        **{"row": ROW, "value": NAME, "relevance": SHARE},
        **{"p_support": SHARE, "p_oppose": SHARE, "p_either": SHARE},
        "score": ColumnRule(float, nullable=True, low=-1.0, high=1.0),
    },
    KEY,
)
"""M_E: the place of the perception, a value, its relevance and valence, and the score if any."""


class AgentFault(KnownError, ValueError):
    """Rows of an agent that are not what was asked of it; the message names agent and fault."""


def generated(rows: pd.DataFrame, agent: Agent, n_perceptions: int) -> pd.DataFrame:
    """Rows of M_G, unchanged; raises AgentFault where they are none of `n_perceptions`."""
    return _checked(rows, GENERATED, agent, n_perceptions)


def measured(rows: pd.DataFrame, agent: Agent, n_perceptions: int) -> pd.DataFrame:
    """Rows of M_E, unchanged; raises AgentFault where they are none of `n_perceptions`."""
    return _checked(rows, MEASURED, agent, n_perceptions)


def _checked(
    rows: pd.DataFrame, contract: Contract, agent: Agent, n_perceptions: int
) -> pd.DataFrame:
    wrong = contract.fault(rows)
    if wrong is None and len(rows) and int(rows["row"].max()) >= n_perceptions:
        wrong = f"row is {int(rows['row'].max())}, expected less than {n_perceptions} perceptions"
    if wrong:
        raise AgentFault(
            f"{agent.name} ({agent.model}) gave rows that cannot be used: {wrong}. It is a fault "
            "of this backend; choose another, or mend it."
        )
    return rows
