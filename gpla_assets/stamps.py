"""Stamps of a study's input files: what tells that a source has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpla_assets.pipeline import CONTENT, file_stamp
from gpla_assets.sources import SOURCES, SourceMissing, locate
from gpla_assets.studies import Study, data_dir


def added_folder(study: Study) -> Path:
    """Where `gpla add-llm` keeps the responses of added LLMs."""
    return study.warehouse_path.parent / "added" / study.name


def source_path(name: str, override: Path | None = None) -> Path:
    """The file of a source on this machine; raises SourceMissing."""
    if name == "demo":
        return CONTENT / "demo_texts.parquet"
    return locate(SOURCES[name], data_dir(), override)


def _stamp(name: str, override: Path | None) -> str:
    try:
        return file_stamp(source_path(name, override))
    except SourceMissing:
        return "missing"


def input_stamps(study: Study) -> dict[str, Any]:
    """Stamps by the names that pipeline steps use."""
    added = sorted(added_folder(study).glob("*.jsonl"))
    return {
        "corpus": {item.source: _stamp(item.source, item.file) for item in study.corpus},
        "subjects": {
            item.source: _stamp(item.source, item.file)
            for item in study.subjects
            if item.backend == "recorded"
        },
        "added": {path.stem: file_stamp(path) for path in added},
        "items": _stamp("valuebench_items", None),
        "answers": {f"{path.stem}|Default": file_stamp(path) for path in added},
    }
