"""Which panel of `gpla --help` a command stands in, and what holds of every command."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from gpla_assets.common.errors import KnownError

PANELS: Mapping[str, tuple[str, ...]] = {
    "Start": ("measure", "init", "check", "run", "status", "download", "questions", "ask"),
    "Look": ("explore", "show", "compare", "why", "query", "sql", "ui", "docs"),
    "Own data": (
        *("add-llm", "remove-llm", "administer", "perceive", "values", "score", "lexicon"),
        *("generate-questions", "ask-directly", "structure", "cfa", "invariance"),
    ),
    "Store": ("warehouse", "serve"),
}
TRAINING = ("train-parser", "train-evaluator", "quality", "external-validity")
RESEARCH = "Research"
"""Of all other commands."""
WRITTEN = ("out", "json_out", "html_out", "json_file", "sweep", "csv_out")
"""Parameters that name a file to write."""


class OutputError(KnownError, ValueError):
    """A file to write that cannot be."""


def panel_of(command: str) -> str:
    """The panel that a command stands in."""
    if command in TRAINING:
        return "Training"
    return next((panel for panel, names in PANELS.items() if command in names), RESEARCH)


class Command(TyperCommand):
    """A command that looks at where it is to write before it computes anything."""

    def invoke(self, ctx: Any) -> Any:
        from gpla_assets.cli.commands import readable_errors

        with readable_errors():
            for parameter in self.params:
                path = ctx.params.get(str(parameter.name))
                told = getattr(getattr(parameter, "type_descriptor", None), "parameter_info", None)
                a_file = getattr(told, "file_okay", True)
                if parameter.name in WRITTEN and isinstance(path, Path) and a_file:
                    writable(path, parameter.opts[0])
        return super().invoke(ctx)


def writable(path: Path, option: str) -> None:
    """Raises OutputError where a file to write has no folder, or is one."""
    if path.is_dir():
        raise OutputError(f"{option} {path} is a folder: expected a file to write.")
    if not path.absolute().parent.is_dir():
        raise OutputError(
            f"{option} {path}: the folder {path.parent} does not exist. Make it, or name another."
        )


class Group(TyperGroup):
    """Commands in the order of their panels, which `--help` keeps."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of the commands."""
        order = [*PANELS, RESEARCH, "Training"]
        own = [name for names in PANELS.values() for name in names]

        def place(name: str) -> tuple[int, int]:
            return order.index(panel_of(name)), own.index(name) if name in own else 0

        return sorted(super().list_commands(ctx), key=place)


class Commands(typer.Typer):
    """The program: each command in its panel, which stand in the order of PANELS."""

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        def register(function: Callable[..., Any]) -> Callable[..., Any]:
            own = name or function.__name__.replace("_", "-")
            options.setdefault("rich_help_panel", panel_of(own))
            options.setdefault("cls", Command)
            return typer.Typer.command(self, name, **options)(function)

        return register
