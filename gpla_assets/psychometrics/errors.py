"""What goes wrong with a structure, in words that name the place."""


class StructureError(ValueError):
    """A matrix, a setting or a stored system from which no value system can be had."""
