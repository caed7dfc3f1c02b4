"""The structure of values: correlations, factors, reliability. Pure: no Dagster, no DuckDB."""

from gpla_assets.psychometrics.congruence import factor_congruence, tucker_congruence
from gpla_assets.psychometrics.correlation import Correlations, correlations
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.naming import centroid_names
from gpla_assets.psychometrics.relations import nearest_values, relations
from gpla_assets.psychometrics.reliability import (
    Reliability,
    feldt_interval,
    omega_totals,
    reliability,
)
from gpla_assets.psychometrics.retention import (
    minimum_average_partial,
    parallel_analysis,
    permutation_analysis,
    scree_elbow,
)
from gpla_assets.psychometrics.rotation import Rotated, rotate, varimax
from gpla_assets.psychometrics.stability import Stability, bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import ValueSystem, other_rotations, value_system
from gpla_assets.psychometrics.suitability import bartlett, kmo
from gpla_assets.psychometrics.variance import system_variances, variance_components
from gpla_assets.studies.structure import StructureSettings

__all__ = [
    "Correlations",
    "FrozenSystem",
    "Reliability",
    "Rotated",
    "Stability",
    "StructureError",
    "StructureSettings",
    "ValueSystem",
    "bartlett",
    "bootstrap",
    "centroid_names",
    "correlations",
    "factor_congruence",
    "feldt_interval",
    "kmo",
    "leave_one_out",
    "minimum_average_partial",
    "nearest_values",
    "omega_totals",
    "other_rotations",
    "parallel_analysis",
    "permutation_analysis",
    "relations",
    "reliability",
    "rotate",
    "scree_elbow",
    "system_variances",
    "tucker_congruence",
    "value_system",
    "variance_components",
    "varimax",
]
