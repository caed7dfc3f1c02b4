"""The measurement model of confirmatory factor analysis: which numbers of it are free.

Sigma = Lambda Phi Lambda' + Theta and mu = nu + Lambda alpha in each group. A parameter may stand
in several groups, which makes it equal there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Structure = Literal["correlated", "orthogonal", "higher_order"]
Level = Literal["configural", "metric", "scalar", "strict"]
Part = Literal["loading", "factor", "residual", "intercept", "mean"]
PARTS: tuple[Part, ...] = ("loading", "factor", "residual", "intercept", "mean")
Floats = NDArray[np.float64]
Places = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]


@dataclass(frozen=True)
class Element:
    """A free number of a group's matrices: its part, place and place among the parameters."""

    part: Part
    row: int
    column: int
    at: int


@dataclass(frozen=True)
class Group:
    """One group's free numbers; whatever is not free is 0, or 1 on Phi's diagonal.

    With `higher_order`, the elements of part `factor` are loadings of factors on one factor above.
    """

    p: int
    k: int
    elements: tuple[Element, ...]
    higher_order: bool = False

    @property
    def ordered(self) -> list[Element]:
        """The elements in the order of the group's directions."""
        return [one for part in PARTS for one in self.elements if one.part == part]

    def of(self, part: Part) -> Places:
        """Rows, columns and parameters of a part."""
        return self._places[part]

    @cached_property
    def _places(self) -> dict[Part, Places]:
        # asked for at each step of a fit
        found: dict[Part, Places] = {}
        for part in PARTS:
            own = [(one.row, one.column, one.at) for one in self.elements if one.part == part]
            rows, columns, at = np.array(own, dtype=np.int64).reshape(-1, 3).T
            found[part] = rows, columns, at
        return found


@dataclass(frozen=True)
class Measurement:
    """A model over groups; `start` (n_parameters,) where its search begins."""

    groups: tuple[Group, ...]
    start: Floats
    lowest: Floats
    highest: Floats
    signs: NDArray[np.int64] = field(repr=False)
    """Keyed signs (p, k), 0 where a value does not load."""
    means: bool = False
    """Whether means are modelled too."""

    @property
    def n_parameters(self) -> int:
        """Free parameters."""
        return len(self.start)

    @property
    def n_moments(self) -> int:
        """Variances, covariances and, where they are modelled, means."""
        p = self.groups[0].p
        return len(self.groups) * (p * (p + 1) // 2 + (p if self.means else 0))


@dataclass(frozen=True)
class Implied:
    """A group's matrices at some parameters."""

    loadings: Floats
    phi: Floats
    theta: Floats
    nu: Floats
    alpha: Floats

    @property
    def sigma(self) -> Floats:
        """Implied covariances (p, p)."""
        found: Floats = self.loadings @ self.phi @ self.loadings.T + self.theta
        return found

    @property
    def mu(self) -> Floats:
        """Implied means (p,)."""
        found: Floats = self.nu + self.loadings @ self.alpha
        return found


@dataclass(frozen=True)
class Directions:
    """How implied moments move with each of a group's elements.

    dSigma = u v' + v u' with columns u, v of `left`, `right` (p, q); dmu the columns of `mean`;
    `at` (q,) are the elements' places among the parameters.
    """

    left: Floats
    right: Floats
    mean: Floats
    at: NDArray[np.int64]


LOWEST_RESIDUAL = 1e-3
LARGEST_CORRELATION = 0.999


def measurement(
    signs: np.ndarray,
    structure: Structure = "correlated",
    *,
    means: bool = False,
    residuals: Sequence[tuple[int, int]] = (),
    uncorrelated: Sequence[tuple[int, int]] = (),
    correlations: np.ndarray | None = None,
) -> Measurement:
    """The model of a system in one group, factors of variance 1.

    `signs` (p, k) with 1, -1 or 0; `residuals` pairs of values whose residuals correlate;
    `uncorrelated` pairs of factors that do not. A value that is alone on a factor is the factor:
    its residual is 0. `correlations` (p, p) give better starting values. Bounds are those of a
    proper solution, which a caller may leave aside.
    """
    p, k = signs.shape
    started = _Started()
    loadings = _first_loadings(signs, correlations)
    for row, column in np.argwhere(signs).tolist():
        started.add("loading", row, column, loadings[row, column])
    if structure == "higher_order":
        for factor in range(k):
            started.add("factor", factor, factor, 0.5, (-LARGEST_CORRELATION, LARGEST_CORRELATION))
    elif structure == "correlated":
        apart = {tuple(sorted(pair)) for pair in uncorrelated}
        for a in range(k):
            for b in range(a + 1, k):
                if (a, b) not in apart:
                    started.add("factor", a, b, 0.1, (-LARGEST_CORRELATION, LARGEST_CORRELATION))
    alone = _alone(signs)
    left = 1 - (loadings**2).sum(axis=1)
    for row in np.flatnonzero(~alone).tolist():
        started.add("residual", row, row, max(left[row], 0.2), (LOWEST_RESIDUAL, np.inf))
    for a, b in residuals:
        started.add("residual", min(a, b), max(a, b), 0.0)
    if means:
        for row in range(p):
            started.add("intercept", row, 0, 0.0)
    group = Group(p, k, tuple(started.elements), structure == "higher_order")
    return started.model((group,), signs, means)


def independence(p: int, groups: int = 1, means: bool = False) -> Measurement:
    """The baseline: variances, and means, without any covariance; nothing equal over groups."""
    started, made = _Started(), []
    for _ in range(groups):
        started.elements = []
        for row in range(p):
            started.add("residual", row, row, 1.0, (LOWEST_RESIDUAL, np.inf))
            if means:
                started.add("intercept", row, 0, 0.0)
        made.append(Group(p, 1, tuple(started.elements)))
    return started.model(tuple(made), np.zeros((p, 1), int), means)


def invariant(
    one: Measurement, groups: int, level: Level, free: Sequence[Element] = ()
) -> Measurement:
    """A single group's model over `groups` with what `level` holds equal (Meredith, 1993).

    Metric: loadings; scalar: intercepts too; strict: residuals too. What no longer needs fixing is
    freed: variances of factors in the groups after the first, and their means once intercepts are
    equal. `free` elements, of the first group, stay free all the same. `one` models means.
    """
    held: set[Part] = set()
    if level != "configural":
        held.add("loading")
    if level in ("scalar", "strict"):
        held.add("intercept")
    if level == "strict":
        held.add("residual")
    released = {(found.part, found.row, found.column) for found in free}
    started, made = _Started(), []
    first = one.groups[0]
    for group in range(groups):
        started.elements = []
        for element in first.elements:
            key = (element.part, element.row, element.column)
            same = group > 0 and element.part in held and key not in released
            if same:
                started.elements.append(element)
                continue
            bounds = one.lowest[element.at], one.highest[element.at]
            if element.part == "factor" and group > 0 and level != "configural":
                # a covariance once variances are free
                bounds = -np.inf, np.inf
            started.add(element.part, element.row, element.column, one.start[element.at], bounds)
        if group > 0 and "loading" in held:
            for factor in range(first.k):
                started.add("factor", factor, factor, 1.0, (LOWEST_RESIDUAL, np.inf))
        if group > 0 and "intercept" in held:
            for factor in range(first.k):
                started.add("mean", factor, 0, 0.0)
        made.append(Group(first.p, first.k, tuple(started.elements)))
    return started.model(tuple(made), one.signs, True)


class _Started:
    """Elements and their parameters as they come."""

    def __init__(self) -> None:
        self.elements: list[Element] = []
        self.values: list[float] = []
        self.bounds: list[tuple[float, float]] = []

    def add(
        self,
        part: Part,
        row: int,
        column: int,
        value: float,
        bounds: tuple[float, float] = (-np.inf, np.inf),
    ) -> None:
        self.elements.append(Element(part, row, column, len(self.values)))
        self.values.append(float(value))
        self.bounds.append(bounds)

    def model(self, groups: tuple[Group, ...], signs: np.ndarray, means: bool) -> Measurement:
        lowest, highest = np.array(self.bounds).reshape(-1, 2).T
        return Measurement(groups, np.array(self.values), lowest, highest, signs, means)


def _alone(signs: np.ndarray) -> NDArray[np.bool_]:
    """Values that are the only one of their only factor."""
    free = signs != 0
    found: NDArray[np.bool_] = free[:, free.sum(axis=0) == 1].any(axis=1) & (free.sum(axis=1) == 1)
    return found


def _first_loadings(signs: np.ndarray, correlations: np.ndarray | None) -> Floats:
    """Starting values: the first principal axis of each factor's values, else .6 by the sign."""
    loadings = 0.6 * signs.astype(float)
    if correlations is not None:
        for column in range(signs.shape[1]):
            own = np.flatnonzero(signs[:, column])
            if len(own) > 2:
                axis = np.linalg.eigh(correlations[np.ix_(own, own)])[1][:, -1]
                axis *= np.sign(axis @ signs[own, column]) or 1.0
                size = np.clip(np.abs(axis) * np.sqrt(len(own)) * 0.6, 0.2, 0.9)
                loadings[own, column] = np.where(axis < 0, -size, size)
    # a value on several factors has its variance from all of them
    loadings /= np.sqrt(np.maximum((signs != 0).sum(axis=1), 1))[:, None]
    alone = _alone(signs)
    loadings[alone] = np.sign(loadings[alone])
    return loadings


def implied(group: Group, parameters: np.ndarray) -> Implied:
    """A group's matrices."""
    loadings, theta = np.zeros((group.p, group.k)), np.zeros((group.p, group.p))
    nu, alpha, phi = np.zeros(group.p), np.zeros(group.k), np.eye(group.k)
    rows, columns, at = group.of("loading")
    loadings[rows, columns] = parameters[at]
    rows, columns, at = group.of("residual")
    theta[rows, columns] = theta[columns, rows] = parameters[at]
    rows, columns, at = group.of("factor")
    if group.higher_order:
        phi = np.outer(parameters[at], parameters[at])
        np.fill_diagonal(phi, 1.0)
    else:
        phi[rows, columns] = phi[columns, rows] = parameters[at]
    rows, _, at = group.of("intercept")
    nu[rows] = parameters[at]
    rows, _, at = group.of("mean")
    alpha[rows] = parameters[at]
    return Implied(loadings, phi, theta, nu, alpha)


def directions(group: Group, parameters: np.ndarray) -> Directions:
    """How a group's moments move with its elements."""
    now = implied(group, parameters)
    through, unit = now.loadings @ now.phi, np.eye(group.p)
    left, right, mean, places = [], [], [], []
    rows, columns, at = group.of("loading")
    left.append(unit[:, rows])
    right.append(through[:, columns])
    mean.append(unit[:, rows] * now.alpha[columns])
    places.append(at)
    rows, columns, at = group.of("factor")
    left.append(now.loadings[:, rows])
    if group.higher_order:
        others = np.outer(parameters[at], np.ones(group.k))
        # the diagonal of Phi is 1 whatever the loadings on the factor above
        np.fill_diagonal(others, 0.0)
        right.append(now.loadings @ others)
    else:
        right.append(now.loadings[:, columns] * np.where(rows == columns, 0.5, 1.0))
    mean.append(np.zeros((group.p, len(at))))
    places.append(at)
    rows, columns, at = group.of("residual")
    left.append(unit[:, rows])
    right.append(unit[:, columns] * np.where(rows == columns, 0.5, 1.0))
    mean.append(np.zeros((group.p, len(at))))
    places.append(at)
    rows, _, at = group.of("intercept")
    factors, _, means_at = group.of("mean")
    left.append(np.zeros((group.p, len(at) + len(means_at))))
    right.append(np.zeros((group.p, len(at) + len(means_at))))
    mean += [unit[:, rows], now.loadings[:, factors]]
    places += [at, means_at]
    return Directions(np.hstack(left), np.hstack(right), np.hstack(mean), np.concatenate(places))
