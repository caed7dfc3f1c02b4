"""Runs what is stale of a study, in the order of the pipeline."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path

from gpla_assets.pipeline import BY_NAME, STEPS, Stale, expected_components, stale_steps
from gpla_assets.stamps import input_stamps
from gpla_assets.storage import Warehouse
from gpla_assets.studies import PROJECT_ROOT, Study

SELECTION = {"lexicon": "tag_lexicon", "value_correlations": "tag_structure"}


class RunFailed(RuntimeError):
    """A step did not end well; what was stored before stays."""


def stale_now(study: Study) -> list[Stale]:
    """The steps whose rows are not what the study implies."""
    warehouse = Warehouse(study.warehouse_path)
    if not warehouse.working.exists():
        return [Stale(step.name, "", "never made") for step in STEPS if step.name != "report"]
    subjects = list(warehouse.read("select subject from subjects order by subject")["subject"])
    expected = expected_components(study, subjects, input_stamps(study))
    expected = {key: value for key, value in expected.items() if key[0] != "report"}
    return stale_steps(expected, warehouse.runs())


def run_study(study_name: str, study: Study, report: Callable[[str], None]) -> dict[str, int]:
    """Make all stale steps; returns the number of partitions made per step.

    Raises RunFailed naming the step.
    """
    made: dict[str, int] = {}
    for step in STEPS:
        stale = [item for item in stale_now(study) if item.step == step.name]
        if step.name == "report" or not stale:
            continue
        keys = [item.partition_key for item in stale if item.partition_key]
        if step.partitioned and not keys:
            continue
        report(f"{step.name}: {f'{len(keys)} subjects, ' if keys else ''}{stale[0].reason}")
        _materialise(study_name, step.name, keys)
        made[step.name] = len(keys) or 1
    if made:
        Warehouse(study.warehouse_path).publish()
    return made


def _materialise(study_name: str, step: str, keys: Sequence[str]) -> None:
    os.environ["GPLA_STUDY"] = study_name
    import dagster as dg

    from gpla_assets.definitions import ASSETS
    from gpla_assets.resources import StudyResource

    with dg.DagsterInstance.get() as instance:
        for tags in _range_tags(instance, keys):
            result = dg.materialize(
                [*ASSETS],
                selection=_selection(step),
                instance=instance,
                resources={"study": StudyResource(study=study_name)},
                tags=tags,
                raise_on_error=True,
            )
            if not result.success:
                raise RunFailed(f"Step {step} failed; see run {result.run_id} in `gpla ui`.")


def _selection(step: str):  # type: ignore[no-untyped-def]
    import dagster as dg

    from gpla_assets.assets.dbt import lexicon_models, structure_models

    models = {"lexicon": lexicon_models, "value_correlations": structure_models}
    if step in models:
        return dg.AssetSelection.assets(*models[step].keys)
    return dg.AssetSelection.assets(step)


def _range_tags(instance, keys: Sequence[str]) -> list[dict[str, str]]:  # type: ignore[no-untyped-def]
    if not keys:
        return [{}]
    missing = [key for key in keys if not instance.has_dynamic_partition("subjects", key)]
    if missing:
        instance.add_dynamic_partitions("subjects", missing)
    order = {key: n for n, key in enumerate(instance.get_dynamic_partitions("subjects"))}
    places = sorted((order[key], key) for key in keys)
    tags = []
    for _, group in groupby(enumerate(places), key=lambda pair: pair[1][0] - pair[0]):
        run = [key for _, (_, key) in group]
        tags.append(
            {
                "dagster/asset_partition_range_start": run[0],
                "dagster/asset_partition_range_end": run[-1],
            }
        )
    return tags


def dagster_home(study: Study) -> Path:
    """A Dagster home in the warehouse folder, with the shipped dagster.yaml."""
    home = study.warehouse_path.parent / "dagster" / "home"
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


__all__ = ["BY_NAME", "RunFailed", "dagster_home", "run_study", "stale_now"]
