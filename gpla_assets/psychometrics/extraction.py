"""Extraction: unrotated loadings by principal components, minimum residuals or likelihood.

Our own since factor_analyzer (0.5.1, its last version, of 2024) does not run with scikit-learn 1.8
and later, and statsmodels has no minimum residuals; its likelihood has no lowest uniqueness, and
takes 40 to 120 times as long for the same solution to 3e-5 (92 values and 31 weak ones, 3 to 5
factors).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import OptimizeResult, minimize

from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.studies.structure import Extraction

LOWEST_UNIQUENESS = 0.005
"""Smallest uniqueness, as in R's factanal: a value at the bound is a Heywood case."""
STARTS = 30
"""Starts of maximum likelihood, R's factanal among them: on the scales of the Eysenck and Big Five
inventories (psych's epi.bfi, three factors) one random start in seven leads to the best minimum."""
SAME_MINIMUM = 1e-6
"""Discrepancies that differ by less are one minimum."""


@dataclass(frozen=True)
class Extracted:
    """Unrotated loadings (n_values, n_factors) and what its optimiser ended with.

    `heywood` says which values' uniqueness is at its lowest; `other_minima` are discrepancies
    above the one taken, at which other starts ended; `uniquenesses` (n_values,) are the model's.
    """

    loadings: np.ndarray
    converged: bool
    heywood: np.ndarray
    uniquenesses: np.ndarray
    discrepancy: float = 0.0
    other_minima: tuple[float, ...] = ()


def extract(
    correlations: np.ndarray,
    n_factors: int,
    method: Extraction,
    starts: int = 1,
    start: np.ndarray | None = None,
) -> Extracted:
    """Loadings by `pca`, `minres` (Harman and Jones, 1966) or `ml` (Lawley, 1940; Jöreskog, 1967).

    Factor models are fitted over the uniquenesses with the loadings profiled out, as in R's
    factanal and psych::fa, from `start` (n_values,) or from where factanal starts. `ml` is
    fitted from `starts` places and the smallest discrepancy taken: factanal's own start may end
    at a local minimum. Raises StructureError where `ml` is asked of a singular matrix.
    """
    if method == "pca":
        loadings = principal_loadings(correlations, n_factors)
        unique = 1 - (loadings**2).sum(axis=1)
        return Extracted(loadings, True, np.zeros(len(loadings), bool), unique)
    if method == "ml" and np.linalg.eigvalsh(correlations).min() < 1e-8:
        raise StructureError(
            "Maximum-likelihood extraction needs an invertible correlation matrix; this one of "
            f"{len(correlations)} values is singular. Use extraction: minres or pca, fewer values, "
            "or more subjects."
        )
    places = [_usual_start(correlations, n_factors) if start is None else start]
    if method == "ml":
        places += _further_starts(correlations, starts - 1)
    found = [_fitted(place, correlations, n_factors, method) for place in places]
    return _best(found, correlations, n_factors, method)


def principal_loadings(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """Unrotated loadings (n_values, n_factors): eigenvectors times root eigenvalues."""
    values, vectors = np.linalg.eigh(correlations)
    largest = np.argsort(values)[::-1][:n_factors]
    found: np.ndarray = vectors[:, largest] * np.sqrt(np.maximum(values[largest], 0.0))
    return found


def _usual_start(correlations: np.ndarray, n_factors: int) -> np.ndarray:
    """The start of R's factanal."""
    unique = (1 - 0.5 * n_factors / len(correlations)) * _smc_uniqueness(correlations)
    return np.clip(unique, LOWEST_UNIQUENESS, 1.0)


def _further_starts(correlations: np.ndarray, number: int) -> list[np.ndarray]:
    """High squared multiple correlations taken for low, then random: most near 0 or near 1."""
    random = np.random.default_rng(0)
    drawn = random.beta(0.5, 0.5, (max(number - 1, 0), len(correlations)))
    places = [1.5 * _smc_uniqueness(correlations), *drawn][: max(number, 0)]
    return [np.clip(place, LOWEST_UNIQUENESS, 1.0) for place in places]


def _fitted(
    start: np.ndarray, correlations: np.ndarray, n_factors: int, method: Extraction
) -> OptimizeResult:
    return minimize(
        _ml if method == "ml" else _minres,
        start,
        args=(correlations, n_factors),
        jac=True,
        method="L-BFGS-B",
        bounds=[(LOWEST_UNIQUENESS, 1.0)] * len(correlations),
        options={"maxiter": 1000, "ftol": 1e-14, "gtol": 1e-7},
    )


def _best(
    found: list[OptimizeResult], correlations: np.ndarray, n_factors: int, method: Extraction
) -> Extracted:
    ranked = sorted(found, key=lambda one: float(one.fun))
    best = ranked[0]
    others: list[float] = []
    for one in ranked[1:]:
        # a start that was cut off ended at no minimum
        if one.success and one.fun > (others or [best.fun])[-1] + SAME_MINIMUM:
            others.append(float(one.fun))
    loadings = (_ml_loadings if method == "ml" else _minres_loadings)(
        best.x, correlations, n_factors
    )
    return Extracted(
        loadings=loadings,
        converged=bool(best.success),
        heywood=best.x <= LOWEST_UNIQUENESS * 1.0001,
        uniquenesses=best.x,
        discrepancy=float(best.fun),
        other_minima=tuple(others),
    )


def _smc_uniqueness(correlations: np.ndarray) -> np.ndarray:
    if np.linalg.eigvalsh(correlations).min() < 1e-8:
        # without an inverse there are no squared multiple correlations: the middle
        return np.full(len(correlations), 0.5)
    return 1 / np.diag(np.linalg.inv(correlations))


def _minres_loadings(psi: np.ndarray, correlations: np.ndarray, n_factors: int) -> np.ndarray:
    return principal_loadings(correlations - np.diag(psi), n_factors)


def _minres(psi: np.ndarray, correlations: np.ndarray, n_factors: int) -> tuple[float, np.ndarray]:
    """Half the squared residuals off and on the diagonal, and its gradient over uniquenesses."""
    loadings = _minres_loadings(psi, correlations, n_factors)
    residual = correlations - loadings @ loadings.T - np.diag(psi)
    # loadings are the best for psi, so that the gradient is psi's own alone
    return float((residual**2).sum()) / 2, -np.diag(residual)


def _ml_loadings(psi: np.ndarray, correlations: np.ndarray, n_factors: int) -> np.ndarray:
    root = np.sqrt(psi)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    largest = np.argsort(values)[::-1][:n_factors]
    # an eigenvalue below 1 has less than its own unique variance: nothing is common
    common = np.sqrt(np.maximum(values[largest] - 1, 0.0))
    found: np.ndarray = root[:, None] * vectors[:, largest] * common
    return found


def _ml(psi: np.ndarray, correlations: np.ndarray, n_factors: int) -> tuple[float, np.ndarray]:
    """Jöreskog's (1967) profile discrepancy over uniquenesses, and its gradient."""
    root = np.sqrt(psi)
    values, vectors = np.linalg.eigh(correlations / np.outer(root, root))
    # a logarithm is taken of what rounding may have made 0
    rest = np.maximum(values[: len(psi) - n_factors], 1e-12)
    discrepancy = float((rest - np.log(rest)).sum()) - len(rest)
    common = np.maximum(values[len(psi) - n_factors :] - 1, 0.0)
    shared = psi * (vectors[:, len(psi) - n_factors :] ** 2 @ common)
    return discrepancy, (shared + psi - np.diag(correlations)) / psi**2
