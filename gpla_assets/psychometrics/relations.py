"""Relations of our factors to the values of another system, such as Schwartz's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.special import stdtr
from threadpoolctl import threadpool_limits

from gpla_assets.psychometrics.pairwise import pairwise_correlation
from gpla_assets.psychometrics.resampling import (
    RESAMPLES,
    drawn_rows,
    percentile_interval,
    units_of,
)

FEWEST_LLMS = 10
FEWEST_SUBJECTS = 10
"""Subjects with both scores, below which no correlation is given."""
LARGEST_Z = 6.0
"""Fisher's z of r = .99999: keeps resamples in which two scores coincide finite."""


def nearest_values(
    values: Sequence[str], vectors: np.ndarray, others: Sequence[str], other_vectors: np.ndarray
) -> pd.DataFrame:
    """Each value's most similar value of another system, and the runner-up.

    Unit vectors (n_values, d) and (n_others, d). One row per value: value, other, cosine,
    runner_up, runner_up_cosine (null where there is one other).
    """
    cosine = vectors @ other_vectors.T
    order = np.argsort(-cosine, axis=1, kind="stable")
    rows, names = np.arange(len(values)), np.asarray(others, dtype=object)
    second = order[:, 1] if len(others) > 1 else None
    return pd.DataFrame(
        {
            "value": list(values),
            "other": names[order[:, 0]],
            "cosine": cosine[rows, order[:, 0]],
            "runner_up": names[second] if second is not None else None,
            "runner_up_cosine": cosine[rows, second] if second is not None else None,
        }
    )


def relations(
    factors: pd.DataFrame,
    others: pd.DataFrame,
    llms: Sequence[str],
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> pd.DataFrame:
    """Correlations of factor scores with scores on another system's values.

    `factors` (n_subjects, n_factors) and `others` (n_subjects, n_others) have the same index;
    `llms` is the LLM of each subject. The interval comes from resampling whole LLMs; p from the
    same resamples' standard error of Fisher's z, with Holm's correction over the whole table
    (`p_adjusted`). With fewer than ten LLMs neither is given, and no r with fewer than ten
    subjects. Columns factor, other, r, n, ci_low, ci_high, p, p_adjusted.
    """
    joined = pd.concat([factors, others], axis=1).to_numpy(float)
    k = factors.shape[1]
    groups = units_of(llms)
    r, n = _block(joined, k), _pairs(joined, k)
    rows = pd.DataFrame(
        {
            "factor": np.repeat(np.asarray(factors.columns, dtype=object), others.shape[1]),
            "other": np.tile(np.asarray(others.columns, dtype=object), k),
            "r": r.ravel(),
            "n": n.ravel(),
        }
    )
    # blanked before resampling, so that Holm counts the tests that are made
    rows.loc[rows["n"] < FEWEST_SUBJECTS, "r"] = np.nan
    if len(groups) < FEWEST_LLMS:
        return rows.assign(ci_low=None, ci_high=None, p=None, p_adjusted=None)
    # half a second to import, which `gpla structure` has no need of
    from statsmodels.stats.multitest import multipletests

    random = np.random.default_rng(seed)
    drawn = np.empty((resamples, rows.shape[0]))
    with threadpool_limits(1):
        for turn in range(resamples):
            drawn[turn] = _block(joined[drawn_rows(groups, random)], k).ravel()
    drawn[:, rows["r"].isna().to_numpy()] = 0.0
    low, high = np.where(rows["r"].isna(), np.nan, percentile_interval(drawn))
    z = np.clip(np.arctanh(np.clip(drawn, -0.999999, 0.999999)), -LARGEST_Z, LARGEST_Z)
    spread = np.maximum(z.std(axis=0, ddof=1), 1e-12)
    observed = np.arctanh(np.clip(rows["r"].to_numpy(float), -0.999999, 0.999999)) / spread
    # decision 0010: degrees of freedom of LLMs, which alone are independent
    p = 2 * stdtr(len(groups) - 2, -np.abs(observed))
    known = ~np.isnan(p)
    adjusted = np.full(len(p), np.nan)
    if known.any():
        adjusted[known] = multipletests(p[known], method="holm")[1]
    return rows.assign(ci_low=low, ci_high=high, p=p, p_adjusted=adjusted)


def _block(joined: np.ndarray, k: int) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return pairwise_correlation(joined)[:k, k:]


def _pairs(joined: np.ndarray, k: int) -> np.ndarray:
    measured: NDArray[np.int64] = (~np.isnan(joined)).astype(int)
    return measured[:, :k].T @ measured[:, k:]
