"""Starts what compose.yaml describes without containers: processes on loopback, one Postgres.

    python -m tests.compose_services

Commands and environments are compose.yaml's own; hosts become 127.0.0.1, ports free ones, and
folders those of a temporary place. What needs an image (MinIO, Ray) stays out.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

import gpla_assets
from tests.postgres import Postgres, free_port, postgres

DEPLOY = Path(gpla_assets.__file__).parent / "deploy"
STARTED = ("worker-a", "worker-b", "webserver", "daemon")
PATIENCE_S = 400.0
LOCATIONS = """
{ workspaceOrError { ... on Workspace { locationEntries { name loadStatus
    locationOrLoadError { __typename ... on PythonError { message } } } } } }
"""


def compose() -> dict[str, Any]:
    """compose.yaml as data."""
    found: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return found


@dataclass
class Services:
    """What was started: the folder of all, and the webserver's port."""

    folder: Path
    port: int
    processes: dict[str, subprocess.Popen[bytes]]
    environment: Mapping[str, str]

    def ask(self, query: str) -> Any:
        """An answer of the webserver."""
        body = json.dumps({"query": query}).encode()
        address = f"http://127.0.0.1:{self.port}/graphql"
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)["data"]

    def locations(self) -> dict[str, str]:
        """What the webserver says of each worker, once both are loaded."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            gone = [name for name, one in self.processes.items() if one.poll() is not None]
            assert not gone, f"{gone[0]} ended: {self.log(gone[0])[-2000:]}"
            try:
                entries = self.ask(LOCATIONS)["workspaceOrError"]["locationEntries"]
            except OSError:  # not up yet
                time.sleep(0.5)
                continue
            if len(entries) == 2 and all(one["loadStatus"] == "LOADED" for one in entries):
                found = {one["name"]: _loaded(one["locationOrLoadError"]) for one in entries}
                if not any("Unreachable" in one for one in found.values()):
                    return found
                # the workers load longer than the webserver
                self.ask("mutation { reloadWorkspace { __typename } }")
            time.sleep(1.0)
        raise AssertionError(f"the workers were not loaded: {self.log('webserver')[-2000:]}")

    def log(self, service: str) -> str:
        """What a service printed."""
        return (self.folder / f"{service}.log").read_text("utf-8", errors="replace")


@contextmanager
def services() -> Iterator[Services]:
    """Start them all; stopped, and what they wrote removed, at the end."""
    folder = Path(tempfile.mkdtemp(prefix="gpla-compose-"))
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        with postgres() as server:
            found = _begin(folder, server, processes)
            try:
                yield found
            finally:
                for one in processes.values():
                    one.terminate()
                for one in processes.values():
                    try:
                        one.wait(20)
                    except subprocess.TimeoutExpired:
                        one.kill()
                        one.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _begin(
    folder: Path, server: Postgres, processes: dict[str, subprocess.Popen[bytes]]
) -> Services:
    home = folder / "dagster"
    home.mkdir()
    (folder / "shared").mkdir()
    shutil.copy(DEPLOY / "dagster.yaml", home)
    ports = {name: free_port() for name in ("worker-a", "worker-b", "webserver")}
    workspace = yaml.safe_load((DEPLOY / "workspace.yaml").read_text("utf-8"))
    for one in workspace["load_from"]:
        one["grpc_server"] |= {
            "host": "127.0.0.1",
            "port": ports[one["grpc_server"]["location_name"]],
        }
    (home / "workspace.yaml").write_text(yaml.safe_dump(workspace), "utf-8")
    every = compose()["services"]
    own: dict[str, str] = {}
    for name in STARTED:
        given = {
            key: _here(str(value), folder, server)
            for key, value in every[name]["environment"].items()
        }
        own = os.environ | {"PYTHONPATH": str(DEPLOY.parents[1]), "HF_HUB_OFFLINE": "1"} | given
        command = [_here(word, folder, server) for word in every[name]["command"]]
        if "-p" in command:
            command[command.index("-p") + 1] = str(ports[name])
            command[command.index("-h") + 1] = "127.0.0.1"
        # the scripts beside the interpreter may be of another environment
        command[:1] = [sys.executable, "-m", MODULES[command[0]]]
        log = (folder / f"{name}.log").open("wb")
        processes[name] = subprocess.Popen(
            command, env=own, cwd=home, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
        )
        log.close()
    return Services(folder, ports["webserver"], processes, own)


def _loaded(said: Mapping[str, str]) -> str:
    """RepositoryLocation, or what is wrong."""
    return said.get("message") or said["__typename"]


MODULES = {
    "dagster": "dagster",
    "dagster-webserver": "dagster_webserver",
    "dagster-daemon": "dagster._daemon",
}


def _here(text: str, folder: Path, server: Postgres) -> str:
    """A text of compose.yaml with variables filled in, and hosts and folders of this machine."""
    text = re.sub(r"\$\{\w+:\?[^}]*\}|\$\{GPLA_PASSWORD\}", "loopback", text)
    text = re.sub(r"\$\{\w+:-([^}]*)\}", r"\1", text)
    text = text.replace("host=postgres port=5432", f"host=127.0.0.1 port={server.port}")
    text = text.replace("@postgres:5432", f"@127.0.0.1:{server.port}")
    return re.sub(r"(?<![\w.])/(shared|dagster)\b", rf"{folder}/\1", text)


def main() -> int:
    """Start them, say where, and wait to be stopped."""
    with services() as found:
        print(found.locations(), f"http://127.0.0.1:{found.port}", flush=True)
        try:
            while True:
                time.sleep(3600)
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
