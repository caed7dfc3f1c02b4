"""Cells far outside the rest of their column: codes of missing cells, mistakes of typing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import pandas as pd

KNOWN_CODES = frozenset(
    sign * code
    for code in (9, 99, 999, 9999, 99999, 8, 88, 888, 7, 77, 777, 97, 98, 997, 998)
    for sign in (1, -1)
) | {-1.0, -2.0}
"""Numbers by which surveys mark a missing answer."""
MOST_CODED = 0.5
FENCE = 5.0
SCALE_POINTS = (3, 11)


def far_cells(scores: pd.DataFrame, lines: Sequence[int] | np.ndarray, unit: str) -> list[str]:
    """A caution on cells far outside the rest of their column: codes of missing cells, mistakes.

    `scores` (n_subjects, n_values); `lines` are where its rows stand in the file, by `unit`.
    """
    outside: dict[float, list[tuple[str, int, int]]] = {}
    common = common_scale(scores)
    for name in scores.columns:
        column = scores[name].to_numpy()
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        for value in far_values(values, counts, common):
            rows = np.flatnonzero(column == value)
            outside.setdefault(value, []).append((str(name), len(rows), int(lines[rows[0]])))
    if not outside:
        return []
    parts = []
    for value, places in sorted(outside.items(), key=lambda item: -len(item[1]))[:6]:
        name, _, line = places[0]
        cells = sum(count for _, count, _ in places)
        where = f"{name!r}, {unit} {line}" if cells == 1 else f"first in {name!r}, {unit} {line}"
        parts.append(f"{value:g} in {cells} cell{'s' if cells > 1 else ''} ({where})")
    more = f" and {len(outside) - 6} more" if len(outside) > 6 else ""
    codes = ",".join(f"{value:g}" for value in sorted(outside)[:6])
    return [
        f"{'; '.join(parts)}{more}: far outside the other cells of the column. Scored as they "
        f"stand; if they mark missing cells: --missing-codes={codes}."
    ]


def common_scale(scores: pd.DataFrame) -> tuple[float, float] | None:
    """The lowest and highest point of the whole-number scale that at least half of columns keep."""
    scales: Counter[tuple[float, float]] = Counter()
    for name in scores.columns:
        column = scores[name].dropna().to_numpy()
        values = np.unique(column)
        if len(column) and np.all(values == np.round(values)):
            # the run of neighbouring points around the middle: codes stand apart from it
            runs = np.split(values, np.flatnonzero(np.diff(values) > 1) + 1)
            middle = np.median(column)
            run = next((one for one in runs if one[0] <= middle <= one[-1]), values)
            scales[float(run[0]), float(run[-1])] += 1
    if not scales or scores.shape[1] < 3:
        return None
    (low, high), columns = scales.most_common(1)[0]
    points = high - low + 1
    fits = columns * 2 >= scores.shape[1] and SCALE_POINTS[0] <= points <= SCALE_POINTS[1]
    return (low, high) if fits else None


def far_values(
    values: np.ndarray, counts: np.ndarray, common: tuple[float, float] | None = None
) -> list[float]:
    """Which of a column's different `values` (ascending, with `counts`) lie far outside the rest.

    A known code, or a number beyond five spreads (10 to 90 per cent), whose distance from the rest
    is more than the rest's own range; or a code at least two points beyond the `common` scale.
    """
    if len(values) < 3:
        return []
    total = counts.sum()
    known = np.isin(values, list(KNOWN_CODES))
    bulk = values[~known] if (~known).sum() >= 2 else values
    weights = counts[~known] if (~known).sum() >= 2 else counts
    order = np.repeat(bulk, weights)
    low, high = np.quantile(order, [0.1, 0.9])
    spread = max(high - low, float(np.diff(bulk).min()) if len(bulk) > 1 else 1.0)
    beyond = (values < low - FENCE * spread) | (values > high + FENCE * spread)
    candidates = (known & (counts < MOST_CODED * total)) | (beyond & (counts <= 0.1 * total))
    if known[candidates].any() and (counts[candidates & known].sum() > MOST_CODED * total):
        candidates = beyond & (counts <= 0.1 * total)
    rest = values[~candidates]
    found = set()
    if len(rest) >= 2:
        reach = float(rest[-1] - rest[0])
        for value in values[candidates]:
            gap = max(rest[0] - value, value - rest[-1])
            if gap > reach:
                found.add(float(value))
    if common is not None:
        low, high = common
        coded = known & (counts < MOST_CODED * total)
        off = coded & ((values <= low - 2) | (values >= high + 2))
        # a column on a scale of its own has other cells outside as well
        if np.all(off | ((values >= low) & (values <= high))):
            found |= {float(value) for value in values[off]}
    return sorted(found)
