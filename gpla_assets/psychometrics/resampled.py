"""A value system solved again with other weights of subjects, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.congruence import matched
from gpla_assets.psychometrics.correlation import nearest_psd
from gpla_assets.psychometrics.extraction import extract
from gpla_assets.psychometrics.pairwise import Moments, Pairwise
from gpla_assets.psychometrics.polychoric import Polychoric
from gpla_assets.psychometrics.retention import leading_above, partials_of, scree_elbow
from gpla_assets.psychometrics.rotation import rotated_stack
from gpla_assets.studies.structure import Rule, StructureSettings

MOST_COMPONENTS = 30
AT_ONCE, CELLS = 100, 500_000
"""Resamples that are solved together at most, and cells of their matrices: 4 MB of each kind."""


@dataclass(frozen=True)
class Resample:
    """Loadings (n_values, n_factors) matched to the full solution, and what else was found."""

    loadings: np.ndarray
    congruence: np.ndarray
    alphas: np.ndarray
    suggested: dict[Rule, int]


class Resampler:
    """The full solution, and how it is found again among subjects that weigh otherwise.

    `scores` (n_subjects, n_values) are the usable values', `pattern` (values kept x factors) the
    full solution. The values are those kept in it, their keys and the number of factors stay.
    """

    def __init__(
        self, scores: pd.DataFrame, pattern: pd.DataFrame, settings: StructureSettings
    ) -> None:
        self.pattern = pattern.to_numpy()
        self.primary = np.abs(self.pattern).argmax(axis=1)
        self._keys = np.where(self.pattern[np.arange(len(self.pattern)), self.primary] < 0, -1, 1)
        self._pairwise = Pairwise(scores.to_numpy(float))
        self._polychoric = Polychoric(scores) if settings.correlation == "polychoric" else None
        self._n_values = scores.shape[1]
        self._own = scores.columns.get_indexer(pattern.index)
        self._settings = settings
        self._start: np.ndarray | None = None

    def solved(
        self, weights: Iterable[np.ndarray], random_95: np.ndarray | None = None
    ) -> Iterator[Resample | None]:
        """A resample per weights (n_subjects,); None where a value does not vary among them.

        The number of factors is asked where `random_95`, eigenvalues of random data, is given.
        """
        batch: list[np.ndarray] = []
        most = max(1, min(AT_ONCE, CELLS // self._n_values**2))
        for one in weights:
            batch.append(one)
            if len(batch) == most:
                yield from self._batch(batch, random_95)
                batch = []
        if batch:
            yield from self._batch(batch, random_95)

    def _batch(
        self, weights: list[np.ndarray], random_95: np.ndarray | None
    ) -> list[Resample | None]:
        imputed = self._settings.missing in ("mean", "em")
        moments = [self._pairwise.moments(one, imputed) for one in weights]
        found: list[Resample | None] = [None] * len(moments)
        # a value on which the drawn subjects agree has no correlation
        varied = np.array([not one.still.any() for one in moments])
        if not varied.any():
            return found
        places = np.flatnonzero(varied)
        matrices = np.stack([self._matrix(moments[at], weights[at]) for at in places])
        # the number of factors is asked of all usable values, loadings of those that were kept
        suggested = _suggested(matrices, random_95) if random_95 is not None else []
        own = np.ix_(self._own, self._own)
        loadings, solved = self._unrotated(matrices[:, own[0], own[1]])
        rotated = rotated_stack(loadings, self._settings.rotation)[0]
        for at, pattern in zip(np.flatnonzero(solved), rotated, strict=True):
            order, signs, congruence = matched(self.pattern, pattern)
            found[places[at]] = Resample(
                loadings=pattern[:, order] * signs,
                congruence=congruence,
                alphas=self._alphas(moments[places[at]].covariance[own]),
                suggested=suggested[at] if suggested else {},
            )
        return found

    def _matrix(self, moments: Moments, weights: np.ndarray) -> np.ndarray:
        if self._polychoric is None:
            return moments.correlation
        return self._polychoric.correlations(weights)[0]

    def _unrotated(self, matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Loadings of those that could be extracted, and which of the matrices they are."""
        number = self.pattern.shape[1]
        matrices, loadings, _ = _decomposed(matrices)
        if self._settings.extraction == "pca":
            return loadings[:, :, :number], np.ones(len(matrices), bool)
        found: list[np.ndarray] = []
        solved = np.zeros(len(matrices), bool)
        for at, matrix in enumerate(matrices):
            try:
                one = extract(matrix, number, self._settings.extraction, start=self._start)
            # maximum likelihood of a resample whose matrix is singular
            except ValueError:
                continue
            # the next one starts where this one ended: near its own minimum
            self._start = one.uniquenesses
            found.append(one.loadings)
            solved[at] = True
        return np.array(found).reshape(len(found), *self.pattern.shape), solved

    def _alphas(self, covariance: np.ndarray) -> np.ndarray:
        keyed = covariance * np.outer(self._keys, self._keys)
        member = (self.primary[:, None] == np.arange(self.pattern.shape[1])).astype(float)
        total = ((keyed @ member) * member).sum(axis=0)
        own, k = np.diag(keyed) @ member, member.sum(axis=0)
        fit = (k > 1) & (total > 0)
        found = np.full(len(total), np.nan)
        found[fit] = k[fit] / (k[fit] - 1) * (1 - own[fit] / total[fit])
        return found


def _decomposed(matrices: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Matrices (n, n_values, n_values) without negative eigenvalues, the loadings of all their
    components, and their eigenvalues (n, n_values) before any was lifted; largest first."""
    values, vectors = np.linalg.eigh(matrices)
    observed = values[:, ::-1]
    # pairwise matrices of few subjects alone have any
    if (values[:, 0] < -1e-10).any():
        matrices = np.stack([nearest_psd(one)[0] for one in matrices])
        values, vectors = np.linalg.eigh(matrices)
    sizes = np.sqrt(np.maximum(values[:, ::-1], 0.0))
    return matrices, vectors[:, :, ::-1] * sizes[:, None, :], observed


def _suggested(matrices: np.ndarray, random_95: np.ndarray) -> list[dict[Rule, int]]:
    """What the rules say of correlation matrices (n, n_values, n_values)."""
    mended, loadings, observed = _decomposed(matrices)
    average = np.nanargmin(partials_of(mended, loadings, MOST_COMPONENTS), axis=1)
    return [
        {
            "parallel": leading_above(one, random_95),
            "kaiser": leading_above(one, 1.0),
            "scree": scree_elbow(one),
            "map": int(smallest),
        }
        for one, smallest in zip(observed, average, strict=True)
    ]
