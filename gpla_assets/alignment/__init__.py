"""Value alignment: targets from preferences, and how near responses are. No Dagster, no DuckDB."""

from gpla_assets.alignment.convergence import convergence, settled
from gpla_assets.alignment.dimensions import Dimensions, dimension_scores, values_of
from gpla_assets.alignment.distillation import Target, distil, minimiser

__all__ = [
    "Dimensions",
    "Target",
    "convergence",
    "dimension_scores",
    "distil",
    "minimiser",
    "settled",
    "values_of",
]
