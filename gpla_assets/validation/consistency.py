"""The same LLM measured from disjoint sets of prompts (the paper's appendix B.3, Table 11)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.resampling import RESAMPLES, drawn_units, percentile_interval

HALVINGS = 20
FEWEST_VALUES = 5
COLUMNS = [
    *("level", "set_a", "set_b", "llm", "r", "r_centred", "r_others", "ceiling"),
    *("ceiling_centred", "n_values", "n_perceptions"),
]


def consistency(measured: pd.DataFrame, level: str, seed: int = 0) -> pd.DataFrame:
    """How alike an LLM's profiles from two sets of prompts are, for each pair of sets.

    `measured` (prompt_set, llm, unit, value, score): one row a score; `unit` is what is drawn or
    halved together (a perception). Rows: `level`, set_a, set_b, llm and

    - r: Pearson's r over the values that both profiles have, as in the paper;
    - r_others: the mean r of the LLM's profile in set_a with the other LLMs' in set_b. LLMs share
      most of their profile, so that r alone tells little of the LLM;
    - r_centred: r after each value's mean over the LLMs of the set is taken away;
    - ceiling, ceiling_centred: the highest r to be expected with so few perceptions, the root of
      the product of both sets' split-half reliabilities (Spearman, 1904; halves by unit, stepped
      up by Spearman and Brown's formula); null where a reliability is not positive.

    Correlations over fewer than five values are null. Needs two sets and two LLMs for any row.
    """
    tables = {
        name: rows.pivot_table(index="llm", columns="value", values="score", aggfunc="mean")
        for name, rows in measured.groupby("prompt_set")
    }
    halves = {name: _reliabilities(rows, seed) for name, rows in measured.groupby("prompt_set")}
    units = measured.groupby(["prompt_set", "llm"])["unit"].nunique()
    rows = []
    for a, b in combinations(sorted(tables), 2):
        llms = sorted(set(tables[a].index) & set(tables[b].index))
        values = sorted(set(tables[a].columns) & set(tables[b].columns))
        if len(llms) < 2 or len(values) < FEWEST_VALUES:
            continue
        first, second = (tables[name].loc[llms, values] for name in (a, b))
        raw = profile_correlations(first.to_numpy(), second.to_numpy())
        centred = profile_correlations(
            (first - first.mean()).to_numpy(), (second - second.mean()).to_numpy()
        )
        others = raw.copy()
        np.fill_diagonal(others, np.nan)
        for at, llm in enumerate(llms):
            rows.append(
                (
                    *(level, a, b, llm, raw[at, at], centred[at, at], _mean(others[at])),
                    *(_ceiling(halves[a], halves[b], llm, part) for part in (0, 1)),
                    int((first.loc[llm].notna() & second.loc[llm].notna()).sum()),
                    int(min(units[a, llm], units[b, llm])),
                )
            )
    return pd.DataFrame(rows, columns=COLUMNS)


def profile_correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """(n, m): Pearson's r of each row of `a` (n, p) with each of `b` (m, p) over shared cells."""
    found = np.full((len(a), len(b)), np.nan)
    if a.shape[1] >= FEWEST_VALUES and not (np.isnan(a).any() or np.isnan(b).any()):
        x, y = (one - one.mean(axis=1, keepdims=True) for one in (a, b))
        spread = np.sqrt(np.outer((x**2).sum(axis=1), (y**2).sum(axis=1)))
        np.divide(x @ y.T, spread, out=found, where=spread > 1e-12)
        return found
    for i, left in enumerate(a):
        known = ~np.isnan(left) & ~np.isnan(b)
        count = known.sum(1)
        size = np.maximum(count, 1)
        x, y = np.where(known, left, 0.0), np.where(known, b, 0.0)
        x = np.where(known, x - (x.sum(1) / size)[:, None], 0.0)
        y = np.where(known, y - (y.sum(1) / size)[:, None], 0.0)
        spread = np.sqrt((x**2).sum(1) * (y**2).sum(1))
        usable = (count >= FEWEST_VALUES) & (spread > 1e-12)
        found[i, usable] = ((x * y).sum(1) / np.where(spread > 0, spread, 1))[usable]
    return found


def _reliabilities(rows: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Per LLM: reliability of its profile, raw and centred; mean over random halves of units."""
    random = np.random.default_rng(seed)
    units = rows[["llm", "unit"]].drop_duplicates("unit").set_index("unit")["llm"]
    found = []
    for _ in range(HALVINGS):
        shuffled = units.iloc[random.permutation(len(units))]
        side = shuffled.groupby(shuffled).cumcount() % 2
        sides = rows["unit"].map(side)
        a, b = (
            rows[sides == half].pivot_table(
                index="llm", columns="value", values="score", aggfunc="mean"
            )
            for half in (0, 1)
        )
        llms, values = a.index.intersection(b.index), a.columns.intersection(b.columns)
        if len(llms) < 2 or len(values) < FEWEST_VALUES:
            continue
        a, b = a.loc[llms, values], b.loc[llms, values]
        for part, (x, y) in enumerate(((a, b), (a - a.mean(), b - b.mean()))):
            half_r = np.diag(profile_correlations(x.to_numpy(), y.to_numpy()))
            found.append(pd.DataFrame({"llm": llms, "part": part, "r": half_r}))
    if not found:
        return pd.DataFrame(columns=[0, 1])
    means = pd.concat(found).groupby(["llm", "part"])["r"].mean().unstack()
    return 2 * means / (1 + means)


def _ceiling(a: pd.DataFrame, b: pd.DataFrame, llm: str, part: int) -> float:
    if llm not in a.index or llm not in b.index or part not in a or part not in b:
        return np.nan
    product = [float(table.loc[llm, part]) for table in (a, b)]
    if not all(one > 0 for one in product):
        return np.nan
    return float(np.sqrt(product[0] * product[1]))


def _mean(numbers: np.ndarray) -> float:
    known = numbers[~np.isnan(numbers)]
    return float(known.mean()) if len(known) else np.nan


def with_criterion(
    consistent: pd.Series, criterion: pd.Series, seed: int = 0
) -> tuple[float | None, float | None, float | None, int]:
    """r of LLMs' consistency with a criterion, its 95% interval over LLMs drawn, and their number.

    Both by LLM. Nulls with fewer than four LLMs, of which an r says nothing.
    """
    both = pd.concat([consistent, criterion], axis=1, join="inner").dropna().to_numpy(float)
    n = len(both)
    if n < 4 or not both.std(0).all():
        return None, None, None, n
    random = np.random.default_rng(seed)
    drawn = both[drawn_units(n, RESAMPLES, random)]
    x = drawn - drawn.mean(1, keepdims=True)
    spread = np.sqrt((x**2).sum(1).prod(1))
    rs = (x[:, :, 0] * x[:, :, 1]).sum(1) / np.where(spread > 1e-12, spread, np.nan)
    low, high = percentile_interval(rs)
    return float(np.corrcoef(both.T)[0, 1]), float(low), float(high), n
