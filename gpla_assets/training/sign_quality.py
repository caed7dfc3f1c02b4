"""How good an evaluator is: sign of valence, relevance, agreement with ratings, calibration.

All numbers are of scores that were had on values held out in training.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.training.examples import NEUTRAL_RATING

Numbers = NDArray[np.floating]
BINS = 10


@dataclass(frozen=True)
class SignQuality:
    """How often the sign of a score is right; `auc` is of its order. n statements or answers."""

    n: int
    accuracy: float
    balanced_accuracy: float
    auc: float


def sign_quality(supports: NDArray[np.bool_], scores: Numbers) -> SignQuality:
    """`supports` (n,): the truth; `scores` (n,): p(support) - p(oppose), counted right by sign."""
    from sklearn.metrics import balanced_accuracy_score, roc_auc_score

    said = scores > 0
    return SignQuality(
        n=len(scores),
        accuracy=float((said == supports).mean()),
        balanced_accuracy=float(balanced_accuracy_score(supports, said)),
        auc=float(roc_auc_score(supports, scores)),
    )


def within_value_correlation(answers: pd.DataFrame, scores: Numbers) -> float:
    """Agreement with the ratings on what differs between LLMs within a value.

    `answers`: rows (value, llm, stance, rating). Means of score and of stance x (rating - 5) by
    value and LLM, each less its value's mean over the LLMs; Pearson's r over all of them.
    """
    means = (
        answers.assign(
            score=np.asarray(scores, float),
            target=answers["stance"] * (answers["rating"] - NEUTRAL_RATING),
        )
        .groupby(["value", "llm"])[["score", "target"]]
        .mean()
    )
    within = means - means.groupby("value").transform("mean")
    return float(np.corrcoef(within["score"], within["target"])[0, 1])


def rated_sign_quality(answers: pd.DataFrame, scores: Numbers) -> SignQuality:
    """Sign of the scores against stance x (rating - 5); answers rated 5 are left out."""
    sided = (answers["rating"] != NEUTRAL_RATING).to_numpy()
    truth = (answers["stance"] * (answers["rating"] - NEUTRAL_RATING) > 0).to_numpy()
    return sign_quality(truth[sided], np.asarray(scores)[sided])


@dataclass(frozen=True)
class Calibration:
    """Of probabilities (n,) against outcomes: Brier's score, ECE, and the reliability diagram.

    `diagram`: rows (bin, n, predicted, observed), bins of equal width.
    """

    brier: float
    ece: float
    diagram: pd.DataFrame


def calibration(outcomes: NDArray[np.bool_], probabilities: Numbers) -> Calibration:
    """Expected calibration error over 10 bins of equal width, weighted by their sizes."""
    from sklearn.metrics import brier_score_loss

    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    diagram = (
        pd.DataFrame({"bin": bins, "predicted": probabilities, "observed": outcomes.astype(float)})
        .groupby("bin")
        .agg(n=("observed", "size"), predicted=("predicted", "mean"), observed=("observed", "mean"))
        .reset_index()
    )
    gaps = (diagram["predicted"] - diagram["observed"]).abs()
    return Calibration(
        brier=float(brier_score_loss(outcomes, probabilities)),
        ece=float((gaps * diagram["n"]).sum() / len(probabilities)),
        diagram=diagram,
    )


def sure_from(
    supports: NDArray[np.bool_], scores: Numbers, wanted: float, weights: Numbers | None = None
) -> float:
    """The size of a score from which its sign is right in the share `wanted`, at that size.

    How often signs are right by the score's size is fitted as rising (isotonic regression, rows
    by `weights`). inf where it is never so often.
    """
    from sklearn.isotonic import IsotonicRegression

    sizes = np.abs(scores)
    curve = IsotonicRegression(y_min=0, y_max=1).fit(sizes, (scores > 0) == supports, weights)
    sure = sizes[curve.predict(sizes) >= wanted]
    return float(sure.min()) if len(sure) else float("inf")


def accuracy_by_coverage(supports: NDArray[np.bool_], scores: Numbers) -> pd.DataFrame:
    """Accuracy of the sign where only the surest answers count: rows (coverage, accuracy)."""
    order = np.argsort(-np.abs(scores), kind="stable")
    right = ((scores > 0) == supports)[order]
    rows = [
        (coverage, float(right[: max(1, round(coverage * len(right)))].mean()))
        for coverage in np.arange(1.0, 0.0, -0.1).round(1)
    ]
    return pd.DataFrame(rows, columns=["coverage", "accuracy"])
