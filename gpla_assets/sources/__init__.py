"""Sources: data sets of LLM texts, items and prompts; where to get them and how to read them."""

from gpla_assets.sources.download import download
from gpla_assets.sources.errors import SourceDamaged, SourceError, SourceMissing
from gpla_assets.sources.reading import ReadResult
from gpla_assets.sources.registry import SOURCES, Source, locate, read

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
