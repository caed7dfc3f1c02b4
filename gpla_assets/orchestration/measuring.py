"""From a file of answers to the values of its LLMs: the study that is made of it, and its steps."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from gpla_assets.orchestration.running import Done, run_study
from gpla_assets.orchestration.steps import all_steps, step_named
from gpla_assets.orchestration.versions import upstream_of
from gpla_assets.studies import load_study
from gpla_assets.studies.own_study import OwnStudy, write_study

RESULTS = ("value_correlations", "value_estimates")
"""The steps whose rows say what LLMs value."""


def measure(study: OwnStudy, folder: Path, report: Callable[[str], None]) -> tuple[Path, Done]:
    """Write the study's file into `folder` and make what LLMs' values rest on, and no more.

    Its path, and what was made; `gpla run` on it makes the rest. Raises what `write_study` and
    `run_study` do.
    """
    path = write_study(study, folder)
    settings = load_study(str(path))
    needed = needed_for(RESULTS, str(path))
    return path, run_study(str(path), settings, report, only=needed)


def needed_for(names: tuple[str, ...], study: str) -> list[str]:
    """Steps and all that they read, in the order in which they are made."""
    settings, found = load_study(study), set(names)
    for one in reversed(all_steps()):
        if one.name in found:
            found |= {above.name for above in upstream_of(step_named(one.name), settings)}
    return [one.name for one in all_steps() if one.name in found]
