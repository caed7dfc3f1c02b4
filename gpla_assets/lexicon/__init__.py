"""The lexicon: near-duplicate values dropped by Rouge and by embedding similarity."""

from gpla_assets.lexicon.filtering import LexiconError, filter_lexicon, normal_form, sweep
from gpla_assets.lexicon.similarity import value_similarities

__all__ = ["LexiconError", "filter_lexicon", "normal_form", "sweep", "value_similarities"]
