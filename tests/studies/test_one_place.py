"""Every decision stands once: numbers in the settings, settings that something reads."""

from __future__ import annotations

import ast
import importlib
import inspect
import io
import pkgutil
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpla_assets
from gpla_assets import studies
from gpla_assets.cli.alignment import target
from gpla_assets.cli.commands import lexicon
from gpla_assets.cli.structure import structure
from gpla_assets.psychometrics.congruence import EQUAL, FAIR
from gpla_assets.psychometrics.pairwise import FEWEST_PAIRS
from gpla_assets.studies import (
    LexiconSettings,
    MeasurementSettings,
    StructureSettings,
    TargetSettings,
    dbt_folder,
    sql_folder,
)
from gpla_assets.studies.lexicon import SAME_COSINE
from gpla_assets.studies.settings import Settings
from gpla_assets.validation.consistency import FEWEST_VALUES

PACKAGE = Path(gpla_assets.__file__).parent
OWN = PACKAGE / "studies"
NO_DECISION = {"seed": "0 is where random numbers begin"}
RECIPES = PACKAGE / "training"
"""How the weights that ship were made is no setting of a study."""


def modules() -> list[Path]:
    """The package's modules outside studies/."""
    return [path for path in sorted(PACKAGE.rglob("*.py")) if OWN not in path.parents]


def settings_classes() -> list[type[Settings]]:
    """Every group of settings."""
    found = {}
    for module in pkgutil.iter_modules(studies.__path__, "gpla_assets.studies."):
        for name, one in vars(importlib.import_module(module.name)).items():
            if inspect.isclass(one) and issubclass(one, Settings) and one is not Settings:
                found[name] = one
    return list(found.values())


def own_fields(group: type[Settings]) -> list[str]:
    """The settings that a group declares itself."""
    return [name for name in group.model_fields if name in inspect.get_annotations(group)]


def defaults_by_name() -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = defaultdict(list)
    for group in settings_classes():
        for name in own_fields(group):
            found[name].append(group.model_fields[name].default)
    return found


def literal_defaults(path: Path) -> Iterator[tuple[str, Any]]:
    """Parameters and fields of classes with the literals that are their defaults."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.FunctionDef):
            given = [*node.args.posonlyargs, *node.args.args][::-1]
            pairs += [(a.arg, d) for a, d in zip(given, node.args.defaults[::-1], strict=False)]
            kept = zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True)
            pairs += [(a.arg, d) for a, d in kept]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pairs.append((node.target.id, node.value))
        for name, default in pairs:
            with suppress(ValueError):
                value = ast.literal_eval(default) if default is not None else None
                if value not in (None, False):
                    yield name, value


def test_no_default_outside_the_settings_repeats_one() -> None:
    known = defaults_by_name()
    found = [
        (str(path.relative_to(PACKAGE)), name, value)
        for path in modules()
        if RECIPES not in path.parents
        for name, value in literal_defaults(path)
        if name not in NO_DECISION and value in known.get(name, [])
    ]
    assert not found, "take the settings, or no default"


@pytest.mark.parametrize("group", settings_classes(), ids=lambda one: one.__name__)
def test_every_setting_is_read_outside_studies(group: type[Settings]) -> None:
    unread = [name for name in own_fields(group) if name not in attributes_read()]
    assert unread == [name for name in unread if name in READ_BY_METHOD], group.__name__


READ_BY_METHOD = {
    "seeds": "Alignment.runs, which the steps of alignment are partitioned by",
    "warehouse": "Study.store",
}
_READ: set[str] = set()


def attributes_read() -> set[str]:
    """Names of attributes that modules outside studies/ read of anything but `self`."""
    if not _READ:
        _READ.update(
            node.attr
            for path in modules()
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Load)
            and not (isinstance(node.value, ast.Name) and node.value.id == "self")
        )
    return _READ


def numbers_in_code(path: Path) -> list[str]:
    """Number tokens of a Python file, comments and texts left out."""
    tokens = tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline)
    return [token.string for token in tokens if token.type == tokenize.NUMBER]


ONCE = {
    "0.53": "studies/lexicon.py",
    "0.85": "psychometrics/congruence.py",
    "0.975": "common/intervals.py",
    "97.5": None,
    "0.025": "common/intervals.py",
}
"""Numbers that mean one thing wherever they stand, and the module that has them."""


@pytest.mark.parametrize("number", ONCE)
def test_a_number_of_one_meaning_stands_in_one_module(number: str) -> None:
    same = [path for path in PACKAGE.rglob("*.py") if number in numbers_in_code(path)]
    expected = [] if ONCE[number] is None else [ONCE[number]]
    assert [str(path.relative_to(PACKAGE)) for path in same] == expected


def test_texts_of_code_and_sql_repeat_no_threshold() -> None:
    """Nor comments, docstrings and descriptions of columns, which another default makes false."""
    named = re.compile(r"(?<![\d.])0?\.53\b")
    paths = [*PACKAGE.rglob("*.py"), *sql_folder().rglob("*.sql"), *dbt_folder().rglob("*.sql")]
    paths += [*PACKAGE.rglob("*.j2")]
    found = [path for path in paths if named.search(path.read_text("utf-8"))]
    assert [path.name for path in found] == ["lexicon.py"]


# What SQL has to repeat


def test_dbts_own_defaults_are_the_settings() -> None:
    project = yaml.safe_load((dbt_folder() / "dbt_project.yml").read_text("utf-8"))
    own: dict[str, object] = {"measurement_rule": MeasurementSettings().rule}
    own["values_are_given"] = LexiconSettings().values is not None
    for name in project["vars"].keys() - own:
        own[name] = getattr(LexiconSettings(), name)
    assert project["vars"] == own
    used = set()
    for path in dbt_folder().rglob("models/**/*.sql"):
        used |= set(re.findall(r"var\('(\w+)'", path.read_text("utf-8")))
    assert used == set(project["vars"])


def test_sql_reads_congruence_and_shared_values_as_the_science_does() -> None:
    firm = (sql_folder() / "stability.sql").read_text("utf-8")
    assert re.findall(r">= (0\.\d+) then '(\w+)'", firm) == [
        (str(EQUAL), "equal"),
        (str(FAIR), "fair"),
    ]
    for name in ("most_unlike", "most_unlike_subjects"):
        text = (sql_folder() / f"{name}.sql").read_text("utf-8")
        assert re.findall(r"shared_values >= (\d+)", text) == [str(FEWEST_VALUES)]


def test_sql_correlates_as_many_pairs_as_the_science_does() -> None:
    model = dbt_folder() / "models" / "marts" / "structure" / "value_correlations.sql"
    assert re.findall(r"\bn >= (\d+)", model.read_text("utf-8")) == [str(FEWEST_PAIRS)]


COUNTED = re.compile(
    r"(?:where|and|having)\s[^'\"]*?(?:>=|>|<|<=)\s*(?!0\b|1\b)\d+(?![\d.e-])", re.IGNORECASE
)


def test_sql_in_the_code_has_no_least_number_of_its_own() -> None:
    """It is given as a parameter, from where its reason stands."""
    assert COUNTED.search("select criterion from criteria where n_llms >= 5")
    texts = {
        node.value: path.name
        for path in modules()
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert not {
        text: name for text, name in texts.items() if "select" in text and COUNTED.search(text)
    }


def test_commands_take_their_defaults_from_the_settings() -> None:
    given = {
        lexicon: {"rouge": LexiconSettings().rouge_threshold, "cosine": SAME_COSINE},
        structure: StructureSettings().model_dump(include=OPTIONS),
        target: {"mask_below": TargetSettings().mask_below},
    }
    for command, expected in given.items():
        parameters = inspect.signature(command).parameters
        assert {name: parameters[name].default for name in expected} == expected


OPTIONS = {"extraction", "rotation", "missing", "resamples", "purify"}
