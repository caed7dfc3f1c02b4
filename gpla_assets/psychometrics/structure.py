"""From a subject x value matrix to a value system: the steps in their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import get_args

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.bias import bias_cautions, response_bias
from gpla_assets.psychometrics.cautions import (
    category_cautions,
    missing_caution,
    solution_cautions,
    subject_cautions,
)
from gpla_assets.psychometrics.correlation import Correlations, correlations
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.fit import factor_fit
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.matrix import (
    centred,
    checked_scores,
    matrix_cautions,
    measured_subjects,
    well_measured,
)
from gpla_assets.psychometrics.network import Network, network
from gpla_assets.psychometrics.purification import Purified, Solution, purify, solve
from gpla_assets.psychometrics.redundancy import redundancy_cautions, redundant_pairs, stand_ins
from gpla_assets.psychometrics.reliability_tables import (
    reliability_tables,
    variance_table,
    with_cautions,
)
from gpla_assets.psychometrics.retention import n_factors, retention_table
from gpla_assets.psychometrics.scoring import bartlett_weights, regression_weights
from gpla_assets.psychometrics.scree import scree
from gpla_assets.psychometrics.solution_tables import (
    factor_correlations_table,
    factor_labels,
    factor_scores,
    loadings_table,
    removals_table,
)
from gpla_assets.psychometrics.suitability import (
    suitability,
    suitability_cautions,
    value_suitability,
)
from gpla_assets.studies.structure import RotationName, StructureSettings


@dataclass(frozen=True)
class ValueSystem:
    """A value system (V, V_H, loadings) as tables, and what a reader must be told.

    `usable` are the scores that were factored and `found` their correlations; `pattern` (values
    kept x factors) is the solution, `frozen` what new subjects are scored with. `bias` is None
    where no LLMs are named.
    """

    suitability: pd.DataFrame
    value_suitability: pd.DataFrame
    eigenvalues: pd.DataFrame
    retention: pd.DataFrame
    network: Network
    communities: pd.DataFrame
    redundancy: pd.DataFrame
    bias: pd.DataFrame | None
    loadings: pd.DataFrame
    fit: pd.DataFrame
    variance: pd.DataFrame
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


@dataclass(frozen=True)
class _Usable:
    """The scores that are factored, each value's suitability, and what was seen on the way."""

    scores: pd.DataFrame
    values: pd.DataFrame
    cautions: list[str]


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
    settings. Subjects without any cell are left out. Raises StructureError for fewer than three
    subjects or usable values, for names that stand twice, and for cells that are infinite or no
    numbers.
    """
    settings = settings or StructureSettings()
    own_llms = pd.Series(list(llms), scores.index.map(str)) if llms is not None else None
    # before values are screened, so that coverage counts well measured cells alone
    checked, thin = well_measured(checked_scores(scores), counts, settings.minimum_measurements)
    own = _usable(centred(checked, settings.centre), settings, counts)
    usable = own.scores
    if settings.centre != "none" or settings.missing == "listwise":
        known = None
    found = correlations(usable, settings.missing, known, settings.correlation)
    units = list(own_llms.reindex(usable.index)) if own_llms is not None else None
    n_llms = len(set(units)) if units is not None else None
    whole, per_value = suitability(usable, found, own.values, n_llms)
    seen = scree(usable, found, settings, seed)
    retained = n_factors(seen.suggested, settings.n_factors, len(found.matrix))
    number, purified = _purified(found, retained, settings)
    loadings = loadings_table(purified.solution)
    frozen = _frozen(usable, found, purified.solution, settings)
    pairs = redundant_pairs(found.matrix, seen.network.edges, settings.maximum_overlap)
    bias = response_bias(checked[usable.columns].loc[usable.index], units, seed) if units else None
    cautions = [
        *matrix_cautions(usable, settings.minimum_ratio, n_llms, told),
        *own.cautions,
        *suitability_cautions(whole),
        *([f"{thin} cells rest on too few measurements and count as missing."] if thin else []),
        *missing_caution(usable, settings.missing),
        *category_cautions(usable, found),
        *redundancy_cautions(pairs, settings.maximum_overlap),
        *bias_cautions(bias),
        *solution_cautions(found, purified, retained, number),
    ]
    reliabilities, each_value = reliability_tables(found, loadings, seed)
    return ValueSystem(
        suitability=whole,
        value_suitability=per_value,
        eigenvalues=seen.components.assign(retained=seen.components["component"] <= number),
        retention=retention_table(seen.suggested, settings.n_factors, number),
        network=seen.network,
        communities=pd.DataFrame({"value": usable.columns, "community": seen.community + 1}),
        redundancy=pairs,
        bias=bias,
        loadings=loadings,
        fit=_fit(found, purified.solution, settings),
        variance=variance_table(loadings),
        factor_correlations=factor_correlations_table(purified.solution),
        removals=removals_table(own.values, purified),
        reliabilities=with_cautions(reliabilities, usable.shape, settings, cautions),
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
) -> _Usable:
    """Values that can be factored and the subjects that have any of them, or all (listwise)."""
    listwise = settings.missing == "listwise"
    subjects = measured_subjects(scores)
    values = _screened(subjects, settings, counts)
    usable = subjects[_names(values)]
    cells = measured_subjects(usable)
    rows = measured_subjects(usable, listwise)
    if len(rows) < len(subjects):
        # a value may be constant over the subjects that are left
        again = _screened(rows, settings, counts).set_index("value")["status"]
        known = values.set_index("value")["status"]
        status = known.mask((known == "usable") & (again.reindex(known.index) != "usable"), again)
        values = values.assign(status=status.to_numpy())
    usable = rows[_names(values)]
    if settings.redundancy == "remove" and usable.shape[1] > 3 and len(usable) > 3:
        values = _without_redundant(usable, values, settings)
        usable = usable[_names(values)]
    if len(usable) < 3 or usable.shape[1] < 3:
        reasons = values.loc[values["status"] != "usable", "status"].str.split(":").str[0]
        why = "; ".join(f"{n} {reason}" for reason, n in reasons.value_counts().head(3).items())
        raise StructureError(
            f"{len(usable)} subjects and {usable.shape[1]} usable values (of {scores.shape[1]}"
            f"{': ' + why if why else ''}): a value system needs at least 3 of each. Measure more "
            "subjects, or lower structure.minimum_coverage."
        )
    return _Usable(usable, values, subject_cautions(len(scores), len(cells), len(rows)))


def _screened(
    scores: pd.DataFrame, settings: StructureSettings, counts: pd.DataFrame | None
) -> pd.DataFrame:
    return value_suitability(scores, settings.minimum_coverage, settings.maximum_same, counts)


def _names(values: pd.DataFrame) -> list[str]:
    return list(values.loc[values["status"] == "usable", "value"])


def _without_redundant(
    usable: pd.DataFrame, values: pd.DataFrame, settings: StructureSettings
) -> pd.DataFrame:
    """`values` where of those that stand for one another all but one are not usable."""
    found = correlations(usable, settings.missing, None, settings.correlation)
    edges = network(found.matrix.to_numpy(), found.n).edges
    pairs = redundant_pairs(found.matrix, edges, settings.maximum_overlap)
    going = stand_ins(pairs, usable.columns, edges)
    said = {name: f"redundant: {kept} stands for it" for name, kept in going.items()}
    return values.assign(status=values["value"].map(said).fillna(values["status"]))


def _fit(found: Correlations, solution: Solution, settings: StructureSettings) -> pd.DataFrame:
    """Fit of the factors to the correlations of the values kept: one row."""
    kept, rotated = solution.values, solution.rotated
    fitted = factor_fit(
        found.matrix.loc[kept, kept].to_numpy(),
        rotated.structure @ rotated.pattern.T,
        rotated.pattern.shape[1],
        len(found.filled),
        found.pairs.loc[kept, kept].to_numpy(float),
        settings.extraction != "pca",
    )
    return pd.DataFrame([asdict(fitted)])


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
