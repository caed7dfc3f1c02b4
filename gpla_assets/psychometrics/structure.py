"""From a subject x value matrix to a value system."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.correlation import nearest_psd, pairwise_correlations
from gpla_assets.psychometrics.purification import (
    REMOVAL_COLUMNS,
    Purified,
    primary_and_gap,
    purify,
)
from gpla_assets.psychometrics.reliability import cronbach_alpha
from gpla_assets.psychometrics.retention import eigenvalues, n_factors, parallel_analysis

LEADING_VALUES = 3


@dataclass(frozen=True)
class StructureSettings:
    """How a value system is built; the defaults' reasons stand at the study's settings."""

    n_factors: Literal["parallel", "kaiser"] | int = "parallel"
    minimum_loading: float = 0.40
    minimum_gap: float = 0.10
    minimum_alpha: float = 0.70
    minimum_coverage: float = 0.5
    minimum_ratio: float = 5.0
    seed: int = 0


@dataclass(frozen=True)
class ValueSystem:
    """A value system (V, V_H, loadings) as tables, and what a reader must be told."""

    eigenvalues: pd.DataFrame
    loadings: pd.DataFrame
    removals: pd.DataFrame
    reliabilities: pd.DataFrame
    scores: pd.DataFrame
    cautions: tuple[str, ...]


def value_system(scores: pd.DataFrame, settings: StructureSettings | None = None) -> ValueSystem:
    """PCA of the correlations, varimax, purification, alpha and scores (paper, 3 and B.2).

    `scores`: (n_subjects, n_values) in [-1, 1], NaN where a subject has no measurement; the order
    of rows and columns changes nothing. Raises ValueError for fewer than three subjects or values
    that can be used.
    """
    settings = settings or StructureSettings()
    scores = scores.sort_index().sort_index(axis=1)
    usable, early = usable_values(scores, settings.minimum_coverage)
    if len(scores) < 3 or usable.shape[1] < 3:
        raise ValueError(
            f"{len(scores)} subjects and {usable.shape[1]} usable values (of {scores.shape[1]}): "
            "a value system needs at least 3 of each. Measure more subjects, or lower "
            "structure.minimum_coverage."
        )
    correlations, _ = pairwise_correlations(usable)
    matrix, mended = nearest_psd(correlations.to_numpy())
    observed = eigenvalues(matrix)
    random = parallel_analysis(len(usable), usable.shape[1], settings.seed)
    retained = n_factors(observed, random, settings.n_factors)
    number, purified = _purified(
        pd.DataFrame(matrix, correlations.index, correlations.columns), retained, settings
    )
    loadings = _long_loadings(purified.loadings)
    cautions = _cautions(usable, settings, mended, purified.caution)
    if number < retained:
        cautions.append(
            f"{retained} components stand out from random data; {number} were rotated, since of "
            "more not every factor has two values."
        )
    reliabilities = _reliabilities(usable, loadings, settings, cautions)
    frames = [frame for frame in (early, purified.removals) if len(frame)]
    removals = pd.concat(frames, ignore_index=True) if frames else early
    return ValueSystem(
        _scree(observed, random, number),
        loadings,
        removals,
        reliabilities,
        factor_scores(usable, loadings),
        tuple(cautions),
    )


def _purified(
    correlations: pd.DataFrame, retained: int, settings: StructureSettings
) -> tuple[int, Purified]:
    """Purification with the most factors, up to `retained`, that have two values each.

    A number that the study fixes is taken as it is.
    """
    for number in range(retained, 0, -1):
        found = purify(correlations, number, settings.minimum_loading, settings.minimum_gap)
        primary = found.loadings.abs().to_numpy().argmax(axis=1)
        values = np.bincount(primary, minlength=found.loadings.shape[1])
        if isinstance(settings.n_factors, int) or values.min() >= 2 or number == 1:
            return number, found
    raise ValueError(f"{retained} components were retained, expected at least one.")


def usable_values(
    scores: pd.DataFrame, minimum_coverage: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Values that vary and that enough subjects have; the others as removals of round 0."""
    coverage, spread = scores.notna().mean(), scores.std()
    sparse = coverage < minimum_coverage
    constant = ~sparse & ~(spread > 1e-12)
    rows = [
        (0, value, f"measured in {coverage[value]:.0%} of subjects, below {minimum_coverage:.0%}")
        for value in scores.columns[sparse]
    ] + [(0, value, "constant over subjects") for value in scores.columns[constant]]
    removals = pd.DataFrame(rows, columns=REMOVAL_COLUMNS[:3]).assign(loading=np.nan, gap=np.nan)
    return scores.loc[:, ~(sparse | constant)], removals


def _scree(observed: np.ndarray, random: np.ndarray, number: int) -> pd.DataFrame:
    components = np.arange(1, len(observed) + 1)
    return pd.DataFrame(
        {
            "component": components,
            "eigenvalue": observed,
            "explained": observed / observed.sum(),
            "random_95": random,
            "retained": components <= number,
        }
    )


def _long_loadings(loadings: pd.DataFrame) -> pd.DataFrame:
    matrix = loadings.to_numpy()
    n_values, n_found = matrix.shape
    primary = np.abs(matrix).argmax(axis=1)
    return pd.DataFrame(
        {
            "factor": np.tile([f"F{n + 1}" for n in range(n_found)], n_values),
            "value": np.repeat(loadings.index.to_numpy(), n_found),
            "loading": matrix.ravel(),
            "is_primary": (np.arange(n_found) == primary[:, None]).ravel(),
            "keyed": np.where(matrix < 0, -1, 1).ravel(),
            "communality": np.repeat((matrix**2).sum(axis=1), n_found),
            "kept": True,
        }
    )


def _cautions(
    usable: pd.DataFrame, settings: StructureSettings, mended: bool, purification: str | None
) -> list[str]:
    n, p = usable.shape
    cautions = []
    if n / p < settings.minimum_ratio:
        cautions.append(
            f"Not interpretable: n = {n} subjects for p = {p} values, n/p = {n / p:.2f}, "
            f"below {settings.minimum_ratio:g}."
        )
    if mended:
        cautions.append(
            "The pairwise correlation matrix was not positive semi-definite; negative "
            "eigenvalues were lifted (spectral method)."
        )
    return cautions + ([purification] if purification else [])


def _reliabilities(
    usable: pd.DataFrame, loadings: pd.DataFrame, settings: StructureSettings, cautions: list[str]
) -> pd.DataFrame:
    n, p = usable.shape
    rows = []
    for factor, all_rows in loadings.groupby("factor", sort=False):
        own = all_rows[all_rows["is_primary"]].sort_values("loading", key=abs, ascending=False)
        found = cronbach_alpha(usable, own.set_index("value")["keyed"])
        said = list(cautions)
        if found is None:
            said.append(f"Alpha needs two values; {factor} has {len(own)}.")
        elif found.alpha < settings.minimum_alpha:
            said.append(f"Alpha {found.alpha:.2f} is below {settings.minimum_alpha}.")
        rows.append(
            {
                "factor": factor,
                "name": " / ".join(own["value"].head(LEADING_VALUES)) or "(no value)",
                "n_values": len(own),
                "n_subjects": found.n_subjects if found else n,
                "alpha": found.alpha if found else None,
                "ci_low": found.ci_low if found else None,
                "ci_high": found.ci_high if found else None,
                "variance_explained": float((all_rows["loading"] ** 2).sum())
                / all_rows["value"].nunique(),
                "interpretable": n / p >= settings.minimum_ratio,
                "caution": " ".join(said) or None,
            }
        )
    return pd.DataFrame(rows)


def factor_scores(scores: pd.DataFrame, loadings: pd.DataFrame) -> pd.DataFrame:
    """Mean of each factor's keyed values per subject; cells without a measurement are skipped."""
    frames = []
    for factor, own in loadings[loadings["is_primary"]].groupby("factor", sort=False):
        keyed = scores[list(own["value"])] * own["keyed"].to_numpy()
        frames.append(
            pd.DataFrame(
                {
                    "subject": scores.index.to_numpy(),
                    "factor": factor,
                    "score": keyed.mean(axis=1).to_numpy(),
                    "n_values": keyed.notna().sum(axis=1).to_numpy(),
                }
            )
        )
    return pd.concat(frames, ignore_index=True)


__all__ = ["StructureSettings", "ValueSystem", "factor_scores", "primary_and_gap", "value_system"]
