"""Value alignment: targets from preferences, and how near responses are. No Dagster, no DuckDB."""

from gpla_assets.alignment.convergence import convergence, settled
from gpla_assets.alignment.dimensions import Dimensions, dimension_scores, values_of
from gpla_assets.alignment.distillation import Target, distil, minimiser
from gpla_assets.alignment.own_pairs import PairsError, read_measured_pairs, target_json
from gpla_assets.alignment.target_check import Pairs, target_check

__all__ = [
    "Dimensions",
    "Pairs",
    "PairsError",
    "Target",
    "convergence",
    "dimension_scores",
    "distil",
    "minimiser",
    "read_measured_pairs",
    "settled",
    "target_check",
    "target_json",
    "values_of",
]
