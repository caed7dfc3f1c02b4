"""Agreement of an evaluator with ratings of the same answers by others (ValueBench's)."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.resampling import (
    RESAMPLES,
    drawn_counts,
    drawn_units,
    percentile_interval,
)

FEWEST_LLMS = 4
COLUMNS = ["evaluator", "reading", "level", "value", "r", "low", "high", "n", "coverage"]
CENTRED = "LLM x value, less the value's mean"
LEVELS = ("answer", "LLM x value", CENTRED)
MEAN_OVER_VALUES = "value: mean r over LLMs"
PER_VALUE = "value: r over LLMs"


def agreement(answers: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Pearson's r of scores with ratings on every level, with 95% intervals over values drawn.

    `answers` (value, llm, score, target): `score` in [-1, 1] or missing; `target` the rating as it
    bears on the value, agreement x (rating - 5). Levels: each answer; a LLM's mean on a value; the
    same less the value's mean over the LLMs, which is what tells LLMs apart; r over LLMs for each
    value with four or more, and its mean. `coverage`: share of answers with a score. Correlations
    are null where one side does not vary. Rows (level, value, r, low, high, n, coverage).
    """
    known = answers.dropna(subset=["score", "target"])
    coverage = len(known) / len(answers) if len(answers) else None
    cells = known.groupby(["value", "llm"], as_index=False)[["score", "target"]].mean()
    numbers = cells[["score", "target"]]
    centred = numbers - numbers.groupby(cells["value"]).transform("mean")
    within = cells[["value", "llm"]].join(centred)
    rows: list[tuple[object, ...]] = []
    for level, table in zip(LEVELS, (known, cells, within), strict=True):
        rows.append((level, "", *_pooled(table, seed), len(table), coverage))
    several = within[within.groupby("value")["llm"].transform("size") >= FEWEST_LLMS]
    per_value = _r(_sums(several))
    counts = several.groupby("value").size()
    usable = per_value.dropna()
    low, high = _mean_interval(usable.to_numpy(), seed)
    mean = float(usable.mean()) if len(usable) else None
    rows.append((MEAN_OVER_VALUES, "", mean, low, high, len(usable), coverage))
    rows += [
        (PER_VALUE, value, None if np.isnan(r) else float(r), None, None, int(counts[value]), None)
        for value, r in per_value.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS[2:])


def _sums(table: pd.DataFrame) -> pd.DataFrame:
    """Per value n, sums and sums of products: what Pearson's r of any set of values needs."""
    x, y = table["score"], table["target"]
    parts = pd.DataFrame({"n": 1.0, "x": x, "y": y, "xx": x * x, "yy": y * y, "xy": x * y})
    return parts.groupby(table["value"]).sum()


def _r(sums: pd.DataFrame) -> pd.Series:
    n = sums["n"].where(sums["n"] > 0)
    x = sums["xx"] - sums["x"] ** 2 / n
    y = sums["yy"] - sums["y"] ** 2 / n
    usable = (x > 1e-12) & (y > 1e-12)
    return (sums["xy"] - sums["x"] * sums["y"] / n) / np.sqrt((x * y).where(usable))


def _pooled(table: pd.DataFrame, seed: int) -> tuple[float | None, float | None, float | None]:
    sums = _sums(table)
    if sums.empty:
        return None, None, None
    total = float(_r(sums.sum().to_frame().T).iloc[0])
    if np.isnan(total):
        return None, None, None
    rng = np.random.default_rng(seed)
    drawn = drawn_counts(len(sums), RESAMPLES, rng)
    resampled = _r(pd.DataFrame(drawn @ sums.to_numpy(), columns=sums.columns))
    low, high = percentile_interval(resampled)
    return total, float(low), float(high)


def _mean_interval(numbers: np.ndarray, seed: int) -> tuple[float | None, float | None]:
    if len(numbers) < 2:
        return None, None
    rng = np.random.default_rng(seed)
    means = numbers[drawn_units(len(numbers), RESAMPLES, rng)].mean(1)
    low, high = percentile_interval(means)
    return float(low), float(high)
