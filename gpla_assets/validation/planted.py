"""Subjects whose value system is planted: is it found again, and is none found where none is?

Subjects differ on a few factors, and their texts are drawn by them: which side they take of a
value (direction), how many of their texts bear on it (salience), or both. What comes out of M_E and
a rule is a matrix subjects x values like a study's; its factors are compared with the planted ones
by Tucker's congruence. Nothing here knows an agent: `counts` says how often each subject states
each text, and whoever has read the texts once combines them for any number of subjects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from gpla_assets.psychometrics.congruence import matched
from gpla_assets.psychometrics.correlation import correlations
from gpla_assets.psychometrics.extraction import principal_loadings
from gpla_assets.psychometrics.retention import eigenvalues, leading_above, parallel_analysis
from gpla_assets.psychometrics.rotation import varimax

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]
Kind = Literal["direction", "salience", "both"]

FACTORS = 5
LOADING = 0.8
"""Of each value on its factor: what several questionnaire items of a scale have together."""
SPREAD = 0.7
"""How far salience differs: a subject one standard deviation higher has twice as many texts."""
REPEATS = 50
LEAST_KNOWN = 0.1
ROUNDING = 1e-9


@dataclass(frozen=True)
class Side:
    """Where texts for and against a value stand: places (k,) and (l,) in a list of texts."""

    support: Counts
    oppose: Counts


def random_factors(n_values: int, random: np.random.Generator, factors: int = FACTORS) -> Counts:
    """The factor of each value (n_values,), of equal sizes, dealt at random."""
    found: Counts = random.permutation(np.arange(n_values) % factors)
    return found


def similar_factors(
    embeddings: NDArray[np.floating], random: np.random.Generator, factors: int = FACTORS
) -> Counts:
    """The factor of each value (n_values,), of equal sizes: similar values have the same.

    `embeddings` (n_values, d) are unit rows; k-means with places for n / k values a centre.
    """
    n = len(embeddings)
    vectors = np.asarray(embeddings, float)
    centres = vectors[random.choice(n, factors, replace=False)]
    places = np.arange(n) % factors
    of = np.zeros(n, np.int64)
    for _ in range(20):
        _, taken = linear_sum_assignment(-(vectors @ centres.T)[:, places])
        of = places[taken]
        centres = np.stack([vectors[of == k].mean(0) for k in range(factors)])
    return of


def planted_loadings(factor_of: Counts, factors: int = FACTORS, loading: float = LOADING) -> Floats:
    """Loadings (n_values, factors): `loading` on a value's factor, 0 elsewhere."""
    found: Floats = loading * np.eye(factors)[factor_of]
    return found


def latent_scores(loadings: Floats, n_subjects: int, random: np.random.Generator) -> Floats:
    """Standard normal scores (n_subjects, n_values) of uncorrelated factors with these loadings.

    Loadings of 0 throughout give values that are independent.
    """
    common = random.standard_normal((n_subjects, loadings.shape[1])) @ loadings.T
    own = np.sqrt(1 - (loadings**2).sum(1))
    found: Floats = common + random.standard_normal(common.shape) * own
    return found


def planted_counts(
    latent: Floats,
    sides: Sequence[Side],
    n_texts: int,
    per_value: float,
    kind: Kind,
    random: np.random.Generator,
    base: Floats | None = None,
) -> Counts:
    """How often each subject states each text: (n_subjects, n_texts).

    `latent` (n_subjects, n_values). A subject has `per_value` texts on a value (times `base`
    (n_values,), where values are unequally salient), all of one side. By `kind` its latent score
    decides the side, the number of texts (Poisson, all of them supporting), or both: who is high
    writes much for the value, who is low little and against it. Texts are drawn without
    replacement; once all were taken, they are taken again.
    """
    base = np.ones(latent.shape[1]) if base is None else base
    expected = np.broadcast_to(per_value * base, latent.shape)
    if kind == "direction":
        number = random.poisson(expected) if np.ptp(base) else np.round(expected).astype(int)
    else:
        # less the mean of the exponential, so that as many texts are expected as elsewhere
        number = random.poisson(expected * np.exp(SPREAD * latent - SPREAD**2 / 2))
    for_it = np.ones(latent.shape, bool) if kind == "salience" else latent > 0
    counts = np.zeros((len(latent), n_texts), np.int64)
    for value, side in enumerate(sides):
        for subject in np.flatnonzero(number[:, value]):
            pool = side.support if for_it[subject, value] else side.oppose
            whole, rest = divmod(int(number[subject, value]), len(pool))
            counts[subject, pool] += whole
            counts[subject, random.permutation(pool)[:rest]] += 1
    return counts


def recovered(scores: pd.DataFrame, loadings: Floats) -> float:
    """Mean congruence of the planted factors with those found in `scores`.

    `scores` (n_subjects, n_values), NaN where a subject has none; `loadings` (n_values, factors).
    Principal components and varimax, as many as were planted; a value without variance loads 0.
    """
    usable, matrix = _correlated(scores)
    found = np.zeros_like(loadings)
    if usable.sum() < loadings.shape[1]:
        return 0.0
    found[usable] = varimax(principal_loadings(matrix, loadings.shape[1]))
    return float(matched(loadings, found)[2].mean())


def retained(scores: pd.DataFrame) -> int:
    """Factors that parallel analysis keeps of `scores` (n_subjects, n_values), NaN: missing."""
    usable, matrix = _correlated(scores)
    if usable.sum() < 2:
        return 0
    missing = scores.loc[:, usable].isna().to_numpy()
    size = (len(scores), int(usable.sum()))
    if missing.any():
        bar = parallel_analysis(*size, seed=0, repeats=REPEATS, missing=missing)
    else:
        bar = _chance(*size)
    return leading_above(eigenvalues(matrix), bar)


def shuffled(scores: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Each value's scores dealt to the subjects anew: nothing goes together any more."""
    return pd.DataFrame(random.permuted(scores.to_numpy(), axis=0), columns=scores.columns)


def _correlated(scores: pd.DataFrame) -> tuple[NDArray[np.bool_], Floats]:
    """Which values vary and are known of enough subjects, and their correlations."""
    known = scores.notna().mean() >= LEAST_KNOWN
    # what is the same in all subjects differs by rounding
    usable = (known & (scores.max() - scores.min() > ROUNDING)).to_numpy()
    if usable.sum() < 2:
        return usable, np.eye(int(usable.sum()))
    return usable, correlations(scores.loc[:, usable]).matrix.to_numpy()


@lru_cache
def _chance(n_subjects: int, n_values: int) -> Floats:
    return parallel_analysis(n_subjects, n_values, seed=0, repeats=REPEATS)
