"""Faults and endurance of a lake on Postgres.

    python -m tests.lake_campaign kills --kills 40 --seed 0
    python -m tests.lake_campaign soak --minutes 5

`kills` writes partitions of known rows in processes of their own and disturbs them: a writer is
killed at a random moment (between its data files and its commit too), two write the same partition,
Postgres is stopped and started in the middle, the data folder is full. After each the partition
holds the old rows or the new, all of them, and a run through leaves what an undisturbed one does.

`soak` has four writers replace partitions and two readers read what was published, for minutes;
nobody may see half a partition, fail, or grow in memory.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gpla_assets.looking.published import rows_of
from gpla_assets.storage import RunRecord, WarehouseError, Write
from gpla_assets.storage.lake_connection import connection_to
from gpla_assets.storage.lake_warehouse import LakeWarehouse
from gpla_assets.studies import Lake
from gpla_assets.studies.stores import lake_of
from tests.postgres import Postgres, lacking, postgres

ROWS = 3000
PARTITIONS = 4
PATIENCE_S = 600.0
FAULTS = ("kill", "kill at commit", "two writers", "postgres restart", "disk full")
SPAWN = multiprocessing.get_context("spawn")


def responses(subject: str, turn: int, rows: int = ROWS) -> pd.DataFrame:
    """A partition's rows, all of which say of which turn they are."""
    return pd.DataFrame(
        {
            "response_id": [f"{subject}-{number}" for number in range(rows)],
            "subject_id": subject,
            "question_id": [f"q{number}" for number in range(rows)],
            "sample": 1,
            "answer": f"turn {turn} " + "x" * 200,
            "reasoning": None,
            "refused": False,
            "finish": None,
            "language": None,
            "backend": "recorded",
            "model": "m",
            "profile_role": None,
            "agent_id": None,
        }
    )


def replace(warehouse: LakeWarehouse, subject: str, turn: int, rows: int = ROWS) -> None:
    """Replace a partition, and its record."""
    record = RunRecord("responses", str(turn), {}, "1", partition_key=subject, row_count=rows)
    write = Write("responses", responses(subject, turn, rows), "subject_id", (subject,))
    warehouse.replace_partition([write], [record])


STATE = """
select r.subject_id, count(*), count(distinct r.response_id), min(split_part(answer, ' ', 2)),
    max(split_part(answer, ' ', 2)), any_value(fingerprint)
from evidence.responses r
left join internal.runs on partition_key = r.subject_id and asset = 'responses'
group by 1 order by 1
"""


def state_of(warehouse: LakeWarehouse, rows: int = ROWS) -> dict[str, int]:
    """The turn of each partition. Raises AssertionError where one is mixed or not whole."""
    found = {}
    for subject, count, distinct, low, high, noted in warehouse.read(STATE).itertuples(index=False):
        assert count == distinct == rows, f"{subject}: {count} rows, {distinct} keys, not {rows}"
        assert low == high == noted, f"{subject}: turns {low} to {high}, noted {noted}"
        found[str(subject)] = int(low)
    return found


def writer(lake: Lake, subject: str, turn: int, at_commit: str = "") -> None:
    """Replace one partition in a process of its own; `at_commit` is a file that it makes when its
    data files are written and the commit is next, and then waits to be killed."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    own = LakeWarehouse(lake)
    if not at_commit:
        replace(own, subject, turn)
        return
    own.create()
    rows = responses(subject, turn)
    with connection_to(lake) as connection:
        connection.begin()
        connection.execute("delete from evidence.responses where subject_id = ?", [subject])
        connection.register("new_rows", rows)
        connection.execute("insert into evidence.responses by name select * from new_rows")
        Path(at_commit).touch()
        time.sleep(PATIENCE_S)


@dataclass
class Disturbed:
    """A campaign: what was done, what came of it."""

    server: Postgres
    lake: Lake
    chance: random.Random
    turns: dict[str, int] = field(default_factory=dict)
    done: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    length: float = 5.0

    @property
    def warehouse(self) -> LakeWarehouse:
        """A door of its own, as a new process has it."""
        return LakeWarehouse(self.lake, lock_timeout=PATIENCE_S)

    def prepare(self) -> None:
        """Every partition at turn 0, and how long a writer takes."""
        for number in range(PARTITIONS):
            replace(self.warehouse, f"s{number}", 0)
            self.turns[f"s{number}"] = 0
        begun = time.monotonic()
        self._begun("s0", 0).join(PATIENCE_S)
        self.length = time.monotonic() - begun

    def attack(self, what: str) -> None:
        """One fault while a partition is replaced, then whether the old rows or the new are there,
        and whether the next run brings the new ones."""
        subject = self.chance.choice(sorted(self.turns))
        old, new = self.turns[subject], max(self.turns.values()) + 1
        getattr(self, f"_{what.replace(' ', '_')}")(subject, new)
        self.done[what] += 1
        try:
            found = state_of(self.warehouse)
            assert found[subject] in (old, new, new + 1), f"{subject} is at {found[subject]}"
            self.outcomes["new" if found[subject] != old else "old"] += 1
            replace(self.warehouse, subject, new + 2)
            self.turns[subject] = new + 2
            assert state_of(self.warehouse) == self.turns
        except (AssertionError, WarehouseError) as error:
            self.faults.append(f"{what}: {error}")

    def _begun(self, subject: str, turn: int, at_commit: str = "") -> Any:
        process = SPAWN.Process(target=writer, args=(self.lake, subject, turn, at_commit))
        process.start()
        return process

    def _kill(self, subject: str, turn: int) -> None:
        process = self._begun(subject, turn)
        process.join(self.chance.uniform(0.4, 1.1) * self.length)
        process.kill()
        process.join()

    def _kill_at_commit(self, subject: str, turn: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            mark = Path(folder) / "written"
            process = self._begun(subject, turn, str(mark))
            while process.is_alive() and not mark.exists():
                time.sleep(0.02)
            process.kill()
            process.join()

    def _two_writers(self, subject: str, turn: int) -> None:
        both = [self._begun(subject, turn + one) for one in (0, 1)]
        for process in both:
            process.join(PATIENCE_S)
            if process.exitcode != 0:
                self.faults.append(f"two writers: one ended with {process.exitcode}")

    def _postgres_restart(self, subject: str, turn: int) -> None:
        process = self._begun(subject, turn)
        process.join(self.chance.uniform(0.4, 1.1) * self.length)
        self.server.stop()
        time.sleep(self.chance.uniform(0.0, 1.0))
        self.server.start()
        process.join(PATIENCE_S)
        if process.exitcode != 0:
            self.faults.append(f"postgres restart: the writer ended with {process.exitcode}")

    def _disk_full(self, subject: str, turn: int) -> None:
        # a limit on the size of files says what a full disk says to who writes them
        process = SPAWN.Process(target=_limited_writer, args=(self.lake, subject, turn))
        process.start()
        process.join(PATIENCE_S)
        if process.exitcode != 3:
            self.faults.append(f"disk full: the writer ended with {process.exitcode}, not 3")


def _limited_writer(lake: Lake, subject: str, turn: int) -> None:
    """Exit code 3 where the lack of room was told as a known fault."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    own = LakeWarehouse(lake)
    own.create()
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        replace(own, subject, turn)
    except WarehouseError:
        sys.exit(3)


def kills(server: Postgres, folder: Path, count: int, seed: int) -> Disturbed:
    """The whole campaign; its faults are in what it returns."""
    lake = _lake(server, folder, f"kills{seed}")
    campaign = Disturbed(server, lake, random.Random(seed))
    campaign.prepare()
    for number in range(count):
        what = FAULTS[number % len(FAULTS)]
        campaign.attack(what)
        say(f"{number + 1:>4}. {what}: {campaign.outcomes}; faults {len(campaign.faults)}")
    wrong = campaign.warehouse.read_as_it_is(_keys_of)
    campaign.faults += wrong
    return campaign


def _keys_of(connection: Any) -> list[str]:
    rows = connection.execute(
        "select response_id from evidence.responses group by 1 having count(*) > 1"
    ).fetchall()
    return [f"key {row[0]} is there twice" for row in rows]


def soak_writer(lake: Lake, number: int, until: float, out: str) -> None:
    """Replace partitions of one's own and one that all share, and publish now and then."""
    own, turn, faults, most = LakeWarehouse(lake), 0, [], []
    while time.time() < until:
        turn += 1
        try:
            replace(own, f"w{number}", turn, 500)
            replace(own, "shared", turn * 10 + number, 500)
            if turn % 5 == 0:
                own.publish()
        except Exception as error:
            faults.append(f"{type(error).__name__}: {str(error)[:200]}")
        most.append(_memory())
    Path(out).write_text(json.dumps({"turns": turn, "faults": faults, "memory": most}), "utf-8")


def soak_reader(lake: Lake, number: int, until: float, out: str) -> None:
    """Read what was published; half a partition is a fault."""
    turn, faults, most = 0, [], []
    query = "select subject_id, count(*), count(distinct answer) from evidence.responses group by 1"
    while time.time() < until:
        turn += 1
        try:
            for subject, count, answers in rows_of(lake, query).itertuples(index=False):
                if (count, answers) != (500, 1):
                    faults.append(f"{subject}: {count} rows of {answers} turns")
        except Exception as error:
            faults.append(f"{type(error).__name__}: {str(error)[:200]}")
        most.append(_memory())
    Path(out).write_text(json.dumps({"turns": turn, "faults": faults, "memory": most}), "utf-8")


def _memory() -> float:
    """Resident memory of this process, in MiB."""
    words = Path("/proc/self/statm").read_text("utf-8").split()
    return int(words[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def soak(
    server: Postgres, folder: Path, minutes: float, writers: int = 4, readers: int = 2
) -> Mapping[str, Sequence[dict[str, Any]]]:
    """What writers and readers say at their end."""
    lake = _lake(server, folder, "soak")
    own = LakeWarehouse(lake)
    replace(own, "shared", 0, 500)
    own.publish()
    until = time.time() + 60 * minutes
    places: dict[str, list[Path]] = {"writers": [], "readers": []}
    processes = []
    for kind, target, count in (
        ("writers", soak_writer, writers),
        ("readers", soak_reader, readers),
    ):
        for number in range(count):
            place = folder / f"{kind}-{number}.json"
            places[kind].append(place)
            process = SPAWN.Process(target=target, args=(lake, number, until, str(place)))
            process.start()
            processes.append(process)
    for process in processes:
        process.join()
    state_of(own, 500)
    return {
        kind: [json.loads(place.read_text("utf-8")) for place in own_places]
        for kind, own_places in places.items()
    }


def growth(memory: Sequence[float]) -> float:
    """MiB by which the last fifth lies above the fifth that follows the first, on mean."""
    fifth = max(1, len(memory) // 5)
    early, late = memory[fifth : 2 * fifth] or memory, memory[-fifth:]
    return sum(late) / len(late) - sum(early) / len(early)


def _lake(server: Postgres, folder: Path, study: str) -> Lake:
    found = lake_of(server.address(folder / "data"), study)
    assert found is not None
    return Lake(found.study, found.data, server=found.server, folder=folder / "work")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def main() -> int:
    """Run a campaign or a soak and print what came of it; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("kills", "soak"))
    parser.add_argument("--kills", type=int, default=40)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=5.0)
    given = parser.parse_args()
    if lacking():
        say(f"cannot run: {lacking()}")
        return 2
    folder = Path(tempfile.mkdtemp(prefix="gpla-lake-campaign-"))
    try:
        with postgres() as server:
            if given.what == "kills":
                done = kills(server, folder, given.kills, given.seed)
                say(f"{sum(done.done.values())} faults: {dict(done.done)}; left: {done.outcomes}")
                faults = done.faults
            else:
                found = soak(server, folder, given.minutes)
                faults = []
                for kind, every in found.items():
                    turns = sum(one["turns"] for one in every)
                    grown = max(growth(one["memory"]) for one in every)
                    most = max(max(one["memory"]) for one in every)
                    faults += [text for one in every for text in one["faults"]]
                    say(
                        f"{kind}: {len(every)}, {turns} rounds, at most {most:.0f} MiB, "
                        f"growth {grown:+.1f} MiB"
                    )
            say(f"wrong: {len(faults)}")
            for text in faults[:20]:
                say(f"  {text}")
            return 1 if faults else 0
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
