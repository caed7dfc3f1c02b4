"""Dagster runs whose process is gone: a killed run cannot say itself that it ended.

Without this they count as running for ever, and since one run goes at a time, whatever is launched
from the UI waits behind them.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

import dagster as dg

PROCESS_TAG = "gpla/process"
UNDER_WAY = [
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


def this_process() -> str:
    """This process, as a run's tag names it: machine, number, and when it was started."""
    pid = os.getpid()
    return f"{socket.gethostname()} {pid} {_started(pid)}"


def end_dead_runs(instance: dg.DagsterInstance) -> int:
    """Have Dagster know that runs of this machine ended whose process is gone; how many did."""
    ended = 0
    for run in instance.get_runs(dg.RunsFilter(statuses=UNDER_WAY)):
        host, _, process = run.tags.get(PROCESS_TAG, "").partition(" ")
        if process and host == socket.gethostname() and not _lives(process):
            instance.report_run_failed(run, "Its process was killed; what was stored before stays.")
            ended += 1
    return ended


def _lives(process: str) -> bool:
    number, _, started = process.partition(" ")
    try:
        os.kill(int(number), 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # another user's
        return True
    # the number may be that of another process by now
    return _started(int(number)) == started


def _started(pid: int) -> str:
    """When a process was started, where the system says it: numbers are given out again."""
    with suppress(OSError), open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        # field 22, counted after the command's name, which may hold blanks and brackets
        return file.read().rpartition(")")[2].split()[19]
    return ""
