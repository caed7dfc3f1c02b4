"""The lexicon: near-duplicate values dropped by Rouge and by embedding similarity."""

from gpla_assets.lexicon.filtering import LexiconError, filter_lexicon, sweep
from gpla_assets.lexicon.names import filter_names
from gpla_assets.lexicon.similarity import unread, value_similarities
from gpla_assets.lexicon.spelling import common_spellings, normal_form, respelled

__all__ = [
    "LexiconError",
    "common_spellings",
    "filter_lexicon",
    "filter_names",
    "normal_form",
    "respelled",
    "sweep",
    "unread",
    "value_similarities",
]
