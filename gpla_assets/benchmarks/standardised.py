"""Standardised solutions with standard errors by the whole delta method."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpla_assets.benchmarks.cfa_fit import Fitted
from gpla_assets.benchmarks.cfa_model import Floats, directions


@dataclass(frozen=True)
class Estimates:
    """Numbers of a group and their standard errors, by place; NaN where nothing is free.

    `loadings`, `loading_errors` (p, k): of values and factors of variance 1, `raw` and
    `raw_errors` with the factor's variance 1 alone, `marked` with the value of `markers` (k,) as
    the factor's unit; `residuals` (p,) shares of variance, `factors` (k, k) correlations.
    """

    loadings: Floats
    loading_errors: Floats
    raw: Floats
    raw_errors: Floats
    marked: Floats
    marked_errors: Floats
    residuals: Floats
    residual_errors: Floats
    factors: Floats
    factor_errors: Floats


def estimates(
    fitted: Fitted,
    covariance: np.ndarray,
    sds: np.ndarray,
    markers: Sequence[int],
    group: int = 0,
) -> Estimates:
    """Standardised estimates of one group.

    `covariance` of all parameters, NaN where the model is not identified; `sds` (p,) turn standard
    units into the values' own. A standardised number moves with all that its variances are made
    of, so that each parameter stands in its slope.
    """
    place = fitted.model.groups[group]
    now, ways = fitted.groups[group], directions(place, fitted.parameters)
    order = place.ordered
    own = covariance[np.ix_(ways.at, ways.at)]
    variance, spread = np.diag(now.sigma), np.diag(now.phi)
    by_variance = 2 * ways.left * ways.right
    by_spread = np.zeros((place.k, len(order)))
    by_theta = np.zeros((place.p, len(order)))
    for at, one in enumerate(order):
        if one.part == "factor" and one.row == one.column and not place.higher_order:
            by_spread[one.row, at] = 1.0
        if one.part == "residual" and one.row == one.column:
            by_theta[one.row, at] = 1.0

    empty = np.full((place.p, place.k), np.nan)
    loadings, errors, raw, raw_errors = empty.copy(), empty.copy(), empty.copy(), empty.copy()
    slopes_raw: dict[tuple[int, int], Floats] = {}
    for at, one in enumerate(order):
        if one.part != "loading":
            continue
        i, a = one.row, one.column
        unit = np.zeros(len(order))
        unit[at] = 1.0
        number = now.loadings[i, a]
        by_raw = (unit + number * by_spread[a] / (2 * spread[a])) * np.sqrt(spread[a])
        raw[i, a] = number * np.sqrt(spread[a]) * sds[i]
        slopes_raw[i, a] = by_raw * sds[i]
        raw_errors[i, a] = _error(by_raw * sds[i], own)
        loadings[i, a] = number * np.sqrt(spread[a] / variance[i])
        slope = by_raw / np.sqrt(variance[i]) - loadings[i, a] * by_variance[i] / (2 * variance[i])
        errors[i, a] = _error(slope, own)
    marked, marked_errors = empty.copy(), empty.copy()
    for a in range(place.k):
        first = raw[markers[a], a]
        for i in np.flatnonzero(~np.isnan(raw[:, a])).tolist():
            marked[i, a] = raw[i, a] / first
            slope = (slopes_raw[i, a] - marked[i, a] * slopes_raw[markers[a], a]) / first
            marked_errors[i, a] = _error(slope, own)
    theta = np.diag(now.theta)
    residuals = theta / variance
    slopes = by_theta / variance[:, None] - (theta / variance**2)[:, None] * by_variance
    residual_errors = np.array([_error(slope, own) for slope in slopes])
    factors, factor_errors = _factors(fitted, group, own, by_spread)
    return Estimates(
        *(loadings, errors, raw, raw_errors, marked, marked_errors),
        *(residuals, residual_errors, factors, factor_errors),
    )


def _factors(
    fitted: Fitted, group: int, own: np.ndarray, by_spread: Floats
) -> tuple[Floats, Floats]:
    place, now = fitted.model.groups[group], fitted.groups[group]
    spread = np.diag(now.phi)
    # a variance below 0 is improper, and no correlation is left of it
    with np.errstate(invalid="ignore"):
        r = now.phi / np.sqrt(np.outer(spread, spread))
    errors = np.full((place.k, place.k), np.nan)
    order = place.ordered
    upper = {one.row: at for at, one in enumerate(order) if one.part == "factor"}
    between = {(one.row, one.column): at for at, one in enumerate(order) if one.part == "factor"}
    for a in range(place.k):
        for b in range(a + 1, place.k):
            slope = np.zeros(len(order))
            if place.higher_order:
                slope[upper[a]] = fitted.parameters[order[upper[b]].at]
                slope[upper[b]] = fitted.parameters[order[upper[a]].at]
            elif (a, b) in between:
                slope[between[a, b]] = 1 / np.sqrt(spread[a] * spread[b])
                slope -= r[a, b] / 2 * (by_spread[a] / spread[a] + by_spread[b] / spread[b])
            else:
                continue
            errors[a, b] = errors[b, a] = _error(slope, own)
    return r, errors


def _error(slope: np.ndarray, covariance: np.ndarray) -> float:
    square = float(slope @ covariance @ slope)
    return float(np.sqrt(square)) if square >= 0 else float("nan")
