"""`gpla` in processes of their own that begin with what it computes with imported.

A command takes seconds to import torch, Dagster and dbt. Here one process imports them and waits; a
command is forked from it, with its own environment, folder and output, and imports the command line
itself. Where it matters how a command starts, tests start it anew (`fresh`).
"""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from gpla_assets.orchestration.steps import all_steps

IMPORTED = [
    *("torch", "transformers.models.bert.modeling_bert", "scipy.stats", "statsmodels.api"),
    *("sklearn.linear_model", "semopy", "pingouin", "plotly.graph_objects", "peft"),
    *("dagster", "dagster_dbt", "dbt.cli.main", "dbt.adapters.duckdb.connections"),
    *("gpla_assets.orchestration.running", "gpla_assets.orchestration.dagster_assets"),
    *("gpla_assets.report.page", *(step.module for step in all_steps())),
]
TIMEOUT_S = 500.0
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload(list(dict.fromkeys(IMPORTED)))


@dataclass(frozen=True)
class Ended:
    """A command that has ended: its exit code, and what it printed to both streams."""

    code: int
    output: str


def gpla_command(*arguments: str) -> list[str]:
    """The installed command, as a user starts it."""
    return [str(Path(sys.executable).with_name("gpla")), *arguments]


def forked(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Ended:
    """Run `gpla` in a fork, in `folder` (the present one where none is given)."""
    with TemporaryDirectory() as place:
        file = Path(place) / "output"
        begun = (list(arguments), dict(environment), str(folder or Path.cwd()), str(file))
        process = _FORKS.Process(target=_command, args=begun)
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
        output = file.read_text("utf-8", errors="replace") if file.exists() else ""
        assert process.exitcode is not None
        return Ended(process.exitcode, output)


def fresh(
    arguments: Sequence[str], environment: Mapping[str, str], folder: Path | None = None
) -> Ended:
    """The same by the installed command in a new interpreter."""
    done = subprocess.run(
        gpla_command(*arguments),
        env=dict(environment),
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout + done.stderr)


def _command(arguments: list[str], environment: dict[str, str], folder: str, file: str) -> None:
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    output = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    sys.argv = ["gpla", *arguments]
    from gpla_assets.cli import app

    app()
