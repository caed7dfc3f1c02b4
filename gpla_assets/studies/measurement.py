"""Settings of the measurement rule: how judged perceptions become a subject's scores."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from gpla_assets.studies.settings import Settings

MeasurementRule = Literal["gpv", "share", "net", "salience", "top"]
RULES: tuple[MeasurementRule, ...] = get_args(MeasurementRule)
# decision 0014
DEFAULT_RULE: MeasurementRule = "salience"
GATED_RULE: MeasurementRule = "gpv"
"""The default where M_E does not give the relevance of every pair."""
CONTINUOUS: tuple[MeasurementRule, ...] = ("salience",)
"""Rules that read the relevance of every pair, however small."""
TOP_RELEVANCE = 0.2
"""From where on a perception's most relevant value counts; lower than GPV's cut, since one value is
taken of each perception and no other can pass beside it."""


class MeasurementSettings(Settings):
    """What a subject's perceptions say of a value together."""

    rule: MeasurementRule = Field(
        DEFAULT_RULE,
        description="Point 10: gpv is the paper's, the mean score of relevant perceptions; share "
        "is how many are relevant; net adds up scores over all perceptions; salience is the mean "
        "logit of relevance, less what each question brings to whoever answers it; top lets each "
        "perception count for its most relevant value only. If absent salience, or gpv where a "
        "gated LLM is M_E.",
    )
    top_relevance: float = Field(
        TOP_RELEVANCE,
        ge=0,
        le=1,
        description="Point 10: of the rule top; a perception counts for its most relevant value "
        "where its relevance is strictly above it.",
    )
    follow_on: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Point 10: weight of a response's perceptions that neither hold the question "
        "nor come first; 1 as in the paper.",
    )
