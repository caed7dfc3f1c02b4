"""Makes what is stale of a study, by few Dagster runs of the jobs that the UI offers too."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gpla_assets.common.errors import KnownError
from gpla_assets.orchestration.forgetting import forget
from gpla_assets.orchestration.making import Made, state_of
from gpla_assets.orchestration.plan import Run, next_runs, stale_in
from gpla_assets.orchestration.publishing import fault, publish
from gpla_assets.orchestration.session import Session, active
from gpla_assets.orchestration.versions import Stale
from gpla_assets.storage import Warehouse, warehouse_of
from gpla_assets.studies import Study
from gpla_assets.studies.places import dagster_yaml

if TYPE_CHECKING:
    import dagster as dg

OF_COMMANDS = "command.yaml"
UNCAPTURED = """
# what a command prints goes to the terminal and to run.log: Dagster would have four more processes
# of each run copy it, which a control-C on the terminal reaches too
compute_logs:
  module: dagster._core.storage.noop_compute_log_manager
  class: NoOpComputeLogManager
"""
"""How Dagster is set up for runs of commands, beside what holds for the UI's."""
POSTGRES = "GPLA_DAGSTER_POSTGRES"
"""A URL, postgresql+psycopg2://user:password@host:port/db: Dagster keeps runs and events there."""
IN_POSTGRES = f"""
storage:
  postgres:
    postgres_url: {{env: {POSTGRES}}}
"""
RUNS_AT_ONCE = "GPLA_RUNS_AT_ONCE"
"""Runs that the daemon starts at once, where a lake takes the rows of several."""
ONE_RUN = "max_concurrent_runs: 1"
MOST_ROUNDS = 4
"""Rounds of planning: what comes before the subjects, then their partitions and the aggregates."""


class RunFailed(KnownError, RuntimeError):
    """A step did not end well; what was stored before stays."""


@dataclass
class Done:
    """What a run made: its steps, whether anything was published, and how long it took."""

    made: list[Made] = field(default_factory=list)
    published: bool = False
    seconds: float = 0.0


def run_study(
    study_name: str,
    study: Study,
    report: Callable[[str], None],
    only: Sequence[str] = (),
) -> Done:
    """Make all stale steps (of `only`, where given), publish, and report each step as it begins.

    Raises RunFailed naming the step, and what the step's fault is; an interruption says how far the
    run came.
    """
    # definitions are loaded by a module name, which carries no argument
    os.environ["GPLA_STUDY"] = study_name
    started = time.monotonic()
    warehouse = warehouse_of(study.store)
    warehouse.create()
    forgotten = forget(study, warehouse, state_of(warehouse))
    session = Session(study, report, took=_seconds(warehouse))
    dagster_home(study)
    try:
        with active(session):
            _run_rounds(study, session, only)
    except KeyboardInterrupt as stop:
        raise KeyboardInterrupt(f"after {len(session.made)} of {session.total} steps") from stop
    done = Done(session.made)
    if session.made or forgotten or fault(study):
        publish(study)
        done.published = True
    done.seconds = time.monotonic() - started
    return done


def _run_rounds(study: Study, session: Session, only: Sequence[str]) -> None:
    """Plan and run until nothing is stale; Dagster is not loaded where nothing is."""
    if not _stale(study, only):
        return
    before: list[Stale] = []
    with _dagster(study) as (instance, definitions):
        for _ in range(MOST_ROUNDS):
            stale = _stale(study, only)
            if not stale:
                return
            # the same steps for the same reasons: another round would make them for ever
            if stale == before:
                raise RunFailed(
                    f"Step {stale[0].step} was made and is still stale ({stale[0].reason}): a file "
                    "or the study may have changed meanwhile. Run again."
                )
            before = stale
            session.waiting = list(dict.fromkeys(one.step for one in stale))
            session.total = session.begun + len(session.waiting)
            order = {kind: instance.get_dynamic_partitions(kind) for kind in ("subjects", "runs")}
            state = state_of(warehouse_of(study.store))
            for run in next_runs(study, state, order, only):
                session.reasons = run.reasons
                _launch(study, definitions, instance, run)


def _seconds(warehouse: Warehouse) -> dict[str, float]:
    """How long each step took when its rows were made."""
    rows = warehouse.read("select asset, sum(seconds) as took from internal.runs group by asset")
    return dict(zip(rows["asset"], rows["took"].astype(float), strict=True))


def _stale(study: Study, only: Sequence[str]) -> list[Stale]:
    state = state_of(warehouse_of(study.store))
    return [one for one in stale_in(study, state) if not only or one.step in only]


@contextmanager
def _dagster(study: Study) -> Iterator[tuple[dg.DagsterInstance, dg.Definitions]]:
    """The study's Dagster instance and definitions; what they print goes to a file."""
    import dagster as dg

    from gpla_assets.orchestration.dagster_assets import definitions
    from gpla_assets.orchestration.mirror import mirror

    logging.getLogger("dagster.builtin").setLevel(logging.WARNING)
    home = Path(os.environ["DAGSTER_HOME"])
    log, own = home / "run.log", home / OF_COMMANDS
    # at every run: an older version of ours may lie there
    own.write_text(_settings() + UNCAPTURED, "utf-8")
    with (
        dg.DagsterInstance.from_config(str(home), OF_COMMANDS) as instance,
        open(log, "a", encoding="utf-8") as file,
        redirect_stdout(file),
    ):
        mirror(instance, study)
        yield instance, definitions(os.environ["GPLA_STUDY"])


def _launch(
    study: Study, definitions: dg.Definitions, instance: dg.DagsterInstance, run: Run
) -> None:
    """One Dagster run of a job, of the run's steps and partitions."""
    import dagster as dg

    from gpla_assets.orchestration.asset_keys import asset_keys
    from gpla_assets.orchestration.dead_runs import PROCESS_TAG, this_process

    tags = {"gpla/study": study.name, "gpla/reason": run.reason[:250]}
    tags[PROCESS_TAG] = this_process()
    if run.keys:
        tags["dagster/asset_partition_range_start"] = run.keys[0]
        tags["dagster/asset_partition_range_end"] = run.keys[-1]
    job = definitions.resolve_job_def(run.job)
    keys = [key for step in run.steps for key in asset_keys(step)]
    try:
        result = job.execute_in_process(
            instance=instance,
            asset_selection=keys,
            tags=tags,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            raise_on_error=True,
        )
    except dg.DagsterExecutionInterruptedError as error:
        raise KeyboardInterrupt from error
    except dg.Failure as failure:
        cause = failure.__cause__
        if isinstance(cause, KnownError):
            raise cause from None
        raise RunFailed(str(failure.description)) from failure
    if not result.success:
        raise RunFailed(f"A run of {run.job} failed; see run {result.run_id} in `gpla ui`.")


def _settings() -> str:
    """What ships of Dagster's settings, with those of the environment."""
    text = dagster_yaml().read_text("utf-8")
    assert ONE_RUN in text
    at_once = os.environ.get(RUNS_AT_ONCE) or "1"
    if not at_once.isdecimal() or int(at_once) < 1:
        raise RunFailed(f"{RUNS_AT_ONCE}={at_once!r}: expected a number of runs, 1 or more.")
    text = text.replace(ONE_RUN, f"max_concurrent_runs: {at_once}")
    return text + (IN_POSTGRES if os.environ.get(POSTGRES) else "")


def dagster_home(study: Study) -> Path:
    """The study's own Dagster home in the warehouse folder, with the shipped dagster.yaml."""
    home = study.warehouse_path.parent / "dagster" / study.name
    home.mkdir(parents=True, exist_ok=True)
    # at every run: an older version of ours may lie there
    (home / "dagster.yaml").write_text(_settings(), "utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
