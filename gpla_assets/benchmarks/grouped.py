"""Subjects in groups for measurement invariance, and groups permuted over clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from gpla_assets.benchmarks.cfa_data import CfaData
from gpla_assets.benchmarks.cfa_fit import Fitted, fit
from gpla_assets.benchmarks.cfa_model import Level
from gpla_assets.benchmarks.robust import Moments
from gpla_assets.benchmarks.sample import Sample, sample_of, saturated, value
from gpla_assets.benchmarks.systems import UnfitSystem


@dataclass(frozen=True)
class Parted:
    """The samples of groups, what is saturated of them, and their clusters."""

    samples: list[Sample]
    moments: list[Moments]
    level: float
    clusters: list[np.ndarray | None]


def parted_by(
    data: CfaData, codes: np.ndarray, n_groups: int, names: Sequence[str] | None = None
) -> Parted:
    sample = data.sample
    cells = np.where(sample.measured[sample.pattern], sample.rows, np.nan)
    samples, moments, clusters, level = [], [], [], 0.0
    for group in range(n_groups):
        own = codes == group
        called = f" {names[group]!r}" if names else ""
        if own.sum() < 3:
            raise UnfitSystem(f"Group{called} has {own.sum()} subjects; expected at least 3.")
        one = sample_of(cells[own])
        try:
            found = saturated(one)
            smallest = float(np.linalg.eigvalsh(found[1]).min())
        except (np.linalg.LinAlgError, ZeroDivisionError, FloatingPointError):
            smallest = 0.0
        if not smallest > 1e-10:
            raise UnfitSystem(
                f"Group{called} has {one.n} subjects, too few for the {one.p} values, or a value "
                "that does not vary in it; expected more subjects than values in each group."
            )
        samples.append(one)
        moments.append(found)
        clusters.append(None if data.clusters is None else data.clusters[own])
        level += one.n / data.n * value(one, *found)
    return Parted(samples, moments, level, clusters)


def permutation_p(
    data: CfaData,
    codes: np.ndarray,
    fitted: Mapping[Level, Fitted],
    chi2: Sequence[float],
    permutations: int,
    seed: int,
    progress: Callable[[int, int], None],
) -> tuple[list[float | None], str]:
    """p of each level's difference of chi2 (of configural: its chi2), and what was permuted.

    `codes` (n,) are groups from 0, `chi2` that of each level of `fitted`. Groups change places
    between whole clusters where a cluster is in one group, else within clusters. A draw that makes
    a group too small to fit is left out.
    """
    random = np.random.default_rng(seed)
    n_groups = int(codes.max()) + 1
    clusters = np.arange(data.n) if data.clusters is None else data.clusters
    whole = all(len(np.unique(codes[clusters == one])) == 1 for one in np.unique(clusters))
    _, first, member = np.unique(clusters, return_index=True, return_inverse=True)
    # of permuted groups none differs: the strictest solution is near all theirs
    models = {
        level: replace(one.model, start=_near(one, fitted["strict"]))
        for level, one in fitted.items()
    }
    observed = _steps(chi2)
    beyond, done = np.zeros(len(models)), 0
    for draw in range(permutations):
        if whole:
            drawn = random.permutation(codes[first])[member.ravel()]
        else:
            drawn = codes.copy()
            for one in range(len(first)):
                own = np.flatnonzero(member.ravel() == one)
                drawn[own] = random.permutation(codes[own])
        try:
            parted = parted_by(data, drawn, n_groups)
        except UnfitSystem:
            continue
        drawn_chi2 = [
            data.n * (fit(models[level], parted.samples).discrepancy - parted.level)
            for level in models
        ]
        beyond += np.array(_steps(drawn_chi2)) >= np.array(observed) - 1e-9
        done += 1
        progress(draw + 1, permutations)
    if data.clusters is None:
        what = "subjects"
    else:
        what = "whole clusters" if whole else "subjects within clusters"
    if not done:
        return [None] * len(models), f"{what}: no permutation could be fitted"
    return [float((1 + one) / (1 + done)) for one in beyond], f"{done} permutations of {what}"


def _near(one: Fitted, strict: Fitted) -> np.ndarray:
    """Parameters of a level at which its model is the strict one."""
    start: np.ndarray = one.parameters.copy()
    for group, other in zip(one.model.groups, strict.model.groups, strict=True):
        there = {(e.part, e.row, e.column): strict.parameters[e.at] for e in other.elements}
        for element in group.elements:
            start[element.at] = there.get((element.part, element.row, element.column), 0.0)
    return start


def _steps(chi2: Sequence[float]) -> list[float]:
    return [chi2[0], *(after - before for before, after in pairwise(chi2))]
