"""Subjects are the partitions: adding an LLM makes its partitions and nothing else."""

import dagster as dg

SUBJECTS = dg.DynamicPartitionsDefinition(name="subjects")
SINGLE_RUN = dg.BackfillPolicy.single_run()
