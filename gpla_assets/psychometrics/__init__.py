"""The structure of values: correlations, factors, reliability. Pure: no Dagster, no DuckDB."""

from gpla_assets.psychometrics.reliability import Reliability, cronbach_alpha, feldt_interval
from gpla_assets.psychometrics.retention import n_factors, parallel_analysis
from gpla_assets.psychometrics.rotation import rotated_loadings, varimax
from gpla_assets.psychometrics.structure import StructureSettings, ValueSystem, value_system

__all__ = [
    "Reliability",
    "StructureSettings",
    "ValueSystem",
    "cronbach_alpha",
    "feldt_interval",
    "n_factors",
    "parallel_analysis",
    "rotated_loadings",
    "value_system",
    "varimax",
]
