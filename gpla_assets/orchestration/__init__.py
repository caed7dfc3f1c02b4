"""What makes the steps: declarations, fingerprints, runs, and what Dagster is told."""
