"""What in a matrix looks like something else than measurements: codes, ids, totals, weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.far_cells import common_scale, far_cells

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
    found = _total_row(scores, lines, unit)
    # without it, so that it is named once
    scores, lines = (scores[:-1], lines[:-1]) if found else (scores, lines)
    found += far_cells(scores, lines, unit)
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


def _total_row(scores: pd.DataFrame, lines: Sequence[int] | np.ndarray, unit: str) -> list[str]:
    """A caution where the last row holds the sums or means of those above."""
    above, last = scores.iloc[:-1], scores.iloc[-1]
    varying = above.columns[above.nunique() > 1]
    if len(above) < 3 or len(varying) < 2:
        return []
    for what, of_columns in (("sum", above[varying].sum()), ("mean", above[varying].mean())):
        off = (last[varying] - of_columns).abs()
        if bool((off <= 0.006 * above[varying].std()).all()):
            return [
                f"The last row ({unit} {lines[-1]}) is the {what} of the rows above: no subject; "
                "delete it in the file."
            ]
    return []


def _whole(column: pd.Series) -> bool:
    numbers = column.dropna().to_numpy()
    return bool(len(numbers) and np.all(numbers == np.round(numbers)))


def _ids(scores: pd.DataFrame) -> list[str]:
    return [
        str(name)
        for name in scores.columns
        # most columns end here: their cells are in no order
        if len(scores) >= 5
        and bool((np.diff(scores[name].to_numpy()) > 0).all())
        and _whole(scores[name])
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
    flat = [str(name) for name in scores.columns if scores[name].nunique() < 2]
    rest = scores.drop(columns=list({*ids, *named, *flat} & set(scores.columns)))
    other = []
    # a scale of its own tells an age among answers, where answers share one
    common = common_scale(rest)
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
    chance = [
        float((scores[name].value_counts(normalize=True, dropna=False) ** 2).sum())
        for name in scores
    ]
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
