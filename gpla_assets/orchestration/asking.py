"""The calls of endpoints that a study waits for, gathered without asking them."""

from __future__ import annotations

from collections.abc import Callable

from gpla_assets.orchestration.counting import Tally
from gpla_assets.orchestration.estimate import tally_of
from gpla_assets.orchestration.making import state_of
from gpla_assets.orchestration.plan import stale_in
from gpla_assets.orchestration.running import run_study
from gpla_assets.orchestration.steps import Step
from gpla_assets.orchestration.versions import agents_of, asked_steps, leading_to, reads_of
from gpla_assets.storage import warehouse_of
from gpla_assets.studies import Study

MOST_ROUNDS = 8


def waiting(study_name: str, study: Study, report: Callable[[str], None]) -> Tally:
    """The calls that endpoints would be asked next.

    Steps that lead to them and need no call are made first; each is reported. What follows from
    replies that are not there yet (a second try, or a step that reads them) is known later.
    """
    for _ in range(MOST_ROUNDS):
        found, free = _look(study)
        if not free:
            break
        run_study(study_name, study, report, only=free)
    return found


def _look(study: Study) -> tuple[Tally, list[str]]:
    """Calls of stale steps whose upstream rows are there, and steps that can be made without."""
    warehouse = warehouse_of(study.store)
    state = state_of(warehouse)
    stale: dict[str, list[str]] = {}
    for one in stale_in(study, state):
        stale.setdefault(one.step, []).append(one.partition_key)
    found, free = Tally(), list[str]()
    asking = [one.name for one in asked_steps(study) if _asks(one, study)]
    for step in leading_to(asking, study):
        reads = reads_of(step, study)
        if step.name not in stale or not reads & stale.keys() <= set(free):
            continue
        if not _asks(step, study):
            free.append(step.name)
        elif not reads & stale.keys():
            calls = tally_of(step, study, warehouse, [key for key in stale[step.name] if key])
            found.add(calls)
            if not calls.pending:
                free.append(step.name)
    return found, free


def _asks(step: Step, study: Study) -> bool:
    if step.name == "responses":
        return any(one.asks_endpoint for one in study.subjects)
    return any(one.asks_endpoint for one in agents_of(step, study).values())
