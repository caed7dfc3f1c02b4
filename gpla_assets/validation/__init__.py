"""The validation studies: coverage, consistency, the circle of values, lists named when asked."""
