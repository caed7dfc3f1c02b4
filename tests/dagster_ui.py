"""A running `gpla ui` for tests and pictures: started on a free port, asked by GraphQL, stopped."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import duckdb
import pandas as pd

from gpla_assets.content import CONTENT

PATIENCE_S = 500.0
"""How long a server may take for what takes it seconds where nothing else runs."""
REPOSITORY = {
    "repositoryName": "__repository__",
    "repositoryLocationName": "gpla_assets.definitions",
}
ASSETS = """
{ assetNodes { assetKey { path } staleStatus staleCauses { reason }
               partitionKeys metadataEntries { label ... on TextMetadataEntry { text } } } }
"""
RUNS = """
{ runsOrError { ... on Runs { results {
    runId jobName status tags { key value } assetSelection { path } startTime } } } }
"""
LAUNCH = """
mutation Launch($params: ExecutionParams!) {
  launchPipelineExecution(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
  }
}
"""
Found = TypeVar("Found")


@dataclass(frozen=True)
class Ui:
    """A server that runs: its port, its process and what it prints."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path

    def ask(self, query: str, **variables: Any) -> Any:
        """The data of a GraphQL query."""
        body = json.dumps({"query": query, "variables": variables}).encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/graphql", body, {"Content-Type": "application/json"}
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            found = json.load(answer)
        assert "errors" not in found, found
        return found["data"]

    def assets(self) -> dict[str, dict[str, Any]]:
        """What Dagster says of each asset, by name."""
        return {node["assetKey"]["path"][-1]: node for node in self.ask(ASSETS)["assetNodes"]}

    def reasons(self) -> dict[str, str]:
        """The metadata `stale` of each asset's definition."""
        return {
            name: one["text"]
            for name, node in self.assets().items()
            for one in node["metadataEntries"]
            if one["label"] == "stale"
        }

    def stale(self) -> set[tuple[str, str]]:
        """Assets and partitions that Dagster calls stale or missing."""
        wanted = [
            (name, key)
            for name, node in self.assets().items()
            for key in node["partitionKeys"] or [""]
        ]
        asked = "".join(
            f"_{place}: assetNodeOrError(assetKey: {{path: [{json.dumps(name)}]}}) "
            f"{{ ... on AssetNode {{ staleStatus{partition_argument(key)} }} }}\n"
            for place, (name, key) in enumerate(wanted)
        )
        found = self.ask(f"{{ {asked} }}")
        statuses = [found[f"_{place}"]["staleStatus"] for place in range(len(wanted))]
        return {
            one
            for one, status in zip(wanted, statuses, strict=True)
            if status in ("STALE", "MISSING")
        }

    def runs(self) -> list[dict[str, Any]]:
        """Runs, the newest first, their tags by name."""
        found: list[dict[str, Any]] = self.ask(RUNS)["runsOrError"]["results"]
        for one in found:
            one["tags"] = {tag["key"]: tag["value"] for tag in one["tags"]}
        return found

    def launch(self, job: str, assets: list[str], **tags: str) -> str:
        """Start a run as the UI does; its id."""
        selector = {**REPOSITORY, "pipelineName": job}
        if assets:
            selector["assetSelection"] = [{"path": [name]} for name in assets]  # type: ignore[assignment]
        params = {
            "selector": selector,
            "mode": "default",
            "runConfigData": {},
            "executionMetadata": {"tags": [{"key": k, "value": v} for k, v in tags.items()]},
        }
        started = self.ask(LAUNCH, params=params)["launchPipelineExecution"]
        assert started["__typename"] == "LaunchRunSuccess", started
        return str(started["run"]["runId"])

    def ended(self, run: str, seconds: float = PATIENCE_S) -> str:
        """The status that a run ends with."""
        ends = ("SUCCESS", "FAILURE", "CANCELED")

        def status() -> str | None:
            own = next(one["status"] for one in self.runs() if one["runId"] == run)
            return own if own in ends else None

        return self.wait(status, seconds)

    def wait(self, look: Callable[[], Found | None], seconds: float) -> Found:
        """What `look` finds, once it finds something."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            assert self.process.poll() is None, self.tail()
            try:
                found = look()
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                found = None  # not up yet, or busy
            if found:
                return found
            time.sleep(0.5)
        raise AssertionError(f"nothing within {seconds} s; the server said {self.tail()}")

    def tail(self) -> str:
        """The last that the server printed."""
        return self.log.read_text("utf-8", "replace")[-3000:]


QUICK = """
name: quick
corpus:
  - {source: table, file: answers.jsonl}
subjects:
  - {backend: recorded, source: table, file: answers.jsonl}
questions: {origin: source, count: 10, pilot_llms: [llm-00, llm-01, llm-02, llm-03, llm-04]}
lexicon: {size: 12}
structure:
  {n_factors: 2, minimum_coverage: 0.3, minimum_gap: 0.0, minimum_alpha: 0.0,
    parallel_repeats: 20, resamples: 50}
cfa: {splits: 2, nulls: 1}
probe: {repeats: 10, permutations: 9, partitions: 9}
"""
SAID = (
    "You should always be honest. It is important to respect other people. "
    "Keep a healthy balance between work and rest. Taking risks is worth it. "
    "Strive to achieve your goals. We must fight for social justice. "
)


def quick_study(folder: Path) -> str:
    """A study of eight LLMs by recorded answers, without alignment; the path of its file."""
    texts = pd.read_parquet(CONTENT / "demo_texts.parquet")
    profiles = list(dict.fromkeys(texts["profile"]))[:8]
    own = texts[texts["profile"].isin(profiles)]
    llms = own["profile"].map(lambda profile: f"llm-{profiles.index(profile):02d}")
    rows = own.assign(llm=llms)[["llm", "question_text", "content"]]
    rows.to_json(folder / "answers.jsonl", orient="records", lines=True)
    (folder / "quick.yaml").write_text(QUICK, "utf-8")
    return str(folder / "quick.yaml")


def drop_answers(folder: Path, llm: str) -> None:
    """Put a file of an LLM's answers where the study's added LLMs lie; it appears whole."""
    with duckdb.connect(str(folder / "quick.duckdb"), read_only=True) as connection:
        questions = [
            row[0]
            for row in connection.execute("select content from evidence.questions").fetchall()
        ]
    answers = [SAID + f"Never give up after {number} failures." for number in range(len(questions))]
    rows = pd.DataFrame({"instruction": questions, "output": answers})
    added = folder / "added" / "quick"
    added.mkdir(parents=True, exist_ok=True)
    rows.to_json(added / ".partial", orient="records", lines=True)
    (added / ".partial").replace(added / f"{llm}.jsonl")


def partition_argument(key: str) -> str:
    """The argument of a field that is asked of one partition."""
    return f"(partition: {json.dumps(key)})" if key else ""


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def serving(study: str, folder: Path, *options: str) -> Iterator[Ui]:
    """`gpla ui STUDY` until the end of a `with`; then all its processes are ended."""
    port, log = free_port(), folder / "ui.log"
    command = [str(Path(sys.executable).with_name("gpla")), "ui", study, "--port", str(port)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, *options],
            env=os.environ | {"GPLA_WAREHOUSE_DIR": str(folder), "GPLA_EMBEDDINGS_MB": "100"},
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        ui = Ui(port, process, log)
        try:
            ui.wait(ui.assets, PATIENCE_S)
            yield ui
        finally:
            _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process and all that it started, which shares its group."""
    for signal_number, seconds in ((signal.SIGINT, 15), (signal.SIGKILL, 15)):
        try:
            os.killpg(process.pid, signal_number)
            process.wait(seconds)
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
