"""How many factors to keep: what each rule recommends, and the study's choice."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.pairwise import pairwise_correlation
from gpla_assets.studies.structure import Rule

PERCENTILE = 95
"""Of random eigenvalues: Glorfeld's (1995), in place of Horn's mean, which keeps too many."""
RULES: dict[Rule, str] = {
    "parallel": f"eigenvalues above the {PERCENTILE}th percentile of normal random data",
    "permutation": (
        f"eigenvalues above the {PERCENTILE}th percentile of the scores permuted within values"
    ),
    "map": "smallest average squared partial correlation",
    "ekc": "eigenvalues above the empirical Kaiser criterion, which grows less with each factor",
    "hull": "largest bend of the share of common variance over the degrees of freedom",
    "ega": "communities of the network of partial correlations",
    "kaiser": "eigenvalues above 1",
    "scree": "last drop between eigenvalues that is five times the drops after it",
    "alpha": "most factors that all reach the lowest alpha allowed",
}


ELBOW, TAIL = 5.0, 10


def eigenvalues(correlations: np.ndarray) -> np.ndarray:
    """Eigenvalues of a correlation matrix (n_values, n_values), largest first."""
    return np.linalg.eigvalsh(correlations)[::-1]


def parallel_analysis(
    n_subjects: int, n_values: int, seed: int, repeats: int, percentile: float = PERCENTILE
) -> np.ndarray:
    """Percentile of each eigenvalue in uncorrelated normal data of the same size.

    Horn (1965), by default with Glorfeld's percentile in place of the mean.
    """
    random = np.random.default_rng(seed)
    found = np.empty((repeats, n_values))
    for turn in range(repeats):
        data = random.standard_normal((n_subjects, n_values))
        # corrcoef of a single value is a number and no matrix
        found[turn] = eigenvalues(np.atleast_2d(np.corrcoef(data, rowvar=False)))
    return np.percentile(found, percentile, axis=0)


def permutation_analysis(
    scores: np.ndarray, seed: int, repeats: int, percentile: float = PERCENTILE
) -> np.ndarray:
    """Percentile of each eigenvalue where every value's scores are permuted over subjects.

    `scores` (n_subjects, n_values). Keeps each value's distribution and its number of missing
    cells, which normal data does not (Buja and Eyuboglu, 1992).
    """
    random = np.random.default_rng(seed)
    found = np.empty((repeats, scores.shape[1]))
    for turn in range(repeats):
        # `permuted` shuffles every column by itself, where `permutation` would keep the rows
        found[turn] = eigenvalues(pairwise_correlation(random.permuted(scores, axis=0)))
    return np.percentile(found, percentile, axis=0)


def leading_above(observed: np.ndarray, bar: np.ndarray | float) -> int:
    """Number of leading eigenvalues above a bar, counted until the first that is not."""
    above = observed > bar
    # argmin is the first that is not above; of all above it would be 0
    return len(above) if above.all() else int(np.argmin(above))


def average_partials(correlations: np.ndarray, most: int | None = None) -> np.ndarray:
    """Velicer's (1976) average squared partial correlation after 0, 1, ... components.

    `correlations` (..., n_values, n_values); as far as `most` components, along the last axis.
    NaN from where a value's variance is used up.
    """
    # rounding makes the last eigenvalues of a singular matrix slightly negative
    values, vectors = np.linalg.eigh(correlations)
    loadings = vectors[..., ::-1] * np.sqrt(np.maximum(values[..., ::-1], 0.0))[..., None, :]
    return partials_of(correlations, loadings, most)


def partials_of(
    correlations: np.ndarray, loadings: np.ndarray, most: int | None = None
) -> np.ndarray:
    """`average_partials` where the loadings (..., n_values, n_values) on components are known."""
    p = correlations.shape[-1]
    last = min(p - 1, most if most is not None else p - 1)
    found = np.full((*correlations.shape[:-2], last + 1), np.nan)
    rest = correlations.copy()
    left = np.ones(correlations.shape[:-2], bool)
    for number in range(last + 1):
        if number:
            one = loadings[..., number - 1]
            rest -= one[..., :, None] * one[..., None, :]
        variance = np.diagonal(rest, axis1=-2, axis2=-1)
        left &= variance.min(axis=-1) >= 1e-8
        if not left.any():
            break
        precision = 1 / np.where(left[..., None], variance, 1.0)
        # sum of r_ij^2 / (v_i v_j), less p: the ones on the diagonal
        total = ((rest**2 @ precision[..., None])[..., 0] * precision).sum(axis=-1)
        found[..., number] = np.where(left, (total - p) / (p * (p - 1)), np.nan)
    return found


def minimum_average_partial(correlations: np.ndarray, most: int | None = None) -> int:
    """Number of components with the smallest average squared partial correlation (MAP)."""
    return int(np.nanargmin(average_partials(correlations, most)))


def empirical_kaiser(observed: np.ndarray, n_subjects: float) -> np.ndarray:
    """Braeken and van Assen's (2017) reference eigenvalues for `observed` (n_values,).

    The first is that of uncorrelated values in a sample, (1 + sqrt(p / n))^2; each next one takes
    its share of the variance that the larger eigenvalues have left, and none is below 1.
    """
    p = len(observed)
    left = p - np.concatenate([[0.0], np.cumsum(observed)[:-1]])
    first = (1 + np.sqrt(p / n_subjects)) ** 2
    reference: np.ndarray = np.maximum(first * left / (p - np.arange(p)), 1.0)
    return reference


def hull(common: Mapping[int, float], n_values: int) -> int:
    """Factors at the largest bend of the convex hull of fit over degrees of freedom.

    `common` maps numbers of factors, from 0, to the share of common variance accounted for (CAF)
    or another fit that grows. Lorenzo-Seva, Timmerman and Kiers (2011): solutions that fit no
    better than a smaller one go, then those below the line between their neighbours; of the rest
    the one whose gain per degree of freedom most exceeds the next one's. Where none has neighbours
    on both sides it is the solution that fits best: no larger one fits better.
    """
    points = [
        (k, fit, k * n_values - k * (k - 1) / 2)
        for k, fit in sorted(common.items())
        if all(fit > other for number, other in common.items() if number < k)
    ]
    at = 1
    while at < len(points) - 1:
        (_, f0, p0), (_, f1, p1), (_, f2, p2) = points[at - 1 : at + 2]
        below = f1 <= f0 + (f2 - f0) * (p1 - p0) / (p2 - p0)
        points, at = (points[:at] + points[at + 1 :], 1) if below else (points, at + 1)
    bends = {
        points[at][0]: _gain(points[at - 1], points[at]) / _gain(points[at], points[at + 1])
        for at in range(1, len(points) - 1)
    }
    return max(bends, key=lambda k: bends[k]) if bends else points[-1][0]


def _gain(a: tuple[int, float, float], b: tuple[int, float, float]) -> float:
    return (b[1] - a[1]) / (b[2] - a[2])


def scree_elbow(observed: np.ndarray) -> int:
    """Factors before the elbow: the last large drop among eigenvalues above 1; 0 without one.

    A drop to the next eigenvalue is large where it is more than five times the median of the (up
    to ten) drops after it: Cattell's (1966) tail, in which eigenvalues fall evenly, then lies
    behind it. Regression rules for the tail count dozens at 100 values, since the eigenvalues of
    random data follow a curve and no line.
    """
    drops = -np.diff(observed)
    large = [
        at
        # the last drop has none after it to be large beside
        for at in range(len(drops) - 1)
        if observed[at] > 1 and drops[at] > ELBOW * np.median(drops[at + 1 : at + 1 + TAIL])
    ]
    return large[-1] + 1 if large else 0


def reliable_factors(weakest_alphas: Mapping[int, float | None], minimum: float) -> int:
    """The most factors whose solution has all alphas at or above `minimum`; 0 if none has.

    `weakest_alphas` maps a number of factors to the smallest alpha of its factors (None where a
    factor has fewer than two values): the paper kept five for their reliability.
    """
    good = [k for k, alpha in weakest_alphas.items() if alpha is not None and alpha >= minimum]
    return max(good, default=0)


def n_factors(suggested: Mapping[Rule, int], rule: Rule | int, n_values: int) -> int:
    """The study's choice: a fixed number, or what its rule recommends, at least one.

    Raises StructureError for a fixed number outside 1..n_values.
    """
    if isinstance(rule, int):
        if not 1 <= rule <= n_values:
            raise StructureError(
                f"n_factors = {rule}, but there are {n_values} usable values: expected 1 to "
                f"{n_values}. Ask for fewer factors, or leave out fewer values."
            )
        return rule
    # a rule may find none where values do not correlate; the solution with one then shows it
    return max(1, suggested[rule])


def retention_table(suggested: Mapping[Rule, int], rule: Rule | int, chosen: int) -> pd.DataFrame:
    """One row per rule: what it recommends, how, and whether it is the study's."""
    rows = [
        {"rule": name, "n_factors": number, "basis": RULES[name], "is_rule": name == rule}
        for name, number in suggested.items()
    ]
    if isinstance(rule, int):
        rows.append({"rule": "fixed", "n_factors": rule, "basis": "the study", "is_rule": True})
    return pd.DataFrame(rows).assign(retained=chosen)
