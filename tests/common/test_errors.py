"""Errors: what is understood is printed as one line, everything else keeps its traceback."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil

import pytest
from typer.testing import CliRunner

import gpla_assets
from gpla_assets.cli import app
from gpla_assets.cli.commands import readable_errors
from gpla_assets.common.errors import KnownError
from gpla_assets.studies import StudyError

OF_EXTRAS = {"gpla_assets.subjects.inspect_task": "inspect_ai"}
"""Modules that need a package of an extra, which may not be there."""


def exceptions() -> dict[str, type[Exception]]:
    """Every exception class that the package defines, by its full name."""
    found = {}
    for module in pkgutil.walk_packages(gpla_assets.__path__, "gpla_assets."):
        extra = OF_EXTRAS.get(module.name)
        if extra and importlib.util.find_spec(extra) is None:
            continue
        names = vars(importlib.import_module(module.name)).items()
        for name, one in names:
            if (
                inspect.isclass(one)
                and issubclass(one, Exception)
                and one.__module__ == module.name
            ):
                found[f"{module.name}.{name}"] = one
    return found


def test_every_exception_of_the_package_is_a_known_error_and_a_built_in_one() -> None:
    found = exceptions()
    assert len(found) > 20
    for name, one in found.items():
        if one is KnownError:
            continue
        assert issubclass(one, KnownError), f"{name} does not derive from KnownError"
        assert issubclass(one, (ValueError, RuntimeError, OSError, LookupError)), (
            f"{name} has no built-in base"
        )
        assert one.__doc__, f"{name} does not say when it is raised"


def test_a_known_error_is_one_line_and_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    import typer

    with pytest.raises(typer.Exit) as stopped, readable_errors():
        raise StudyError("seed = [x], expected a number.")
    assert stopped.value.exit_code == 1
    assert capsys.readouterr().err == "error: seed = [x], expected a number.\n"


def test_an_unknown_error_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("a fault of the program")

    monkeypatch.setattr("gpla_assets.cli.queries.list_queries", broken)
    result = CliRunner().invoke(app, ["query", "list"])
    assert isinstance(result.exception, ZeroDivisionError)
    assert "error:" not in result.output
