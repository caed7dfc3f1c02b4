"""Looking at what a study found, in its published file: profiles, comparisons, sentences, SQL."""

from gpla_assets.looking.published import LookingError, reading, studies_to_look_at
from gpla_assets.looking.study import PublishedStudy, open_study

__all__ = ["LookingError", "PublishedStudy", "open_study", "reading", "studies_to_look_at"]
