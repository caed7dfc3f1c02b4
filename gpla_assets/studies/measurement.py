"""Settings of the measurement rule: how judged perceptions become a subject's scores."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Settings

MeasurementRule = Literal["gpv", "share", "net", "salience", "top"]
DEFAULT_RULE: MeasurementRule = "gpv"


class MeasurementSettings(Settings):
    """What a subject's perceptions say of a value together."""

    rule: MeasurementRule = Field(
        DEFAULT_RULE,
        description="Point 10: gpv is the paper's, the mean score of relevant perceptions; share "
        "is how many are relevant; net adds up scores over all perceptions; salience is the mean "
        "logit of relevance; top lets each perception count for its most relevant value only.",
    )
    top_relevance: float = Field(
        0.2,
        ge=0,
        le=1,
        description="Of the rule top: a perception counts for its most relevant value strictly "
        "above it. Lower than the evaluator's cut, since only one value is taken.",
    )
    follow_on: float = Field(
        1.0,
        ge=0,
        le=1,
        description="Weight of a response's sentences after its first perception; 1 as in the "
        "paper. What answers the question comes first.",
    )
