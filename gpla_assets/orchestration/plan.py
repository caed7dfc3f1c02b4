"""What is stale, and the few Dagster runs that make it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from gpla_assets.orchestration.making import State, state_of
from gpla_assets.orchestration.steps import Partitions, all_steps, downstream, step_named
from gpla_assets.orchestration.versions import (
    NEVER,
    Stale,
    Versions,
    asked_steps,
    partition_keys,
    stale_steps,
)
from gpla_assets.storage import warehouse_of
from gpla_assets.studies import Study

ALL, ADD_LLM, AGGREGATES, ALIGN = "all", "add_llm", "aggregates", "align"
JOBS: Mapping[str, str] = {
    AGGREGATES: "What reads the measurements of all subjects.",
    ADD_LLM: "The subjects, the partitions of some, and what reads all of them.",
    ALIGN: "Runs of alignment, and what is said of them.",
    ALL: "Every step of the study but its runs of alignment.",
}
"""The jobs, the smaller first. Assets of one Dagster job share their partitions: runs of alignment
have others than subjects."""


@dataclass
class Run:
    """One Dagster run: the steps that it makes, of one range of partitions at most."""

    steps: list[str] = field(default_factory=list)
    partitions: Partitions | None = None
    keys: tuple[str, ...] = ()
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def job(self) -> str:
        """The job that it is a run of: the smallest that holds its steps."""
        found = job_of(self.steps)
        assert found is not None, self.steps
        return found

    @property
    def reason(self) -> str:
        """Why it is run: the reason of its first step."""
        return f"{self.steps[0]}: {self.reasons[self.steps[0]]}"


def job_of(steps: Iterable[str]) -> str | None:
    """The smallest job that holds some steps; None where none holds all of them."""
    wanted = set(steps)
    return next((job for job in JOBS if wanted <= job_steps(job)), None)


@lru_cache
def job_steps(job: str) -> frozenset[str]:
    """The steps of a job: `add_llm` makes an LLM's partitions and what reads all subjects,
    `aggregates` the latter alone, `align` runs of alignment, `all` everything else."""
    every = all_steps()
    runs = {one.name for one in every if one.partitions == "runs"}
    aligned = frozenset(runs | downstream(runs))
    if job == ALIGN:
        return aligned
    if job == ALL:
        return frozenset(one.name for one in every) - aligned
    partitioned = {one.name for one in every if one.partitions == "subjects"}
    after = frozenset(downstream(partitioned | {"subjects"})) - partitioned - aligned
    return after | (partitioned | {"subjects"} if job == ADD_LLM else frozenset())


def stale_in(study: Study, state: State) -> list[Stale]:
    """The steps and partitions of a state whose rows are not what the study implies."""
    # nothing was made: no hash of a file or of code is needed to say so
    if not state.stored and not state.subjects:
        return [Stale(one.name, "", NEVER) for one in asked_steps(study)]
    return stale_steps(Versions(study).expected(state.subjects), state.stored)


def stale_now(study: Study) -> list[Stale]:
    """The steps and partitions whose stored rows are not what the study implies, and why."""
    return stale_in(study, state_of(warehouse_of(study.store)))


def next_runs(
    study: Study, state: State, order: Mapping[str, Sequence[str]], only: Iterable[str] = ()
) -> list[Run]:
    """The runs that make what is stale, as far as it is known before they have run.

    `order` holds the keys of each kind of partitions as Dagster stores them: a run makes a range of
    them. Where the subjects are stale themselves, the steps that come before them are run first;
    what their partitions are is known afterwards.
    """
    wanted = set(only)
    stale = [one for one in stale_in(study, state) if not wanted or one.step in wanted]
    if any(one.step == "subjects" for one in stale):
        # partitions are not known before the subjects are made: they are planned in the next round
        later = downstream(["subjects"]) | {one.name for one in all_steps() if one.partitions}
        later |= downstream([name for name in later])
        stale = [one for one in stale if one.step not in later]
    runs: list[Run] = []
    for name in dict.fromkeys(one.step for one in stale):
        own = [one for one in stale if one.step == name]
        step = step_named(name)
        if step.partitions is None:
            _add(runs, name, own[0].reason, None, ())
            continue
        known = set(partition_keys(step, study, state.subjects))
        keys = [one.partition_key for one in own if one.partition_key in known]
        for group in ranges(keys, order.get(step.partitions, ())):
            _add(runs, name, own[0].reason, step.partitions, group)
    return runs


def _add(
    runs: list[Run], name: str, reason: str, partitions: Partitions | None, keys: tuple[str, ...]
) -> None:
    """Put a step into the earliest run that may hold it: not before one that it reads from."""
    reads = set(step_named(name).reads)
    place = len(runs)
    for at in range(len(runs) - 1, -1, -1):
        run = runs[at]
        same = partitions is None or run.partitions is None or run.keys == keys
        if same and job_of([*run.steps, name]) is not None:
            place = at
        # not before what it reads; within that run it may stand, since Dagster orders a run by
        # itself
        if reads & set(run.steps):
            break
    if place == len(runs):
        runs.append(Run())
    run = runs[place]
    run.steps.append(name)
    run.reasons[name] = reason
    if partitions is not None:
        run.partitions, run.keys = partitions, keys


def ranges(keys: Sequence[str], order: Sequence[str]) -> list[tuple[str, ...]]:
    """Keys in ranges without a gap in their stored order.

    >>> ranges(["a", "d", "b"], ["a", "b", "c", "d"])
    [('a', 'b'), ('d',)]
    """
    places = {key: place for place, key in enumerate(order)}
    found: list[list[str]] = []
    last = -2
    for place, key in sorted((places.get(key, len(places) + n), key) for n, key in enumerate(keys)):
        if place != last + 1:
            found.append([])
        found[-1].append(key)
        last = place
    return [tuple(group) for group in found]
