"""What a check of validity finds: a number, its interval, and the answer that it should give.

Rows have COLUMNS, whatever the check: agents' by `gpla validity`, a study's by its step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.psychometrics.resampling import drawn_rows, percentile_interval, units_of

COLUMNS = ["check", "data", "agent", "rule", "measure", "number", "low", "high", "n", "known"]
RESAMPLES = 500

Floats = NDArray[np.floating]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Finding:
    """One row: `known` is what the number should be, or what chance or the ceiling gives.

    `low` and `high`: a 95% interval, or the least and most over seeds. `rule` is '' where none is
    applied.
    """

    check: str
    data: str
    agent: str
    rule: str
    measure: str
    number: float
    low: float
    high: float
    n: int
    known: str


def table(findings: Iterable[Finding]) -> pd.DataFrame:
    """Findings as rows with COLUMNS."""
    return pd.DataFrame([astuple(one) for one in findings], columns=COLUMNS)


def over_seeds(numbers: Sequence[float]) -> tuple[float, float, float]:
    """Mean, least and most."""
    return float(np.mean(numbers)), float(min(numbers)), float(max(numbers))


def with_interval(
    statistic: Callable[[Places], float], units: Sequence[str], seed: int = 0
) -> tuple[float, float, float]:
    """A statistic of the places of rows, and its 95% interval over whole units drawn anew."""
    random, groups = np.random.default_rng(seed), units_of(units)
    draws = [statistic(drawn_rows(groups, random)) for _ in range(RESAMPLES)]
    low, high = percentile_interval(draws)
    return float(statistic(np.arange(len(units)))), float(low), float(high)


def auc(truth: NDArray[np.bool_], scores: Floats) -> float:
    """Area under the ROC curve, ties half; NaN where there is one class only."""
    from scipy.stats import rankdata

    positives = int(truth.sum())
    negatives = len(truth) - positives
    if not positives or not negatives:
        return float("nan")
    above = rankdata(scores)[truth].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))
