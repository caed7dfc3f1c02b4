"""Sources: data sets of LLM texts, items and prompts; where to get them and how to read them."""

from gpla_assets.sources.catalogue import SOURCES, Source, locate, read
from gpla_assets.sources.download import download
from gpla_assets.sources.errors import SourceDamaged, SourceError, SourceMissing
from gpla_assets.sources.reading import ReadResult

__all__ = [
    "SOURCES",
    "ReadResult",
    "Source",
    "SourceDamaged",
    "SourceError",
    "SourceMissing",
    "download",
    "locate",
    "read",
]
