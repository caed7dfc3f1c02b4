"""Response bias: how far LLMs differ in one general direction, whatever the value."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gpla_assets.psychometrics.pairwise import Pairwise
from gpla_assets.psychometrics.resampling import RESAMPLES, drawn_counts, percentile_interval

FEWEST_LLMS = 5
LARGE_SHARE = 0.5
COLUMNS = ["n_llms", "n_values", "general_share", "ci_low", "ci_high", "same_sign", "caution"]


def response_bias(
    scores: pd.DataFrame, llms: Sequence[str], seed: int = 0, resamples: int = RESAMPLES
) -> pd.DataFrame:
    """Share of the variance between LLMs that their most general direction takes: one row.

    `scores` (n_subjects, n_values) as measured, `llms` the LLM of each subject. The first
    eigenvalue of the correlations between LLMs' means over the number of values, with a 95%
    interval over LLMs; `same_sign` is the share of values that point the same way along it: near
    1 it is a tendency to say yes (or no) to everything, near .5 a contrast of values. Null with
    fewer than five LLMs.
    """
    means = scores.groupby(pd.Series(list(llms), scores.index)).mean().dropna(how="all")
    means = means.loc[:, means.std() > 0]
    n, p = means.shape
    if n < FEWEST_LLMS or p < 2:
        said = f"{n} LLMs: the share of a general direction needs at least {FEWEST_LLMS}."
        return pd.DataFrame([(n, p, *[np.nan] * 4, said)], columns=COLUMNS)
    pairwise = Pairwise(means.to_numpy(float))
    values, vectors = np.linalg.eigh(pairwise.moments().correlation)
    random = np.random.default_rng(seed)
    with threadpool_limits(1):
        drawn = [
            float(np.linalg.eigvalsh(pairwise.moments(one.astype(float)).correlation)[-1]) / p
            for one in drawn_counts(n, resamples, random)
        ]
    low, high = percentile_interval(drawn)
    share, up = float(values[-1]) / p, float((vectors[:, -1] > 0).mean())
    same = max(up, 1 - up)
    row = (n, p, share, float(low), float(high), same, bias_caution(share, same))
    return pd.DataFrame([row], columns=COLUMNS)


def bias_cautions(bias: pd.DataFrame | None) -> list[str]:
    """The caution of a `response_bias` that is large; nothing of one that is not, or not known."""
    if bias is None or bias["general_share"].isna().all():
        return []
    return [str(one) for one in bias["caution"].dropna()]


def bias_caution(share: float, same_sign: float) -> str | None:
    """What a reader must know where one direction takes more than half; None where it does not."""
    if share <= LARGE_SHARE:
        return None
    return (
        f"One general direction takes {share:.0%} of the variance between LLMs ({same_sign:.0%} of "
        "values point the same way along it): factors may be of how LLMs answer, not of what they "
        "value. Compare with structure.centre: subject."
    )
