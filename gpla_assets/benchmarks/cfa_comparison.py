"""Value systems compared by confirmatory factor analysis: as the paper does it, and fairly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gpla_assets.benchmarks.cfa import Cfa, confirm, fitted_system
from gpla_assets.benchmarks.cfa_cautions import data_cautions, solution_cautions
from gpla_assets.benchmarks.cfa_data import CfaData, cfa_data
from gpla_assets.benchmarks.cfa_model import Structure
from gpla_assets.benchmarks.fit_definitions import DEFINITIONS
from gpla_assets.benchmarks.fit_indices import rmsea_interval
from gpla_assets.benchmarks.systems import System, restricted, system_of_loadings
from gpla_assets.psychometrics.resampling import halves
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.studies import CfaSettings, StructureSettings

OURS = "ours"
GENERAL = "general"
FEWEST_LLMS = 10
"""LLMs below which halves by LLM are too small to confirm anything."""
QUICK_REPEATS = 30
"""Random data sets of parallel analysis on each half: factors are found anew on so many halves that
they need not be many."""
FIT_COLUMNS = [
    *("comparison", "split", "system", "structure", "n", "p", "k", "df", "discrepancy"),
    *("rmsea_low", "rmsea_high", "engine", "converged", "caution"),
]


@dataclass(frozen=True)
class Comparison:
    """Fits and indices of all systems, the nulls, and the last full fits' loadings and paths."""

    fits: pd.DataFrame
    indices: pd.DataFrame
    nulls: pd.DataFrame
    loadings: pd.DataFrame
    correlations: pd.DataFrame
    paths: pd.DataFrame


def random_grouping(system: System, random: np.random.Generator, name: str) -> System:
    """The values of a system dealt at random to factors of the same sizes, all keyed 1."""
    values = list(random.permutation(np.asarray(system.values, dtype=object)))
    factors, at = {}, 0
    for factor, own in system.factors.items():
        factors[factor] = dict.fromkeys(map(str, values[at : at + len(own)]), 1)
        at += len(own)
    return System(name, factors)


def compare(
    scores: pd.DataFrame,
    llms: Sequence[str],
    others: Sequence[System],
    settings: StructureSettings,
    own: CfaSettings,
    seed: int = 0,
) -> Comparison:
    """Ours against other systems, in the paper's way (`paper`) and on equal terms (`fair`).

    `scores` (n_subjects, n_values), `llms` the LLM of each row. `paper`: halved at random by
    `own.halves`, ours built on one half and confirmed on the other, which is drawn with replacement
    until it has as many subjects a value as `settings` want (and at least as many as there are
    subjects); the others on all subjects and values. `fair`, over random halves by LLM: ours built
    on one half, then all systems, and random groupings of the same sizes, confirmed on the same
    values of the other half, without drawing; ours also with a higher-order factor and as a
    bifactor model (not with fewer than ten LLMs). A system that cannot be fitted has a row with
    its reason.
    """
    collected = _Collected()
    random = np.random.default_rng(seed)
    with threadpool_limits(1):
        units = list(scores.index) if own.halves == "subject" else llms
        _paper(collected, scores, llms, others, settings, random, units, seed)
        for split in range(own.splits if len(set(llms)) >= FEWEST_LLMS else 0):
            _fair(collected, scores, llms, others, settings, random, split, own.nulls, seed)
    return collected.done()


def _paper(
    collected: _Collected,
    scores: pd.DataFrame,
    llms: Sequence[str],
    others: Sequence[System],
    settings: StructureSettings,
    random: np.random.Generator,
    units: Sequence[str],
    seed: int,
) -> None:
    first, second = halves(units, random)
    ours = _built(scores.iloc[first], [llms[at] for at in first], settings, seed)
    if ours is not None:
        wanted = max(ceil(settings.minimum_ratio * len(ours.values)), len(scores))
        drawn = scores.iloc[random.choice(second, wanted)]
        # a subject drawn twice stands under two names: names must differ
        drawn = drawn.set_axis([f"{n}" for n in range(wanted)])
        collected.fit("paper", 0, ours, drawn, with_paths=True)
    for system in others:
        # factors none of whose values was measured are left out, and the rest is fitted
        known = restricted(system, list(scores.columns))
        collected.fit("paper", 0, known, scores, with_paths=True, whole=system)


def _fair(
    collected: _Collected,
    scores: pd.DataFrame,
    llms: Sequence[str],
    others: Sequence[System],
    settings: StructureSettings,
    random: np.random.Generator,
    split: int,
    nulls: int,
    seed: int,
) -> None:
    first, second = halves(llms, random)
    few = min(settings.parallel_repeats, QUICK_REPEATS)
    quick = settings.model_copy(update={"parallel_repeats": few})
    ours = _built(scores.iloc[first], [llms[at] for at in first], quick, seed)
    if ours is None:
        return
    held_out = scores.iloc[second]
    # a value that the held-out half agrees on cannot be fitted, by any system
    ours = restricted(ours, [v for v in ours.values if held_out[v].std() > 0])
    held_out = held_out[ours.values]
    collected.fit("fair", split, ours, held_out)
    collected.fit("fair", split, ours, held_out, "higher_order")
    both = {**ours.factors, GENERAL: dict.fromkeys(ours.values, 1)}
    collected.fit("fair", split, System(OURS, both), held_out, "orthogonal")
    for system in others:
        known = restricted(system, ours.values)
        collected.fit("fair", split, known, held_out, whole=system)
    for draw in range(nulls):
        collected.null(split, draw, random_grouping(ours, random, "random"), held_out)


def _built(
    scores: pd.DataFrame, llms: Sequence[str], settings: StructureSettings, seed: int
) -> System | None:
    """Our system on a half of the subjects; None where no system can be built on it."""
    try:
        found = value_system(scores, settings, llms, seed=seed)
    except ValueError:
        return None
    return system_of_loadings(OURS, found.loadings)


class _Collected:
    """Rows of fits, indices and nulls as they come."""

    def __init__(self) -> None:
        self._data: tuple[pd.DataFrame, CfaData] | None = None
        self.fits: list[tuple[object, ...]] = []
        self.indices: list[tuple[object, ...]] = []
        self.nulls: list[tuple[object, ...]] = []
        self.loadings: list[pd.DataFrame] = []
        self.correlations: list[pd.DataFrame] = []
        self.paths: list[pd.DataFrame] = []

    def fit(
        self,
        comparison: str,
        split: int,
        system: System,
        scores: pd.DataFrame,
        structure: Structure = "correlated",
        with_paths: bool = False,
        whole: System | None = None,
    ) -> None:
        """Fit and keep, `with_paths` also loadings and paths; without a fit the reason is kept.

        `whole` is the system before it was restricted to what was measured.
        """
        key = (comparison, split, system.name, _called(structure))
        try:
            data = self._over(scores, system)
            fitted, fit = fitted_system(data, system, structure, bounded=True)
        except ValueError as error:
            unknown = (len(scores), len(system.values), *[None] * 5, "none", False, str(error))
            self.fits.append((*key, *unknown))
            return
        cautions = _restriction(system, whole) + data_cautions(data)
        caution = " ".join(cautions + solution_cautions(system, data, fitted, fit)) or None
        numbers = (fit.n, fit.p, fit.k, fit.df, fit.discrepancy)
        interval = rmsea_interval(fit)
        row = (*key, *numbers, *interval, "exact gradients", fitted.converged, caution)
        self.fits.append(row)
        self.indices += [
            (*key, one.id, one.compute(fit)) for one in DEFINITIONS if one.set != "robust"
        ]
        if with_paths:
            self._keep_paths(confirm(data, system, structure, bounded=True))

    def _over(self, scores: pd.DataFrame, system: System) -> CfaData:
        """The data of the system's values; kept for the next fit to the same cells."""
        kept = self._data
        if kept is None or kept[0] is not scores or set(kept[1].values) != set(system.values):
            kept = self._data = scores, cfa_data(scores, system.values)
        return kept[1]

    def _keep_paths(self, found: Cfa) -> None:
        self.loadings.append(found.loadings.assign(system=found.system.name))
        self.correlations.append(found.factor_correlations.assign(system=found.system.name))
        self.paths.append(found.paths.assign(system=found.system.name))

    def null(self, split: int, draw: int, system: System, scores: pd.DataFrame) -> None:
        """Fit a random grouping and keep its indices."""
        try:
            _, fit = fitted_system(self._over(scores, system), system, bounded=True)
        except ValueError:
            return
        # the paper's set would rank groupings that fit worse first
        found = {one.index: one.compute(fit) for one in DEFINITIONS if one.set == "standard"}
        self.nulls.append((split, draw, found["cfi"], found["rmsea"], found["srmr"], found["aic"]))

    def done(self) -> Comparison:
        """All rows as tables."""
        key = ["comparison", "split", "system", "structure"]
        loadings = ["system", "factor", "value", "estimate", "standardised", "se", "p"]
        correlations = ["system", "factor_a", "factor_b", "r"]
        paths = ["system", "kind", "value", "other", "modification_index", "expected_change"]
        return Comparison(
            pd.DataFrame(self.fits, columns=FIT_COLUMNS),
            pd.DataFrame(self.indices, columns=[*key, "definition", "number"]),
            pd.DataFrame(self.nulls, columns=["split", "draw", "cfi", "rmsea", "srmr", "aic"]),
            _together(self.loadings, loadings),
            _together(self.correlations, correlations),
            _together(self.paths, paths),
        )


def _together(frames: list[pd.DataFrame], columns: list[str]) -> pd.DataFrame:
    return pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)


def _restriction(system: System, whole: System | None) -> list[str]:
    if whole is None or len(system.values) == len(whole.values):
        return []
    return [
        f"Fitted over the {len(system.values)} of its {len(whole.values)} values that were "
        "measured here."
    ]


def _called(structure: Structure) -> str:
    """Orthogonal factors beside a general one are a bifactor model."""
    return "bifactor" if structure == "orthogonal" else structure
