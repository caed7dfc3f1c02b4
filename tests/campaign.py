"""A campaign of kills: `gpla run` is killed again and again, and what is left must be whole.

    python -m tests.campaign --kills 60 --seed 0 --folder /tmp/campaign

Kills are spread over the steps, dbt's included, over publishing and over what comes before the
first step: each at a random moment after the run has announced the step, or where a file of
publishing appears. After each, the warehouse must open and `gpla status` must end well; every few
kills a run is let through, and its tables must equal those of a run that was never disturbed.
Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd

from tests.quick_study import (
    QuickStudy,
    differences,
    quick_study,
    runs_under_way,
    settings,
    stale_steps,
    tables_of,
    verdicts,
)

KILLS_A_ROUND = 5
"""Kills before a run is let through."""
FROM_NOTHING = 0.15
"""Share of rounds that begin from an empty warehouse, though another variant would do."""
BEGIN, PUBLISHING, BESIDE = "before the first step", "publishing", "with a second run beside it"
DBT = {"lexicon": "lexicon (dbt)", "value_correlations": "value_correlations (dbt)"}
WEIGHTS: Mapping[str, float] = {BEGIN: 0.5, PUBLISHING: 0.15, BESIDE: 0.7} | dict.fromkeys(
    DBT, 0.25
)
"""What a kill counts for where the phase with the fewest is chosen: a small one is hit more."""
SIGNALS = [signal.SIGKILL] * 6 + [signal.SIGTERM, signal.SIGKILL, signal.SIGINT]
BEGIN_S = 3.0
"""Before the first step a run imports and looks for about so many seconds."""
PATIENCE_S = 180.0

Settings = dict[str, dict[str, Any]]
VARIANTS: list[Settings] = [
    {},
    {"generator": {"minimum_relevance": 0.55}},
    {"lexicon": {"size": 9}, "evaluator": {"minimum_relevance": 0.45}},
]
"""Settings that differ from the study's, so that there is something to make."""


class Watched:
    """A `gpla run` in a process group of its own, and the steps that it has announced."""

    def __init__(self, study: QuickStudy) -> None:
        self.begun = time.monotonic()
        self.steps: list[str] = []
        self.lines: list[str] = []
        self.last_of_all = threading.Event()
        self.announced: dict[str, threading.Event] = defaultdict(threading.Event)
        self.process = subprocess.Popen(
            study.command("run", str(study.file)),
            env=study.environment,
            cwd=study.folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())
            words = line.split()
            if len(words) > 2 and words[0] == ">" and "/" in words[1]:
                step = words[2].rstrip(":")
                self.steps.append(step)
                number, _, total = words[1].partition("/")
                if number == total:
                    self.last_of_all.set()
                self.announced[step].set()

    def wait_for(self, event: threading.Event) -> bool:
        """Whether the event comes while the run lives."""
        while self.process.poll() is None and time.monotonic() - self.begun < PATIENCE_S:
            if event.wait(0.05):
                return True
        return event.is_set() and self.process.poll() is None

    def kill(self, how: signal.Signals) -> bool:
        """Send a signal to the whole group; whether the run was alive to get it."""
        if self.process.poll() is not None:
            return False
        os.killpg(self.process.pid, how)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(60)
            raise
        self._reader.join(10)
        return True

    def end(self) -> int:
        """Wait for its end; the exit code."""
        code = self.process.wait(PATIENCE_S)
        self._reader.join(10)
        return code

    @property
    def output(self) -> str:
        """All that was printed."""
        return "\n".join(self.lines)


@dataclass
class Campaign:
    """The state of a campaign: study, references by variant, and what was found."""

    study: QuickStudy
    chance: random.Random
    variants: list[Settings] = field(default_factory=lambda: VARIANTS)
    undisturbed: dict[int, dict[str, pd.DataFrame]] = field(default_factory=dict)
    lengths: dict[str, float] = field(default_factory=dict)
    variant: int = 0
    kills: Counter[str] = field(default_factory=Counter)
    aims: Counter[str] = field(default_factory=Counter)
    signals: Counter[str] = field(default_factory=Counter)
    completed: int = 0
    equal: int = 0
    faults: list[str] = field(default_factory=list)

    def prepare(self) -> None:
        """Make the undisturbed tables of every variant, each from an empty warehouse."""
        for variant, changed in enumerate(self.variants):
            self.choose(variant)
            self.empty()
            self.study.run()
            self.undisturbed[variant] = tables_of(self.study.published)
            self.lengths |= step_seconds(self.study.published)
            say(f"undisturbed tables of variant {variant}: {changed or 'as it is'}")
        self.choose(0)

    def choose(self, variant: int) -> None:
        """Write a variant's settings into the study's file."""
        self.variant = variant
        base = settings()
        changed = {name: base.get(name, {}) | own for name, own in self.variants[variant].items()}
        self.study.content = base | changed
        self.study.save()

    def empty(self) -> None:
        """Begin from nothing; what makes runs quick (embeddings, hashes, dbt's manifest) stays."""
        for path in (self.study.published, self.study.working):
            for one in path.parent.glob(f"{path.stem}.*"):
                shutil.rmtree(one) if one.is_dir() else one.unlink()
        for name in ("dagster", "report"):
            shutil.rmtree(self.study.warehouses / name, ignore_errors=True)

    def aim(self) -> str:
        """The phase to kill in: of those that are to come, the one with the fewest kills."""
        stale = list(dict.fromkeys(step for step, _ in stale_steps(self.study)))
        phases = [*stale, BEGIN, PUBLISHING] + ([BESIDE] if stale else [])
        weighed = [(self.aims[one] * WEIGHTS.get(one, 1.0), self.chance.random()) for one in phases]
        return phases[weighed.index(min(weighed))]

    def attack(self) -> bool:
        """One run with a kill in it; False where a run ended nevertheless (and was checked)."""
        aim = self.aim()
        how = SIGNALS[sum(self.aims.values()) % len(SIGNALS)]
        run = Watched(self.study)
        beside = Watched(self.study) if aim == BESIDE else None
        self.wait(run, aim)
        self.aims[aim] += 1
        hit = run.kill(how)
        if beside is not None and beside.end() != 0:
            self.fault(f"the run beside the killed one failed: {beside.output[-1500:]}")
        if not hit:
            if run.end() != 0:
                self.fault(f"a run that nobody killed failed: {run.output[-1500:]}")
            say(f"      (aimed at {aim}: the run ended before)")
            self.compare()
            return False
        if how == signal.SIGINT and "Traceback" in run.output:
            say(f"      note: ctrl-C printed a traceback: {run.lines[-1][:120]}")
        self.judge(run, aim, how)
        if beside is not None:
            self.compare()
        return beside is None

    def wait(self, run: Watched, aim: str) -> None:
        """Until a random moment of the phase that is aimed at."""
        if aim == BEGIN:
            time.sleep(self.chance.uniform(0.2, BEGIN_S))
        elif aim == BESIDE:
            run.wait_for(run.announced["measurements"] if self.chance.random() < 0.5 else NOW)
            time.sleep(self.chance.uniform(0.0, 6.0))
        elif aim == PUBLISHING:
            self.wait_for_publishing(run)
        elif run.wait_for(run.announced[aim]):
            time.sleep(self.chance.uniform(0.0, 1.1 * self.lengths.get(aim, 0.1) + 0.05))

    def wait_for_publishing(self, run: Watched) -> None:
        """Until one of publishing's files is there, and a moment longer."""
        study = self.study
        marks = [
            study.published.with_suffix(".publishing"),
            study.working.with_suffix(".published.staged"),
            study.warehouses / "report" / f"{study.published.stem}.partial",
        ]
        mark = self.chance.choice([marks[0], marks[0], marks[1], marks[2], None])
        if stale_steps(study) and not run.wait_for(run.last_of_all):
            return
        if mark is None:  # between the files: anywhere in the report's making
            mark, more = marks[0], self.chance.uniform(0.0, 1.5)
        else:
            more = self.chance.choice([0.0, 0.0, 0.001, 0.003, 0.01])
        while run.process.poll() is None and not mark.exists():
            time.sleep(0.0001)
        time.sleep(more)

    def judge(self, run: Watched, aim: str, how: signal.Signals) -> None:
        """After a kill: where it hit, whether the warehouse opens, what status says."""
        problem = opens(self.study)
        if problem:
            self.fault(problem)
        try:
            self.study.status()
        except AssertionError as error:
            self.fault(f"status after a kill in {aim}: {error}")
        stale = list(dict.fromkeys(step for step, _ in stale_steps(self.study)))
        where = run.steps[-1] if run.steps else BEGIN
        if (not stale) if run.steps else aim == PUBLISHING:
            where = PUBLISHING
        where = BESIDE if aim == BESIDE else DBT.get(where, where)
        self.kills[where] += 1
        self.signals[how.name] += 1
        shown = ", ".join(stale[:3]) + (f" and {len(stale) - 3} more" if len(stale) > 3 else "")
        number = sum(self.kills.values())
        left = ", ".join(leftovers(self.study)) or "no files"
        say(f"{number:>4}. {how.name} in {where}; stale: {shown or 'nothing'}; left: {left}")

    def complete(self) -> None:
        """Let a run through, and compare."""
        done = Watched(self.study)
        if done.end() != 0:
            self.fault(f"the run after kills failed: {done.output[-1500:]}")
            return
        self.compare()

    def compare(self) -> None:
        """The tables of a run that ended are those of one that was never disturbed."""
        self.completed += 1
        found = differences(self.undisturbed[self.variant], tables_of(self.study.published))
        both = verdicts(self.study, tell=False)
        if both.cli or both.dagster:
            said = f"CLI {sorted(both.cli)[:4]}, Dagster {both.disagreement}"
            found.append(f"stale after a run that ended: {said}")
        if dead := runs_under_way(self.study):
            found.append(f"{dead} runs that ended or were killed count as running in Dagster")
        left = [name for name in leftovers(self.study) if not name.endswith(".wal")]
        if left:
            found.append(f"left behind: {', '.join(left)}")
        for line in found:
            self.fault(line)
        self.equal += not found
        said = "equal to the undisturbed one" if not found else "DIFFERS"
        say(f"      run through, variant {self.variant}: {said}")

    def next_round(self) -> None:
        """Have something to make: by another variant, sometimes (or without one) from nothing."""
        others = [one for one in range(len(self.variants)) if one != self.variant]
        if not others or self.chance.random() < FROM_NOTHING:
            self.empty()
            say("      begun anew from an empty warehouse")
        if others:
            self.choose(self.chance.choice(others))

    def fault(self, text: str) -> None:
        """Something is wrong: said, and counted."""
        self.faults.append(text)
        say(f"FAULT {text}")


NOW = threading.Event()
NOW.set()


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def step_seconds(published: Path) -> dict[str, float]:
    """How long each step took."""
    with duckdb.connect(str(published), read_only=True) as connection:
        rows = connection.execute(
            "select asset, sum(seconds) from internal.runs group by asset"
        ).fetchall()
    return dict(rows)


def opens(study: QuickStudy) -> str | None:
    """What is wrong with the working or the published file; None where both open."""
    for path in (study.working, study.published):
        if not path.exists():
            continue
        try:
            with duckdb.connect(str(path), read_only=True) as connection:
                connection.execute("select table_name from duckdb_tables()").fetchall()
        except duckdb.Error as error:
            return f"{path.name} does not open: {error}"
    return None


def leftovers(study: QuickStudy) -> list[str]:
    """Files that a run which ends well does not leave."""
    work = study.working.parent
    found = [
        *work.glob("*.staged*"),
        *work.glob("*.wal"),
        *work.glob("*.begun"),
        *study.warehouses.glob("*.publishing"),
        *(study.warehouses / "report").glob("*.partial"),
        *(work / "dbt").glob("run-*"),
        *(work / "dbt").glob("parse-*"),
    ]
    return sorted(path.name for path in found)


def run_campaign(folder: Path, kills: int, seed: int, variants: int | None = None) -> Campaign:
    """The whole campaign; its faults are in what it returns."""
    campaign = Campaign(quick_study(folder), random.Random(seed), VARIANTS[:variants])
    campaign.prepare()
    campaign.empty()
    since = 0
    while sum(campaign.kills.values()) < kills:
        since += 1
        if not campaign.attack():
            campaign.next_round()
            since = 0
        elif since >= KILLS_A_ROUND:
            campaign.complete()
            campaign.next_round()
            since = 0
    campaign.complete()
    return campaign


def main() -> int:
    """Run a campaign and print a summary by phase; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--embeddings", type=Path, help="A store to begin with, to be quick.")
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    if given.embeddings:
        (given.folder / "warehouse").mkdir(parents=True)
        shutil.copy(given.embeddings, given.folder / "warehouse" / "embeddings.sqlite")
    campaign = run_campaign(given.folder.resolve(), given.kills, given.seed)
    say("")
    for phase, count in campaign.kills.most_common():
        say(f"{phase:<32} {count:>3} kills")
    say(f"{'all':<32} {sum(campaign.kills.values()):>3} kills, by {dict(campaign.signals)}")
    say(f"runs that ended: {campaign.completed}; with the undisturbed tables: {campaign.equal}")
    say(f"faults: {len(campaign.faults)}")
    for text in campaign.faults:
        say(f"  {text}")
    return 1 if campaign.faults else 0


if __name__ == "__main__":
    sys.exit(main())
