"""A study from its file: found, read and validated, with what is wrong with it in words."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from gpla_assets.common.nearest import nearest, shortened
from gpla_assets.common.yaml_text import load_yaml
from gpla_assets.studies.messages import problems
from gpla_assets.studies.places import absolute
from gpla_assets.studies.settings import Settings
from gpla_assets.studies.study import SHIPPED, Study, StudyError

Group = TypeVar("Group", bound=Settings)


def load_study(name_or_path: str) -> Study:
    """A shipped study by name or a user's by path.

    Relative paths in a user's study begin at its own folder. Raises StudyError naming the key, the
    value found and what is allowed.
    """
    if name_or_path in SHIPPED:
        text = files("gpla_assets.studies").joinpath(f"{name_or_path}.yaml").read_text("utf-8")
        return parse_study(text, name_or_path)
    text, folder = _file(name_or_path)
    return parse_study(text, name_or_path, folder)


def _file(name: str) -> tuple[str, Path]:
    """The text of a user's study, and its folder."""
    wanted = f"expected one of {', '.join(SHIPPED)} or the path of a YAML file"
    try:
        path = absolute(name)
        if not path.exists() and absolute(f"{name}.yaml").is_file():
            path = absolute(f"{name}.yaml")
        return path.read_text("utf-8"), path.parent
    except (FileNotFoundError, NotADirectoryError):
        close = nearest(name, SHIPPED)
        also = f"nearest: {', '.join(close)}; " if close else ""
        raise StudyError(f"No study {shortened(name)!r}: {also}{wanted}.") from None
    except IsADirectoryError:
        raise StudyError(f"Study {name!r} is a folder: {wanted}.") from None
    except UnicodeDecodeError as error:
        raise StudyError(
            f"Study {name!r}: byte {error.start} of the file is not UTF-8, expected YAML text. "
            "Store it as UTF-8."
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a null character in the name
        reason = getattr(error, "strerror", None) or error
        raise StudyError(f"Study {name!r} cannot be read ({reason}): {wanted}.") from error


def parse_study(text: str, name: str, folder: Path | None = None) -> Study:
    """A study from YAML text; `name` is for messages, relative paths begin at `folder`."""
    try:
        content = load_yaml(text)
    except yaml.YAMLError as error:
        said = " ".join(str(error).split())
        raise StudyError(f"Study {name} is not YAML: {said}") from error
    if not isinstance(content, dict):
        raise StudyError(f"Study {name} holds {type(content).__name__}, expected a mapping.")
    given: dict[str, str] = {}
    context = {"folder": folder, "given": given} if folder else None
    try:
        study = Study.model_validate(content, context=context)
    except ValidationError as error:
        raise StudyError(f"Study {name}: {problems(error, Study)}") from error
    if folder is not None and study.name in SHIPPED:
        raise StudyError(
            f"Study {name}: name = {study.name!r} is a study that ships, whose warehouse it would "
            "share; expected a name of its own."
        )
    study._given.update(given)
    return study


def settings_of_options(kind: type[Group], **given: object) -> Group:
    """A group of settings from a command's options; raises StudyError as `load_study` does."""
    try:
        return kind(**given)
    except ValidationError as error:
        raise StudyError(problems(error, kind)) from error
