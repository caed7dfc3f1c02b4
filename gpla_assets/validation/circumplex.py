"""How well relations between Schwartz's ten values agree with his circle (appendix C.2)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.resampling import permutation_p

CIRCLE = (
    *("Self-Direction", "Stimulation", "Hedonism", "Achievement", "Power"),
    *("Security", "Conformity", "Tradition", "Benevolence", "Universalism"),
)
"""Schwartz's order of 1992, at equal angles; the last is next to the first."""
MANTEL = "Mantel's r with the cosine of the angle"
CORRESPONDENCE = "correspondence index of the circular order"
FEWEST_PAIRS = 3
COLUMNS = ["statistic", "number", "p", "n_pairs"]


def cooccurrence(lists: pd.DataFrame, circle: tuple[str, ...] = CIRCLE) -> pd.DataFrame:
    """In how many lists two values stand together, over all pairs scaled to 0 to 1 (ValueLex).

    `lists` (list_id, schwartz). Square, in the order of `circle`, NaN on the diagonal; all NaN
    where every pair is as frequent as every other.
    """
    counts = _indicators(lists, circle).T @ _indicators(lists, circle)
    found = counts.astype(float)
    np.fill_diagonal(found, np.nan)
    low, high = np.nanmin(found), np.nanmax(found)
    scaled = (found - low) / (high - low) if high > low else np.full_like(found, np.nan)
    return pd.DataFrame(scaled, index=list(circle), columns=list(circle))


def cooccurrence_phi(lists: pd.DataFrame, circle: tuple[str, ...] = CIRCLE) -> pd.DataFrame:
    """The same lists as phi coefficients: what is left when frequent values are not preferred.

    NaN for a value that stands in no list, or in all.
    """
    table = pd.DataFrame(_indicators(lists, circle), columns=list(circle), dtype=float)
    found = table.corr().to_numpy(copy=True)
    np.fill_diagonal(found, np.nan)
    return pd.DataFrame(found, index=list(circle), columns=list(circle))


def _indicators(lists: pd.DataFrame, circle: tuple[str, ...]) -> np.ndarray:
    """(lists, values) of 0 and 1."""
    table = pd.crosstab(lists["list_id"], lists["schwartz"]).reindex(columns=list(circle))
    found: np.ndarray = (table.fillna(0).to_numpy() > 0).astype(int)
    return found


def circumplex_fit(
    matrix: pd.DataFrame,
    repeats: int = 10_000,
    seed: int = 0,
    circle: tuple[str, ...] = CIRCLE,
) -> pd.DataFrame:
    """Two statistics of agreement with the circle, each with its p by relabelling the values.

    `matrix` (values x values) of similarities, larger meaning closer; missing cells are left out.
    Mantel's r (1967): Pearson's r, over pairs, with the cosine of the angle between the two values.
    Correspondence index (Hubert & Arabie, 1987, as in RANDALL by Tracey, 1997): of all two pairs
    that lie at different distances on the circle, the share in which the nearer has the larger
    number less the share in which it has the smaller; from -1 to 1. p: the share of `repeats`
    random relabellings, and the one found, that do as well. Rows (statistic, number, p, n_pairs);
    nulls with fewer than three pairs or where all are equal.
    """
    known = matrix.reindex(index=list(circle), columns=list(circle)).to_numpy(float)
    pairs = np.array(list(combinations(range(len(circle)), 2)))
    numbers = known[pairs[:, 0], pairs[:, 1]]
    pairs, numbers = pairs[~np.isnan(numbers)], numbers[~np.isnan(numbers)]
    if len(numbers) < FEWEST_PAIRS or np.ptp(numbers) < 1e-12:
        nothing = [(name, None, None, len(numbers)) for name in (MANTEL, CORRESPONDENCE)]
        return pd.DataFrame(nothing, columns=COLUMNS)
    rng = np.random.default_rng(seed)
    labels = rng.permuted(np.tile(np.arange(len(circle)), (repeats, 1)), axis=1)
    labels = np.vstack([np.arange(len(circle)), labels])
    steps = np.abs(labels[:, pairs[:, 0]] - labels[:, pairs[:, 1]])
    steps = np.minimum(steps, len(circle) - steps)
    rows = []
    for name, statistic in ((MANTEL, _mantel), (CORRESPONDENCE, _correspondence)):
        found = statistic(numbers, steps, len(circle))
        usable = found[~np.isnan(found)]
        p = None if np.isnan(found[0]) else permutation_p(found[0], usable[1:])
        number = float(found[0]) if p is not None else None
        rows.append((name, number, p, len(numbers)))
    return pd.DataFrame(rows, columns=COLUMNS)


def _mantel(numbers: np.ndarray, steps: np.ndarray, size: int) -> np.ndarray:
    """(repeats,) of Pearson's r; `steps` (repeats, pairs) on a circle of `size` values."""
    theory = np.cos(2 * np.pi * steps / size)
    theory = theory - theory.mean(1, keepdims=True)
    centred = numbers - numbers.mean()
    spread = np.sqrt((theory**2).sum(1) * (centred**2).sum())
    return np.where(spread > 1e-12, theory @ centred / np.where(spread > 0, spread, 1), np.nan)


def _correspondence(numbers: np.ndarray, steps: np.ndarray, size: int) -> np.ndarray:
    """(repeats,) of the index. Predictions are made by every two pairs at different steps."""
    first, second = np.triu_indices(len(numbers), 1)
    larger = np.sign(numbers[first] - numbers[second]).astype(np.int8)
    found = np.empty(len(steps))
    for at in range(0, len(steps), 500):
        part = steps[at : at + 500].astype(np.int8)
        nearer = np.sign(part[:, second] - part[:, first])
        made = np.abs(nearer).sum(1, dtype=np.int64)
        agreed = (nearer * larger).sum(1, dtype=np.int64)
        found[at : at + 500] = np.where(made > 0, agreed / np.maximum(made, 1), np.nan)
    return found
