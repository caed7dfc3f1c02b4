"""The method on a user's own matrix, without Dagster, a warehouse or an LLM: `gpla structure`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gpla_assets.psychometrics.item_stability import item_stability
from gpla_assets.psychometrics.naming import Encode, name_table
from gpla_assets.psychometrics.reading import OwnMatrix
from gpla_assets.psychometrics.stability import Progress, Stability, bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import ValueSystem, value_system
from gpla_assets.studies.structure import StructureSettings


@dataclass(frozen=True)
class Structured:
    """A matrix's value system, its stability and the names of its factors.

    `communities` are the values' communities and how often resamples find them again;
    `influence` (empty where it was not asked for) is each LLM's, or subject's, on the factors.
    """

    system: ValueSystem
    stability: Stability
    communities: pd.DataFrame
    influence: pd.DataFrame
    names: pd.Series
    llms: pd.Series
    settings: StructureSettings
    seed: int

    @property
    def minimum_alpha(self) -> float:
        """The alpha below which a factor gets a caution."""
        return self.settings.minimum_alpha


def structure_of(
    own: OwnMatrix,
    settings: StructureSettings,
    encode: Encode | None = None,
    own_names: Sequence[str] = (),
    seed: int = 0,
    leave_out: bool | None = None,
    progress: Progress | None = None,
) -> Structured:
    """The value system of a user's matrix; raises StructureError as `value_system`.

    `encode` embeds names of values, for the names of factors; without it a factor is named by its
    leading values. `own_names` name the first factors. Each LLM is left out once, and each subject
    where `leave_out` says so: of many subjects none moves a structure alone. `progress` is told
    of resamples done, and has a keyboard interrupt end them with what was finished.
    """
    scores, llms = own.scores, own.clusters
    system = value_system(scores, settings, None if llms is None else list(llms), seed=seed)
    usable = system.usable
    units = None if llms is None else list(llms.reindex(usable.index))
    stability = bootstrap(usable, system.pattern, settings, units, seed, progress)
    clusters = pd.Series(units or list(usable.index), usable.index)
    left_out = units is not None if leave_out is None else leave_out
    influence, communities = leave_one_out(usable, system.pattern, settings, []), system.communities
    # what is asked for last is what an interrupt leaves out
    try:
        if not stability.stopped:
            communities = item_stability(
                usable, communities, system.network, settings, units, seed, progress
            )
            named = list(clusters) if left_out else []
            influence = leave_one_out(usable, system.pattern, settings, named)
    except KeyboardInterrupt:
        if progress is None:
            raise
    names = _names(system, encode, own_names)
    return Structured(system, stability, communities, influence, names, clusters, settings, seed)


def _names(system: ValueSystem, encode: Encode | None, own_names: Sequence[str]) -> pd.Series:
    """Each factor's name, by its label."""
    own = {f"F{n}": name for n, name in enumerate(own_names, start=1)}
    if encode is None:
        leading = system.reliabilities.set_index("factor")["name"]
        return pd.Series({factor: own.get(factor, name) for factor, name in leading.items()})
    primary = system.loadings[system.loadings["is_primary"]]
    primary = primary.sort_values(["factor", "loading"], key=_by_size)[
        ["factor", "value", "loading"]
    ]
    table = name_table(primary, sorted(primary["value"]), encode, own, {})
    return table[table["chosen"]].set_index("factor")["name"]


def _by_size(column: pd.Series) -> pd.Series:
    return -column.abs() if column.name == "loading" else column
