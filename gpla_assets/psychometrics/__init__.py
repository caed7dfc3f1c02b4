"""The structure of values: correlations, factors, reliability. Pure: no Dagster, no DuckDB."""
