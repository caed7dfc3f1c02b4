"""What in a matrix looks like something else than measurements: codes, ids, totals, weights."""

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
HARDLY = 0.05
MOST_BY_CHANCE = 0.1
EXACT = 1e-4
NAMES_OF_WEIGHTS = frozenset({
    "w", "wt", "wgt", "weights", "pweight", "pspwght", "dweight", "weighting", "gewicht",
    "gewichtung", "survey_weight", "sampling_weight",
})  # fmt: skip
NAMES_OF_BACKGROUND = frozenset({
    "age", "gender", "sex", "female", "male", "education", "educ", "income", "year",
    "ageyr", "agemo", "grade", "school", "country", "alter", "geschlecht", "bildung",
})  # fmt: skip


def suspects(
    scores: pd.DataFrame, lines: Sequence[int] | np.ndarray, unit: str, has_weight: bool
) -> list[str]:
    """Cautions on a matrix (n_subjects, n_values) as a file has it; `lines` are its rows' places.

    Cells far outside the rest of their column, ids, totals, weights, background variables, equal
    columns and rows, and columns that hardly vary or hardly have a cell.
    """
    found = [*_codes(scores, lines, unit)]
    ids = _ids(scores)
    found += [
        f"{name!r} looks like an id or a row number (whole numbers, each larger than the one "
        f"before): leave it out by --drop {name!r}, or name it by --id."
        for name in ids
    ]
    found += _weights(scores, has_weight)
    same = _same_columns(scores)
    totals = _totals(scores.drop(columns=[*{b for _, b in same}, *ids]))
    found += _background(scores, {*ids, *totals})
    found += [f"{a!r} and {b!r} have the same cells: one of them is a copy." for a, b in same]
    found += totals.values()
    found += _flat(scores)
    found += _same_rows(scores, lines, unit)
    return found


def _codes(scores: pd.DataFrame, lines: Sequence[int] | np.ndarray, unit: str) -> list[str]:
    outside: dict[float, list[tuple[str, int, int]]] = {}
    common = _common_scale(scores)
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


def _common_scale(scores: pd.DataFrame) -> tuple[float, float] | None:
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


def _whole(column: pd.Series) -> bool:
    numbers = column.dropna().to_numpy()
    return bool(len(numbers) and np.all(numbers == np.round(numbers)))


def _ids(scores: pd.DataFrame) -> list[str]:
    return [
        str(name)
        for name in scores.columns
        if len(scores) >= 5
        and scores[name].notna().all()
        and _whole(scores[name])
        and bool((np.diff(scores[name].to_numpy()) > 0).all())
    ]


def _weights(scores: pd.DataFrame, has_weight: bool) -> list[str]:
    if has_weight:
        return []
    return [
        f"{name!r} looks like weights: leave it out by --weight {str(name)!r} (results are then "
        "unweighted)."
        for name in scores.columns
        if str(name).casefold().replace(" ", "_") in NAMES_OF_WEIGHTS
        and bool((scores[name].dropna() >= 0).all())
    ]


def _background(scores: pd.DataFrame, ids: set[str]) -> list[str]:
    named = [
        str(name)
        for name in scores.columns
        if str(name).casefold() in NAMES_OF_BACKGROUND and str(name) not in ids
    ]
    rest = scores.drop(columns=[*ids, *named])
    other = []
    # a scale of its own tells an age among answers, where answers share one
    common = _common_scale(rest)
    if common is not None:
        low, high = common
        for name in rest.columns:
            column = rest[name].dropna()
            if len(column) and (column.median() > high or column.median() < low):
                other.append(str(name))
    found = []
    if named:
        found.append(
            f"{_listed(named)}: by the name no value but background of the subjects; leave it out "
            f"by --drop {','.join(named)!r}."
        )
    if other and common is not None:
        found.append(
            f"{_listed(other)}: on another scale than the other values ({common[0]:g} to "
            f"{common[1]:g}); leave it out by --drop {','.join(other)!r} if it is no value."
        )
    return found


def _listed(names: Sequence[str], most: int = 6) -> str:
    shown = ", ".join(map(repr, names[:most]))
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _same_columns(scores: pd.DataFrame) -> list[tuple[str, str]]:
    seen: dict[bytes, str] = {}
    found = []
    for name in scores.columns:
        column = np.where(scores[name].isna(), np.nan, scores[name])
        if np.unique(column[~np.isnan(column)]).size < 2:
            continue
        key = column.tobytes()
        if key in seen:
            found.append((seen[key], str(name)))
        else:
            seen[key] = str(name)
    return found


def _totals(scores: pd.DataFrame) -> dict[str, str]:
    """Columns that others add up to, or that are their mean: by regression on those before.

    Each exact relation has one column whose sign differs from the rest: that is the total.
    """
    complete = scores.dropna()
    complete = complete.loc[:, complete.nunique() > 1] if len(complete) else complete
    if len(complete) < 2 * complete.shape[1] or complete.shape[1] < 3:
        return {}
    data = complete.to_numpy()
    centred = (data - data.mean(axis=0)) / data.std(axis=0)
    # columns of the triangle are regressions on those before: a small diagonal is a relation
    triangle = np.asarray(np.linalg.qr(centred, mode="r"))
    free: list[int] = []
    found: dict[str, str] = {}
    for place in range(centred.shape[1]):
        if not free or abs(triangle[place, place]) > np.sqrt(EXACT * len(data)):
            free.append(place)
            continue
        weights, *_ = np.linalg.lstsq(centred[:, free], centred[:, place], rcond=None)
        off = centred[:, place] - centred[:, free] @ weights
        if float(np.mean(off**2)) > EXACT:
            free.append(place)
            continue
        raw = weights * data[:, place].std() / data[:, free].std(axis=0)
        found |= _relation(complete, place, free, raw)
    return found


def _relation(
    complete: pd.DataFrame, place: int, free: list[int], raw: np.ndarray
) -> dict[str, str]:
    """The total of an exact relation between columns, or the column that follows from others."""
    used = np.flatnonzero(np.abs(raw) > 0.02 * np.abs(raw).max())
    if len(used) < 2:
        return {}
    names = list(complete.columns)
    members = [place, *(free[n] for n in used)]
    weights = np.array([-1.0, *raw[used]])
    for own, member in enumerate(members):
        rest = np.delete(weights, own) / -weights[own]
        parts = sorted(set(members) - {member})
        weight = float(rest.mean())
        off = complete.iloc[:, member] - weight * complete.iloc[:, parts].sum(axis=1)
        spread = float(complete.iloc[:, member].std())
        if np.all(rest > 0) and np.ptp(rest) < 0.03 * weight and abs(off.mean()) < 0.03 * spread:
            kinds = {"sum": 1.0, "mean": 1 / len(parts)}
            near = [kind for kind, one in kinds.items() if abs(weight / one - 1) < 0.05]
            total, listed = names[member], _listed([names[one] for one in parts])
            return {
                total: f"{total!r} is the {(near or ['weighted sum'])[0]} of {listed}: a total "
                f"beside its own parts; leave it out by --drop {total!r}."
            }
    others = _listed([names[one] for one in sorted(members[1:])])
    return {
        names[place]: f"{names[place]!r} follows from {others} without a remainder; leave one of "
        "them out."
    }


def _flat(scores: pd.DataFrame) -> list[str]:
    measured, different = scores.notna().mean(), scores.nunique()
    constant = [str(name) for name in scores.columns if different[name] == 1]
    hardly = [
        f"{name!r} ({int(scores[name].notna().sum())} of {len(scores)})"
        for name in scores.columns
        if measured[name] < HARDLY
    ]
    found = []
    if constant:
        found.append(f"The same in every row: {_listed(constant)}.")
    if hardly:
        found.append(f"Hardly any cell: {', '.join(hardly[:6])}.")
    return found


def _same_rows(scores: pd.DataFrame, lines: Sequence[int] | np.ndarray, unit: str) -> list[str]:
    # few values on a short scale repeat by chance: pairs of rows, times the chance of one pair
    chance = [float((scores[name].value_counts(normalize=True) ** 2).sum()) for name in scores]
    if len(scores) ** 2 / 2 * np.prod(chance) > MOST_BY_CHANCE:
        return []
    places: dict[bytes, list[int]] = {}
    for row, line in zip(scores.fillna(np.inf).to_numpy(), lines, strict=True):
        places.setdefault(row.tobytes(), []).append(int(line))
    same = [own for own in places.values() if len(own) > 1]
    if not same:
        return []
    shown = "; ".join(" and ".join(map(str, own[:3])) for own in same[:3])
    copies = sum(len(own) - 1 for own in same)
    return [
        f"{copies} row{'s have' if copies > 1 else ' has'} the cells of another ({unit}s {shown}"
        f"{' ...' if len(same) > 3 else ''}): entered twice?"
    ]
