"""Settings of the lexicon, and from where on two names count as one value."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, ValidationInfo

from gpla_assets.studies.settings import Settings, beside_study

SAME_ROUGE = 0.5
"""Point 5: half of the words; neither the paper nor what could be read of Kaleido has a number."""
SAME_COSINE = 0.53
"""Point 5: the only cut that the paper gives (C.1, after Kaleido)."""
LISTED_COSINE = 0.4
"""Pairs of names are listed from here on, so that a higher threshold needs no new similarities."""


VALUE_LISTS = ("paper", "schwartz")
"""Lists of values that ship: those of the paper's Table 10, and Schwartz's ten."""


def _user_list(name: object, info: ValidationInfo) -> object:
    if not isinstance(name, str) or name in VALUE_LISTS:
        return name
    return beside_study(name, info)


class LexiconSettings(Settings):
    """Filtering of near-duplicates (point 5); the more frequent value stays."""

    values: Annotated[str | None, BeforeValidator(_user_list)] = Field(
        None,
        description="Measure these values in the place of those that the corpus gives: paper "
        "(Table 10's), schwartz (his ten), or a CSV value,definition.",
    )
    rouge_threshold: float = Field(
        SAME_ROUGE, gt=0, le=1, description="Point 5: of rougeLsum's F, precision and recall."
    )
    cosine_threshold: float = Field(
        SAME_COSINE,
        gt=0,
        le=1,
        description="Point 5: of the names' sentence embeddings; the only cut published, C.1.",
    )
    minimum_frequency: int = Field(1, ge=1, description="Point 4: no cut-off.")
    size: int | None = Field(None, ge=2, description="Measure only the most frequent values.")

    @property
    def listed_cosine(self) -> float:
        """The cosine from which a pair is listed; a threshold below it lowers it."""
        return min(LISTED_COSINE, self.cosine_threshold)
