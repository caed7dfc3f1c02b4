"""The page of a study's settings, made of the models that check them."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gpla_assets.docs.markdown import cell, code, table
from gpla_assets.studies import Study
from gpla_assets.studies.settings import RUN_ONLY

HEAD = """# Settings of a study

Every key that a study's YAML file may have. A key that is not written has its default. "Point 9" is
the ninth of the [paper's open points](../open_points.md), where the reason stands. An unknown key,
a wrong type or a number out of range is refused, with the key, the value and what is allowed.

A key marked *run* says how a run goes (device, batch, key) and makes no row stale.
"""
SIGNS: tuple[tuple[type, str, str], ...] = (
    (Gt, "gt", "> {}"),
    (Ge, "ge", ">= {}"),
    (Lt, "lt", "< {}"),
    (Le, "le", "<= {}"),
    (MinLen, "min_length", "at least {} long"),
    (MaxLen, "max_length", "at most {} long"),
)


def settings_page() -> str:
    """All settings: a section a group, in the order of the study's file."""
    own, groups = [], []
    for name, field in Study.model_fields.items():
        models = list(_models(field.annotation))
        if not models:
            own.append(_row(name, field))
            continue
        listed = " (a list)" if get_origin(field.annotation) is list else ""
        told = field.description or _first(models[0])
        rows = [_row(*one) for model in models for one in _fields(model, f"{name}.")]
        groups.append(f"## {name}{listed}\n\n{told}\n\n{_table(rows)}")
    return "\n".join([HEAD, "## The study itself\n", _table(own), *groups])


def _table(rows: list[list[str]]) -> str:
    return table(["key", "default", "allowed", "what"], rows)


def _fields(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, FieldInfo]]:
    """Fields of a group by dotted name, those of groups in it after their own name."""
    for name, field in model.model_fields.items():
        yield prefix + name, field
        for inner in _models(field.annotation):
            yield from _fields(inner, f"{prefix}{name}.")


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The groups of settings that an annotation allows."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for one in get_args(annotation):
        yield from _models(one)


def _first(model: type[BaseModel]) -> str:
    return (model.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ")


def _row(name: str, field: FieldInfo) -> list[str]:
    extra = field.json_schema_extra
    run = "*run.* " if isinstance(extra, dict) and extra.keys() >= RUN_ONLY.keys() else ""
    told = cell(field.description or "")
    default = "*must be given*" if field.is_required() else code(_default(field))
    return [code(name), default, cell(_allowed(field)), f"{run}{told}"]


def _default(field: FieldInfo) -> str:
    """As it would be written in YAML."""
    found = _plain(field.get_default(call_default_factory=True, validated_data={}))
    text = str(yaml.safe_dump(found, default_flow_style=True, width=10_000))
    return text.removesuffix("\n").removesuffix("...").strip()


def _plain(default: object) -> object:
    if isinstance(default, BaseModel):
        return default.model_dump(mode="json", exclude_defaults=True)
    if isinstance(default, Path):
        return str(default)
    if isinstance(default, list | tuple):
        return [_plain(one) for one in default]
    return default


def _allowed(field: FieldInfo) -> str:
    """Kind, choices and bounds in words."""
    bounds = [
        sign.format(getattr(rule, name))
        for rule in field.metadata
        for kind, name, sign in SIGNS
        if isinstance(rule, kind)
    ]
    return ", ".join([_kind(field.annotation), *bounds])


def _kind(annotation: Any) -> str:
    """A type in words.

    >>> _kind(int | None), _kind(list[str]), _kind(Literal["a", "b"])
    ('int or null', 'list of str', 'a, b')
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if annotation is type(None):
        return "null"
    if origin is Literal:
        return ", ".join(str(one) for one in inner)
    if origin in (Union, types.UnionType):
        return " or ".join(_kind(one) for one in inner)
    if origin in (list, tuple):
        return f"list of {_kind(inner[0])}"
    if origin is dict:
        return f"{_kind(inner[0])}: {_kind(inner[1])}"
    if hasattr(annotation, "__metadata__"):
        return _kind(annotation.__origin__)
    if isinstance(annotation, type):
        model = issubclass(annotation, BaseModel)
        return "keys below" if model else "path" if annotation is Path else annotation.__name__
    return re.sub(r"\w+\.", "", str(annotation))
