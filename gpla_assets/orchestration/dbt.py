"""dbt as this project runs it: in this process, so that it ends with it and starts once.

dbt would write target/ and logs/ into its project, which in a wheel is part of the package. All of
it goes to work/dbt/ of the warehouses' folder instead.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from gpla_assets.common.errors import KnownError
from gpla_assets.storage.warehouse import STAGED
from gpla_assets.studies.places import dbt_folder, warehouse_folder

if TYPE_CHECKING:
    from dbt.artifacts.schemas.run import RunResult
    from dbt.cli.main import dbtRunnerResult
    from dbt.contracts.graph.manifest import Manifest

QUIET = ["--log-level", "none", "--no-use-colors", "--no-send-anonymous-usage-stats"]
PARSED = "partial_parse.msgpack"


class DbtFailed(KnownError, RuntimeError):
    """dbt could not read its project, or a model or a test failed; `results` tells of each node."""

    def __init__(self, message: str, results: list[NodeResult] | None = None) -> None:
        super().__init__(message)
        self.results = results or []


@dataclass(frozen=True)
class NodeResult:
    """What came of a model, seed or test: `failures` are rows that break a test."""

    unique_id: str
    kind: str
    name: str
    passed: bool
    failures: int
    seconds: float
    message: str


def dbt_work() -> Path:
    """Where dbt writes: manifest, compiled models and logs."""
    return warehouse_folder() / "work" / "dbt"


def project_stamp() -> str:
    """A hash of the project's SQL, YAML and seeds, and of where it lies; of dbt's version."""
    folder = dbt_folder()
    paths = [path for end in ("sql", "yml", "csv") for path in folder.rglob(f"*.{end}")]
    digest = hashlib.sha256(f"{folder} {STAGED} {metadata.version('dbt-core')}".encode())
    for path in sorted(path for path in paths if "target" not in path.parts):
        digest.update(f"{path.relative_to(folder)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def prepared_manifest() -> Path:
    """dbt's manifest, parsed again only when the project changed (a parse costs 3 s of CPU).

    Raises DbtFailed where the project cannot be parsed.
    """
    target = dbt_work() / project_stamp()
    manifest = target / "manifest.json"
    if manifest.exists() and (target / PARSED).exists():
        return manifest
    dbt_work().mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=dbt_work(), prefix="parse-") as staged:
        # the profile wants a file's name; a parse opens none
        with _at(Path("/nonexistent") / STAGED):
            done = _invoke(["parse", "--no-partial-parse", *_places(Path(staged))], None)
        if not done.success:
            said = " ".join(str(done.exception or "").split())
            raise DbtFailed(f"dbt cannot parse its project {dbt_folder()}: {said}")
        target.mkdir(exist_ok=True)
        # aside first, then moved whole: a process killed here, or one that parses at the same
        # time, leaves no half a manifest
        for name in (PARSED, "manifest.json"):
            os.replace(Path(staged) / name, target / name)
    return manifest


def build(folder: str, file: Path, variables: Mapping[str, object]) -> list[NodeResult]:
    """Build the models of dbt/models/<folder> into a DuckDB file and run their tests.

    dbt's unit tests are the project's own tests and stay out. Raises DbtFailed naming what failed.
    """
    from dbt.adapters.duckdb.connections import DuckDBConnectionManager
    from dbt.artifacts.schemas.run import RunExecutionResult
    from dbt.contracts.graph.manifest import Manifest

    parsed = prepared_manifest().with_name(PARSED)
    manifest = Manifest.from_msgpack(parsed.read_bytes())
    # the file holds the manifest without it, and dbt's `graph` variable is made from it
    manifest.build_flat_graph()
    command = ["build", "--select", f"tag:{folder}", "--exclude-resource-type", "unit_test"]
    command += ["--vars", json.dumps(dict(variables))]
    try:
        # beside the file: where a killed run leaves it, it goes with the copy it was building
        with _at(file), TemporaryDirectory(dir=file.parent, prefix="dbt-") as target:
            done = _invoke([*command, *_places(Path(target))], manifest)
    finally:
        # dbt-duckdb keeps its connection open in this process, and with it the file locked
        DuckDBConnectionManager.close_all_connections()
    # dbt returns an interrupt as a result; the run is to end with it
    if isinstance(done.exception, KeyboardInterrupt):
        raise done.exception
    if done.exception is not None:
        raise DbtFailed(f"dbt could not build {folder}: {done.exception}") from done.exception
    assert isinstance(done.result, RunExecutionResult)
    results = [_result(one) for one in done.result.results]
    failed = [one for one in results if not one.passed]
    if failed:
        said = "; ".join(f"{one.kind} {one.name}: {one.message or one.failures}" for one in failed)
        raise DbtFailed(
            f"dbt built {folder} with faults, and what was there stays: {said}", results
        )
    return results


def _result(one: RunResult) -> NodeResult:
    return NodeResult(
        one.node.unique_id,
        str(one.node.resource_type),
        one.node.name,
        str(one.status) in ("success", "pass"),
        int(one.failures or 0),
        float(one.execution_time),
        " ".join(str(one.message or "").split()),
    )


def _places(target: Path) -> list[str]:
    folder = str(dbt_folder())
    places = ["--project-dir", folder, "--profiles-dir", folder]
    return [*places, "--target-path", str(target), "--log-path", str(target / "logs")]


def _invoke(command: list[str], manifest: Manifest | None) -> dbtRunnerResult:
    from dbt.cli.main import dbtRunner

    logging.getLogger("dbt").setLevel(logging.ERROR)
    return dbtRunner(manifest=manifest).invoke([*command, *QUIET])


@contextmanager
def _at(file: Path) -> Iterator[None]:
    """dbt's profile names the file by an environment variable."""
    before = os.environ.get("GPLA_DBT_FILE")
    os.environ["GPLA_DBT_FILE"] = str(file)
    try:
        yield
    finally:
        if before is None:
            del os.environ["GPLA_DBT_FILE"]
        else:
            os.environ["GPLA_DBT_FILE"] = before


def model_parents(folder: str) -> dict[str, list[str]]:
    """The models and seeds that are built together, by name: the assets that each reads."""
    manifest = json.loads(prepared_manifest().read_text("utf-8"))
    every = {**manifest["nodes"], **manifest["sources"]}
    return {
        node["name"]: [asset_of(every[one]) for one in node["depends_on"].get("nodes", [])]
        for node in sorted(manifest["nodes"].values(), key=lambda node: str(node["name"]))
        if node["resource_type"] in ("model", "seed") and folder in node["tags"]
    }


def asset_of(node: Mapping[str, Any]) -> str:
    """The asset that a node of dbt's manifest is: of a source the one that writes its table."""
    meta = node.get("meta", {}) | node.get("config", {}).get("meta", {})
    key = meta.get("dagster", {}).get("asset_key")
    return str(key[-1] if key else node["name"])
