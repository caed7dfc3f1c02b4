"""What the rows of a step rest on, under one hash; which rows are stale, and why.

The components of a step (of one partition of it) are its code, the versions of libraries, settings,
files and what stood upstream. `expected` gives the components that the study implies now, `used`
those of a making: the same but for the versions of upstream rows, which are the stored ones. A
step is stale where its stored fingerprint is not the expected one. Dagster shows the same: the
version is an asset's code version as expected, and its data version as made.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gpla_assets.orchestration.code import ROOT
from gpla_assets.orchestration.hashes import file_hash
from gpla_assets.orchestration.inputs import RESOLVERS, Origins
from gpla_assets.orchestration.steps import Step, all_steps
from gpla_assets.orchestration.used import (
    agent_settings,
    agent_version,
    base_model_hash,
    chosen_backends,
    code_of,
    library_version,
    model_hashes,
)
from gpla_assets.studies import Study, fingerprint
from gpla_assets.studies.settings import PROMPTED, Model

PARTS = ("settings", "files", "own", "libraries", "code", "upstream")
"""Kinds of components, in the order in which a reason names them."""
WORDS = {"own": "answers"}
MOST_NAMED = 4
"""Names of one kind that a reason lists."""
NEVER = "never made"
OLDER = "made by an older GPLA"

Key = tuple[str, str]
"""A step and a partition of it ("" where it has none)."""
Components = Mapping[str, Mapping[str, object]]


@dataclass(frozen=True)
class Stored:
    """The record of what made a partition's rows: its hashes, and the components behind them."""

    fingerprint: str
    shared: str
    components: Components = field(default_factory=dict)


@dataclass(frozen=True)
class Expected:
    """What a partition's rows should rest on; `shared` leaves out what is one subject's alone."""

    components: Components
    fingerprint: str
    shared: str


@dataclass(frozen=True)
class Stale:
    """A step (one partition of it) whose rows are not what the study implies, and why."""

    step: str
    partition_key: str
    reason: str


def asked_steps(study: Study) -> list[Step]:
    """The steps that a study asks something of, in an order in which they can be made."""
    return [one for one in all_steps() if one.asked_by is None or study.meets(one.asked_by)]


def partition_keys(step: Step, study: Study, subjects: Sequence[str]) -> list[str]:
    """The partitions of a step: the study's subjects or runs; [""] where it has none."""
    return {"subjects": list(subjects), "runs": study.alignment.runs(), None: [""]}[step.partitions]


def upstream_of(step: Step, study: Study) -> list[Step]:
    """The steps whose rows a step reads in this study."""
    asked = {one.name: one for one in asked_steps(study)}
    names = [_name for _name, holds in _conditions(step.upstream, study) if holds]
    return [asked[name] for name in names if name in asked]


def reads_of(step: Step, study: Study) -> set[str]:
    """The steps that come before one: those that it reads, and what its partitions are."""
    found = {one.name for one in upstream_of(step, study)}
    return found | {"subjects"} if step.partitions == "subjects" else found


def leading_to(names: Iterable[str], study: Study) -> list[Step]:
    """The named steps and all that come before them in this study, in an order to make them."""
    steps, wanted = asked_steps(study), set(names)
    for one in reversed(steps):
        if one.name in wanted:
            wanted |= reads_of(one, study)
    return [one for one in steps if one.name in wanted]


def _conditions(names: Iterable[str], study: Study) -> Iterator[tuple[str, bool]]:
    for written in names:
        name, _, condition = written.partition(" if ")
        yield name, not condition or study.meets(condition)


def agents_of(step: Step, study: Study) -> dict[str, Model]:
    """The agents that run in a step, by role, with their settings."""
    names = [name for name, holds in _conditions(step.agents, study) if holds]
    own = {name: study.setting("naming.llm" if name == "namer" else name) for name in names}
    return {name: settings for name, settings in own.items() if isinstance(settings, Model)}


class Versions:
    """The components of a study's steps, each computed once."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.origins = Origins(study)
        self._inputs: dict[str, dict[str, str]] = {}
        self._own: dict[str, Components] = {}
        self._reads: dict[str, list[Step]] = {}

    def own_components(self, step: Step) -> Components:
        """What a step rests on beside upstream rows and what is a partition's alone."""
        if step.name not in self._own:
            self._own[step.name] = self._components(step)
        return self._own[step.name]

    def _components(self, step: Step) -> Components:
        agents = agents_of(step, self.study)
        reached = code_of((step.module, step.name), chosen_backends(agents))
        parts = [agent_settings(role, settings) for role, settings in agents.items()]
        files = {f"package: {name}": file_hash(ROOT / name) for name in reached.files}
        for name in step.inputs:
            if name in RESOLVERS:
                if name not in self._inputs:
                    self._inputs[name] = RESOLVERS[name](self.study)
                files |= self._inputs[name]
        settings = self.study.bearing(*step.settings)
        for one in parts:
            settings |= self.study.as_written(one["settings"])
            files |= one["files"]
        # the seed bears on what an LLM replies; on all else only where a step names it
        if any(one.backend in PROMPTED for one in agents.values()):
            settings["seed"] = self.study.seed
        libraries = set(reached.libraries)
        if step.models:
            files |= model_hashes(step.models)
            libraries |= {"duckdb", "dbt-core"}
        return {
            "settings": settings,
            "files": files | base_model_hash(reached),
            "libraries": {name: library_version(name) for name in sorted(libraries)},
            "code": dict(reached.code),
        }

    def partition_components(self, step: Step, key: str) -> dict[str, str]:
        """What is one partition's alone: where a subject's answers come from."""
        if "answers" not in step.inputs:
            return {}
        source, found = self.origins.of(key)
        if source is None or source.backend == "recorded":
            return found
        return {**found, "agent": agent_version("subjects", source)}

    def reads(self, step: Step) -> list[Step]:
        """The steps whose rows a step reads in this study."""
        if step.name not in self._reads:
            self._reads[step.name] = upstream_of(step, self.study)
        return self._reads[step.name]

    def expected(self, subjects: Sequence[str]) -> dict[Key, Expected]:
        """What each step and partition should rest on now, in an order in which it can be made."""
        found: dict[Key, Expected] = {}
        for step in asked_steps(self.study):
            for key in partition_keys(step, self.study, subjects):
                upstream = self._upstream(step, key, subjects, found)
                found[step.name, key] = self.composed(step, key, upstream)
        return found

    def _upstream(
        self,
        step: Step,
        key: str,
        subjects: Sequence[str],
        known: Mapping[Key, Expected] | Mapping[Key, Stored],
    ) -> dict[str, tuple[str | None, str | None]]:
        found: dict[str, tuple[str | None, str | None]] = {}
        for one in self.reads(step):
            if step.reads_whole(one):
                keys = partition_keys(one, self.study, subjects)
                # keys are in it: a subject that leaves makes the aggregates stale
                every = fingerprint([[part, _whole(known, one.name, part)] for part in keys])
                found[one.name] = (every, every)
            else:
                record = known.get((one.name, key if one.partitions else ""))
                found[one.name] = (record.fingerprint, record.shared) if record else (None, None)
        return found

    def composed(
        self, step: Step, key: str, upstream: Mapping[str, tuple[str | None, str | None]]
    ) -> Expected:
        """A partition's components and hashes, from the versions of what is upstream."""
        own = self.own_components(step)
        alone = self.partition_components(step, key)
        components = {
            **own,
            "own": alone,
            "upstream": {name: version for name, (version, _) in upstream.items()},
        }
        whole = fingerprint(components)
        if step.partitions is None:
            return Expected(components, whole, whole)
        # Dagster has one code version for all partitions: what is one subject's alone is left out
        shared = {**own, "upstream": {name: version for name, (_, version) in upstream.items()}}
        return Expected(components, whole, fingerprint(shared))

    def used(
        self, step: Step, key: str, subjects: Sequence[str], stored: Mapping[Key, Stored]
    ) -> Expected:
        """What a making rests on that reads the rows that are stored now."""
        return self.composed(step, key, self._upstream(step, key, subjects, stored))


def _whole(known: Mapping[Key, Expected] | Mapping[Key, Stored], step: str, key: str) -> str | None:
    record = known.get((step, key))
    return record.fingerprint if record else None


def stale_steps(expected: Mapping[Key, Expected], stored: Mapping[Key, Stored]) -> list[Stale]:
    """The steps and partitions to make, in an order in which they can be, each with its reason."""
    found = []
    for (step, key), one in expected.items():
        record = stored.get((step, key))
        if record is None:
            found.append(Stale(step, key, NEVER))
        elif record.fingerprint != one.fingerprint:
            found.append(Stale(step, key, difference(record.components, one.components)))
    return found


def difference(old: Components, new: Components) -> str:
    """Why rows are stale: what differs, by kind.

    >>> difference({"settings": {"lexicon.size": 40}}, {"settings": {"lexicon.size": 38}})
    'settings changed: lexicon.size'
    """
    # records of the first versions held one hash for all code
    if not isinstance(old.get("code", {}), dict):
        return OLDER
    reasons = []
    for part in PARTS:
        before, now = old.get(part) or {}, new.get(part) or {}
        names = sorted(name for name in {*before, *now} if before.get(name) != now.get(name))
        if names:
            shown = [name.removeprefix("gpla_assets.") for name in names[:MOST_NAMED]]
            if len(names) > MOST_NAMED:
                shown[-1] += f" and {len(names) - MOST_NAMED} more"
            reasons.append(f"{WORDS.get(part, part)} changed: {', '.join(shown)}")
    return "; ".join(reasons) or OLDER


def stored_of(rows: Iterable[tuple[str, str, str, str, str]]) -> dict[Key, Stored]:
    """Records by step and partition, of rows (asset, partition_key, fingerprint, version,
    components as JSON)."""
    return {
        (asset, key): Stored(whole, shared, json.loads(components))
        for asset, key, whole, shared, components in rows
    }
