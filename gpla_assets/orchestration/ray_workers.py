"""Parts of rows worked on by actors of a Ray cluster, each of which holds one agent.

A part is a file in a folder that all nodes see, and what is made of it a folder beside it, under
the same id: a run that was killed finds there what was made before, and an actor that died costs
the part that it was at. The id holds what the part holds, and the folder's name what the step
rests on, so that nothing is taken for something else.
"""

from __future__ import annotations

import hashlib
import io
import logging
import shutil
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from gpla_assets.agents.protocol import Told
from gpla_assets.common.errors import KnownError
from gpla_assets.orchestration.cluster import ComputeError, actors_of, joined
from gpla_assets.orchestration.parts import Advance, Outcome, Own, Rows, Work
from gpla_assets.studies import Compute

RESTARTS = 5
"""Times that an actor which died is started again, and its part given out again."""
FORGOTTEN_AFTER_S = 7 * 24 * 3600
"""What killed runs have left is kept so long."""


@dataclass
class RayWorkers(Generic[Own]):
    """Actors that each make an agent with `make`.

    `agent` is this process's own, which runs nothing; `folder` is where parts go, seen by all
    nodes. As a string they tell what the cluster has. Raises ComputeError where the cluster cannot
    be used as `compute` asks, before anything is computed.
    """

    agent: Own
    make: Callable[[], Own]
    compute: Compute
    folder: Path
    told: Told = field(default_factory=Told, init=False)
    _calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self._ray, self._cluster = joined(self.compute.address)
        self._actors = actors_of(self.compute, self._cluster)
        _forget(self.folder.parent)
        self.folder.mkdir(parents=True, exist_ok=True)

    def __str__(self) -> str:
        own = f"{self._actors} actors of {self.compute.cpus:g} CPUs"
        own += f" and {self.compute.gpus:g} GPUs" if self.compute.gpus else ""
        return f"Ray: {own}; the cluster has {self._cluster}"

    def rows(
        self, work: Work[Own], parts: Iterable[pd.DataFrame], advance: Advance
    ) -> Iterator[Rows]:
        """What `work` makes of each part, in their order, as soon as it and those before are made.

        Raises what an agent raises, and ComputeError where actors die again and again; then what
        was made is kept for the next run.
        """
        self._calls += 1
        names = [self._written(part, place) for place, part in enumerate(parts)]
        done = {name for name in names if (self.folder / name).is_dir()}
        making = self._run(work, [name for name in names if name not in done])
        for name in names:
            while name not in done:
                done.add(next(making))
            found = Outcome.read(self.folder / name)
            (self.folder / f"{name}.parquet").unlink(missing_ok=True)
            self.told.add(found.told)
            advance(found.finished)
            yield found.rows

    def _written(self, part: pd.DataFrame, place: int) -> str:
        """The id of a part, whose file is written where what it makes is not there yet."""
        file = io.BytesIO()
        part.to_parquet(file, index=False)
        digest = hashlib.sha256(file.getbuffer()).hexdigest()[:16]
        name = f"{self._calls:02}-{place:06}-{digest}"
        if not (self.folder / name).is_dir():
            (self.folder / f"{name}.parquet").write_bytes(file.getbuffer())
        return name

    def _run(self, work: Work[Own], names: Sequence[str]) -> Iterator[str]:
        """The ids of parts as they are made."""
        if not names:
            return
        data = self._ray.data
        data.DataContext.get_current().enable_progress_bars = False
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # a block a part, so that no actor is given two at once and dies with both
        asked = data.from_items(
            [{"part": str(self.folder / name)} for name in names], override_num_blocks=len(names)
        )
        with warnings.catch_warnings():
            # there is no other way yet to bound restarts (Ray 2.60)
            warnings.simplefilter("ignore", DeprecationWarning)
            made = asked.map_batches(
                _Actor,
                batch_size=1,
                compute=data.ActorPoolStrategy(size=self._actors),
                num_cpus=self.compute.cpus,
                num_gpus=self.compute.gpus or None,
                fn_constructor_args=(self.make, work),
                # without these an actor that dies of what it is given is started for ever
                ray_remote_args_fn=lambda: {"max_restarts": RESTARTS, "max_task_retries": RESTARTS},
            )
        errors = self._ray.exceptions
        try:
            for row in made.iter_rows():
                if row["fault"]:
                    raise ComputeError(row["fault"])
                yield Path(row["part"]).name
        except errors.RayTaskError:
            raise
        except errors.RayError as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ComputeError(
                f"An actor of Ray died {RESTARTS + 1} times ({type(error).__name__}: {said}); it "
                "may need more memory than its node has: set fewer compute.actors, or fewer "
                "compute.shard_rows. What was made is kept: run again, and only the rest is made."
            ) from error


class _Actor:
    """One agent, in a process of the cluster."""

    def __init__(self, make: Callable[[], Any], work: Work[Any]) -> None:
        self._make, self._work = make, work
        self._agent: Any = None

    def __call__(self, batch: Mapping[str, np.ndarray]) -> dict[str, list[str]]:
        """Each part of the batch with the fault that its agent told, or ""."""
        paths = [str(one) for one in batch["part"]]
        return {"part": paths, "fault": [self._made(Path(path)) for path in paths]}

    def _made(self, folder: Path) -> str:
        if folder.is_dir():
            return ""
        finished: list[int] = []
        try:
            # here and not at the start, where Ray would wrap what it raises
            self._agent = self._agent or self._make()
            before = Told.by(self._agent)
            part = pq.read_table(folder.with_name(f"{folder.name}.parquet")).to_pandas()
            rows = self._work(self._agent, part, finished.append)
        except KnownError as error:
            return str(error)
        Outcome(rows, Told.by(self._agent).since(before), sum(finished)).save(folder)
        return ""


def _forget(folder: Path) -> None:
    """Remove what runs have left that were killed long ago and not run again."""
    for path in folder.glob("*") if folder.is_dir() else ():
        if time.time() - path.stat().st_mtime > FORGOTTEN_AFTER_S:
            shutil.rmtree(path, ignore_errors=True)
