"""The steps of the pipeline, each declared once, beside its function in `assets/`.

`@step(...)` is that declaration. It is read from the source, so that `gpla status` knows all steps
without importing what they compute with; Dagster's assets, fingerprints, jobs and the status come
from it. Its arguments are therefore literals.
"""

from __future__ import annotations

import ast
import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from graphlib import TopologicalSorter
from typing import Literal, TypeVar

from gpla_assets.orchestration.code import PACKAGE, ROOT

Partitions = Literal["subjects", "runs"]
"""Subjects of the study, or its runs of alignment (system, LLM, seed)."""

Function = TypeVar("Function", bound=Callable[..., object])


@dataclass(frozen=True)
class Step:
    """One step: what it makes, and what its rows depend on.

    `tables`: the tables that it writes, the main one first. `upstream`: the steps whose rows it
    reads; of a partitioned one its own partition, or all where it has other partitions or none.
    Of these and of agents, "NAME if SETTING" or "NAME if SETTING=VALUE" counts only then.
    `settings`: dotted names in the study that bear on its rows. `agents`: roles whose backend,
    settings and weights do. `inputs`: files outside the package, by their names in `inputs.py`.
    `models`: the folder, in each layer of dbt/models, that it builds. `asked_by`: the dotted
    setting without which the study does not ask for it. `origin`: of a table that several steps
    write, which rows are this step's. `description` is the first line of its function's docstring.
    """

    name: str
    module: str
    description: str
    stage: str
    tables: tuple[str, ...]
    upstream: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    agents: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    partitions: Partitions | None = None
    models: str | None = None
    asked_by: str | None = None
    origin: str | None = None

    @property
    def reads(self) -> tuple[str, ...]:
        """The names of the steps upstream, whatever their conditions."""
        return tuple(written.partition(" if ")[0] for written in self.upstream)

    @property
    def table(self) -> str:
        """The main table: what rows of the step means."""
        return self.tables[0]

    def function(self) -> Callable[..., object]:
        """What computes it; imports what that needs."""
        found: Callable[..., object] = getattr(importlib.import_module(self.module), self.name)
        return found

    def reads_whole(self, upstream: Step) -> bool:
        """Whether all partitions of an upstream step are read."""
        return upstream.partitions is not None and upstream.partitions != self.partitions


def step(
    *,
    stage: str,
    tables: tuple[str, ...],
    upstream: tuple[str, ...] = (),
    settings: tuple[str, ...] = (),
    agents: tuple[str, ...] = (),
    inputs: tuple[str, ...] = (),
    partitions: Partitions | None = None,
    models: str | None = None,
    asked_by: str | None = None,
    origin: str | None = None,
) -> Callable[[Function], Function]:
    """Declares the function below as a step; see `Step` for what the arguments mean."""
    return lambda function: function


@lru_cache(maxsize=1)
def all_steps() -> tuple[Step, ...]:
    """Every step, in an order in which they can be made, stage by stage."""
    found = {one.name: one for one in sorted(_declared(), key=lambda one: _number(one.stage))}
    for one in found.values():
        unknown = [name for name in one.reads if name not in found]
        if unknown:
            raise LookupError(f"Step {one.name} has upstream {unknown[0]!r}, which is no step.")
    order = TopologicalSorter({name: one.reads for name, one in found.items()})
    order.prepare()
    ready: list[str] = []
    places = list(found)
    made: list[Step] = []
    while order.is_active():
        # of several that could come next the one of the earliest stage: one order, every time
        ready = sorted([*ready, *order.get_ready()], key=places.index)
        name = ready.pop(0)
        made.append(found[name])
        order.done(name)
    return tuple(made)


def step_named(name: str) -> Step:
    """A step by its name."""
    return next(one for one in all_steps() if one.name == name)


def downstream(names: Iterable[str]) -> set[str]:
    """Steps that read, by any way, what the named steps make; without these."""
    found: set[str] = set(names)
    first = set(found)
    for one in all_steps():
        # steps come in an order in which they can be made: one pass finds all
        if found & set(one.reads):
            found.add(one.name)
    return found - first


def _number(stage: str) -> int:
    return int(stage.partition("_")[0])


def _declared() -> Iterator[Step]:
    for path in sorted((ROOT / "assets").glob("*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and getattr(mark.func, "id", None) == "step":
                    given = {
                        word.arg: ast.literal_eval(word.value) for word in mark.keywords if word.arg
                    }
                    lines = (ast.get_docstring(node) or "").splitlines()
                    module = f"{PACKAGE}.assets.{path.stem}"
                    yield Step(node.name, module, lines[0] if lines else "", **given)
