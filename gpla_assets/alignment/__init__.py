"""Value alignment: targets from preferences, and how near responses are. No Dagster, no DuckDB."""

from gpla_assets.alignment.dimensions import Dimensions, dimension_scores, values_of

__all__ = ["Dimensions", "dimension_scores", "values_of"]
