"""What can be wrong with a source."""

from gpla_assets.common.errors import KnownError


class SourceError(KnownError, ValueError):
    """A file that is not as its reader expects; names the file, what was found and expected."""


class SourceDamaged(SourceError):
    """A file that is truncated, not of its format, or does not have its checksum."""


class SourceMissing(KnownError, FileNotFoundError):
    """A source that is not on this machine; says where it was looked for and where to get it."""
