"""Work on rows a part at a time: by an agent of this process, or by others (`ray_workers`).

A step says what an agent makes of a part, and takes what was made in the order of the parts. The
parts are the same wherever they are worked on, and so are the rows.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import mkdtemp
from typing import Generic, Protocol, TypeVar

import pandas as pd
import pyarrow.parquet as pq

from gpla_assets.agents.protocol import Agent, Told

Rows = Mapping[str, pd.DataFrame]
"""What was made of a part, by the name of its table."""
Advance = Callable[[int], None]
"""Told how many of a part's items are finished."""
Own = TypeVar("Own", bound=Agent)
Agent_co = TypeVar("Agent_co", bound=Agent, covariant=True)
Work = Callable[[Own, pd.DataFrame, Advance], Rows]
"""What an agent makes of a part; a function of a module, or a `partial` of one, since it may be
sent to other processes."""


class Workers(Protocol[Agent_co]):
    """One agent or several equal ones; `agent` says who they are, `told` what they told."""

    @property
    def agent(self) -> Agent_co: ...

    @property
    def told(self) -> Told: ...

    def rows(
        self, work: Work[Agent_co], parts: Iterable[pd.DataFrame], advance: Advance
    ) -> Iterator[Rows]:
        """What `work` makes of each part, in their order."""
        ...


@dataclass
class Here(Generic[Own]):
    """The agent of this process."""

    agent: Own
    _before: Told = field(init=False)

    def __post_init__(self) -> None:
        # encoders are shared by a process's agents
        self._before = Told.by(self.agent)

    @property
    def told(self) -> Told:
        """What the agent told since it was taken in."""
        return Told.by(self.agent).since(self._before)

    def rows(
        self, work: Work[Own], parts: Iterable[pd.DataFrame], advance: Advance
    ) -> Iterator[Rows]:
        """One part after the other, as they are asked for."""
        for part in parts:
            yield work(self.agent, part, advance)


@dataclass(frozen=True)
class Outcome:
    """What was made of a part, what its agent told, and how many items were finished."""

    rows: Rows
    told: Told
    finished: int

    def save(self, folder: Path) -> None:
        """Keep it as a folder that is there whole or not at all."""
        staged = Path(mkdtemp(prefix=".staged-", dir=folder.parent))
        for table, rows in self.rows.items():
            rows.to_parquet(staged / f"{table}.parquet", index=False)
        told = {"finished": self.finished, "inferences": self.told.inferences}
        text = json.dumps(told | {"failures": self.told.failures}, default=str)
        (staged / "told.json").write_text(text, "utf-8")
        try:
            os.rename(staged, folder)
        except OSError:
            # another worker that was thought dead has made the same
            shutil.rmtree(staged)
            if not folder.is_dir():
                raise

    @classmethod
    def read(cls, folder: Path) -> Outcome:
        """One that was kept."""
        told = json.loads((folder / "told.json").read_text("utf-8"))
        failures = {
            name: Counter(one) if isinstance(one, dict) else list(one)
            for name, one in told["failures"].items()
        }
        rows = {
            path.stem: pq.read_table(path).to_pandas() for path in sorted(folder.glob("*.parquet"))
        }
        return cls(rows, Told(told["inferences"], failures), told["finished"])
