"""What runs in a step: its code, its agents' settings and weights, dbt's models, libraries."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any, TypedDict

from gpla_assets.agents.backends import Backend, backend_key
from gpla_assets.embedding.packaged import packaged_model
from gpla_assets.evaluator.backends import EVALUATORS
from gpla_assets.generator.backends import GENERATORS, NAMERS
from gpla_assets.orchestration.code import ROOT, Place, Reached, Source, module_names, module_path
from gpla_assets.orchestration.hashes import file_hash, remembered
from gpla_assets.parser.backends import PARSERS
from gpla_assets.studies import fingerprint
from gpla_assets.studies.places import dbt_folder
from gpla_assets.studies.settings import Model, bearing
from gpla_assets.subjects.backends import SUBJECTS

BACKENDS: Mapping[str, tuple[Place, Mapping[str, Backend[Any, Any]]]] = {
    "parser": (("gpla_assets.parser.backends", "PARSERS"), PARSERS),
    "generator": (("gpla_assets.generator.backends", "GENERATORS"), GENERATORS),
    "evaluator": (("gpla_assets.evaluator.backends", "EVALUATORS"), EVALUATORS),
    "subjects": (("gpla_assets.subjects.backends", "SUBJECTS"), SUBJECTS),
    "namer": (("gpla_assets.generator.backends", "NAMERS"), NAMERS),
}
"""The backends of each role, and where their table stands in the source."""
EMBEDDER = "gpla_assets.embedding.embedder"
MODEL_FILE = "model.safetensors"


class Bears(TypedDict):
    """What of an agent bears on its rows: settings by dotted name, hashes of files."""

    settings: dict[str, object]
    files: dict[str, str]


class Kept(TypedDict):
    """What code reaches, as it is kept between processes."""

    code: dict[str, str]
    files: Sequence[str]
    libraries: Sequence[str]


def agent_version(role: str, settings: Model) -> str:
    """A hash of what an agent is: its backend's code, settings that bear on it, and weights."""
    table, _ = BACKENDS[role]
    reached = code_of(table, chosen_backends({role: settings}))
    parts = agent_settings(role, settings)
    files = {name: file_hash(ROOT / name) for name in reached.files}
    libraries = {name: library_version(name) for name in reached.libraries}
    return fingerprint([parts, dict(reached.code), files, base_model_hash(reached), libraries])


def agent_settings(role: str, settings: Model) -> Bears:
    _, backends = BACKENDS[role]
    backend = backends.get(backend_key(settings))
    uses = backend.uses if backend else ()
    bears = bearing(settings, role)
    found = {f"{role}.{name}": bears.get(f"{role}.{name}") for name in ("backend", *uses)}
    # the key says the mode already, but a reason should name the setting that changed
    if role == "evaluator" and settings.backend == "embedded":
        found["evaluator.mode"] = bears["evaluator.mode"]
    files = {}
    if settings.model and Path(settings.model).is_dir():
        files[f"{role}.model"] = file_hash(Path(settings.model))
    return {"settings": found, "files": files}


def chosen_backends(agents: Mapping[str, Model]) -> tuple[tuple[Place, str], ...]:
    """Which entry of each table of backends runs; of the other tables none does."""
    found = []
    for role, (table, _) in BACKENDS.items():
        settings = agents.get(role)
        # an empty key is in no table: of roles that do not run no backend is followed
        found.append((table, backend_key(settings) if settings else ""))
    return tuple(found)


@lru_cache
def code_of(start: Place, chosen: tuple[tuple[Place, str], ...]) -> Reached:
    """What runs from a function on; kept beside the warehouses for the present source."""
    name = f"code {start} {chosen} {_source_state()}"
    kept = remembered(name, ROOT / "orchestration" / "code.py", lambda _: _reach(start, chosen))
    return Reached(kept["code"], tuple(kept["files"]), tuple(kept["libraries"]))


def _reach(start: Place, chosen: tuple[tuple[Place, str], ...]) -> Kept:
    found = _source().reached(start, dict(chosen))
    return {"code": dict(found.code), "files": found.files, "libraries": found.libraries}


@lru_cache(maxsize=1)
def _source() -> Source:
    return Source()


@lru_cache(maxsize=1)
def _source_state() -> str:
    """The size and time of every module, under one hash."""
    paths = [path for path in map(module_path, module_names()) if path]
    stats = [(str(path.relative_to(ROOT)), path.stat()) for path in paths]
    return fingerprint([[name, stat.st_size, stat.st_mtime_ns] for name, stat in stats])


def base_model_hash(reached: Reached) -> dict[str, str]:
    """The weights of the sentence encoder that ships as a package, where they are used."""
    if EMBEDDER not in reached.code:
        return {}
    return {"package: all-MiniLM-L6-v2": file_hash(packaged_model() / MODEL_FILE)}


@lru_cache
def model_hashes(folder: str) -> dict[str, str]:
    """Hashes of the SQL of dbt models, of macros, and of the seeds that are built with them."""
    root = dbt_folder()
    paths = [*root.glob(f"models/*/{folder}/*.sql"), *(root / "macros").rglob("*.sql")]
    if folder == "lexicon":
        paths += (root / "seeds").glob("*.csv")
    return {f"dbt: {path.relative_to(root)}": _text_hash(path) for path in sorted(paths)}


def _text_hash(path: Path) -> str:
    lines = [line.rstrip() for line in path.read_text("utf-8").splitlines()]
    # comments of SQL count as little as those of Python
    code = [line for line in lines if line and not line.lstrip().startswith("--")]
    return hashlib.sha256("\n".join(code).encode()).hexdigest()[:16]


@lru_cache
def library_version(distribution: str) -> str:
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "none"
