"""The page of the paper's open points and the settings: each names the other, and truly."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, get_args

import pytest
import yaml
from pydantic import BaseModel

import gpla_assets
from gpla_assets.studies import Study, dbt_folder, sql_folder

PACKAGE = Path(gpla_assets.__file__).parent
PAGE = files("gpla_assets").joinpath("docs/open_points.md").read_text("utf-8")
NAMED = re.compile(r"`([a-z_]+(?:\.[a-z_]+)+): ([^`]+)`")
MEANT = re.compile(r"\bpoints? (\d+)((?:(?:,| and| to) \d+)*)", re.IGNORECASE)
PLACES = [*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.yaml"), *sql_folder().rglob("*.sql")]
PLACES += [*dbt_folder().rglob("*.sql"), *dbt_folder().rglob("*.yml")]


@cache
def sections() -> dict[int, str]:
    """The text of each point by its number."""
    parts = re.split(r"(?m)^## (\d+)\. ", PAGE)[1:]
    return {int(number): text for number, text in zip(parts[::2], parts[1::2], strict=True)}


def points_meant(text: str) -> set[int]:
    """Numbers of points in a text: "point 9", "points 9 and 10", "points 11 to 15"."""
    found: set[int] = set()
    for first, more in MEANT.findall(text):
        numbers = [int(first), *map(int, re.findall(r"\d+", more))]
        spans = " to " in more
        found |= set(range(numbers[0], numbers[-1] + 1)) if spans else set(numbers)
    return found


def settings_by_name(group: type[BaseModel] = Study, prefix: str = "") -> dict[str, Any]:
    """Every setting of a study by its dotted name: its field. Items of lists count as groups."""
    found: dict[str, Any] = {}
    for name, field in group.model_fields.items():
        found[prefix + name] = field
        for kind in [field.annotation, *get_args(field.annotation)]:
            if isinstance(kind, type) and issubclass(kind, BaseModel):
                found |= settings_by_name(kind, f"{prefix}{name}.")
    return found


def plain(value: Any) -> Any:
    """A default as a study's YAML has it; of nested settings what differs from their own."""
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_defaults=True)
    return [plain(one) for one in value] if isinstance(value, list) else value


def test_the_points_are_numbered_in_order_and_each_says_default_and_reason() -> None:
    assert list(sections()) == list(range(1, len(sections()) + 1))
    for number, text in sections().items():
        assert re.search(r"(?m)^Default: ", text), number
        assert re.search(r"(?m)^Reason: ", text), number
    assert len(PAGE.splitlines()) <= 150


@pytest.mark.parametrize(("name", "written"), NAMED.findall(PAGE))
def test_a_setting_on_the_page_has_that_default(name: str, written: str) -> None:
    assert name in settings_by_name(), f"{name} is no setting"
    field = settings_by_name()[name]
    assert plain(field.get_default(call_default_factory=True)) == yaml.safe_load(written)


def test_what_the_page_names_in_other_ways_exists() -> None:
    """`alignment.ppo` and the like: a setting, a table with its column, or a file."""
    plainly = set(re.findall(r"`([a-z_]+\.[a-z_]+)`", PAGE))
    of_tables = {"responses.profile_role"}
    assert plainly - of_tables <= set(settings_by_name())
    for path in re.findall(r"`([a-z_]+/[a-z_]+\.py)`", PAGE):
        assert (PACKAGE / path).is_file(), path


def test_every_point_that_the_source_means_is_on_the_page() -> None:
    meant = {number: path for path in PLACES for number in points_meant(path.read_text("utf-8"))}
    assert len(meant) > 15
    unknown = {number: path.name for number, path in meant.items() if number not in sections()}
    assert not unknown


def test_every_setting_that_names_a_point_is_named_there() -> None:
    described = {
        name: points_meant(field.description or "") for name, field in settings_by_name().items()
    }
    told = {
        number: {name for name, _ in NAMED.findall(text)} for number, text in sections().items()
    }
    missing = [
        (name, number)
        for name, numbers in described.items()
        for number in numbers
        if name not in told[number]
    ]
    assert not missing
    assert sum(map(bool, described.values())) > 20


def test_points_are_read_in_every_way_of_naming_them() -> None:
    assert points_meant("(points 16 and 17), Point 4.") == {4, 16, 17}
    assert points_meant("points 11 to 15") == {11, 12, 13, 14, 15}
    assert points_meant("the point is 3 of 4 points") == set()
