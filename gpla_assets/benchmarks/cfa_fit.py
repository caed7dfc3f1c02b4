"""Maximum likelihood of a measurement model by Fisher scoring, cells missing or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpla_assets.benchmarks.cfa_model import (
    Directions,
    Floats,
    Implied,
    Measurement,
    directions,
    implied,
)
from gpla_assets.benchmarks.information import expected_of, observed_of
from gpla_assets.benchmarks.sample import Sample, slopes

MOST_ROUNDS = 500
SMALLEST_GAIN = 1e-13
NEAR = 0.05
LARGEST_DAMPING = 1e12
SMALLEST_GRADIENT = 1e-5
MOST_WORK = 2e7
"""Multiplications of an information over all patterns of missing cells beyond which the way to the
optimum starts from that of complete cells and is learnt on the way (BFGS)."""


@dataclass(frozen=True)
class Fitted:
    """The solution: `parameters`, F = -2 log L / n (without 2 pi) and each group's matrices."""

    model: Measurement
    parameters: Floats
    discrepancy: float
    groups: tuple[Implied, ...]
    converged: bool
    gradient: float


def fit(model: Measurement, samples: Sequence[Sample], bounded: bool = False) -> Fitted:
    """Maximise the normal likelihood (Jöreskog, 1969; with missing cells Arbuckle, 1996).

    One sample a group, in standard units. Fisher scoring, damped as by Levenberg and Marquardt
    where a full step does not help. `bounded` keeps residual variances at or above .001 and
    correlations within .999; otherwise solutions may be improper, as lavaan's.
    """
    low = model.lowest if bounded else np.full_like(model.lowest, -np.inf)
    high = model.highest if bounded else np.full_like(model.highest, np.inf)
    at = np.clip(model.start, low, high)
    now, gradient = _evaluated(model, samples, at)
    damping, gain, converged = 1e-3, np.inf, False
    parts = zip(model.groups, samples, strict=True)
    large = sum((len(s.counts) - 1) * len(g.elements) ** 2 * g.p for g, s in parts) > MOST_WORK
    for _ in range(MOST_ROUNDS):
        # at a bound the gradient need not vanish: it pushes outwards
        inside = ~(((at <= low) & (gradient > 0)) | ((at >= high) & (gradient < 0)))
        if gain == np.inf or not large:
            metric = _metric(model, samples, at, near=gain < NEAR, whole=large)
        gain = 0.0
        while damping < LARGEST_DAMPING:
            step = np.zeros_like(at)
            step[inside] = _solve(metric[np.ix_(inside, inside)], damping, -gradient[inside])
            converged = -float(gradient @ step) < SMALLEST_GAIN
            if converged:
                break
            tried = np.clip(at + step, low, high)
            then, slope = _evaluated(model, samples, tried)
            if then < now:
                if large:
                    metric = _updated(metric, tried - at, slope - gradient)
                gain, at, now, gradient = now - then, tried, then, slope
                damping = max(damping / 10, 1e-9)
                break
            damping *= 10
        if gain == 0.0:
            break
    largest = float(np.abs(gradient[inside]).max(initial=0.0))
    at = _oriented(model, at)
    found = tuple(implied(group, at) for group in model.groups)
    return Fitted(model, at, now, found, converged or largest < SMALLEST_GRADIENT, largest)


def _solve(metric: Floats, damping: float, target: Floats) -> Floats:
    scale = np.maximum(np.diag(metric), 1e-8)
    damped = metric + np.diag(damping * scale)
    try:
        np.linalg.cholesky(damped)
    except np.linalg.LinAlgError:
        # the slope alone points downwards where the metric does not bend upwards
        downwards: Floats = target / scale / (1 + damping)
        return downwards
    return np.asarray(np.linalg.solve(damped, target), dtype=np.float64)


def _evaluated(model: Measurement, samples: Sequence[Sample], at: Floats) -> tuple[float, Floats]:
    """F and its slopes; F is infinite where an implied matrix is no covariance."""
    total = sum(sample.n for sample in samples)
    found, gradient = 0.0, np.zeros(model.n_parameters)
    for group, sample in zip(model.groups, samples, strict=True):
        one, ways = implied(group, at), directions(group, at)
        try:
            own, by_sigma, by_mu = slopes(sample, one.mu, one.sigma)
        except np.linalg.LinAlgError:
            return np.inf, gradient
        found += sample.n / total * own
        np.add.at(gradient, ways.at, sample.n / total * along(ways, by_sigma, by_mu))
    return found, gradient


def along(ways: Directions, by_sigma: Floats, by_mu: Floats) -> Floats:
    """Slopes of F by elements from those by the implied moments."""
    found: Floats = 2 * (ways.left * (by_sigma @ ways.right)).sum(axis=0) + by_mu @ ways.mean
    return found


def _metric(
    model: Measurement, samples: Sequence[Sample], at: Floats, near: bool, whole: bool
) -> Floats:
    """Second derivatives of F: the expected ones, and once `near` the observed ones if they bend
    upwards everywhere, for Newton's last steps."""
    total = sum(sample.n for sample in samples)
    if near:
        found = observed_of(model, samples, at) * 2 / total
        try:
            np.linalg.cholesky(found)
            return found
        except np.linalg.LinAlgError:
            pass
    return expected_of(model, samples, at, whole=whole) * 2 / total


def _updated(metric: Floats, step: Floats, turn: Floats) -> Floats:
    """The metric after a step over which slopes turned by `turn` (BFGS)."""
    pulled = metric @ step
    bend = float(step @ turn)
    if bend <= 1e-12 * float(np.linalg.norm(step) * np.linalg.norm(turn)):
        return metric
    lost = np.outer(pulled, pulled) / float(step @ pulled)
    found: Floats = metric - lost + np.outer(turn, turn) / bend
    return found


def _oriented(model: Measurement, at: Floats) -> Floats:
    """Each factor turned so that its loadings agree with the keyed signs as far as they can."""
    turned = at.copy()
    first = implied(model.groups[0], at)
    sign = np.where((first.loadings * model.signs).sum(axis=0) < 0, -1.0, 1.0)
    for group in model.groups:
        for one in group.elements:
            if one.part == "loading":
                turned[one.at] = at[one.at] * sign[one.column]
            elif one.part == "mean" or (one.part == "factor" and group.higher_order):
                turned[one.at] = at[one.at] * sign[one.row]
            elif one.part == "factor":
                turned[one.at] = at[one.at] * sign[one.row] * sign[one.column]
    return turned
