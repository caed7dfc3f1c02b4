"""Value alignment: targets from preferences, and how near responses are. No Dagster, no DuckDB."""

from gpla_assets.alignment.convergence import convergence, settled
from gpla_assets.alignment.dimensions import Dimensions, dimension_scores, values_of
from gpla_assets.alignment.distillation import Target, distil, minimiser
from gpla_assets.alignment.target_check import CheckSettings, Pairs, target_check

__all__ = [
    "CheckSettings",
    "Dimensions",
    "Pairs",
    "Target",
    "convergence",
    "dimension_scores",
    "distil",
    "minimiser",
    "settled",
    "target_check",
    "values_of",
]
