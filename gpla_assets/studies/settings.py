"""What all groups of settings share, and the settings of a model."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationInfo,
    field_serializer,
)
from pydantic.config import JsonDict

from gpla_assets.studies.places import absolute

RUN_ONLY: JsonDict = {"run_only": True}
"""Marks a field that changes how a run goes (device, batch, key) and never what comes of it."""

PROMPTED = ("openai", "transformers")
"""Backends that ask an LLM with the study's seed."""


def beside_study(path: str, info: ValidationInfo) -> str:
    """A path as a study means it: `~` is the home folder, others begin at the study's own file.

    `info.context` has the study's `folder`, and `given`, which keeps what the user wrote by what it
    became. Without a context (settings made in Python, or shipped) a relative path stays so.
    """
    if info.context is None:
        return os.path.expanduser(path)
    full = str(absolute(path, info.context["folder"]))
    info.context["given"][full] = path
    return full


def _user_path(path: object, info: ValidationInfo) -> object:
    return beside_study(str(path), info) if isinstance(path, str | Path) else path


def user_model(model: object, info: ValidationInfo) -> object:
    """A model's name as it is; its folder where it begins with ./, ../ or ~/.

    What an endpoint calls its models is the endpoint's affair, whatever it looks like.
    """
    if not isinstance(model, str) or info.data.get("backend") == "openai":
        return model
    return beside_study(model, info) if model.startswith(("./", "../", "~/")) else model


UserPath = Annotated[Path, BeforeValidator(_user_path)]
"""A file of the user's that a study names: a relative one lies beside the study's own file."""

UserModel = Annotated[str, BeforeValidator(user_model)]
"""A hub name, a packaged model's, an endpoint's, or a folder, which may be relative as a file."""


DTYPE: Literal["auto"] = "auto"
DEVICE, BATCH_SIZE = "auto", 16
KEY_VARIABLE = "OPENAI_API_KEY"
"""How a model runs, and where its key is, unless somebody says otherwise."""


class Settings(BaseModel):
    """A group of settings; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def without_login(url: str | None) -> str | None:
    """What is dumped is stored and shown: never a user name or password of the address."""
    return None if url is None else re.sub(r"//.*@", "//", url)


class Replica(Settings):
    """A further endpoint of the same model. Limits are its own; those of `calls` if absent."""

    base_url: str = Field(description="Its address.", repr=False)
    model: str | None = Field(None, description="What it calls the model, if otherwise.")
    key_variable: str | None = Field(
        None, description="Environment variable that holds its key, if it is another."
    )
    concurrency: int | None = Field(None, ge=1, le=512)
    requests_per_minute: float | None = Field(None, gt=0)
    tokens_per_minute: float | None = Field(None, gt=0)

    _dumped = field_serializer("base_url")(without_login)


class Model(Settings):
    """Which model a backend runs and how; what a backend does not use stays at its default."""

    backend: str
    model: UserModel | None = Field(None, description="A hub name, a folder, an endpoint's name.")
    revision: str | None = Field(None, description="Commit or tag of a hub model.")
    dtype: Literal["auto", "float32", "bfloat16", "float16"] = DTYPE
    device: str = Field(
        DEVICE, description="auto, cpu, cuda or cuda:N.", json_schema_extra=RUN_ONLY
    )
    batch_size: int = Field(BATCH_SIZE, ge=1, le=4096, json_schema_extra=RUN_ONLY)
    base_url: str | None = Field(
        None, description="Endpoint of `openai`; its own if absent.", repr=False
    )
    key_variable: str = Field(
        KEY_VARIABLE,
        description="Environment variable that holds the key; never the key.",
        json_schema_extra=RUN_ONLY,
    )
    replicas: list[Replica] = Field(
        default_factory=list,
        description="Further endpoints of the same model beside `base_url`: a call goes to "
        "whichever is free, and its reply is kept as that of `base_url`.",
        json_schema_extra=RUN_ONLY,
    )
    prompt_version: str = Field("1", description="Version of the project's prompts.")

    _dumped = field_serializer("base_url")(without_login)

    @property
    def asks_endpoint(self) -> bool:
        """Whether the model runs behind an endpoint, and not here."""
        return self.backend == "openai"


def bearing(settings: object, name: str) -> dict[str, object]:
    """What bears on results in settings, as plain values by dotted name.

    Left out are fields that are marked RUN_ONLY, and paths: what counts is what a file holds.

    >>> bearing(Model(backend="embedded", device="cuda"), "parser")["parser.backend"]
    'embedded'
    """
    if isinstance(settings, BaseModel):
        dumped = settings.model_dump(mode="json")
        found: dict[str, object] = {}
        for key, field in type(settings).model_fields.items():
            value = getattr(settings, key)
            extra = field.json_schema_extra
            if isinstance(extra, dict) and extra.get("run_only"):
                continue
            if "Path" in str(field.annotation):
                continue
            plain = value if isinstance(value, BaseModel | list) else dumped[key]
            found |= bearing(plain, f"{name}.{key}")
        return found
    if isinstance(settings, list) and any(isinstance(one, BaseModel) for one in settings):
        return {
            key: value
            for place, one in enumerate(settings)
            for key, value in bearing(one, f"{name}[{place}]").items()
        }
    return {name: settings}
