"""What goes wrong with a structure, in words that name the place."""

from gpla_assets.common.errors import KnownError


class StructureError(KnownError, ValueError):
    """A matrix, a setting or a stored system from which no value system can be had."""
