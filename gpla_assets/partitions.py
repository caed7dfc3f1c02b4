"""Subjects are the partitions: adding an LLM makes its partitions and nothing else."""

import warnings

import dagster as dg

# single-run backfills are marked beta; each of our partitioned assets would warn at import
warnings.filterwarnings("ignore", category=dg.BetaWarning)

SUBJECTS = dg.DynamicPartitionsDefinition(name="subjects")
SINGLE_RUN = dg.BackfillPolicy.single_run()
