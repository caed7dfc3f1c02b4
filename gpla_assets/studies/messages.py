"""What is wrong with settings, in words: key, value found, what is allowed and nearest."""

from __future__ import annotations

from typing import get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gpla_assets.common.nearest import nearest, shortened
from gpla_assets.common.secrets import without_secrets

MOST_PROBLEMS = 8


def problems(error: ValidationError, kind: type[BaseModel]) -> str:
    """Each key with the value found and what is allowed."""
    every = error.errors()
    told = [_problem(found, kind) for found in every[:MOST_PROBLEMS]]
    if len(every) > MOST_PROBLEMS:
        told.append(f"and {len(every) - MOST_PROBLEMS} more")
    return "; ".join(told)


def _problem(found: ErrorDetails, kind: type[BaseModel]) -> str:
    where = ".".join(map(str, found["loc"]))
    if found["type"] == "extra_forbidden":
        known = list(_settings_at(kind, found["loc"][:-1]).model_fields)
        close = nearest(str(found["loc"][-1]), known, 2)
        said = f"nearest: {', '.join(close)}; " if close else ""
        return f"{shortened(where)}: there is no such setting; {said}allowed: {', '.join(known)}"
    shown = shortened(without_secrets(repr(found["input"])))
    return f"{where} = {shown}: {without_secrets(found['msg'])}"


def _settings_at(kind: type[BaseModel], loc: tuple[int | str, ...]) -> type[BaseModel]:
    """The group of settings that a place in a study is one of."""
    for part in loc:
        if isinstance(part, str) and part in kind.model_fields:
            kind = next(iter(_groups(kind.model_fields[part].annotation)), kind)
    return kind


def _groups(annotation: object) -> list[type[BaseModel]]:
    """The groups of settings in an annotation: `list[Model] | None` has one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _groups(part)]
