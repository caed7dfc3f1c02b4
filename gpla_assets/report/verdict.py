"""What a study found, in three sentences made from its intervals."""

from __future__ import annotations

from typing import cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.common.intervals import CONFIDENCE, INTERVAL
from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS

NAMED = 5
"""Values that a sentence names."""
LEVEL = 0.05


def beyond_chance(cells: pd.DataFrame) -> NDArray[np.bool_]:
    """Which differences (rows) are not 0 beyond what many comparisons bring about by chance.

    `cells`: difference, difference_low, difference_high, n_questions. An interval is a t's with
    n_questions - 1 degrees of freedom; its p is corrected over all rows (Holm, 1979), at LEVEL.
    Rows of fewer than FEWEST_QUESTIONS questions are never clear, and are not counted.
    """
    from scipy.stats import t

    found = np.zeros(len(cells), bool)
    k = cells["n_questions"].to_numpy(float)
    difference = cells["difference"].to_numpy(float)
    high = cells["difference_high"].to_numpy(float)
    known = ~np.isnan(high - difference) & (k >= FEWEST_QUESTIONS)
    if not known.any():
        return found
    df = k[known] - 1
    half = np.maximum(high[known] - difference[known], np.finfo(float).tiny)
    p = 2 * t.sf(np.abs(difference[known]) / half * t.ppf(INTERVAL[1], df), df)
    order = np.argsort(p, kind="stable")
    steps = p[order] * np.arange(len(p), 0, -1)
    passed = np.cumprod(steps <= LEVEL).astype(bool)
    clear = np.zeros(len(p), bool)
    clear[order] = passed
    found[np.flatnonzero(known)] = clear
    return found


def verdict(cells: pd.DataFrame, units: str) -> list[str]:
    """Sentences on which values units (`units`: "LLMs" or "profiles") differ, and where not.

    `cells`: unit, value, difference with its interval, n_questions, few, clear. Values whose
    every row is `few` have too few questions to say anything.
    """
    n_units, n_values = cells["unit"].nunique(), cells["value"].nunique()
    if n_values == 0:
        return ["Nothing was measured yet."]
    if n_units < 2:
        return [
            f"One {units[:-1]} was measured on {n_values} values; there is no other to differ from."
        ]
    clear = cells[cells["clear"]]
    by_value = clear.assign(size=clear["difference"].abs()).groupby("value")["size"].max()
    led = [str(one) for one in by_value.sort_values(ascending=False, kind="stable").index]
    thin = cells.groupby("value")["few"].all()
    n_thin = int(thin.reindex(thin.index.difference(pd.Index(led))).sum())
    left = n_values - len(led) - n_thin
    said = [_first(n_units, n_values, units, led)]
    if led:
        said.append(_farthest(clear))
    else:
        apart = (cells["difference_low"] > 0) | (cells["difference_high"] < 0)
        said.append(
            f"{int(apart.sum())} of {len(cells)} intervals leave out 0, where chance alone brings "
            f"about {round((1 - CONFIDENCE) * len(cells))}."
        )
    if led and left:
        said.append(f"On {left} no difference is beyond chance.")
    if n_thin:
        said.append(f"On {n_thin} there are too few questions to rank them.")
    return said


def _first(n_units: int, n_values: int, units: str, led: list[str]) -> str:
    if not led:
        return f"{n_units} {units} differ clearly on none of {n_values} values."
    named = ", ".join(led[:NAMED]) + (f" and {len(led) - NAMED} more" if len(led) > NAMED else "")
    return f"{n_units} {units} differ clearly on {len(led)} of {n_values} values: {named}."


def _farthest(clear: pd.DataFrame) -> str:
    row = clear.loc[cast(int, clear["difference"].abs().idxmax())]
    side = "above" if row["difference"] > 0 else "below"
    return (
        f"Farthest from the others is {row['unit']}, {abs(row['difference']):.2f} {side} their "
        f"mean on {row['value']} (95% interval {row['difference_low']:+.2f} to "
        f"{row['difference_high']:+.2f})."
    )
