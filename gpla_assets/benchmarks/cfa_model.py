"""The measurement model of confirmatory factor analysis: maximum likelihood, exact gradients.

Our own since semopy gives no standard errors of standardised loadings, no modification indices and
no bounds on correlations of factors, and takes ten times as long; the tests hold both to the same
optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from gpla_assets.psychometrics.errors import StructureError

Structure = Literal["correlated", "orthogonal", "higher_order"]
LOWEST_RESIDUAL = 1e-3
LARGEST_CORRELATION = 0.999
MOST_ROUNDS = 5000


@dataclass(frozen=True)
class Measurement:
    """Which value loads on which factor, and how factors relate.

    `free` (n_values, n_factors) marks loadings; `start` their signs; `fixed_residual` marks the
    values whose residual variance is 0: those that are alone on their factor.
    """

    free: np.ndarray
    start: np.ndarray
    fixed_residual: np.ndarray
    structure: Structure = "correlated"

    @property
    def n_parameters(self) -> int:
        """Free loadings, residual variances, and correlations of factors or their loadings."""
        return int(self.free.sum()) + int((~self.fixed_residual).sum()) + self._n_between

    @property
    def _n_between(self) -> int:
        k = int(self.free.shape[1])
        return {"correlated": k * (k - 1) // 2, "orthogonal": 0, "higher_order": k}[self.structure]


@dataclass(frozen=True)
class Fitted:
    """The maximum-likelihood solution on a correlation matrix, factors with variance 1.

    `discrepancy` is F = ln|Sigma| + tr(S Sigma^-1) - ln|S| - p. `between` holds the free parameters
    between factors: their correlations, or their loadings on the higher-order factor.
    """

    loadings: np.ndarray
    phi: np.ndarray
    between: np.ndarray
    residuals: np.ndarray
    implied: np.ndarray
    discrepancy: float
    converged: bool
    gradient: float


def measurement(signs: np.ndarray, structure: Structure = "correlated") -> Measurement:
    """The model of a system: `signs` (n_values, n_factors) with 1, -1 or 0."""
    free = signs != 0
    alone = free[:, free.sum(axis=0) == 1].any(axis=1) & (free.sum(axis=1) == 1)
    return Measurement(free, signs.astype(float), alone, structure)


def fit(model: Measurement, correlations: np.ndarray) -> Fitted:
    """Maximise the normal likelihood (Jöreskog, 1969) with exact gradients by L-BFGS.

    `correlations` (n_values, n_values), positive definite. Residual variances are kept at or above
    .001 of a value's variance and correlations within .999: a solution at such a bound is
    improper, and the caller says so. Raises StructureError for a singular matrix.
    """
    sign, log_determinant = np.linalg.slogdet(correlations)
    if sign <= 0 or np.linalg.eigvalsh(correlations).min() < 1e-10:
        raise StructureError(
            f"The correlation matrix of {len(correlations)} values is singular: maximum likelihood "
            "has no optimum. Use more subjects than values, or leave out values."
        )
    start, bounds = _start(model, correlations)
    constant = log_determinant + len(correlations)
    found = minimize(
        _objective,
        start,
        args=(model, correlations, constant),
        jac=True,
        method="L-BFGS-B",
        bounds=bounds,
        options={"maxiter": MOST_ROUNDS, "maxfun": 4 * MOST_ROUNDS, "ftol": 1e-15, "gtol": 1e-7},
    )
    loadings, phi, residuals = unpack(found.x, model)
    first = int(model.free.sum())
    # at a bound the gradient need not vanish: it pushes outwards
    at_bound = np.array([x <= low or x >= high for x, (low, high) in zip(found.x, bounds)])  # noqa: B905
    gradient = float(np.abs(np.where(at_bound, 0.0, found.jac)).max())
    return Fitted(
        loadings,
        phi,
        found.x[first : first + model._n_between],
        residuals,
        loadings @ phi @ loadings.T + np.diag(residuals),
        float(found.fun),
        # L-BFGS may report failure where it can gain no more within rounding
        bool(found.success) or gradient < 1e-4,
        gradient,
    )


def _start(
    model: Measurement, correlations: np.ndarray
) -> tuple[np.ndarray, list[tuple[float, float]]]:
    n_loadings, n_between = int(model.free.sum()), model._n_between
    loadings = 0.6 * model.start[model.free]
    alone = model.fixed_residual[np.nonzero(model.free)[0]]
    # a value that is its factor starts where it ends
    loadings = np.where(alone, np.sign(loadings), loadings)
    between = np.full(n_between, 0.5 if model.structure == "higher_order" else 0.1)
    residuals = np.full(int((~model.fixed_residual).sum()), 0.6)
    bounds = [(-np.inf, np.inf)] * n_loadings
    bounds += [(-LARGEST_CORRELATION, LARGEST_CORRELATION)] * n_between
    bounds += [(LOWEST_RESIDUAL, np.inf)] * len(residuals)
    return np.concatenate([loadings, between, residuals]), bounds


def unpack(parameters: np.ndarray, model: Measurement) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loadings (n_values, n_factors), phi and residual variances of a vector of parameters."""
    p, k = model.free.shape
    n_loadings, n_between = int(model.free.sum()), model._n_between
    loadings = np.zeros((p, k))
    loadings[model.free] = parameters[:n_loadings]
    between = parameters[n_loadings : n_loadings + n_between]
    phi = np.eye(k)
    if model.structure == "correlated":
        phi[np.triu_indices(k, 1)] = between
        phi = np.triu(phi) + np.triu(phi, 1).T
    elif model.structure == "higher_order":
        phi = np.outer(between, between)
        np.fill_diagonal(phi, 1.0)
    residuals = np.zeros(p)
    residuals[~model.fixed_residual] = parameters[n_loadings + n_between :]
    return loadings, phi, residuals


def _objective(
    parameters: np.ndarray, model: Measurement, correlations: np.ndarray, constant: float
) -> tuple[float, np.ndarray]:
    loadings, phi, residuals = unpack(parameters, model)
    implied = loadings @ phi @ loadings.T + np.diag(residuals)
    try:
        factor = np.linalg.cholesky(implied)
    except np.linalg.LinAlgError:
        # the line search steps back from a matrix that is no covariance
        return 1e10, np.zeros_like(parameters)
    inverse = np.linalg.inv(implied)
    product = inverse @ correlations
    discrepancy = 2 * float(np.log(np.diag(factor)).sum()) + float(np.trace(product)) - constant
    # dF/dSigma; every gradient below is its product with dSigma by a parameter
    slope = inverse - product @ inverse
    by_loading = 2 * (slope @ loadings @ phi)[model.free]
    between = loadings.T @ slope @ loadings
    if model.structure == "correlated":
        by_between = 2 * between[np.triu_indices(len(phi), 1)]
    elif model.structure == "higher_order":
        # the diagonal of phi is 1 whatever the loadings on the higher-order factor
        np.fill_diagonal(between, 0.0)
        n_loadings = int(model.free.sum())
        by_between = 2 * between @ parameters[n_loadings : n_loadings + len(phi)]
    else:
        by_between = np.empty(0)
    by_residual = np.diag(slope)[~model.fixed_residual]
    return discrepancy, np.concatenate([by_loading, by_between, by_residual])


def _directions(model: Measurement, fitted: Fitted) -> tuple[np.ndarray, np.ndarray]:
    """U, V (n_values, n_parameters): the implied matrix moves by u v' + v u' with a parameter."""
    p, k = model.free.shape
    through = fitted.loadings @ fitted.phi
    rows, columns = np.nonzero(model.free)
    unit = np.eye(p)
    left, right = [unit[:, rows]], [through[:, columns]]
    if model.structure == "correlated":
        first, second = np.triu_indices(k, 1)
        left.append(fitted.loadings[:, first])
        right.append(fitted.loadings[:, second])
    elif model.structure == "higher_order":
        others = np.outer(fitted.between, np.ones(k))
        np.fill_diagonal(others, 0.0)
        left.append(fitted.loadings)
        right.append(fitted.loadings @ others)
    own = np.flatnonzero(~model.fixed_residual)
    left.append(unit[:, own])
    right.append(unit[:, own] / 2)
    return np.hstack(left), np.hstack(right)


def _crossed(
    inverse: NDArray[np.float64],
    n: int,
    a: tuple[NDArray[np.float64], ...],
    b: tuple[NDArray[np.float64], ...],
) -> np.ndarray:
    """Expected information between two sets of directions: n / 2 tr(S^-1 dS_a S^-1 dS_b)."""
    (u, v), (x, y) = a, b
    wu, wv = inverse @ u, inverse @ v
    return n * ((wu.T @ x) * (wv.T @ y) + (wu.T @ y) * (wv.T @ x))


def standard_errors(model: Measurement, fitted: Fitted, n: int) -> np.ndarray:
    """Standard errors of standardised loadings (n_values, n_factors); NaN where not free.

    From the expected information by the delta method: a standardised loading is its loading over
    the root of the value's implied variance, in which loading and residual both stand. NaN
    where the information is singular: the model is not identified then.
    """
    errors = np.full(model.free.shape, np.nan)
    directions = _directions(model, fitted)
    inverse = np.linalg.inv(fitted.implied)
    information = _crossed(inverse, n, directions, directions)
    try:
        covariance = np.linalg.inv(information)
    except np.linalg.LinAlgError:
        return errors
    rows, columns = np.nonzero(model.free)
    places = np.cumsum(~model.fixed_residual) - 1 + len(rows) + model._n_between
    for at, (row, column) in enumerate(zip(rows, columns, strict=True)):
        if model.fixed_residual[row]:
            continue
        variance = fitted.implied[row, row]
        loading = fitted.loadings[row, column]
        # of loading / sqrt(variance) by loading and by residual, both times sqrt(variance)
        slopes = np.array([1 - loading**2 / variance, -loading / (2 * variance)])
        block = covariance[np.ix_([at, places[row]], [at, places[row]])]
        errors[row, column] = np.sqrt(max(float(slopes @ block @ slopes) / variance, 0.0))
    return errors


def modification_indices(
    model: Measurement, fitted: Fitted, correlations: np.ndarray, n: int
) -> list[tuple[str, int, int, float, float]]:
    """Score tests of omitted paths (Sörbom, 1989): (kind, row, column, index, expected change).

    Kind `loading` has a value and a factor, `residual` two values. The index is the fall of chi2
    to expect if the path were freed, the change its value then (standardised).
    """
    p, _ = model.free.shape
    inverse = np.linalg.inv(fitted.implied)
    slope = inverse - inverse @ correlations @ inverse
    through, unit = fitted.loadings @ fitted.phi, np.eye(p)
    rows, columns = np.nonzero(~model.free)
    first, second = np.triu_indices(p, 1)
    left = np.hstack([unit[:, rows], unit[:, first]])
    right = np.hstack([through[:, columns], unit[:, second]])
    score = np.concatenate([(slope @ through)[rows, columns], slope[first, second]]) * -n
    own = _directions(model, fitted)
    information = _crossed(inverse, n, own, own)
    between = _crossed(inverse, n, (left, right), own)
    wl, wr = inverse @ left, inverse @ right
    alone = n * ((wl * left).sum(axis=0) * (wr * right).sum(axis=0) + (wl * right).sum(axis=0) ** 2)
    explained = (between * np.linalg.solve(information, between.T).T).sum(axis=1)
    # a path that the free ones imply wholly has no information of its own
    left_over = np.maximum(alone - explained, 1e-12)
    index, change = score**2 / left_over, score / left_over
    kinds = ["loading"] * len(rows) + ["residual"] * len(first)
    places = zip(kinds, [*rows, *first], [*columns, *second], index, change, strict=True)
    return [(kind, int(i), int(j), float(m), float(c)) for kind, i, j, m, c in places]
