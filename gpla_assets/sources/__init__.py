"""Sources: data sets of LLM texts, items and prompts; where to get them and how to read them."""

from gpla_assets.sources.catalogue import SOURCES, Source, answers_of, locate, read
from gpla_assets.sources.download import download
from gpla_assets.sources.errors import SourceDamaged, SourceError, SourceMissing
from gpla_assets.sources.reading import ReadResult
from gpla_assets.sources.recorded import Answers, AnswersError, read_answers

__all__ = [
    "SOURCES",
    "Answers",
    "AnswersError",
    "ReadResult",
    "Source",
    "SourceDamaged",
    "SourceError",
    "SourceMissing",
    "answers_of",
    "download",
    "locate",
    "read",
    "read_answers",
]
