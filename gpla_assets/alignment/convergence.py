"""Whether a target has settled: how it moves as pairs come in, and over resampled pairs.

The paper stops after about 16,000 pairs, when the target no longer moves. A minimiser can stand
still for long and yet jump from one end of the scale to the other with a handful of other pairs,
so that each step carries a bootstrap interval as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.alignment.distillation import (
    Floats,
    check_sides,
    corners,
    masked,
    minimiser,
    minimisers,
)
from gpla_assets.psychometrics.resampling import percentile_interval, poisson_counts
from gpla_assets.studies import TargetSettings

WIDEST = 0.5
"""An interval wider than a quarter of the scale from -1 to 1 is no settled target."""
MOST_MOVED = 0.1
"""Movement over the last steps that counts as none: targets are printed to one decimal."""
LAST_STEPS = 3
FEWEST_PAIRS = 30
"""With fewer pairs the resamples repeat a handful of values, and their interval is too narrow."""
CELLS = 2_000_000
"""Weights that are worked on at once, so that memory stays below some 100 MB."""


def convergence(
    winning: pd.DataFrame,
    losing: pd.DataFrame,
    settings: TargetSettings,
    groups: Sequence[str] | None = None,
    seed: int = 0,
) -> pd.DataFrame:
    """The target of the first `settings.step` pairs, of the first 2 x so many, ... and of all.

    `winning`, `losing` (n_pairs, n_dimensions) in the order in which the pairs came. One row a
    dimension and step: dimension, seen (pairs so far), pairs (of these measured on it), target,
    objective, low and high (95% percentile interval), same_sign (share of resamples whose target
    has the target's sign, to one decimal), flat (see `Target`).

    The bootstrap draws `groups` (one name a pair, such as its prompt; pairs of one prompt share
    responses and are not independent), or single pairs where there are none. Each draw weighs a
    group by Poisson(1), which is the usual bootstrap but for a total that varies a little; a
    weighted objective needs no new sort. Raises ValueError for sides that do not match and for
    groups of another length.
    """
    check_sides(winning, losing)
    if groups is not None and len(groups) != len(winning):
        raise ValueError(
            f"{len(groups)} groups; expected a group for each of the {len(winning)} pairs."
        )
    step, mask_below = settings.step, settings.mask_below
    ends = [*range(step, len(winning), step), len(winning)] if len(winning) else []
    random = np.random.default_rng(seed)
    codes = np.arange(len(winning)) if groups is None else pd.factorize(np.asarray(groups))[0]
    draws = poisson_counts(int(codes.max(initial=-1)) + 1, settings.resamples, random).astype(float)
    rows = [
        row
        for name in winning.columns
        for row in _steps(
            str(name),
            masked(winning[name], mask_below),
            masked(losing[name], mask_below),
            ends,
            draws,
            codes,
        )
    ]
    flat = pd.Series([row[-1] for row in rows], dtype=object)
    return pd.DataFrame(rows, columns=COLUMNS).assign(flat=flat)


COLUMNS = ["dimension", "seen", "pairs", "target", "objective", "low", "high", "same_sign", "flat"]


def _steps(
    name: str,
    winning: Floats,
    losing: Floats,
    ends: list[int],
    draws: Floats,
    codes: NDArray[np.int64],
) -> list[tuple[object, ...]]:
    """Rows of one dimension."""
    both = ~(np.isnan(winning) | np.isnan(losing))
    arrived = np.cumsum(both)
    all_corners = corners(winning[both], losing[both])
    weights = draws[:, codes[both]]
    rows: list[tuple[object, ...]] = []
    for end in ends:
        found, n = minimiser(winning[:end], losing[:end]), int(arrived[end - 1])
        few = all_corners.of_first(n)
        # each pair has two corners
        part = max(1, CELLS // max(2 * n, 1))
        targets = np.concatenate(
            [minimisers(few, weights[i : i + part, :n]) for i in range(0, len(weights), part)]
            or [np.zeros(0)]
        )
        targets = targets[~np.isnan(targets)]
        low, high = percentile_interval(targets)
        alike = printed_sign(targets) == printed_sign(found.target)
        same = float(np.mean(alike)) if len(targets) else np.nan
        rows.append((name, end, n, found.target, found.objective, low, high, same, found.flat))
    return rows


def printed_sign(targets: Floats | float) -> Floats:
    """Signs of targets as they are printed, to one decimal: 0 between -0.05 and 0.05."""
    found: Floats = np.sign(np.round(targets, 1))
    return found


def settled(steps: pd.DataFrame) -> pd.DataFrame:
    """What is to be said of each dimension's target after the last of its steps.

    `steps` as `convergence` gives them. One row a dimension: dimension, stable, caution (why not;
    else null). A target is stable when its objective is not flat, it rests on FEWEST_PAIRS
    pairs, its interval is no wider than WIDEST and it moved no more than MOST_MOVED over the last
    LAST_STEPS steps; with fewer steps nobody has seen whether it moves.
    """
    rows = []
    for name, own in steps.groupby("dimension", sort=False):
        last, recent = own.iloc[-1], own["target"].tail(LAST_STEPS)
        cautions = []
        if not pd.isna(last["flat"]):
            cautions.append(f"the objective is flat: {last['flat']}")
        elif last["pairs"] < FEWEST_PAIRS:
            cautions.append(f"measured in {last['pairs']} pairs, fewer than {FEWEST_PAIRS}")
        if last["high"] - last["low"] > WIDEST:
            cautions.append(
                f"the interval from {last['low']:.2f} to {last['high']:.2f} is wider than {WIDEST}"
            )
        if len(recent) < LAST_STEPS:
            cautions.append(f"looked at {len(recent)} times, fewer than {LAST_STEPS}")
        if recent.max() - recent.min() > MOST_MOVED:
            cautions.append(
                f"the last {len(recent)} steps moved it by {recent.max() - recent.min():.2f}"
            )
        rows.append((name, not cautions, "; ".join(cautions) or None))
    found = pd.DataFrame(rows, columns=["dimension", "stable", "caution"])
    return found.assign(caution=pd.Series([row[-1] for row in rows], dtype=object))
