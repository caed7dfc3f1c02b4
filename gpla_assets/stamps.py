"""Stamps of a study's input files: what tells that a source has changed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from gpla_assets.administration.alignment_prompts import PROMPT_SOURCES
from gpla_assets.administration.subjects import added_files
from gpla_assets.content import CONTENT
from gpla_assets.keys import subject_key
from gpla_assets.pipeline import file_stamp
from gpla_assets.sources import SOURCES, SourceMissing, locate
from gpla_assets.sources.criteria import criterion_path
from gpla_assets.studies import PROJECT_ROOT, CriterionSource, Study, data_dir


def _stamp(name: str, override: Path | None) -> str:
    try:
        return file_stamp(locate(SOURCES[name], data_dir(), override))
    except SourceMissing:
        return "missing"


def _criterion_stamp(item: CriterionSource) -> str:
    try:
        return file_stamp(criterion_path(item.source, data_dir(), PROJECT_ROOT, item.file))
    except SourceMissing:
        return "missing"


def _validation_stamps(study: Study) -> dict[str, str]:
    """Stamps of the sources that the validation studies read, as far as they are asked for."""
    own, stamps = study.validation, {}
    if own.conversations != "responses":
        stamps["conversations"] = _stamp(own.conversations, own.conversations_file)
    for name in ("alpaca_eval", "valuebench") if own.prompt_sets else ():
        stamps[name] = _stamp(name, None)
    return stamps


def _alignment_stamps(study: Study) -> dict[str, str]:
    """Stamps of the prompts that policies learn from, and of those held out."""
    own = study.alignment
    if own.policy is None:
        return {}
    source, _ = PROMPT_SOURCES.get(own.prompts, (None, None))
    learnt = _stamp(source, None) if source else file_stamp(own.prompts_file)
    held_out = file_stamp(own.held_out or CONTENT / "questions.csv")
    return {"prompts": learnt, "held_out": held_out}


def input_stamps(study: Study) -> dict[str, Any]:
    """Stamps by the names that pipeline steps use."""
    added = added_files(study)
    return {
        "corpus": {item.source: _stamp(item.source, item.file) for item in study.corpus},
        "subjects": {
            item.source: _stamp(item.source, item.file)
            for item in study.subjects
            if item.backend == "recorded"
        },
        "criteria": {item.source: _criterion_stamp(item) for item in study.probe.criteria},
        "validation": _validation_stamps(study),
        "preferences": {
            name: _stamp(name, study.targets.file) for name in filter(None, [study.targets.source])
        },
        "alignment": _alignment_stamps(study),
        "direct_lists": file_stamp(study.validation.direct_file or CONTENT / "direct_lists.csv"),
        "systems": {str(path): file_stamp(path) for path in study.systems},
        "questions.csv": file_stamp(study.questions.file or CONTENT / "questions.csv"),
        "profiles.yaml": file_stamp(study.profiles_file or CONTENT / "profiles.yaml"),
        "added": {path.stem: file_stamp(path) for path in added},
        "answers": {subject_key(path.stem, "Default"): file_stamp(path) for path in added},
    }
