"""A network of values: partial correlations by the graphical lasso, and its communities."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

PENALTIES, SMALLEST_PENALTY = 40, 0.1
"""Penalties tried, down to this share of the largest correlation, as EGAnet does (it tries 100)."""
GAMMAS = (0.5, 0.25, 0.0)
"""Of the extended BIC: lowered while a value stands alone, as EGAnet does."""
TOLERANCE, RESAMPLED, ROUNDS = 1e-5, 1e-4, 500
"""Movement of a cell at which the lasso ends, and with other correlations of the same values."""
WALK = 4
"""Steps of walktrap's random walks: Pons and Latapy's (2005) choice, and igraph's."""


@dataclass(frozen=True)
class Network:
    """Partial correlations `edges` (n_values, n_values), diagonal 0, and how they were fitted."""

    edges: Floats
    precision: Floats
    penalty: float

    def refitted(self, correlations: Floats) -> Network:
        """The network of other correlations of the same values at the same penalty."""
        precision = graphical_lasso(correlations, self.penalty, self.precision, RESAMPLED)
        return Network(_partial(precision), precision, self.penalty)


def network(correlations: Floats, n_subjects: float) -> Network:
    """The sparsest adequate network of correlations (n_values, n_values).

    The graphical lasso (Friedman, Hastie and Tibshirani, 2008) with the diagonal unpenalised,
    at the penalty with the smallest extended BIC (Foygel and Drton, 2010), gamma .5 or lower
    where a value would stand alone.
    """
    path = _lasso_path(correlations)
    for gamma in GAMMAS:
        scores = [_extended_bic(one, correlations, n_subjects, gamma) for _, one in path]
        penalty, precision = path[int(np.argmin(scores))]
        found = Network(_partial(precision), precision, penalty)
        if (found.edges != 0).any(axis=1).all():
            break
    return found


def _lasso_path(correlations: Floats) -> list[tuple[float, Floats]]:
    """Penalties from the largest and their precision matrices, each from the one before."""
    off = np.abs(correlations - np.diag(np.diag(correlations)))
    largest = float(off.max())
    if largest == 0:
        return [(0.0, np.eye(len(correlations)))]
    precision = np.eye(len(correlations))
    path = []
    for penalty in np.geomspace(largest, largest * SMALLEST_PENALTY, PENALTIES):
        precision = graphical_lasso(correlations, float(penalty), precision)
        path.append((float(penalty), precision))
    return path


def graphical_lasso(
    correlations: Floats, penalty: float, start: Floats, tolerance: float = TOLERANCE
) -> Floats:
    """The precision matrix K that minimises -ln|K| + tr(RK) + penalty * sum of |K| off-diagonal.

    Proximal gradient with Barzilai and Borwein's steps (Guillot et al., 2012), halved until the
    smooth part falls as its quadratic bound says; ends where no cell moves by `tolerance`.
    """
    off = penalty * (1 - np.eye(len(correlations)))
    precision, step = start, 1.0
    inverse = np.linalg.inv(precision)
    smooth = _smooth(precision, correlations)
    for _ in range(ROUNDS):
        gradient = correlations - inverse
        while True:
            moved = precision - step * gradient
            tried = np.sign(moved) * np.maximum(np.abs(moved) - step * off, 0.0)
            change = tried - precision
            value = _smooth(tried, correlations)
            bound = smooth + (gradient * change).sum() + (change**2).sum() / (2 * step)
            if value <= bound + 1e-12 or step < 1e-8:
                break
            step /= 2
        before, precision, smooth = inverse, tried, value
        if np.abs(change).max() < tolerance:
            break
        inverse = np.linalg.inv(precision)
        curved = float((change * (before - inverse)).sum())
        step = float((change**2).sum()) / curved if curved > 0 else 1.0
    return precision


def _smooth(precision: Floats, correlations: Floats) -> float:
    """-ln|K| + tr(RK); infinite where K is not positive definite."""
    try:
        half = np.linalg.cholesky(precision)
    except np.linalg.LinAlgError:
        return float("inf")
    return float((correlations * precision).sum() - 2 * np.log(np.diag(half)).sum())


def _extended_bic(precision: Floats, correlations: Floats, n: float, gamma: float) -> float:
    """-2 ln L + E ln n + 4 gamma E ln p, with E edges (Foygel and Drton, 2010)."""
    p = len(precision)
    edges = int((np.triu(precision, 1) != 0).sum())
    each = float(np.log(n) + 4 * gamma * np.log(p))
    return n * _smooth(precision, correlations) + edges * each


def _partial(precision: Floats) -> Floats:
    scale = np.sqrt(np.diag(precision))
    found: Floats = -precision / np.outer(scale, scale)
    np.fill_diagonal(found, 0.0)
    return found


def topological_overlap(edges: Floats) -> Floats:
    """Weighted topological overlap (n_values, n_values) of a network with signs; diagonal 0.

    Of values i and j: (sum over u of a_iu a_uj, plus a_ij) over (the smaller sum of absolute
    edges of the two, plus 1 less |a_ij|): Zhang and Horvath (2005), signed by Nowick et al. (2009).
    1 for two values with the same neighbours and a full edge between them.
    """
    strength = np.abs(edges).sum(axis=0)
    shared = edges @ edges + edges
    found: Floats = shared / (np.minimum.outer(strength, strength) + 1 - np.abs(edges))
    np.fill_diagonal(found, 0.0)
    return found


def communities(correlations: Floats, edges: Floats) -> NDArray[np.int64]:
    """The community (n_values,) of each value, numbered from 0: exploratory graph analysis.

    Golino and Epskamp (2017): walktrap on absolute `edges`, those of `network`. Where correlations
    themselves show no second community (leading eigenvector: Newman, 2006; Christensen, Garrido and
    Golino, 2023) all values are one.
    """
    if _is_one(np.abs(correlations)):
        return np.zeros(len(correlations), np.int64)
    return walktrap(np.abs(edges))


def _is_one(weights: Floats) -> bool:
    """Whether no division of a network raises its modularity by Newman's leading eigenvector."""
    rest = weights - np.diag(np.diag(weights))
    strength = rest.sum(axis=1)
    expected = np.outer(strength, strength) / max(float(strength.sum()), 1e-300)
    return bool(np.linalg.eigvalsh(rest - expected)[-1] < 1e-8)


def walktrap(weights: Floats, steps: int = WALK) -> NDArray[np.int64]:
    """Communities (n,) of a network of weights (n, n) >= 0 by short random walks.

    Pons and Latapy (2005): the two neighbours whose walks differ least (Ward's criterion) are
    merged, and the cut of the tree with the largest modularity is taken. As in igraph each node
    has a loop of its mean edge. Nodes without an edge are communities of their own.
    """
    n = len(weights)
    loops = np.divide(weights.sum(1), (weights > 0).sum(1), out=np.ones(n), where=weights.any(1))
    looped = weights + np.diag(loops)
    strength = looped.sum(axis=1)
    walks = np.linalg.matrix_power(looped / strength[:, None], steps) / np.sqrt(strength)
    member, sizes = np.arange(n), np.ones(n)
    near, alive = weights > 0, np.ones(n, bool)
    best, found = modularity(weights, member), member.copy()
    while True:
        pairs = np.argwhere(np.triu(near & alive[:, None] & alive, 1))
        if not len(pairs):
            return np.unique(found, return_inverse=True)[1].astype(np.int64)
        a, b = pairs[np.argmin(_ward(walks, sizes, pairs))]
        walks[a] = (sizes[a] * walks[a] + sizes[b] * walks[b]) / (sizes[a] + sizes[b])
        sizes[a] += sizes[b]
        near[a] |= near[b]
        near[:, a] |= near[:, b]
        near[a, a], alive[b] = False, False
        member[member == b] = a
        reached = modularity(weights, member)
        if reached > best + 1e-12:
            best, found = reached, member.copy()


def _ward(walks: Floats, sizes: Floats, pairs: NDArray[np.int64]) -> Floats:
    first, second = pairs[:, 0], pairs[:, 1]
    squares = (walks**2).sum(axis=1)
    distance = squares[first] + squares[second] - 2 * (walks @ walks.T)[first, second]
    found: Floats = distance * sizes[first] * sizes[second] / (sizes[first] + sizes[second])
    return found


def modularity(weights: Floats, member: NDArray[np.int64]) -> float:
    """Newman and Girvan's (2004) modularity of communities (n,) in a network (n, n)."""
    total = float(weights.sum())
    if total == 0:
        return 0.0
    inside = np.equal.outer(member, member)
    strength = weights.sum(axis=1)
    return float((inside * (weights - np.outer(strength, strength) / total)).sum()) / total
