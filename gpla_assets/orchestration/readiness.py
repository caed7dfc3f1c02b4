"""What of a study is ready on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from gpla_assets.agents.availability import check_backend, check_weights
from gpla_assets.alignment.prompts import PROMPT_SOURCES
from gpla_assets.common.errors import BackendUnavailable, UnknownBackend
from gpla_assets.judges import check_judge
from gpla_assets.orchestration.cluster import ComputeError, check_compute
from gpla_assets.sources import SOURCES, SourceError, SourceMissing, answers_of, locate
from gpla_assets.sources.criteria import criterion_path
from gpla_assets.studies import (
    Compute,
    CorpusSource,
    Model,
    Study,
    StudyError,
    SubjectSource,
    data_dir,
)
from gpla_assets.subjects.roster import check_asked

FIRST_ROWS = 1000
"""Of each file, to see that it can be read."""


@dataclass(frozen=True)
class Readiness:
    """One need of a study: whether it is met, and where it was found or how to get it."""

    what: str
    ready: bool
    detail: str


def readiness(study: Study) -> list[Readiness]:
    """Sources, agents and subjects of a study, in the order of the data."""
    lines = [_texts(f"source {one.source}", one) for one in study.corpus]
    for role, agent in (
        ("parser", study.parser),
        ("generator", study.generator),
        ("evaluator", study.evaluator),
    ):
        lines.append(_backend(f"{role} {agent.backend}", role, agent))
    lines += _subjects(study)
    lines += _benchmarks(study)
    lines += _alignment(study)
    if study.compute.backend != Compute().backend:
        lines.append(_checked("compute", partial(check_compute, study.compute)))
    return lines


def _benchmarks(study: Study) -> Iterator[Readiness]:
    """Criteria that values are to predict, and texts of the validation studies."""
    for item in study.probe.criteria:
        what = f"criterion {item.source}"
        try:
            path = criterion_path(item.source, data_dir(), item.file)
            yield Readiness(what, True, str(path))
        except SourceMissing as error:
            yield Readiness(what, False, " ".join(str(error).split()))
    own = study.validation
    if own.conversations != "responses":
        yield _source(
            f"conversations {own.conversations}", own.conversations, own.conversations_file
        )
    for name in ("alpaca_eval", "valuebench") if own.prompt_sets else ():
        yield _source(f"prompt sets {name}", name, None)
    if study.targets.source is not None:
        name = study.targets.source
        yield _source(f"preferences {name}", name, study.targets.file)


def _alignment(study: Study) -> Iterator[Readiness]:
    """The LLM to align, what it learns from, and who judges it."""
    own = study.alignment
    if own.policy is None:
        return
    yield _checked(f"policy {own.policy}", partial(check_weights, own.policy, own.ppo.device))
    if own.prompts in PROMPT_SOURCES:
        source, _ = PROMPT_SOURCES[own.prompts]
        yield _source(f"prompts {own.prompts}", source, None)
    else:
        found = own.prompts_file is not None and own.prompts_file.is_file()
        yield Readiness("prompts file", found, str(own.prompts_file))
    for judge in own.judges:
        yield _checked(f"judge {judge.backend}", partial(check_judge, judge))


def _subjects(study: Study) -> Iterator[Readiness]:
    for source in study.subjects:
        if source.backend == "recorded":
            yield _texts(f"answers {source.source}", source)
            continue
        for llm in source.llms or []:
            yield _backend(f"LLM {llm}", "subjects", source, llm)


def _texts(what: str, own: CorpusSource | SubjectSource) -> Readiness:
    """Whether a source is there and its first rows read as they will be; what they hold."""
    found = _source(what, own.source, own.file)
    if not found.ready:
        return found
    try:
        path = locate(SOURCES[own.source], data_dir(), own.file)
        read = answers_of(own.source, path, own.columns, most=FIRST_ROWS)
        if isinstance(own, SubjectSource):
            check_asked(read, own.source, path)
    except (SourceError, StudyError) as error:
        return Readiness(what, False, str(error))
    return Readiness(what, True, f"{path} (in its first {FIRST_ROWS:,} rows {read.said})")


def _source(what: str, name: str, file: Path | None) -> Readiness:
    if name not in SOURCES:
        return Readiness(what, False, f"unknown; expected one of {', '.join(SOURCES)}")
    try:
        return Readiness(what, True, str(locate(SOURCES[name], data_dir(), file)))
    except SourceMissing as error:
        return Readiness(what, False, " ".join(str(error).split()))


def _backend(what: str, role: str, settings: Model, llm: str | None = None) -> Readiness:
    return _checked(what, partial(check_backend, role, settings, llm))


def _checked(what: str, check: Callable[[], str]) -> Readiness:
    try:
        return Readiness(what, True, check())
    except (BackendUnavailable, UnknownBackend, ComputeError) as error:
        return Readiness(what, False, str(error))
