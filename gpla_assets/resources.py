"""What assets are given: the study, its warehouse and its agents."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import dagster as dg
import pandas as pd

from gpla_assets.agents import Agent, Asking, agent_record
from gpla_assets.chat import Budget, Totals
from gpla_assets.pipeline import BY_NAME, expected_components
from gpla_assets.stamps import input_stamps
from gpla_assets.storage import RunRecord, Warehouse, WarehouseCalls, Write
from gpla_assets.studies import Model, Study, fingerprint, load_study

EXAMPLE_ROWS = 5
FAILURES = ("dropped", "unparsed", "unread", "unjudged")
"""What agents say of replies that gave no row: counts by reason, or the parts that failed."""


class StudyResource(dg.ConfigurableResource):
    """A study by name or path; the warehouse and the records of what made its rows."""

    study: str = ""

    def load(self) -> Study:
        """The study; GPLA_STUDY names it where the configuration does not."""
        return _study(self._name())

    def _name(self) -> str:
        return self.study or os.environ.get("GPLA_STUDY", "demo")

    def budget(self) -> Budget:
        """What this process may spend and has spent on calls, over all steps."""
        return _budget(self._name())

    def warehouse(self) -> Warehouse:
        """The study's warehouse."""
        return Warehouse(self.load().warehouse_path)

    def asking(self) -> Asking:
        """How this run's endpoints are asked: replies are kept in the warehouse.

        GPLA_REFRESH=1 asks again what was asked before.
        """
        study = self.load()
        refresh = os.environ.get("GPLA_REFRESH") == "1"
        cache = WarehouseCalls(self.warehouse())
        return Asking(study.calls, cache, self.budget(), refresh, study.seed)

    def read(self, sql: str, parameters: Sequence[Any] = ()) -> pd.DataFrame:
        """Rows of a query on the working file."""
        return self.warehouse().read(sql, parameters)


@lru_cache
def _budget(name: str) -> Budget:
    return Budget(_study(name).calls)


@lru_cache
def _study(name: str) -> Study:
    return load_study(name)


@dataclass
class Making:
    """One making of a step's rows: what is written, and what is said of it."""

    step: str
    partitions: list[str]
    writes: list[Write] = field(default_factory=list)
    inferences: int = 0
    details: dict[str, Any] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)
    started: float = field(default_factory=time.monotonic)
    result: dg.MaterializeResult | None = None

    def write(
        self, table: str, rows: pd.DataFrame, column: str | None = None, keys: Sequence[str] = ()
    ) -> None:
        """Replace a table's rows, or those of the partitions `keys` of `column`."""
        self.writes.append(Write(table, rows, column, tuple(keys)))

    def made_by(self, role: str, agent: Agent, settings: Model) -> str:
        """Store who makes the rows; its key goes into each of them."""
        record = agent_record(role, agent, settings)
        self.write("agents", pd.DataFrame([record]), "agent", [record["agent"]])
        self.details |= {"agent": agent.name, "model": agent.model}
        for name in FAILURES:
            if found := getattr(agent, name, None):
                self.details[name] = dict(found) if isinstance(found, Mapping) else list(found)
        return str(record["agent"])


@contextmanager
def making(resource: StudyResource, step: str, partitions: Sequence[str] = ()) -> Iterator[Making]:
    """Compute inside; on leaving, rows and run records are written in one transaction."""
    study, warehouse = resource.load(), resource.warehouse()
    made, before = Making(step, list(partitions)), resource.budget().totals
    yield made
    made.details |= calls_made(before, resource.budget().totals)
    warehouse.create()
    subjects = list(warehouse.read("select subject from subjects order by subject").subject)
    if step == "subjects":
        subjects = list(made.writes[-1].rows["subject"])
    expected = expected_components(study, subjects, input_stamps(study))
    seconds = time.monotonic() - made.started
    rows = sum(len(write.rows) for write in made.writes)
    keys = made.partitions or [""]
    records = [
        RunRecord(
            asset=step,
            partition_key=key,
            fingerprint=fingerprint(expected[step, key]),
            components=expected[step, key],
            code_version=BY_NAME[step].code_version,
            row_count=made.counts.get(key, rows if len(keys) == 1 else 0),
            inferences=made.inferences if index == 0 else 0,
            seconds=seconds / len(keys),
            details=made.details,
        )
        for index, key in enumerate(keys)
    ]
    warehouse.replace_partition(made.writes, records)
    made.result = dg.MaterializeResult(metadata=_metadata(made, rows, seconds))


def calls_made(before: Totals, after: Totals) -> dict[str, Any]:
    """Calls, tokens and cost of a step, by name; nothing where no endpoint was asked."""
    found: dict[str, Any] = {
        f"LLM {name.replace('_', ' ')}": getattr(after, name) - getattr(before, name)
        for name in ("calls", "cached", "prompt_tokens", "completion_tokens")
    }
    if not any(found.values()):
        return {}
    if after.cost is not None and before.cost is not None:
        found["LLM cost"] = after.cost - before.cost
    return found


def _metadata(made: Making, rows: int, seconds: float) -> dict[str, Any]:
    metadata: dict[str, Any] = {
        "dagster/row_count": rows,
        "inferences": made.inferences,
        "seconds": round(seconds, 2),
    }
    for write in made.writes:
        sample = write.rows.head(EXAMPLE_ROWS).astype(str)
        if len(sample):
            metadata[f"{write.table} examples"] = dg.MetadataValue.md(markdown_table(sample))
    for name, detail in made.details.items():
        metadata[name] = (
            detail if isinstance(detail, int | float | str) else dg.MetadataValue.json(detail)
        )
    return metadata


def markdown_table(rows: pd.DataFrame) -> str:
    """Rows as a Markdown table; cells are escaped and cut, since they hold models' text."""

    def cell(text: Any) -> str:
        plain = " ".join(str(text).split())[:160]
        for mark in ("\\", "|", "<", ">", "`", "[", "]", "*", "_"):
            plain = plain.replace(mark, "\\" + mark)
        return plain

    lines = ["| " + " | ".join(map(cell, rows.columns)) + " |", "|" + " --- |" * len(rows.columns)]
    lines += ["| " + " | ".join(map(cell, row)) + " |" for row in rows.itertuples(index=False)]
    return "\n".join(lines)
