"""What a model leaves out or holds equal: score tests (Sörbom, 1989) and expected changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gpla_assets.benchmarks.cfa_fit import Fitted, along
from gpla_assets.benchmarks.cfa_model import Directions, Floats, directions, implied
from gpla_assets.benchmarks.information import expected_of, information
from gpla_assets.benchmarks.sample import Sample, slopes, stacks

BLOCK = 500
"""Omitted paths at a time: thousands of them against hundreds of parameters fill the memory."""


@dataclass(frozen=True)
class Omitted:
    """An omitted path: `kind` loading (a value and a factor), residual (two values) or factor.

    `index` is the fall of chi2 to expect if it were freed, `change` its value then: standardised,
    of a residual as a correlation of residuals (lavaan's sepc.all), and `change_total` as a share
    of both values' whole standard deviations (the same for other kinds).
    """

    kind: str
    row: int
    column: int
    index: float
    change: float
    change_total: float


def omitted_paths(fitted: Fitted, sample: Sample) -> list[Omitted]:
    """Score tests of all omitted loadings, residual covariances and factor correlations.

    From the expected information, as lavaan's. An index is NaN where the free parameters imply the
    path wholly.
    """
    place, now = fitted.model.groups[0], fitted.groups[0]
    own = directions(place, fitted.parameters)
    keys = _absent(fitted)
    inverse = _inverse(expected_of(fitted.model, [sample], fitted.parameters)[
        np.ix_(own.at, own.at)
    ])  # fmt: skip
    _, by_sigma, by_mu = slopes(sample, now.mu, now.sigma)
    variance, theta = np.diag(now.sigma), np.abs(np.diag(now.theta))
    found = []
    for start in range(0, len(keys), BLOCK):
        block = keys[start : start + BLOCK]
        ways = _ways(block, now.loadings, now.phi, now.alpha)
        score = -sample.n / 2 * along(ways, by_sigma, by_mu)
        across = information(sample, now.mu, now.sigma, ways, own)
        left = _alone(sample, now.mu, now.sigma, ways) - ((across @ inverse) * across).sum(axis=1)
        left = np.where(left > 1e-8 * sample.n, left, np.nan)
        for (kind, row, column), number, change in zip(
            block, score**2 / left, score / left, strict=True
        ):
            if kind == "residual":
                size = theta[row] * theta[column]
                one = change / np.sqrt(size) if size > 0 else np.nan
                total = change / np.sqrt(variance[row] * variance[column])
            elif kind == "loading":
                one = total = change / np.sqrt(variance[row])
            else:
                one = total = change
            found.append(Omitted(kind, row, column, float(number), float(one), float(total)))
    return found


def _absent(fitted: Fitted) -> list[tuple[str, int, int]]:
    place = fitted.model.groups[0]
    there = {(one.part, one.row, one.column) for one in place.elements}
    keys = [
        ("loading", row, column)
        for row in range(place.p)
        for column in range(place.k)
        if ("loading", row, column) not in there
    ]
    keys += [
        ("residual", row, column)
        for row in range(place.p)
        for column in range(row + 1, place.p)
        if ("residual", row, column) not in there
    ]
    if not place.higher_order:
        keys += [
            ("factor", row, column)
            for row in range(place.k)
            for column in range(row + 1, place.k)
            if ("factor", row, column) not in there
        ]
    return keys


def _ways(
    keys: Sequence[tuple[str, int, int]], loadings: Floats, phi: Floats, alpha: Floats
) -> Directions:
    p = len(loadings)
    unit, through = np.eye(p), loadings @ phi
    left, right, mean = [], [], []
    for kind, row, column in keys:
        left.append(loadings[:, row] if kind == "factor" else unit[row])
        right.append(
            through[:, column]
            if kind == "loading"
            else loadings[:, column]
            if kind == "factor"
            else unit[column]
        )
        mean.append(unit[row] * alpha[column] if kind == "loading" else np.zeros(p))
    return Directions(
        np.stack(left, axis=1),
        np.stack(right, axis=1),
        np.stack(mean, axis=1),
        np.arange(len(keys)),
    )


def _alone(sample: Sample, mu: Floats, sigma: Floats, ways: Directions) -> Floats:
    """The diagonal of the expected information along directions."""
    found = np.zeros(len(ways.at))
    for stack in stacks(sample, mu, sigma):
        for inverse, count in zip(stack.inverse, stack.counts, strict=True):
            left, right = inverse @ ways.left, inverse @ ways.right
            own = (left * ways.left).sum(axis=0) * (right * ways.right).sum(axis=0)
            own += (left * ways.right).sum(axis=0) ** 2
            found += count * (own + (ways.mean * (inverse @ ways.mean)).sum(axis=0))
    return found


def _inverse(matrix: Floats) -> Floats:
    return np.asarray(np.linalg.pinv(matrix, hermitian=True), dtype=np.float64)


@dataclass(frozen=True)
class Released:
    """The score test of one equality over groups: chi2 with `df` degrees of freedom."""

    part: str
    row: int
    column: int
    chi2: float
    df: int


def released_equalities(fitted: Fitted, samples: Sequence[Sample]) -> list[Released]:
    """Score tests of each parameter that is held equal over groups, all others kept."""
    model, at = fitted.model, fitted.parameters
    shared: dict[int, list[tuple[int, int]]] = {}
    parts, scores, blocks, start = [], [], [], 0
    for number, (group, sample) in enumerate(zip(model.groups, samples, strict=True)):
        now, ways = implied(group, at), directions(group, at)
        _, by_sigma, by_mu = slopes(sample, now.mu, now.sigma)
        scores.append(-sample.n / 2 * along(ways, by_sigma, by_mu))
        blocks.append(information(sample, now.mu, now.sigma, ways))
        parts += group.ordered
        for place, one in enumerate(ways.at):
            shared.setdefault(int(one), []).append((number, start + place))
        start += len(ways.at)
    score = np.concatenate(scores)
    whole = np.zeros((start, start))
    offset = 0
    for block in blocks:
        whole[offset : offset + len(block), offset : offset + len(block)] = block
        offset += len(block)
    # columns add up the group's own elements to the model's parameters
    joined = np.zeros((start, model.n_parameters))
    for parameter, places in shared.items():
        for _, place in places:
            joined[place, parameter] = 1.0
    kept = whole @ joined
    inverse = _inverse(joined.T @ kept)
    found = []
    for places in shared.values():
        if len(places) < 2:
            continue
        # freed in every group but the first
        apart = [place for _, place in places[1:]]
        left = whole[np.ix_(apart, apart)] - kept[apart] @ inverse @ kept[apart].T
        chi2 = float(score[apart] @ np.linalg.solve(left, score[apart]))
        one = parts[places[0][1]]
        found.append(Released(one.part, one.row, one.column, chi2, len(apart)))
    return found
