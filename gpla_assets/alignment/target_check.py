"""Does a target say which response people prefer? Checked on pairs that it was not distilled from.

The paper judges a target only by the LLM aligned to it. Here the response nearer to the target is
predicted to be the preferred one, on held-out prompts, beside predictors that know no values.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.alignment.distillation import Floats, check_sides, corners, masked, minimisers
from gpla_assets.psychometrics.resampling import (
    drawn_signs,
    percentile_interval,
    permutation_p,
    poisson_counts,
)
from gpla_assets.studies import TargetSettings

TARGET, LENGTH, RANDOM, SHUFFLED = (
    "target",
    "longer response",
    "random target",
    "shuffled preferences",
)
RESAMPLES = 1000
"""Of prompts; they cost nothing here, while a target's own (targets.resamples) are distilled."""
COLUMNS = [
    *("predictor", "accuracy", "low", "high", "n_pairs", "n_prompts", "decided"),
    *("accuracy_decided", "accuracy_longer_won", "accuracy_shorter_won", "draws", "p"),
]


@dataclass(frozen=True)
class Pairs:
    """Pairs of responses: scores (n, n_dimensions) of both sides, prompts (n,), longer (n,).

    `longer` is 1 where the preferred response is the longer one, -1 the shorter, 0 neither.
    """

    winning: pd.DataFrame
    losing: pd.DataFrame
    prompts: Sequence[str]
    longer: Floats

    def __post_init__(self) -> None:
        """Raises ValueError where the parts differ in length."""
        check_sides(self.winning, self.losing)
        if not len(self.winning) == len(self.prompts) == len(self.longer):
            raise ValueError(
                f"{len(self.winning)} pairs, {len(self.prompts)} prompts and {len(self.longer)} "
                "lengths; expected one of each a pair."
            )


def distances(targets: Floats, scores: Floats) -> Floats:
    """Mean L1 distance of responses (n, d) from targets (n_draws, d): (n_draws, n).

    The mean is over the dimensions that both the response and the target have; NaN without any.
    """
    total = np.zeros((len(targets), len(scores)))
    count = np.zeros_like(total)
    for target, score in zip(targets.T, scores.T, strict=True):
        gap = np.abs(target[:, None] - score[None, :])
        known = ~np.isnan(gap)
        total += np.where(known, gap, 0.0)
        count += known
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)


def verdicts(targets: Floats, winning: Floats, losing: Floats) -> Floats:
    """1 where the preferred response is the nearer, 0 the farther, 0.5 undecided: (n_draws, n).

    Undecided are equal distances and pairs of which a side has no distance.
    """
    gap = distances(targets, losing) - distances(targets, winning)
    return np.where(np.isnan(gap), 0.5, (np.sign(np.nan_to_num(gap)) + 1) / 2)


def fold_targets(
    pairs: Pairs, turned: Floats, folds: NDArray[np.int64], mask_below: float
) -> Iterator[tuple[NDArray[np.bool_], Floats]]:
    """Each fold's held-out pairs and the targets (n_draws, d) of the other folds' pairs.

    `turned` (n_draws, n_pairs) is 1 where a preference counts as it is and -1 where turned round.
    """
    sides = [
        (masked(pairs.winning[name], mask_below), masked(pairs.losing[name], mask_below))
        for name in pairs.winning.columns
    ]
    for fold in np.unique(folds):
        held = folds == fold
        columns = []
        for winning, losing in sides:
            used = ~held & ~np.isnan(winning) & ~np.isnan(losing)
            found = corners(winning[used], losing[used])
            columns.append(np.concatenate([minimisers(found, draw[None, used]) for draw in turned]))
        yield held, np.stack(columns, axis=1)


def target_check(
    pairs: Pairs, settings: TargetSettings, seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """How often each predictor names the preferred response of held-out pairs; empty without pairs.

    One row a predictor: `target` (distilled on the other folds; no prompt is on both sides),
    `longer response`, `random target` (uniform in [-1, 1]; accuracy is the mean over draws, low
    and high their range) and `shuffled preferences` (targets of the training pairs with whole
    prompts' preferences turned round by a coin, mean and range over draws).

    accuracy counts an undecided pair as 1/2; `decided` is the share of decided ones and
    accuracy_decided the accuracy on these. accuracy_longer_won and accuracy_shorter_won are the
    accuracies where the preferred response was the longer and the shorter one: a predictor that
    only sees length has 1 and 0. low and high of the first two are 95% percentile intervals over
    resampled prompts.

    p of `random target` is the share of random targets, with the target itself, that do as well.
    p of `shuffled preferences` is that of the permutation test: the share of shuffles in which
    targets distilled from shuffled preferences agree as well with preferences shuffled alike.
    """
    n = len(pairs.winning)
    if not n:
        return pd.DataFrame(columns=COLUMNS)
    random = np.random.default_rng(seed)
    codes, prompts = pd.factorize(np.asarray(pairs.prompts, dtype=object))
    # by prompt: its pairs share responses
    folds = random.permutation(len(prompts))[codes] % settings.folds
    coins = drawn_signs(len(prompts), settings.permutations, random)[:, codes]
    turned = np.concatenate([np.ones((1, n)), coins])
    anywhere = random.uniform(-1, 1, (settings.random_targets, pairs.winning.shape[1]))
    winning, losing = pairs.winning.to_numpy(float), pairs.losing.to_numpy(float)
    judged = np.full((len(turned), n), 0.5)
    for held, targets in fold_targets(pairs, turned, folds, settings.mask_below):
        judged[:, held] = verdicts(targets, winning[held], losing[held])
    guessed = verdicts(anywhere, winning, losing)
    weights = poisson_counts(len(prompts), resamples, random)[:, codes]
    own = float(judged[0].mean())
    # a preference that was turned round is met by the response that is farther in truth
    alike = np.where(turned < 0, 1 - judged, judged)[1:].mean(axis=1)
    rows = [
        _row(TARGET, judged[:1], pairs, _interval(judged[0], weights)),
        _row(
            LENGTH, (pairs.longer[None] + 1) / 2, pairs, _interval((pairs.longer + 1) / 2, weights)
        ),
        _row(RANDOM, guessed, pairs, _range(guessed), permutation_p(own, guessed.mean(axis=1))),
        _row(SHUFFLED, judged[1:], pairs, _range(judged[1:]), permutation_p(own, alike)),
    ]
    return pd.DataFrame(
        [row | {"n_pairs": n, "n_prompts": len(prompts)} for row in rows if row], columns=COLUMNS
    )


def _row(
    predictor: str,
    judged: Floats,
    pairs: Pairs,
    ends: tuple[float, float],
    p: float | None = None,
) -> dict[str, object]:
    if not len(judged):
        return {}
    decided = judged != 0.5
    right = judged.mean(axis=1)
    return {
        "predictor": predictor,
        "accuracy": float(right.mean()),
        "low": ends[0],
        "high": ends[1],
        "decided": float(decided.mean()),
        "accuracy_decided": float(judged[decided].mean()) if decided.any() else np.nan,
        "accuracy_longer_won": _mean(judged[:, pairs.longer > 0]),
        "accuracy_shorter_won": _mean(judged[:, pairs.longer < 0]),
        "draws": len(judged),
        "p": p,
    }


def _mean(judged: Floats) -> float:
    return float(judged.mean()) if judged.size else float("nan")


def _interval(judged: Floats, weights: NDArray[np.int64]) -> tuple[float, float]:
    totals = weights.sum(axis=1)
    low, high = percentile_interval((weights @ judged)[totals > 0] / totals[totals > 0])
    return float(low), float(high)


def _range(judged: Floats) -> tuple[float, float]:
    means = judged.mean(axis=1)
    return (float(means.min()), float(means.max())) if len(means) else (np.nan, np.nan)
