"""Runs what is stale of a study, in the order of the pipeline."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path

from gpla_assets.pipeline import BY_NAME, STEPS, Stale, expected_components, stale_steps
from gpla_assets.stamps import input_stamps
from gpla_assets.storage import Warehouse
from gpla_assets.studies import PROJECT_ROOT, Study


class RunFailed(RuntimeError):
    """A step did not end well; what was stored before stays."""


def stale_now(study: Study) -> list[Stale]:
    """The steps whose rows are not what the study implies."""
    warehouse = Warehouse(study.warehouse_path)
    if not warehouse.working.exists():
        return [Stale(step.name, "", "never made") for step in STEPS]
    subjects = list(warehouse.read("select subject from subjects order by subject")["subject"])
    expected = expected_components(study, subjects, input_stamps(study))
    return stale_steps(expected, warehouse.runs())


@dataclass(frozen=True)
class StepDone:
    """One step's making: partitions (0 where it has none), rows, inferences and seconds."""

    name: str
    partitions: int
    rows: int
    inferences: int
    seconds: float


@dataclass
class Done:
    """What a run made."""

    steps: list[StepDone] = field(default_factory=list)
    seconds: float = 0.0


def run_study(
    study_name: str,
    study: Study,
    report: Callable[[str], None],
    only: Sequence[str] = (),
) -> Done:
    """Make all stale steps (of `only`, where given) and publish the warehouse.

    Raises RunFailed naming the step.
    """
    done = Done()
    started = time.monotonic()
    for step in STEPS:
        if only and step.name not in only:
            continue
        stale = [item for item in stale_now(study) if item.step == step.name]
        keys = [item.partition_key for item in stale if item.partition_key]
        if not stale or (step.partitions and not keys):
            continue
        what = f"{len(keys)} {step.partitions}, " if keys else ""
        report(f"{step.name}: {what}{stale[0].reason}")
        began = time.monotonic()
        _materialise(study_name, step.name, keys)
        done.steps.append(_step_done(study, step.name, keys, time.monotonic() - began))
    if done.steps or not study.warehouse_path.exists():
        Warehouse(study.warehouse_path).publish()
    done.seconds = time.monotonic() - started
    return done


def _step_done(study: Study, step: str, keys: Sequence[str], seconds: float) -> StepDone:
    runs = Warehouse(study.warehouse_path).runs()
    runs = runs[(runs["asset"] == step) & runs["partition_key"].isin(keys or [""])]
    rows, inferences = int(runs["row_count"].sum()), int(runs["inferences"].sum())
    return StepDone(step, len(keys), rows, inferences, seconds)


def _materialise(study_name: str, step: str, keys: Sequence[str]) -> None:
    os.environ["GPLA_STUDY"] = study_name
    import dagster as dg

    from gpla_assets.definitions import ASSETS, CHECKS
    from gpla_assets.resources import StudyResource

    # what dbt and Dagster print goes to a file, so that the terminal shows the steps alone
    log = Path(os.environ["DAGSTER_HOME"]) / "run.log"
    logging.getLogger("dagster.builtin").setLevel(logging.WARNING)
    with (
        dg.DagsterInstance.get() as instance,
        open(log, "a", encoding="utf-8") as file,
        redirect_stdout(file),
    ):
        for tags in _range_tags(instance, BY_NAME[step].partitions, keys):
            result = dg.materialize(
                [*ASSETS, *CHECKS],
                selection=_selection(step),
                instance=instance,
                resources={"study": StudyResource(study=study_name)},
                tags=tags,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
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


def _range_tags(  # type: ignore[no-untyped-def]
    instance, partitions: str | None, keys: Sequence[str]
) -> list[dict[str, str]]:
    if not keys or partitions is None:
        return [{}]
    missing = [key for key in keys if not instance.has_dynamic_partition(partitions, key)]
    if missing:
        instance.add_dynamic_partitions(partitions, missing)
    order = {key: n for n, key in enumerate(instance.get_dynamic_partitions(partitions))}
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
    """The study's own Dagster home in the warehouse folder, with the shipped dagster.yaml."""
    home = study.warehouse_path.parent / "dagster" / study.name
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(PROJECT_ROOT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
