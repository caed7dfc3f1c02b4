"""One making of a step's rows: what is read, computed, checked and written, in that order.

The versions of what is read are taken before anything is computed; rows count, with the record of
what they rest on, once the checks have seen them, in one transaction.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

import pandas as pd

from gpla_assets.agents.backends import Asking
from gpla_assets.agents.protocol import Agent
from gpla_assets.agents.record import agent_record
from gpla_assets.chat import Budget
from gpla_assets.common.errors import KnownError
from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.orchestration.dbt import NodeResult, build
from gpla_assets.orchestration.parts import Here, Workers
from gpla_assets.orchestration.steps import Step, all_steps
from gpla_assets.orchestration.used import agent_version
from gpla_assets.orchestration.versions import (
    Expected,
    Key,
    Stored,
    Versions,
    partition_keys,
    stored_of,
    upstream_of,
)
from gpla_assets.storage import RunRecord, Warehouse, WarehouseCalls, Write, relation
from gpla_assets.storage.shards import Shards, Spool
from gpla_assets.storage.tables import TABLES
from gpla_assets.studies import Model, Study, SubjectSource, fingerprint

RECORDS = "select asset, partition_key, fingerprint, code_version, components from internal.runs"
SUBJECTS = "select subject_id from evidence.subjects order by subject_id"

Detail = int | float | str | Mapping[str, object] | Sequence[object]
"""What else is told of a making, under a name."""


Own = TypeVar("Own", bound=Agent)
Chosen = TypeVar("Chosen", bound=Model)


class NotMade(KnownError, LookupError):
    """A step whose upstream rows were never made; the message names both."""


@dataclass(frozen=True)
class State:
    """What a warehouse holds at one moment: its subjects, and the record of every partition."""

    subjects: list[str]
    stored: dict[Key, Stored]


def state_of(warehouse: Warehouse, timeout: float | None = None) -> State:
    """The present state; an empty one where there is no warehouse yet."""
    # a status of a study that was never run must not create its file
    if not warehouse.exists():
        return State([], {})
    warehouse.create()
    subjects, rows = warehouse.fetch([SUBJECTS, RECORDS], timeout)
    return State([row[0] for row in subjects], stored_of(rows))


@dataclass
class Making:
    """What a step's function is given: the study, the warehouse's rows, and where results go.

    `keys` are the partitions to make ([] where the step has none). The function sets `inferences`
    (texts that went through a model) and `details` (what else is to be told of the making).
    `version` names all that the rows will rest on, and `tell` says a line to the user.
    """

    step: Step
    study: Study
    keys: list[str]
    warehouse: Warehouse
    budget: Budget
    writes: list[Write] = field(default_factory=list)
    present: list[str] | None = None
    inferences: int = 0
    details: dict[str, Detail] = field(default_factory=dict)
    version: str = ""
    tell: Callable[[str], None] = lambda line: None

    def read(self, sql: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Rows of a query on the working file."""
        return self.warehouse.read(sql, parameters)

    def spooled(self, sql: str, parameters: Sequence[object] = ()) -> Spool:
        """The same rows in a file, for steps that read a part of them at a time."""
        return self.warehouse.spooled(sql, parameters)

    def shards(self, table: str) -> Shards:
        """Where the step puts its own rows of a table a part at a time; they lack their agent."""
        own = {"origin": self.step.origin} if "origin" in TABLES[table].model_fields else {}
        return Shards(table, agent_id=None, **own)

    def write(
        self,
        table: str,
        rows: pd.DataFrame | Shards,
        column: str | None = None,
        keys: Sequence[str] = (),
    ) -> None:
        """Replace a table's rows, or those of the partitions `keys` of `column`."""
        self.writes.append(Write(table, rows, column, tuple(keys)))

    @property
    def origin(self) -> str:
        """The origin of the rows that the step makes in tables of several origins."""
        assert self.step.origin is not None, self.step.name
        return self.step.origin

    def write_origin(self, table: str, rows: pd.DataFrame | Shards) -> None:
        """Replace the step's own part of a table of several origins, or its partitions of it."""
        own = rows.assign(origin=self.origin)
        column, keys = ("subject_id", self.keys) if self.keys else ("origin", [self.origin])
        self.write(table, own, column, keys)

    def keep_only(self, subjects: Iterable[str]) -> None:
        """The subjects there are: rows of any other leave every table, with their records."""
        self.present = list(subjects)

    def asking(self) -> Asking:
        """How this run's endpoints are asked: replies are kept in the warehouse.

        GPLA_REFRESH=1 asks again what was asked before.
        """
        refresh = os.environ.get("GPLA_REFRESH") == "1"
        cache = WarehouseCalls(self.warehouse)
        return Asking(self.study.calls, cache, self.budget, refresh, self.study.seed, self.tell)

    def workers(self, make: Callable[[Chosen, Asking], Own], settings: Chosen) -> Workers[Own]:
        """Who goes through the step's rows: the agent of this process, or actors of a cluster.

        Raises ComputeError where there is no such cluster.
        """
        agent, compute = make(settings, self.asking()), self.study.compute
        # calls, their cache and their budget are this process's
        if compute.backend == "local" or settings.asks_endpoint:
            return Here(agent)
        from gpla_assets.orchestration.ray_workers import RayWorkers

        own = partial(make, settings, Asking(seed=self.study.seed))
        workers = RayWorkers(agent, own, compute, self.scratch)
        self.tell(str(workers))
        self.details["computed by"] = str(workers)
        return workers

    @property
    def scratch(self) -> Path:
        """Where parts of the step's rows lie until all of them are stored."""
        parts = self.study.warehouse_path.parent / "work" / "parts"
        return parts / self.study.name / self.step.name / self.version

    def made_by(self, role: str, workers: Workers[Own], settings: Model) -> str:
        """Store who makes the rows; its key goes into each of them."""
        agent, told = workers.agent, workers.told
        self.inferences = told.inferences
        record = agent_record(role, agent, settings, agent_version(role, settings))
        agent_id = str(record["agent_id"])
        self.write("agents", pd.DataFrame([record]), "agent_id", [agent_id])
        self.details |= {"agent": agent.name, "model": agent.model}
        for name, found in told.failures.items():
            self.details[name] = dict(found) if isinstance(found, Mapping) else list(found)
        return agent_id

    def subject_version(self, source: SubjectSource) -> str:
        """The version of the agent that answers for a source of subjects."""
        return agent_version("subjects", source)


@dataclass(frozen=True)
class Made:
    """What a making gave: versions and rows by partition, and what is told of it."""

    step: Step
    versions: dict[str, Expected]
    rows: dict[str, int]
    writes: list[Write]
    inferences: int
    seconds: float
    details: Mapping[str, Detail]
    nodes: list[NodeResult] = field(default_factory=list)

    @property
    def row_count(self) -> int:
        """Rows of the step's main table, all partitions together."""
        return sum(self.rows.values())


def make(
    step: Step,
    study: Study,
    warehouse: Warehouse,
    budget: Budget,
    keys: Sequence[str] = (),
    tell: Callable[[str], None] = lambda line: None,
) -> Made:
    """Make a step's rows (the partitions `keys` of it) and store them with their record.

    Raises NotMade where upstream rows are missing, RowsRefused where the new rows break a check,
    and what the step's function raises; then nothing is written.
    """
    started, before = time.monotonic(), budget.totals
    # before reading: of rows that change meanwhile the record names the older ones
    versions = versions_used(step, study, warehouse, keys)
    if step.models:
        return _built(step, study, warehouse, versions, started)
    version = fingerprint([[key, one.fingerprint] for key, one in versions.items()])
    made = Making(step, study, list(keys), warehouse, budget, version=version, tell=tell)
    step.function()(made)
    made.details |= budget.totals.since(before)
    seconds = time.monotonic() - started
    done = Made(
        *(step, versions, rows_by_key(made), made.writes),
        *(made.inferences, seconds, made.details),
    )
    # their rows go in the transaction of the subjects that stay
    departed = _departed(made)
    warehouse.replace_partition(
        [*made.writes, *departed[0]], records(done), CHECKS.get(step.name, ()), departed[1]
    )
    shutil.rmtree(made.scratch, ignore_errors=True)
    return done


def _built(
    step: Step, study: Study, warehouse: Warehouse, versions: dict[str, Expected], started: float
) -> Made:
    """dbt's models, on a copy that takes the warehouse's place once all tests have passed."""
    variables = step.function()(study)
    assert isinstance(variables, Mapping), step.name
    # decision 0003: a build that is killed leaves a copy behind, and the file as it was
    with warehouse.staged() as staged:
        results = build(str(step.models), staged.file, variables)
        done = Made(
            *(step, versions, {"": staged.rows(step.table)}, []),
            *(0, time.monotonic() - started, {"variables": variables}),
            nodes=results,
        )
        staged.record(records(done))
    return done


def versions_used(
    step: Step, study: Study, warehouse: Warehouse, keys: Sequence[str]
) -> dict[str, Expected]:
    """What the rows to be made will rest on, by partition: taken before they are computed."""
    warehouse.create()
    state, versions = state_of(warehouse), Versions(study)
    found = {}
    for key in keys or [""]:
        for one in upstream_of(step, study):
            own = partition_keys(one, study, state.subjects) if step.reads_whole(one) else [key]
            at = own[0] if one.partitions and own else ""
            if own and (one.name, at) not in state.stored:
                raise NotMade(
                    f"Step {step.name} reads {one.name}, which was never made"
                    f"{f' for {at}' if at else ''}: make it first (`gpla run` makes all that is "
                    "missing)."
                )
        found[key] = versions.used(step, key, state.subjects, state.stored)
    return found


def rows_by_key(made: Making) -> dict[str, int]:
    """Rows of the main table that were written, by partition."""
    main = [write for write in made.writes if write.table == made.step.table]
    if not made.keys:
        return {"": sum(len(write.rows) for write in main)}
    # a partition without rows was made all the same
    counts = dict.fromkeys(made.keys, 0)
    for write in main:
        if write.column is not None:
            rows = write.rows
            counted = (
                rows.counts(write.column)
                if isinstance(rows, Shards)
                else rows[write.column].value_counts()
            )
            for key, count in counted.items():
                counts[str(key)] = counts.get(str(key), 0) + int(count)
    return counts


def records(done: Made) -> list[RunRecord]:
    """The run records of a making, one a partition; inferences stand with the first."""
    share = done.seconds / len(done.versions)
    return [
        RunRecord(
            asset=done.step.name,
            partition_key=key,
            fingerprint=version.fingerprint,
            components=version.components,
            code_version=version.shared,
            row_count=done.rows.get(key, 0),
            inferences=done.inferences if place == 0 else 0,
            seconds=share,
            details=done.details,
        )
        for place, (key, version) in enumerate(done.versions.items())
    ]


def _departed(made: Making) -> tuple[list[Write], list[Key]]:
    """What removes subjects: writes of no rows in every table, and records to be forgotten."""
    if made.present is None:
        return [], []
    steps = [one for one in all_steps() if one.partitions == "subjects"]
    tables = list(dict.fromkeys(table for one in steps for table in one.tables))
    found = " union ".join(f"select distinct subject_id from {relation(table)}" for table in tables)
    rows = made.read(
        f"select subject_id from ({found} union select partition_key from internal.runs "
        "where asset in (select unnest(?))) where subject_id is not null",
        [[one.name for one in steps]],
    )
    gone = sorted(set(rows["subject_id"]) - set(made.present))
    if not gone:
        return [], []
    writes = [
        Write(table, made.read(f"from {relation(table)} limit 0"), "subject_id", tuple(gone))
        for table in tables
    ]
    return writes, [(one.name, subject) for one in steps for subject in gone]
