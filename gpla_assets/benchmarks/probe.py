"""Prediction of a criterion of LLMs from their values (the paper's 5.2, Tables 3 and 13)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import RidgeCV

from gpla_assets.benchmarks.bradley_terry import bradley_terry, cross_entropy
from gpla_assets.benchmarks.probe_designs import Design, inner_folds
from gpla_assets.psychometrics.resampling import (
    RESAMPLES,
    drawn_counts,
    drawn_units,
    percentile_interval,
)

PENALTIES = (0.003, 0.03, 0.3, 3.0)
RIDGE_PENALTIES = np.logspace(-1, 4, 11)


@dataclass(frozen=True)
class Tested:
    """`accuracies` (repeats,) on pairs of unseen LLMs; `won`, `met` (n, n) by pair, over repeats.

    `weights` (repeats, d) per standard deviation of a feature; `l2` (repeats,) as chosen within.
    """

    accuracies: np.ndarray
    won: np.ndarray
    met: np.ndarray
    weights: np.ndarray
    l2: np.ndarray

    @property
    def accuracy(self) -> float:
        """Mean over repeats; a pair of equal predictions counts half."""
        return float(np.nanmean(self.accuracies))


def probed(features: np.ndarray, criterion: np.ndarray, splits: Design, seed: int = 0) -> Tested:
    """The Bradley-Terry probe over a design.

    `features` (n, d), nan where not measured; `criterion` (n,). Features are standardised on the
    LLMs that a probe is fitted to, missing ones are at their mean; the penalty is the one of
    `PENALTIES` with the least cross-entropy over three folds of these LLMs.
    """
    l2 = _penalties(features, criterion, splits, seed)
    # the tested LLMs' own mean and spread would tell something of them
    trained, tested = _standardised(features, splits.trained, splits.tested)
    weights = bradley_terry(trained, criterion[splits.trained], l2)
    scores = np.einsum("bnd,bd->bn", tested, weights)
    return _tested(scores, criterion, splits, weights, l2)


def _penalties(
    features: np.ndarray, criterion: np.ndarray, splits: Design, seed: int
) -> np.ndarray:
    losses = np.zeros((len(PENALTIES), len(splits.trained)))
    for fitted, validated in inner_folds(splits.trained, seed):
        inside, outside = _standardised(features, fitted, validated)
        weights = None
        # from the strongest penalty on: the next optimum is not far
        for place, penalty in reversed(list(enumerate(PENALTIES))):
            l2 = np.full(len(inside), penalty)
            weights = bradley_terry(inside, criterion[fitted], l2, weights)
            scores = np.einsum("bnd,bd->bn", outside, weights)
            # a fold whose LLMs all tie says nothing
            losses[place] += np.nan_to_num(cross_entropy(scores, criterion[validated]))
    # of equal losses the weakest penalty: the first
    found: np.ndarray = np.array(PENALTIES)[losses.argmin(0)]
    return found


def _standardised(
    features: np.ndarray, fitted: np.ndarray, others: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    inside, outside = features[fitted], features[others]
    known = ~np.isnan(inside)
    count = np.maximum(known.sum(1, keepdims=True), 1)
    mean = np.where(known, inside, 0).sum(1, keepdims=True) / count
    sd = np.sqrt(np.where(known, (inside - mean) ** 2, 0).sum(1, keepdims=True) / count)
    # a feature that is constant over these LLMs tells nothing of others
    scale = np.where(sd > 1e-12, sd, np.inf)
    return np.nan_to_num((inside - mean) / scale), np.nan_to_num((outside - mean) / scale)


def ridge_probed(features: np.ndarray, criterion: np.ndarray, splits: Design) -> Tested:
    """A ridge regression of the criterion itself; pairs are decided by its predictions.

    Its penalty is chosen by leave-one-out within the LLMs it is fitted to.
    """
    inside, outside = _standardised(features, splits.trained, splits.tested)
    rows = zip(inside, outside, criterion[splits.trained], strict=True)
    fits = [(RidgeCV(RIDGE_PENALTIES).fit(x, y), other) for x, other, y in rows]
    scores = np.array([fit.predict(other) for fit, other in fits])
    weights = np.array([fit.coef_ for fit, _ in fits])
    return _tested(scores, criterion, splits, weights, np.array([fit.alpha_ for fit, _ in fits]))


def majority_probed(criterion: np.ndarray, splits: Design) -> Tested:
    """Of each pair in the order given, the side that wins more of the pairs fitted to."""
    inside = np.sort(splits.trained, axis=1)
    upper = np.triu_indices(inside.shape[1], 1)
    first, second = criterion[inside[:, upper[0]]], criterion[inside[:, upper[1]]]
    side = np.sign((first > second).sum(1) - (first < second).sum(1))
    # places stand for scores: the earlier LLM of each pair is predicted to win, or the later
    scores = -splits.tested * side[:, None].astype(float)
    nothing = np.zeros((len(scores), 0))
    return _tested(scores, criterion, splits, nothing, np.zeros(len(scores)))


def _tested(
    scores: np.ndarray, criterion: np.ndarray, splits: Design, weights: np.ndarray, l2: np.ndarray
) -> Tested:
    n = len(criterion)
    truth = criterion[splits.tested]
    wins = truth[:, :, None] > truth[:, None, :]
    margins = scores[:, :, None] - scores[:, None, :]
    # equal predictions are a coin that is tossed
    right = np.where(np.abs(margins) < 1e-12, 0.5, margins > 0) * wins
    pairs = wins.sum((1, 2))
    accuracies = np.where(pairs > 0, right.sum((1, 2)) / np.maximum(pairs, 1), np.nan)
    rows = np.broadcast_to(splits.tested[:, :, None], wins.shape)
    columns = np.broadcast_to(splits.tested[:, None, :], wins.shape)
    won, met = np.zeros((n, n)), np.zeros((n, n))
    np.add.at(won, (rows, columns), right)
    np.add.at(met, (rows, columns), wins)
    return Tested(accuracies, won, met, weights, l2)


def accuracy_interval(tested: Tested, seed: int = 0) -> tuple[float, float]:
    """95% interval of the accuracy: LLMs are drawn with replacement, with all their pairs.

    Repeats share LLMs, so that their spread is no standard error. Pairs of a LLM with itself are
    left out; the fits are as they were.
    """
    random = np.random.default_rng(seed)
    drawn = drawn_counts(len(tested.won), RESAMPLES, random).astype(float)
    share = np.divide(tested.won, tested.met, out=np.zeros_like(tested.won), where=tested.met > 0)
    seen = (tested.met > 0).astype(float)
    right = np.einsum("ri,ij,rj->r", drawn, share, drawn, optimize=True)
    pairs = np.einsum("ri,ij,rj->r", drawn, seen, drawn, optimize=True)
    low, high = percentile_interval(right / np.where(pairs > 0, pairs, np.nan))
    return float(low), float(high)


def weight_intervals(
    features: np.ndarray, criterion: np.ndarray, l2: np.ndarray, seed: int = 0, resamples: int = 500
) -> np.ndarray:
    """(2, d): 95% interval of each weight over LLMs drawn with replacement.

    `l2`: penalties as they were chosen over repeats; each resample takes one of them.
    """
    random = np.random.default_rng(seed)
    drawn = drawn_units(len(criterion), resamples, random)
    inside, _ = _standardised(features, drawn, drawn[:, :1])
    weights = bradley_terry(inside, criterion[drawn], random.choice(l2, resamples))
    return percentile_interval(weights)


def probed_over(
    features: np.ndarray, criterion: np.ndarray, designs: Sequence[Design], seed: int = 0
) -> Tested:
    """The probe over several designs; a repeat of the whole is a pair that was met.

    Pairs of one family are met whenever the family is left out, and count once.
    """
    found = [probed(features, criterion, one, seed) for one in designs]
    won = np.sum([one.won for one in found], axis=0)
    met = np.sum([one.met for one in found], axis=0)
    share = np.divide(won, met, out=np.zeros_like(won), where=met > 0)
    return Tested(
        share[met > 0],
        share,
        (met > 0).astype(float),
        np.concatenate([one.weights for one in found]),
        np.concatenate([one.l2 for one in found]),
    )


def permuted_accuracies(
    features: np.ndarray, criterion: np.ndarray, splits: Design, permutations: int, seed: int = 0
) -> np.ndarray:
    """Accuracies (permutations,) of the whole procedure with the criterion dealt out at random."""
    random = np.random.default_rng(seed)
    dealt = (random.permutation(criterion) for _ in range(permutations))
    return np.array([probed(features, one, splits, seed).accuracy for one in dealt])


def accuracies_beside(
    controls: np.ndarray,
    features: np.ndarray,
    criterion: np.ndarray,
    splits: Design,
    permutations: int,
    seed: int = 0,
) -> np.ndarray:
    """Accuracies (permutations,) with the features dealt to other LLMs, whole.

    Each LLM keeps its `controls` (n, c) and its criterion: what is left is what features add.
    """
    random = np.random.default_rng(seed)
    dealt = (random.permutation(features) for _ in range(permutations))
    return np.array(
        [probed(np.hstack([controls, one]), criterion, splits, seed).accuracy for one in dealt]
    )
