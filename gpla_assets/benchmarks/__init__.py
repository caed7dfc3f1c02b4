"""Benchmarks of value systems. Pure: no Dagster, no DuckDB."""
