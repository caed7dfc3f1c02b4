"""What partitions assets: an LLM that is added makes its partitions, a run its own, no other."""

import warnings

import dagster as dg

# single-run backfills are marked beta; each of our partitioned assets would warn at import
warnings.filterwarnings("ignore", category=dg.BetaWarning)

SUBJECTS = dg.DynamicPartitionsDefinition(name="subjects")
RUNS = dg.DynamicPartitionsDefinition(name="runs")
"""Runs of alignment: system, LLM and seed."""
SINGLE_RUN = dg.BackfillPolicy.single_run()
