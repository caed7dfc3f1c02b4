"""Settings of judges of responses."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Model


class JudgeSettings(Model):
    """Who judges how helpful or harmless a response is."""

    backend: Literal[
        "preference_model", "toxicity", "beaver_reward", "beaver_cost", "openai", "transformers"
    ] = Field(
        "preference_model",
        description="preference_model (helpfulness) and toxicity (harmlessness) ship; "
        "beaver_reward and beaver_cost are the paper's; openai and transformers ask an LLM "
        "about pairs.",
    )
    measure: Literal["helpfulness", "harmlessness"] = Field(
        "helpfulness", description="What an LLM is asked; the other judges know one thing each."
    )
    with_length: bool = Field(
        False, description="Whether the preference model may count words: longer mostly wins."
    )
