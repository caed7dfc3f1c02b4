"""What all groups of settings share, and the settings of a model."""

from __future__ import annotations

from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field, field_serializer


class Settings(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Model(Settings):
    """Which model a backend runs and how; what a backend does not use stays at its default."""

    backend: str
    model: str | None = Field(None, description="A hub name, a folder, or an endpoint's name.")
    revision: str | None = Field(None, description="Commit or tag of a hub model.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = "auto"
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N.")
    batch_size: int = Field(16, ge=1, le=4096)
    base_url: str | None = Field(None, description="Endpoint of `openai`; its own if absent.")
    key_variable: str = Field(
        "OPENAI_API_KEY", description="Environment variable that holds the key; never the key."
    )
    prompt_version: str = Field("1", description="Version of the project's prompts.")

    @field_serializer("base_url")
    def _without_login(self, url: str | None) -> str | None:
        """What is dumped is stored and shown: never a user name or password of the address."""
        if url is None:
            return None
        parts = urlsplit(url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
