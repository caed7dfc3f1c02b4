"""Value systems as rows that are kept, and back."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pandas as pd

from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.structure import ValueSystem
from gpla_assets.studies.structure import ScoreMethod


def history_rows(system: ValueSystem, stored: pd.DataFrame, n_llms: int) -> pd.DataFrame:
    """The row of a system (see table value_systems); found again, it keeps its first date."""
    now = datetime.now(UTC).replace(tzinfo=None)
    key = system.frozen.key
    earlier = stored.loc[stored["system_id"] == key, "made_at"]
    return pd.DataFrame(
        [
            {
                "system_id": key,
                "made_at": earlier.iloc[0] if len(earlier) else now,
                "last_made_at": now,
                "n_subjects": len(system.usable),
                "n_llms": n_llms,
                "n_values": len(system.pattern),
                "n_factors": system.pattern.shape[1],
                "factor_score": system.frozen.factor_score,
            }
        ]
    )


def loading_rows(frozen: FrozenSystem) -> pd.DataFrame:
    """One row per factor and value: loading, weight, and the value's mean and sd."""
    long = frozen.loadings.rename_axis("value").reset_index()
    long = long.melt("value", var_name="factor", value_name="loading")
    weights = frozen.weights.rename_axis("value").reset_index()
    weights = weights.melt("value", var_name="factor", value_name="weight")
    rows = long.merge(weights, on=["value", "factor"])
    rows["mean"], rows["sd"] = rows["value"].map(frozen.means), rows["value"].map(frozen.sds)
    return rows.assign(system_id=frozen.key)


def frozen_system(stored: pd.DataFrame, loadings: pd.DataFrame, key: str) -> FrozenSystem:
    """A stored system by its key; raises StructureError listing the keys there are."""
    if key not in set(stored["system_id"]):
        known = ", ".join(stored["system_id"]) or "none yet"
        raise StructureError(
            f"structure.frozen = {key!r}: expected the key of a stored value system ({known}). "
            "`select * from value_systems` lists them."
        )
    own = loadings[loadings["system_id"] == key]
    values = own.drop_duplicates("value").set_index("value")
    # F2 before F10
    factors = sorted(own["factor"].unique(), key=lambda name: (len(name), name))
    method = stored.loc[stored["system_id"] == key, "factor_score"].iloc[0]
    return FrozenSystem(
        own.pivot(index="value", columns="factor", values="loading")[factors],
        own.pivot(index="value", columns="factor", values="weight")[factors],
        values["mean"],
        values["sd"],
        cast(ScoreMethod, method),
    )
