"""Benchmarks of value systems. Pure: no Dagster, no DuckDB."""

from gpla_assets.benchmarks.cfa import Cfa, confirm
from gpla_assets.benchmarks.fit_indices import DEFINITIONS, indices, rmsea_interval
from gpla_assets.benchmarks.systems import (
    System,
    UnfitSystem,
    read_system,
    system_of_loadings,
    system_of_mapping,
)

__all__ = [
    "DEFINITIONS",
    "Cfa",
    "System",
    "UnfitSystem",
    "confirm",
    "indices",
    "read_system",
    "rmsea_interval",
    "system_of_loadings",
    "system_of_mapping",
]
