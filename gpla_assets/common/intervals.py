"""The interval that is given with every estimate."""

CONFIDENCE = 0.95
INTERVAL = (0.025, 0.975)
"""Quantiles of resamples with that share between them (percentile interval)."""
