"""What a run says while it goes: lines and progress bars on the user's own terminal.

Dagster captures what a step prints, down to the file descriptor; a copy of the descriptor that is
made before still leads to the terminal.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


@lru_cache(maxsize=1)
def terminal() -> Console:
    """The user's terminal (or what stands for it); to be asked for before Dagster captures it."""
    try:
        return Console(file=os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1))
    except (OSError, ValueError):  # a test's or a notebook's output has no descriptor
        return Console()


@contextmanager
def progress(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A function to call with the number of finished items; a bar where somebody looks."""
    columns = (
        TextColumn("  {task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    console = terminal()
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bars:
        task = bars.add_task(what, total=total)

        def advance(count: int) -> None:
            bars.advance(task, count)

        yield advance
