"""What a run says while it goes: lines and progress bars on the user's own terminal.

Dagster captures what a step prints, down to the file descriptor; a copy of the descriptor that is
made before still leads to the terminal.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

SPEED_OVER_S = 600.0
"""A step's speed is that of so long: of a shorter time it jumps with every batch."""


@lru_cache(maxsize=1)
def terminal() -> Console:
    """The user's terminal (or what stands for it); to be asked for before Dagster captures it."""
    try:
        return Console(file=os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1))
    except (OSError, ValueError):  # a test's or a notebook's output has no descriptor
        return Console()


class _Remaining(ProgressColumn):
    """Time that is left: of a run by how long its steps took before, of a step by its speed."""

    def __init__(self) -> None:
        super().__init__()
        self._by_speed = TimeRemainingColumn()

    def render(self, task: Task) -> Text:
        """As h:mm:ss."""
        if "until" not in task.fields:
            return self._by_speed.render(task)
        until = task.fields["until"]
        left = 0 if until is None else round(until - time.monotonic())
        # what takes longer than it did is at no known end
        shown = f"{left // 3600}:{left // 60 % 60:02}:{left % 60:02}" if left > 0 else "-:--:--"
        return Text(f"{shown} left", style="progress.remaining")


class _Shown:
    """The bars of a run: its steps, and below them the items of the present step."""

    def __init__(self, bars: Progress) -> None:
        self.bars = bars
        self._run = bars.add_task("", total=None, until=None, visible=False)

    def begin(self, step: str, number: int, total: int, seconds: float | None) -> None:
        """Tell that a step begins, of how many, and how long it and those after it may take."""
        self.bars.update(
            self._run,
            description=f"step {number} of {total}: {step}",
            total=total,
            completed=number - 1,
            until=None if seconds is None else time.monotonic() + seconds,
            visible=True,
        )


_current: list[_Shown] = []


@contextmanager
def showing() -> Iterator[Callable[[str], None]]:
    """A function that says a line of a run; inside, its steps have bars where somebody looks."""
    console = terminal()

    def say(line: str) -> None:
        console.print(f"[bold]>[/bold] {escape(line)}", soft_wrap=True)

    if not console.is_terminal:
        yield say
        return
    with _bars(console) as bars:
        _current.append(_Shown(bars))
        try:
            yield say
        finally:
            _current.pop()


def step_begins(step: str, number: int, total: int, seconds: float | None) -> None:
    """Tell the bars, if there are any, that a step of a run begins."""
    if _current:
        _current[-1].begin(step, number, total, seconds)


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of finished items; a bar where somebody looks."""
    console = terminal()
    if not console.is_terminal:
        yield lambda count: None
    elif _current:
        with _advancing(_current[-1].bars, what, total) as advance:
            yield advance
    else:
        with _bars(console) as bars, _advancing(bars, what, total) as advance:
            yield advance


def _bars(console: Console) -> Progress:
    return Progress(
        # turns, where a long step has no items to count
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(bar_width=16),
        MofNCompleteColumn(),
        _Remaining(),
        console=console,
        transient=True,
        speed_estimate_period=SPEED_OVER_S,
        # what a step prints is Dagster's to capture
        redirect_stdout=False,
        redirect_stderr=False,
    )


@contextmanager
def _advancing(bars: Progress, what: str, total: int) -> Iterator[Callable[[int], None]]:
    task = bars.add_task(what, total=total)
    try:
        yield lambda count: bars.advance(task, count)
    finally:
        bars.remove_task(task)
