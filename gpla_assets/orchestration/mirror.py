"""Dagster is told what the warehouse holds, where it does not know it.

The record of what rows rest on lies in the warehouse, in one transaction with the rows. A run tells
Dagster the same as it goes; what it could not (it was killed, the file came from another machine,
an LLM left, partitions of one run rest on different rows) is told here. Where both agree, nothing
is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from graphlib import TopologicalSorter

import dagster as dg
from dagster._core.definitions.data_version import (
    CODE_VERSION_TAG,
    DATA_VERSION_IS_USER_PROVIDED_TAG,
    DATA_VERSION_TAG,
    get_input_data_version_tag,
    get_input_event_pointer_tag,
)

from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.orchestration.dbt import model_parents
from gpla_assets.orchestration.dead_runs import end_dead_runs
from gpla_assets.orchestration.making import State, state_of
from gpla_assets.orchestration.steps import Step, all_steps
from gpla_assets.orchestration.versions import Versions, asked_steps, partition_keys, upstream_of
from gpla_assets.storage import warehouse_of
from gpla_assets.studies import Study, fingerprint

ANSWERS = "answers"
MATERIALIZED = dg.DagsterEventType.ASSET_MATERIALIZATION
OBSERVED = dg.DagsterEventType.ASSET_OBSERVATION
GONE = "gone"
"""The version that a partition has in Dagster whose rows have left the warehouse."""

Parent = tuple[str, str, bool]
"""An asset, the partition of it that is read ("" where all are, or it has none), whether it has
partitions."""


def mirror(instance: dg.DagsterInstance, study: Study) -> int:
    """Tell Dagster of dead runs, partitions, versions and files; how many it did not know."""
    state = state_of(warehouse_of(study.store))
    # first: a dead run that counts as going on keeps what follows waiting
    told = end_dead_runs(instance)
    told += _partitions(instance, "subjects", state.subjects)
    told += _partitions(instance, "runs", study.alignment.runs())
    told += _answers(instance, study, state)
    for step in asked_steps(study):
        told += _step(instance, study, state, step)
    return told


def _partitions(instance: dg.DagsterInstance, kind: str, keys: list[str]) -> int:
    known = instance.get_dynamic_partitions(kind)
    new = [key for key in keys if key not in set(known)]
    if new:
        instance.add_dynamic_partitions(kind, new)
    gone = [key for key in known if key not in set(keys)]
    for key in gone:
        instance.delete_dynamic_partition(kind, key)
    return len(new) + len(gone)


def _answers(instance: dg.DagsterInstance, study: Study, state: State) -> int:
    """What each subject's answers come from now: observations of the asset `answers`."""
    versions, told = Versions(study), 0
    responses = next(one for one in asked_steps(study) if one.name == "responses")
    known = _tags(instance, ANSWERS, OBSERVED)
    for subject in state.subjects:
        version = fingerprint(versions.partition_components(responses, subject))
        if known.get(subject, {}).get(DATA_VERSION_TAG) != version:
            instance.report_runless_asset_event(
                dg.AssetObservation(ANSWERS, partition=subject, tags={DATA_VERSION_TAG: version})
            )
            told += 1
    return told


def _step(instance: dg.DagsterInstance, study: Study, state: State, step: Step) -> int:
    """The stored versions of a step's partitions, or that they are gone."""
    told = 0
    known: dict[str, Mapping[str, str]] = {}
    for key in partition_keys(step, study, state.subjects):
        record = state.stored.get((step.name, key))
        for name, parents in _assets_of(step, study, key).items():
            if name not in known:
                known[name] = _known(instance, name, step.partitions is not None)
            # neither side knows of it: never made
            if record is None and key not in known[name]:
                continue
            version = record.shared if record else GONE
            if known[name].get(key) != version:
                _tell(instance, name, key, version, parents)
                told += 1
    return told


def _known(instance: dg.DagsterInstance, name: str, partitioned: bool) -> Mapping[str, str]:
    """The version that Dagster has of each partition of an asset ("" where it has none)."""
    if partitioned:
        tags = _tags(instance, name, MATERIALIZED)
        return {key: own[DATA_VERSION_TAG] for key, own in tags.items() if DATA_VERSION_TAG in own}
    record = instance.get_latest_data_version_record(dg.AssetKey(name))
    return {"": _event_tags(record).get(DATA_VERSION_TAG, "")} if record else {}


def _tell(
    instance: dg.DagsterInstance, name: str, key: str, version: str, parents: list[Parent]
) -> None:
    """Tell Dagster of rows that are stored (or gone), and that they passed their checks."""
    instance.report_runless_asset_event(
        dg.AssetMaterialization(
            name,
            partition=key or None,
            description="No rows." if version == GONE else "As it stands in the warehouse.",
            tags={
                DATA_VERSION_TAG: version,
                CODE_VERSION_TAG: version,
                # as Dagster itself marks a version that an asset gave
                DATA_VERSION_IS_USER_PROVIDED_TAG: "true",
                **_input_tags(instance, parents),
            },
        )
    )
    for check in CHECKS.get(name, ()) if version != GONE else ():
        instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(name),
                check_name=check.name,
                passed=True,
                blocking=True,
                metadata={"violations": 0},
            )
        )


def _assets_of(step: Step, study: Study, key: str) -> dict[str, list[Parent]]:
    """The assets of a step (of one that dbt builds, its models in order) and their parents."""
    if step.models is None:
        parents = [
            (
                one.table if one.models else one.name,
                key if one.partitions == step.partitions else "",
                one.partitions is not None,
            )
            for one in upstream_of(step, study)
        ]
        if step.partitions == "subjects":
            parents.append((ANSWERS, key, True))
        return {step.name: parents}
    partitioned = {one.name for one in all_steps() if one.partitions}
    models = model_parents(step.models)
    return {
        name: [(one, "", one in partitioned) for one in models[name]]
        for name in TopologicalSorter(models).static_order()
        if name in models
    }


def _input_tags(instance: dg.DagsterInstance, parents: list[Parent]) -> dict[str, str]:
    """What the rows read, as a run would have noted it: versions, and the latest events."""
    found = {}
    for name, partition, partitioned in parents:
        asset = dg.AssetKey(name)
        record = instance.get_latest_data_version_record(asset, name == ANSWERS, partition or None)
        version = _event_tags(record).get(DATA_VERSION_TAG, "") if record else ""
        if partitioned and not partition:
            version = fingerprint(sorted(_tags(instance, name, MATERIALIZED)))
        found[get_input_data_version_tag(asset)] = version
        found[get_input_event_pointer_tag(asset)] = str(record.storage_id if record else "NULL")
    return found


def _tags(
    instance: dg.DagsterInstance, name: str, kind: dg.DagsterEventType
) -> Mapping[str, Mapping[str, str]]:
    """The data version of the latest event of each partition of an asset, as a tag."""
    found: Mapping[str, Mapping[str, str]] = (
        instance.event_log_storage.get_latest_tags_by_partition(
            dg.AssetKey(name), kind, [DATA_VERSION_TAG]
        )
    )
    return found


def _event_tags(record: dg.EventLogRecord) -> dict[str, str]:
    event = record.event_log_entry.dagster_event
    assert event is not None, "a record of an asset has its event"
    tags = (
        event.step_materialization_data.materialization.tags
        if event.is_step_materialization
        else event.asset_observation_data.asset_observation.tags
    )
    return {name: tag for name, tag in (tags or {}).items() if name == DATA_VERSION_TAG}
