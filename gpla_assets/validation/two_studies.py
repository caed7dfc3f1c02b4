"""Whether two studies say the same of the same LLMs: other questions, other texts, other agents.

What both measured is compared by its name. Scores of two studies have other levels, so LLMs are
compared by their differences from the other LLMs of each study.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from gpla_assets.common.intervals import CONFIDENCE
from gpla_assets.validation.question_halves import FEWEST_UNITS, Halves, own_ranks


@dataclass(frozen=True)
class Agreement:
    """What two studies, a and b, say of n LLMs on m values that both measured.

    `values`: value, n_llms, `r` of the scores over LLMs with its 95% interval `r_low`, `r_high`
    (Fisher's z; NaN with fewer than FEWEST_UNITS LLMs), `mean_a`, `mean_b`; the best agreed first.
    `llms`: llm, n_values, `rank` of its profile in b among all LLMs' when looked for by its
    profile in a, and the other way round, their mean (1 is best, (n + 1) / 2 is chance; NaN with
    fewer than five values); `n_llms` that it was looked for among.
    `cells`: llm, value, `difference_a`, `difference_b` from the other LLMs of each study, `change`
    (b less a) with its 95% interval `low`, `high`; the largest first.
    """

    values: pd.DataFrame
    llms: pd.DataFrame
    cells: pd.DataFrame

    @property
    def chance(self) -> float:
        """The rank that a profile has by chance."""
        return (len(self.llms) + 1) / 2


def study_agreement(first: pd.DataFrame, second: pd.DataFrame) -> Agreement:
    """How far two studies agree, from their LLMs' values.

    `first`, `second`: rows llm, value, score, difference, difference_low, difference_high. Empty
    frames where they share no LLM or no value. The change's interval takes the studies' errors as
    independent: of the same questions it is too wide, never too narrow, as long as their errors go
    the same way.
    """
    key = ["llm", "value"]
    both = first.merge(second, on=key, suffixes=("_a", "_b"))
    both = both[both["score_a"].notna() & both["score_b"].notna()].sort_values(key)
    return Agreement(_by_value(both), _by_llm(both), _by_cell(both))


def _by_value(both: pd.DataFrame) -> pd.DataFrame:
    columns = ["value", "n_llms", "r", "r_low", "r_high", "mean_a", "mean_b"]
    rows = []
    for value, own in both.groupby("value"):
        a, b = own["score_a"].to_numpy(float), own["score_b"].to_numpy(float)
        r = low = high = np.nan
        if len(own) >= FEWEST_UNITS and np.ptp(a) > 0 and np.ptp(b) > 0:
            found = stats.pearsonr(a, b)
            r, (low, high) = found.statistic, found.confidence_interval(CONFIDENCE)
        rows.append((value, len(own), r, low, high, a.mean(), b.mean()))
    table = pd.DataFrame(rows, columns=columns)
    return table.sort_values(["r", "value"], ascending=[False, True], ignore_index=True)


def _by_llm(both: pd.DataFrame) -> pd.DataFrame:
    columns = ["llm", "n_values", "rank", "n_llms"]
    if both.empty:
        return pd.DataFrame(columns=columns)
    a, b = (both.pivot(index="llm", columns="value", values=f"score_{side}") for side in "ab")
    names = (tuple(map(str, a.index)), tuple(map(str, a.columns)))
    halves = Halves(*names, a.to_numpy(float)[None], b.to_numpy(float)[None], 0)
    table = pd.DataFrame({
        "llm": names[0],
        "n_values": a.notna().sum(axis=1).to_numpy(),
        "rank": own_ranks(halves).mean(axis=0),
        "n_llms": len(a),
    })  # fmt: skip
    return table.sort_values(["rank", "llm"], ignore_index=True)[columns]


def _by_cell(both: pd.DataFrame) -> pd.DataFrame:
    a, b = (both[f"difference_{side}"].astype(float) for side in "ab")
    halves = [
        (both[f"difference_high_{side}"] - both[f"difference_low_{side}"]).astype(float) / 2
        for side in "ab"
    ]
    half = np.hypot(*halves)
    table = both[["llm", "value"]].assign(
        difference_a=a, difference_b=b, change=b - a, low=b - a - half, high=b - a + half
    )
    by_size = table["change"].abs().sort_values(ascending=False, kind="stable").index
    return table.loc[by_size].reset_index(drop=True)
