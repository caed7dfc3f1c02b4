"""What goes wrong with a structure, in words that name the place."""

from gpla_assets.common.errors import KnownError
from gpla_assets.common.tables import TableError


class StructureError(KnownError, ValueError):
    """A matrix, a setting or a stored system from which no value system can be had."""


class MatrixError(TableError):
    """A file that holds no subject x value matrix; the message names the place."""
