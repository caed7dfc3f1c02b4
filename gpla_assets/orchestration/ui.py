"""Dagster's UI of a study, kept in step with the study's files while it is open."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from gpla_assets.orchestration.code import ROOT
from gpla_assets.orchestration.running import dagster_home
from gpla_assets.storage import warehouse_of
from gpla_assets.storage.file_warehouse import size_and_time
from gpla_assets.studies import Study, load_study
from gpla_assets.studies.places import absolute, child_environment, dbt_folder
from gpla_assets.subjects.added import added_folder

LOCATION = "gpla_assets.definitions"
LOOKS_S = 2.0
"""Seconds between two looks at what the UI depends on."""
ENDING_S = 8.0
"""Seconds that a server is given to end by itself."""
Stats = list[tuple[str, int, int]]
Seen = tuple[Stats, Stats]
"""Inputs and warehouse, each file with its size and time."""
UNREADABLE: Seen = ([("unreadable", 0, 0)], [])
WAITS_S = 30.0
"""Seconds for which rows that a run writes may go without a loading anew."""
RUNNING = """
{ runsOrError(filter: {statuses: [STARTING, STARTED]}, limit: 1) {
    ... on Runs { results { runId } } } }
"""
RELOAD = """
mutation Reload($name: String!) {
  reloadRepositoryLocation(repositoryLocationName: $name) { __typename }
}
"""


def open_ui(study_name: str, study: Study, port: int, automate: bool) -> int:
    """Serve Dagster's UI until it is stopped; its exit code.

    Where the study's file, the code, the answers or the warehouse change meanwhile, Dagster is told
    and loads the definitions anew, so that what it calls stale is what `gpla status` calls stale.
    """
    home = dagster_home(study)
    environment = os.environ | child_environment(study_name)
    environment |= {"DAGSTER_HOME": str(home), "GPLA_AUTOMATE": "1" if automate else "0"}
    # definitions are those of this package; a folder's own workspace.yaml is another's affair
    command = [sys.executable, "-m", "dagster", "dev", "-m", LOCATION, "-p", str(port)]
    told(study)
    stop = threading.Event()
    watch = threading.Thread(target=follow, args=(study_name, port, stop), daemon=True)
    watch.start()
    try:
        return run_until_stopped(command, environment, home)
    finally:
        stop.set()


def run_until_stopped(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> int:
    """Run a program until it ends or this one is stopped; its exit code, or 128 and the signal.

    All that it started ends with it: `dagster dev` alone would leave its web server, daemon and
    code server behind when this process is terminated.
    """

    def stopped(number: int, frame: FrameType | None) -> None:
        raise _Stopped(number)

    before = {one: signal.signal(one, stopped) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        with subprocess.Popen(command, env=dict(environment), cwd=folder) as process:
            try:
                return process.wait()
            except _Stopped as told_by:
                return 128 + told_by.number
            finally:
                for one in before:  # a second signal shall not stop the ending
                    signal.signal(one, signal.SIG_IGN)
                end_all(process.pid)
    finally:
        for one, handler in before.items():
            signal.signal(one, handler)


class _Stopped(BaseException):
    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def end_all(parent: int) -> None:
    """End a process and everything below it; what does not end in time is killed."""
    try:
        first = psutil.Process(parent)
        every = [*first.children(recursive=True), first]
    except psutil.NoSuchProcess:
        return
    for one in every:
        with suppress(psutil.NoSuchProcess):
            one.terminate()
    for one in psutil.wait_procs(every, timeout=ENDING_S)[1]:
        with suppress(psutil.NoSuchProcess):
            one.kill()


def told(study: Study) -> None:
    """Have Dagster know what the warehouse holds."""
    import dagster as dg

    from gpla_assets.orchestration.mirror import mirror

    if warehouse_of(study.store).exists():
        with dg.DagsterInstance.get() as instance:
            mirror(instance, study)


def follow(study_name: str, port: int, stop: threading.Event) -> None:
    """Tell Dagster of changes, and have it load the definitions anew, until `stop` is set.

    A file that is not yet as it was at the look before is still being written. Of rows that a run
    writes Dagster knows by itself: only the reasons shown come later.
    """
    seen = last = watched(study_name)
    loaded = time.monotonic()
    while not stop.wait(LOOKS_S):
        now, before = watched(study_name), last
        last = now
        # as at the look before, so that nothing half-written is loaded
        if now in (seen, UNREADABLE) or now != before:
            continue
        try:
            rows_alone = now[0] == seen[0]
            if rows_alone and time.monotonic() - loaded < WAITS_S and _runs(port):
                continue
            told(load_study(study_name))
            _graphql(port, RELOAD, {"name": LOCATION})
            seen, loaded = now, time.monotonic()
        except Exception:  # the server is not up yet, or a file is half-written: look again
            continue


def _runs(port: int) -> bool:
    """Whether a run is going."""
    return bool(_graphql(port, RUNNING, {})["data"]["runsOrError"]["results"])


def watched(study_name: str) -> Seen:
    """What the definitions depend on, by size and time: study, code and inputs; the warehouse."""
    try:
        study = load_study(study_name)
    except ValueError:  # being edited
        return UNREADABLE
    paths = {absolute(study_name), *_paths_in(study.model_dump())}
    for root, ends in ((ROOT, ("py", "csv", "yaml", "parquet")), (dbt_folder(), ("sql", "csv"))):
        paths |= {path for end in ends for path in root.rglob(f"*.{end}")}
    # what begins with a dot is half-written, or was removed
    paths |= set(added_folder(study).glob("[!.]*"))
    inputs = [(str(one), *size_and_time(one)) for one in sorted(paths)]
    return inputs, warehouse_of(study.store).marks()


def _paths_in(settings: object) -> Iterator[Path]:
    """Every file and folder that a study names."""
    if isinstance(settings, Path):
        yield settings
    elif isinstance(settings, dict | list | tuple):
        for one in settings.values() if isinstance(settings, dict) else settings:
            yield from _paths_in(one)


def _graphql(port: int, query: str, variables: Mapping[str, object]) -> Any:
    body = json.dumps({"query": query, "variables": variables}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)
