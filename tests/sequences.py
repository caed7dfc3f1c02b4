"""Random sequences of what users do to a study; at the end its tables are those made from scratch.

    python -m tests.sequences --steps 100 --seed 0 --folder /tmp/sequences

LLMs are added, removed, added again, and replaced; the study's own list of LLMs, its thresholds and
its corpus change; `gpla run` runs, and single assets are made as the Dagster UI makes them: through
the GraphQL of a `gpla ui` that stays open. After each action `gpla status` and Dagster must call
the same partitions stale. Exit code 1 where anything differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.quick_study import (
    ADDABLE,
    LLMS,
    QuickStudy,
    addable,
    differences,
    environment_of,
    quick_study,
    tables_of,
    verdicts,
)

A_SEQUENCE = 20
"""Actions before a study is compared with one made from scratch."""
SERVER_S, LAUNCH_S, AGREES_S = 180.0, 240.0, 60.0
THRESHOLDS: dict[tuple[str, str], list[Any]] = {
    ("structure", "n_factors"): [2, 3],
    ("structure", "minimum_gap"): [0.0, 0.02],
    ("lexicon", "cosine_threshold"): [0.53, 0.6],
    ("lexicon", "size"): [9, 10, 12],
    ("evaluator", "minimum_relevance"): [0.45, 0.5],
}
FIRST = ("add", "remove", "add")
"""How a sequence begins: an LLM that comes, leaves and comes again is rare by chance."""
KNOWN = ("which was never made", "it has left")
"""What a single asset may be refused for."""
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on InvalidSubsetError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
STATE = """
query State($id: ID!) {
  runOrError(runId: $id) {
    ... on Run {
      status
      eventConnection(limit: 1000) {
        events { ... on ExecutionStepFailureEvent { error { message cause { message } } } }
      }
    }
  }
}
"""
NODES = """
query Nodes { assetNodes { assetKey { path } isMaterializable jobNames
  partitionKeysByDimension { partitionKeys } } }
"""


class Server:
    """`gpla ui` of a study on a free port of this machine."""

    def __init__(self, study: QuickStudy) -> None:
        self.study = study
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.log = (study.folder / "ui.log").open("a", encoding="utf-8")
        self.process = subprocess.Popen(
            study.command("ui", str(study.file), "--port", str(self.port)),
            env=study.environment,
            cwd=study.folder,
            stdout=self.log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + SERVER_S
        while time.monotonic() < deadline:
            try:
                if self.ask(NODES)["assetNodes"]:
                    return
            except (OSError, KeyError, TypeError):
                time.sleep(1)
        raise TimeoutError(f"`gpla ui` did not answer within {SERVER_S:.0f} s")

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL query."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=120) as answer:
            found = json.load(answer)
        if found.get("errors"):
            raise KeyError(str(found["errors"])[:500])
        return found["data"]

    def materialize(self, assets: list[str], partition: str) -> tuple[str, str]:
        """Make assets as the UI's button does; how the run ended, and what it said."""
        tags = [{"key": "dagster/partition", "value": partition}] if partition else []
        params = {
            "selector": {
                "repositoryName": "__repository__",
                "repositoryLocationName": "gpla_assets.definitions",
                "pipelineName": "__ASSET_JOB",
                "assetSelection": [{"path": [name]} for name in assets],
                "assetCheckSelection": None,
            },
            "mode": "default",
            "executionMetadata": {"tags": tags},
        }
        launched = self.ask(LAUNCH, params=params)["launchPipelineExecution"]
        if launched["__typename"] != "LaunchRunSuccess":
            return "REFUSED", json.dumps(launched)[:600]
        deadline = time.monotonic() + LAUNCH_S
        while time.monotonic() < deadline:
            run = self.ask(STATE, id=launched["run"]["runId"])["runOrError"]
            if run["status"] in ("SUCCESS", "FAILURE", "CANCELED"):
                events = run["eventConnection"]["events"]
                errors = [one["error"] for one in events if one.get("error")]
                said = [line for one in errors for line in (one["message"], str(one["cause"]))]
                return run["status"], " ".join(" ".join(said).split())[:400]
            time.sleep(0.4)
        return "HANGS", ""

    def stale(self, keys: list[tuple[str, str, str]]) -> set[tuple[str, str]]:
        """Which of (step, partition, asset) the server calls stale."""
        asked = [
            f"a{n}: assetNodeOrError(assetKey: {{path: [{json.dumps(asset)}]}}) "
            f"{{ ... on AssetNode {{ staleStatus"
            f"{f'(partition: {json.dumps(key)})' if key else ''} }} }}"
            for n, (_, key, asset) in enumerate(keys)
        ]
        found = self.ask("query Stale { " + " ".join(asked) + " }")
        return {
            (step, key)
            for n, (step, key, _) in enumerate(keys)
            if found[f"a{n}"].get("staleStatus") != "FRESH"
        }

    def close(self) -> None:
        """Stop it with all its children."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(20)
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)
        self.log.close()


@dataclass
class Sequence:
    """One study under random actions."""

    study: QuickStudy
    chance: random.Random
    server: Server | None = None
    added: dict[str, int] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    number: int = 0

    @property
    def listed(self) -> list[str]:
        """The study's own list of LLMs."""
        found: list[str] = self.study.content["subjects"][0]["llms"]
        return found

    def actions(self) -> dict[str, tuple[float, Callable[[], str]]]:
        """What can be done now, with weights."""
        found: dict[str, tuple[float, Callable[[], str]]] = {
            "add": (1.2, self.add),
            "replace answers": (1.0, self.replace),
            "threshold": (1.6, self.threshold),
            "corpus": (0.7, self.corpus),
            "list": (1.2, self.change_list),
            "run": (1.0, self.run),
        }
        if self.added:
            found["remove"] = (1.3, self.remove)
        if self.server is not None:
            found["UI"] = (3.0, self.ui)
        return found

    def step(self, name: str | None = None) -> None:
        """One action, a random one where none is named, and both verdicts after it."""
        self.number += 1
        possible = self.actions()
        weights = [weight for weight, _ in possible.values()]
        name = name or self.chance.choices(list(possible), weights)[0]
        began = time.monotonic()
        try:
            said = possible[name][1]()
        except AssertionError as error:
            said = f"failed: {str(error)[-1500:]}"
            self.fault(f"{name}: {said}")
        kind = "re-add" if name == "add" and said.startswith("re-add") else name
        self.counts[kind] += 1
        self.compare_verdicts(f"{name}: {said}", began)

    def compare_verdicts(self, what: str, began: float) -> None:
        """`gpla status` and Dagster name the same partitions."""
        status = self.study.status()
        both = verdicts(self.study)
        if both.disagreement:
            self.fault(f"after {what}: {both.disagreement}")
        if ("Nothing is stale" in status) != (not both.cli):
            self.fault(f"after {what}: status says {status!r}, {len(both.cli)} are stale")
        seconds = time.monotonic() - began
        say(f"{self.number:>4}. {what} ({seconds:.0f} s); stale: {len(both.cli)}")

    def add(self) -> str:
        """Add an LLM that is not there (one that was removed: again), or one taken off the list."""
        free = [f"new-{n}" for n in range(ADDABLE) if f"new-{n}" not in self.added]
        off = [one for one in self.own if one not in self.listed and one not in self.added]
        if not free + off:
            return self.replace()
        before = [one for one in free if one in self.removed]
        if before and self.chance.random() < 0.7:
            name = self.chance.choice(before)
        else:
            name = self.chance.choice(free + off[:1])
        again = "re-add" if name in self.removed else "add"
        self.added[name] = self.chance.randrange(ADDABLE)
        file = addable(self.study, self.added[name])
        self.study.well("add-llm", name, "--responses", str(file), "--study", str(self.study.file))
        return f"{again} {name} by {file.name}"

    @property
    def own(self) -> list[str]:
        """The LLMs that the study's own file holds."""
        return [f"llm-{n:02d}" for n in range(LLMS)]

    def remove(self) -> str:
        """Remove an LLM that was added."""
        name = self.chance.choice(sorted(self.added))
        self.study.well("remove-llm", name, "--study", str(self.study.file))
        del self.added[name]
        self.removed.add(name)
        return name

    def replace(self) -> str:
        """Give an LLM other answers: an added one by the command, the study's own in its file."""
        names = [name for name in self.added if name not in self.listed]
        if names and self.chance.random() < 0.5:
            name = self.chance.choice(sorted(names))
            number = (self.added[name] + 1) % ADDABLE
            self.added[name] = number
            file = str(addable(self.study, number))
            self.study.well("add-llm", name, "--responses", file, "--study", str(self.study.file))
            return f"{name} by {Path(file).name}"
        name = self.chance.choice(self.own)
        rows = lines_of(self.study.answers)
        own = [row for row in rows if row["llm"] == name]
        for row in self.chance.sample(own, 5):
            row["content"] += " It is important to be honest with other people."
        write_lines(self.study.answers, rows)
        return f"{name} in {self.study.answers.name}"

    def change_list(self) -> str:
        """Take an LLM out of subjects.llms, or put one back."""
        out = [name for name in self.own if name not in self.listed and name not in self.added]
        if out and (len(self.listed) <= LLMS - 2 or self.chance.random() < 0.5):
            name = self.chance.choice(out)
            self.study.content["subjects"][0]["llms"] = sorted([*self.listed, name])
            said = f"{name} back"
        else:
            name = self.chance.choice(self.listed)
            self.study.content["subjects"][0]["llms"] = [x for x in self.listed if x != name]
            said = f"{name} out"
        self.study.save()
        return said

    def threshold(self) -> str:
        """Change one threshold."""
        group, name = self.chance.choice(list(THRESHOLDS))
        settings = self.study.content.setdefault(group, {})
        options = [one for one in THRESHOLDS[group, name] if one != settings.get(name)]
        settings[name] = self.chance.choice(options)
        self.study.save()
        return f"{group}.{name} = {settings[name]}"

    def corpus(self) -> str:
        """Append lines to the corpus, or take some away."""
        rows = lines_of(self.study.corpus)
        if self.chance.random() < 0.5:
            spare = lines_of(addable(self.study, self.chance.randrange(ADDABLE)))
            new = self.chance.sample(spare, 3)
            write_lines(self.study.corpus, rows + new)
            return f"{len(new)} lines more"
        gone = set(self.chance.sample(range(len(rows)), 3))
        write_lines(self.study.corpus, [row for n, row in enumerate(rows) if n not in gone])
        return f"{len(gone)} lines fewer"

    def run(self) -> str:
        """`gpla run`; nothing is stale after it, by Dagster as the run left it."""
        self.study.run()
        both = verdicts(self.study, tell=False)
        if both.cli or both.dagster:
            self.fault(f"stale after a run: CLI {sorted(both.cli)[:4]}, {both.disagreement}")
        return "gpla run"

    def ui(self) -> str:
        """Make one asset (of dbt's: one model, or all that are built together) by GraphQL."""
        from gpla_assets.orchestration.asset_keys import asset_keys
        from gpla_assets.orchestration.versions import asked_steps
        from gpla_assets.studies import load_study

        assert self.server is not None
        with environment_of(self.study):
            step = self.chance.choice(asked_steps(load_study(str(self.study.file))))
            assets = [key.path[0] for key in asset_keys(step.name)]
        if step.models and self.chance.random() < 0.5:
            assets = [self.chance.choice(assets)]
        known = sorted(self.partitions(step.name)) if step.partitions else [""]
        partition = self.chance.choice(known)
        ended, said = self.server.materialize(assets, partition)
        shown = assets[0] if len(assets) == 1 else f"{step.name} whole"
        what = f"{shown} {partition}".rstrip() + f": {ended} {said}".rstrip()
        if ended != "SUCCESS" and not any(words in said for words in KNOWN):
            self.fault(f"UI: {what}")
        return what

    def partitions(self, asset: str) -> list[str]:
        """An asset's partitions, as the server offers them."""
        assert self.server is not None
        for node in self.server.ask(NODES)["assetNodes"]:
            if node["assetKey"]["path"] == [asset]:
                return [
                    key for one in node["partitionKeysByDimension"] for key in one["partitionKeys"]
                ]
        return []

    def server_agrees(self) -> None:
        """The open UI calls stale what the CLI does, once it has had time to look."""
        if self.server is None:
            return
        with environment_of(self.study):
            keys = keys_of(self.study)
        wanted = verdicts(self.study).cli
        deadline = time.monotonic() + AGREES_S
        found = self.server.stale(keys)
        while found != wanted and time.monotonic() < deadline:
            time.sleep(1)
            found = self.server.stale(keys)
        if found == wanted:
            say(f"      the open UI calls the same {len(found)} stale")
        else:
            only = f"only it {found - wanted}, only the CLI {wanted - found}"
            self.fault(f"the open UI differs: {only}")

    def finish(self) -> None:
        """A run, and the same tables as those of a study made from scratch."""
        self.server_agrees()
        try:
            self.run()
            self.server_agrees()
            scratch = self.copied()
            scratch.run()
        except AssertionError as error:
            self.fault(f"the last run: {str(error)[-1500:]}")
            return
        one, other = tables_of(self.study.published), tables_of(scratch.published)
        found = differences(one, other)
        for line in found:
            self.fault(f"not as from scratch: {line}")
        rows = sum(map(len, one.values()))
        say(f"      {len(one)} tables of {rows} rows: {'DIFFER' if found else 'as from scratch'}")

    def copied(self) -> QuickStudy:
        """The same files and settings in a folder with an empty warehouse."""
        folder = self.study.folder.with_name(f"{self.study.folder.name}-scratch")
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in self.study.folder.glob("*.*"):
            if path.is_file() and path.suffix != ".log":
                shutil.copy(path, folder)
        scratch = QuickStudy(folder, folder / "warehouse", content=self.study.content)
        scratch.warehouses.mkdir()
        if self.study.added.is_dir():
            hidden = shutil.ignore_patterns(".*")
            shutil.copytree(self.study.added, scratch.added, ignore=hidden)
        store = self.study.warehouses / "embeddings.sqlite"
        if store.exists():
            shutil.copy(store, scratch.warehouses)
        return scratch

    def fault(self, text: str) -> None:
        """Something is wrong: said, and kept."""
        self.faults.append(text)
        say(f"FAULT {text}")


def keys_of(study: QuickStudy) -> list[tuple[str, str, str]]:
    """Every step, partition, and the asset that Dagster has for it."""
    from gpla_assets.orchestration.making import state_of
    from gpla_assets.orchestration.versions import asked_steps, partition_keys
    from gpla_assets.storage import FileWarehouse
    from gpla_assets.studies import load_study

    settings = load_study(str(study.file))
    subjects = state_of(FileWarehouse(study.published)).subjects
    return [
        (step.name, key, step.table if step.models else step.name)
        for step in asked_steps(settings)
        for key in partition_keys(step, settings, subjects)
    ]


def lines_of(path: Path) -> list[dict[str, str]]:
    """The rows of a file of JSON lines."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def write_lines(path: Path, rows: list[dict[str, str]]) -> None:
    """Write a file of JSON lines."""
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")


def say(line: str) -> None:
    """Print a line at once."""
    print(line, flush=True)


def run_sequence(
    folder: Path, steps: int, seed: int, with_server: bool, first: tuple[str, ...] = FIRST
) -> Sequence:
    """One sequence on a new study, which begins with the actions `first`; the server is open
    throughout."""
    study = quick_study(folder)
    sequence = Sequence(study, random.Random(seed))
    study.run()
    if with_server:
        sequence.server = Server(study)
    try:
        if sequence.server:
            sequence.server.ready()
        for name in (*first, *[None] * (steps - len(first)))[:steps]:
            sequence.step(name)
        sequence.finish()
    finally:
        if sequence.server:
            sequence.server.close()
    return sequence


def main() -> int:
    """Run sequences and print a summary; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--no-ui", action="store_true", help="Without a server.")
    parser.add_argument("--embeddings", type=Path, help="A store to begin with, to be quick.")
    given = parser.parse_args()
    counts: Counter[str] = Counter()
    faults: list[str] = []
    store = given.embeddings
    for number, first in enumerate(range(0, given.steps, A_SEQUENCE)):
        folder = given.folder.resolve() / f"sequence-{number}"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "warehouse").mkdir(parents=True)
        if store is not None and store.exists():
            shutil.copy(store, folder / "warehouse" / "embeddings.sqlite")
        say(f"sequence {number}, seed {given.seed + number}")
        steps = min(A_SEQUENCE, given.steps - first)
        done = run_sequence(folder, steps, given.seed + number, not given.no_ui)
        store = folder / "warehouse" / "embeddings.sqlite"
        counts += done.counts
        faults += [f"sequence {number}: {text}" for text in done.faults]
    say("")
    for name, count in counts.most_common():
        say(f"{name:<20} {count:>3}")
    say(f"{'all':<20} {sum(counts.values()):>3}; faults: {len(faults)}")
    for text in faults:
        say(f"  {text}")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
