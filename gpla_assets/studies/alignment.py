"""Settings of value alignment."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Settings, UserPath


class TargetSettings(Settings):
    """Targets distilled from preferences (equations 3 and 4; point 19)."""

    source: Literal["alpaca_eval_preferences", "hh_rlhf", "pku_saferlhf", "pairs"] | None = Field(
        None, description="Where pairs of responses come from; none makes no target."
    )
    file: UserPath | None = Field(None, description="Read this file instead of the source's own.")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description="Columns of `pairs`; of pku_saferlhf preferred: safer_response_id.",
    )
    prompts: int | None = Field(
        None,
        ge=1,
        description="Only pairs of so many prompts, those whose responses state most attitudes; "
        "pairs of all if absent.",
    )
    count: int | None = Field(
        16_000, ge=1, description="A.4: the paper's target had settled at about so many pairs."
    )
    reading: Literal["keyed", "direct"] = Field(
        "keyed",
        description="Point 15: a factor is the mean of its keyed values, or measured by its name.",
    )
    mask_below: float = Field(
        0.0, ge=0, le=1, description="Point 20: off; the original BaseAlign masks below 0.3."
    )
    step: int = Field(1000, ge=1, description="Pairs between two looks at the target.")
    resamples: int = Field(200, ge=0, description="Bootstrap resamples of prompts.")
    folds: int = Field(5, ge=2, description="Folds of prompts in the predictive check.")
    permutations: int = Field(99, ge=0, description="Shuffles of the preferences.")
    random_targets: int = Field(100, ge=0, description="Targets drawn at random.")
