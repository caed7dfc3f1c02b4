"""From a subject x value matrix to a value system: the steps in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.correlation import Correlations, correlations
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.matrix import checked_scores, matrix_cautions, well_measured
from gpla_assets.psychometrics.purification import Purified, Solution, purify, solve
from gpla_assets.psychometrics.reliability import alpha_of, reliability, value_reliabilities
from gpla_assets.psychometrics.retention import (
    average_partials,
    eigenvalues,
    leading_above,
    n_factors,
    parallel_analysis,
    permutation_analysis,
    reliable_factors,
    retention_table,
    scree_elbow,
)
from gpla_assets.psychometrics.scoring import bartlett_weights, regression_weights
from gpla_assets.psychometrics.solution_tables import (
    factor_correlations_table,
    factor_labels,
    factor_scores,
    loadings_table,
    removals_table,
)
from gpla_assets.psychometrics.suitability import kmo_cautions, suitability, value_suitability
from gpla_assets.studies.structure import RotationName, Rule, StructureSettings

LEADING_VALUES = 3
FURTHER_FACTORS = 3
MOST_FACTORS = 15
CLOSE_RULES: tuple[Rule, ...] = ("parallel", "permutation", "map", "scree")
"""Rules that do not grow with the number of values, as Kaiser's does."""


@dataclass(frozen=True)
class ValueSystem:
    """A value system (V, V_H, loadings) as tables, and what a reader must be told.

    `usable` are the scores that were factored and `found` their correlations; `pattern` (values
    kept x factors) is the solution, `frozen` what new subjects are scored with.
    """

    suitability: pd.DataFrame
    value_suitability: pd.DataFrame
    eigenvalues: pd.DataFrame
    retention: pd.DataFrame
    loadings: pd.DataFrame
    factor_correlations: pd.DataFrame
    removals: pd.DataFrame
    reliabilities: pd.DataFrame
    value_reliabilities: pd.DataFrame
    scores: pd.DataFrame
    cautions: tuple[str, ...]
    usable: pd.DataFrame
    found: Correlations
    pattern: pd.DataFrame
    frozen: FrozenSystem


def value_system(
    scores: pd.DataFrame,
    settings: StructureSettings | None = None,
    llms: Sequence[str] | None = None,
    counts: pd.DataFrame | None = None,
    seed: int = 0,
    known: pd.DataFrame | None = None,
    told: Sequence[str] = (),
) -> ValueSystem:
    """Suitability, number of factors, extraction, rotation, purification, reliability, scores.

    `scores`: (n_subjects, n_values), NaN where a subject has no measurement; the order of rows
    and columns and the unit of a value change nothing. `llms` is the LLM of each row, `counts`
    (same shape) the measurements behind each cell; `seed` draws random data and halves; `known`
    are correlations (value_a, value_b, r, n) that a database has computed of these scores; `told`
    are cautions on the scores themselves. The paper's sections 3 and B.2, its defaults by the
    settings. Raises StructureError for fewer than three subjects or usable values, for names that
    stand twice, and for cells that are infinite or no numbers.
    """
    settings = settings or StructureSettings()
    n_llms = len(set(llms)) if llms is not None else None
    # before values are screened, so that coverage counts well measured cells alone
    checked, thin = well_measured(checked_scores(scores), counts, settings.minimum_measurements)
    usable, values = _usable(checked, settings, counts)
    found = correlations(usable, settings.missing, known)
    whole, per_value = suitability(usable, found, values, n_llms)
    matrix = found.matrix.to_numpy()
    scree, suggested = _scree(usable, found, settings, seed)
    retained = n_factors(suggested, settings.n_factors, len(matrix))
    number, purified = _purified(found, retained, settings)
    loadings = loadings_table(purified.solution)
    frozen = _frozen(usable, found, purified.solution, settings)
    cautions = matrix_cautions(usable, settings.minimum_ratio, n_llms, told)
    cautions += kmo_cautions(whole["kmo"].iloc[0])
    cautions += _solution_cautions(found, purified, retained, number, thin)
    reliabilities, each_value = _reliabilities(usable, loadings, seed)
    return ValueSystem(
        suitability=whole,
        value_suitability=per_value,
        eigenvalues=scree.assign(retained=scree["component"] <= number),
        retention=retention_table(suggested, settings.n_factors, number),
        loadings=loadings,
        factor_correlations=factor_correlations_table(purified.solution),
        removals=removals_table(values, purified),
        reliabilities=_with_cautions(reliabilities, usable, settings, cautions),
        value_reliabilities=each_value,
        scores=factor_scores(found.filled, usable, frozen, purified.solution, reliabilities),
        cautions=tuple(cautions),
        usable=usable,
        found=found,
        pattern=frozen.loadings,
        frozen=frozen,
    )


def _usable(
    scores: pd.DataFrame, settings: StructureSettings, counts: pd.DataFrame | None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    coverage, same = settings.minimum_coverage, settings.maximum_same
    values = value_suitability(scores, coverage, same, counts)
    usable = scores[list(values.loc[values["status"] == "usable", "value"])]
    if len(scores) < 3 or usable.shape[1] < 3:
        reasons = values.loc[values["status"] != "usable", "status"].str.split(":").str[0]
        why = "; ".join(f"{n} {reason}" for reason, n in reasons.value_counts().head(3).items())
        raise StructureError(
            f"{len(scores)} subjects and {usable.shape[1]} usable values (of {scores.shape[1]}"
            f"{': ' + why if why else ''}): a value system needs at least 3 of each. Measure more "
            "subjects, or lower structure.minimum_coverage."
        )
    return usable, values


def _scree(
    usable: pd.DataFrame, found: Correlations, settings: StructureSettings, seed: int
) -> tuple[pd.DataFrame, dict[Rule, int]]:
    matrix, repeats = found.matrix.to_numpy(), settings.parallel_repeats
    observed = eigenvalues(matrix)
    # what stands in for missing cells is of no other rows than these
    missing = usable.isna().to_numpy() if found.method == "pairwise" else None
    random = parallel_analysis(len(usable), len(matrix), seed, repeats, missing=missing)
    permuted = permutation_analysis(usable.to_numpy(), seed, repeats)
    partials = average_partials(matrix)
    suggested: dict[Rule, int] = {
        "parallel": leading_above(observed, random),
        "permutation": leading_above(observed, permuted),
        # place 0 is after no component: the place is the number
        "map": int(np.nanargmin(partials)),
        "kaiser": leading_above(observed, 1.0),
        "scree": scree_elbow(observed),
    }
    fixed = settings.n_factors if isinstance(settings.n_factors, int) else 0
    # each further solution is extracted and rotated, and Kaiser's number grows with the values
    most = min(
        max(*(min(suggested[rule], MOST_FACTORS) for rule in CLOSE_RULES), fixed) + FURTHER_FACTORS,
        len(matrix) // 2,
    )
    alphas = {k: _weakest_alpha(found, k, settings) for k in range(1, max(most, 1) + 1)}
    suggested["alpha"] = reliable_factors(alphas, settings.minimum_alpha)
    components = np.arange(1, len(observed) + 1)
    scree = pd.DataFrame(
        {
            "component": components,
            "eigenvalue": observed,
            "explained": observed / observed.sum(),
            "random_95": random,
            "permuted_95": permuted,
            # after that many components; the one after none stands in the retention table alone
            "average_partial": np.append(partials, [np.nan] * len(observed))[components],
            "alpha": [alphas.get(int(k)) for k in components],
        }
    )
    return scree.astype({"alpha": float}), suggested


def _weakest_alpha(found: Correlations, number: int, settings: StructureSettings) -> float | None:
    """The smallest alpha of the factors of a solution, over values that load enough."""
    solution = solve(found.matrix, number, settings)
    alphas = []
    primary = np.abs(solution.rotated.pattern).max(axis=1)
    for factor in range(number):
        own = np.flatnonzero((solution.primary == factor) & (primary >= settings.minimum_loading))
        # alpha of one value is not defined: such a solution counts as unreliable
        if len(own) < 2:
            return None
        keys = solution.keys[own]
        alphas.append(
            alpha_of(found.covariance.to_numpy()[np.ix_(own, own)] * np.outer(keys, keys))
        )
    return min(alphas)


def _purified(
    found: Correlations, retained: int, settings: StructureSettings
) -> tuple[int, Purified]:
    """Purification with the most factors, up to `retained`, that have two values each.

    A number that the study fixes is taken as it is.
    """
    # the rules count components; one on which a single value loads most is that value, no factor
    for number in range(retained, 0, -1):
        purified = purify(found.matrix, found.covariance, number, settings)
        values = np.bincount(purified.solution.primary, minlength=number)
        if isinstance(settings.n_factors, int) or values.min() >= 2 or number == 1:
            return number, purified
    raise StructureError(f"{retained} components were retained, expected at least one.")


def _frozen(
    usable: pd.DataFrame, found: Correlations, solution: Solution, settings: StructureSettings
) -> FrozenSystem:
    names, values, rotated = factor_labels(solution), solution.values, solution.rotated
    matrix = found.matrix.loc[values, values].to_numpy()
    if settings.factor_score == "bartlett":
        weights = bartlett_weights(rotated.pattern, 1 - rotated.communalities)
    else:
        weights = regression_weights(matrix, rotated.structure)
    return FrozenSystem(
        loadings=pd.DataFrame(rotated.pattern, values, names),
        weights=pd.DataFrame(weights, values, names),
        means=usable[values].mean(),
        sds=usable[values].std(),
        factor_score=settings.factor_score,
    )


def _solution_cautions(
    found: Correlations, purified: Purified, retained: int, number: int, thin: int
) -> list[str]:
    cautions = []
    if found.mended:
        cautions.append(
            f"The correlation matrix was not positive semi-definite (smallest eigenvalue "
            f"{found.smallest_eigenvalue:.3f}); negative eigenvalues were lifted (spectral method)."
        )
    if thin:
        cautions.append(f"{thin} cells rest on too few measurements and count as missing.")
    if purified.caution:
        cautions.append(purified.caution)
    if not purified.solution.converged:
        cautions.append("The extraction did not converge; its loadings are the last it reached.")
    if purified.solution.heywood:
        cautions.append(
            f"Heywood case (no uniqueness left): {', '.join(purified.solution.heywood)}."
        )
    if number < retained:
        cautions.append(
            f"{retained} factors were recommended; {number} were rotated, since of more not "
            "every factor has two values."
        )
    return cautions


def _reliabilities(
    usable: pd.DataFrame, loadings: pd.DataFrame, seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    rows, each = [], []
    for factor, all_rows in loadings.groupby("factor", sort=False):
        own = all_rows[all_rows["is_primary"]].sort_values("loading", key=abs, ascending=False)
        keys = own.set_index("value")["keyed"]
        found = reliability(usable, keys, seed)
        if len(keys):
            each.append(value_reliabilities(usable, keys).assign(factor=factor))
        # pattern times structure adds up to the communalities, where factors are oblique too
        explained = float((all_rows["loading"] * all_rows["structure"]).sum())
        rows.append(
            {
                "factor": factor,
                "name": " / ".join(own["value"].head(LEADING_VALUES)) or "(no value)",
                "n_values": len(own),
                "n_subjects": found.n_subjects if found else len(usable),
                "subjects_used": found.missing if found else None,
                "alpha": found.alpha if found else None,
                "ci_low": found.ci_low if found else None,
                "ci_high": found.ci_high if found else None,
                "alpha_standardised": found.alpha_standardised if found else None,
                "omega": found.omega if found else None,
                "split_half": found.split_half if found else None,
                "split_half_low": found.split_half_low if found else None,
                "split_half_high": found.split_half_high if found else None,
                "mean_r": found.mean_r if found else None,
                "variance_explained": explained / all_rows["value"].nunique(),
            }
        )
    columns = ["factor", "value", "r_rest", "alpha_without"]
    joined = pd.concat(each, ignore_index=True) if each else pd.DataFrame(columns=columns)
    return pd.DataFrame(rows), joined[columns]


def _with_cautions(
    reliabilities: pd.DataFrame,
    usable: pd.DataFrame,
    settings: StructureSettings,
    cautions: Sequence[str],
) -> pd.DataFrame:
    n, p = usable.shape
    said = []
    for row in reliabilities.itertuples():
        own = list(cautions)
        if pd.isna(row.alpha):
            own.append(f"Alpha needs two values that vary together; {row.factor} has "
                       f"{row.n_values}.")  # fmt: skip
        elif row.alpha < settings.minimum_alpha:
            own.append(
                f"Alpha of {row.factor} is {row.alpha:.2f}, below {settings.minimum_alpha:.2f}."
            )
        said.append(" ".join(own) or None)
    # decision 0008: computed whatever the ratio, and said where it is too small
    return reliabilities.assign(interpretable=n / p >= settings.minimum_ratio, caution=said)


def other_rotations(system: ValueSystem, settings: StructureSettings) -> pd.DataFrame:
    """The kept values under every rotation: rotation, factor, value, loading, structure."""
    # the same values under each: purified anew, each rotation would keep others
    kept = system.found.matrix.loc[system.pattern.index, system.pattern.index]
    frames = []
    for rotation in get_args(RotationName):
        solution = solve(
            kept, system.pattern.shape[1], settings.model_copy(update={"rotation": rotation})
        )
        columns = ["factor", "value", "loading", "structure"]
        frames.append(loadings_table(solution)[columns].assign(rotation=rotation))
    return pd.concat(frames, ignore_index=True)
