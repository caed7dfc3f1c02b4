"""Input files of a study: what tells that one of them says something else now.

Each resolver gives hashes by a label that says where in the study the file is named, so that two
sources of one kind are two entries. What cannot be found is `missing`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar

from gpla_assets.alignment.prompts import PROMPT_SOURCES
from gpla_assets.common.keys import subject_key, subject_parts
from gpla_assets.orchestration.hashes import MISSING, SHOWN, file_hash, remembered
from gpla_assets.sources import SOURCES, SourceError, SourceMissing, locate
from gpla_assets.sources.criteria import criterion_path
from gpla_assets.studies import CriterionSource, Study, SubjectSource, data_dir
from gpla_assets.subjects.added import added_llms, added_subjects
from gpla_assets.subjects.roster import profiles_of, source_answers

Hashes = dict[str, str]
Kept = TypeVar("Kept")


def _source(name: str, override: Path | None) -> str:
    try:
        return file_hash(locate(SOURCES[name], data_dir(), override))
    except (KeyError, SourceMissing):
        return MISSING


def corpus(study: Study) -> Hashes:
    """Every source of the corpus."""
    return {
        f"corpus[{place}] {item.source}": _source(item.source, item.file)
        for place, item in enumerate(study.corpus)
    }


def questions(study: Study) -> Hashes:
    """The file of questions; of prompts that pilot LLMs choose, these LLMs' answers alone."""
    own = study.questions
    if own.origin == "project":
        return {"questions.file": file_hash(own.file)} if own.file else {}
    place = next((n for n, one in enumerate(study.subjects) if one.backend == "recorded"), None)
    if place is None:
        return {}
    source = study.subjects[place]
    label = f"subjects[{place}] {source.source}"
    if not own.pilot_llms:
        return {label: _source(source.source, source.file)}
    # another LLM in the file is no reason to choose the prompts anew
    by_llm = answers_by_llm(source)
    return {f"{label}, {llm}": by_llm.get(llm, MISSING) for llm in own.pilot_llms}


def subjects(study: Study) -> Hashes:
    """Which LLMs there are and under which profiles, by source; who was added."""
    found = {
        f"subjects[{place}] {source.source}": _hash(
            "\n".join([*(source.llms or []), *_subjects_or_none(source), *source.profiles])
        )
        for place, source in enumerate(study.subjects)
    }
    # who they are alone: what an added LLM answered is its own partition
    added = "\n".join(subject_key(*pair) for pair in added_subjects(study))
    return found | {"added": _hash(added)}


def profiles(study: Study) -> Hashes:
    """The wording of the profiles, and the values that they ask for."""
    rows = profiles_of(study)
    return {"profiles": _hash("\n".join("\t".join(map(str, row)) for row in rows.to_numpy()))}


def criteria(study: Study) -> Hashes:
    """Every criterion's scores."""
    return {
        f"probe.criteria[{place}] {item.source}": _criterion(item)
        for place, item in enumerate(study.probe.criteria)
    }


def _criterion(item: CriterionSource) -> str:
    try:
        return file_hash(criterion_path(item.source, data_dir(), item.file))
    except SourceMissing:
        return MISSING


def validation(study: Study) -> Hashes:
    """The sources that the validation studies read, as far as they are asked for."""
    own, found = study.validation, {}
    if own.conversations != "responses":
        found["validation.conversations"] = _source(own.conversations, own.conversations_file)
    for name in ("alpaca_eval", "valuebench") if own.prompt_sets else ():
        found[f"validation.prompt_sets {name}"] = _source(name, None)
    return found


def preferences(study: Study) -> Hashes:
    """Pairs of responses; AlpacaEval's outputs lie beside its pairs."""
    own = study.targets
    if own.source is None:
        return {}
    found = {f"targets {own.source}": _source(own.source, own.file)}
    if own.source == "alpaca_eval_preferences":
        found["targets alpaca_eval"] = _source("alpaca_eval", None)
    return found


def alignment(study: Study) -> Hashes:
    """Prompts that policies learn from, those held out, and the policy where it is a folder."""
    own = study.alignment
    if own.policy is None:
        return {}
    source, _ = PROMPT_SOURCES.get(own.prompts, (None, None))
    found = {"alignment.prompts": _source(source, None) if source else file_hash(own.prompts_file)}
    if own.held_out:
        found["alignment.held_out"] = file_hash(own.held_out)
    if Path(own.policy).is_dir():
        found["alignment.policy"] = file_hash(Path(own.policy))
    return found


def direct_lists(study: Study) -> Hashes:
    """The study's own lists of values named when asked."""
    path = study.validation.direct_file
    return {"validation.direct_file": file_hash(path)} if path else {}


def systems(study: Study) -> Hashes:
    """Further value systems."""
    return {
        f"systems[{place}] {path.name}": file_hash(path) for place, path in enumerate(study.systems)
    }


RESOLVERS: Mapping[str, Callable[[Study], Hashes]] = {
    "corpus": corpus,
    "questions": questions,
    "subjects": subjects,
    "profiles": profiles,
    "criteria": criteria,
    "validation": validation,
    "preferences": preferences,
    "alignment": alignment,
    "direct_lists": direct_lists,
    "systems": systems,
}


def answers_by_llm(source: SubjectSource) -> dict[str, str]:
    """Hashes of each LLM's recorded answers: an LLM that is added to a file changes no other's.

    Of a file that is missing or cannot be read there are none: the step that reads it says so.
    """
    try:
        return _remembered(source, "answers", _by_llm)
    except (KeyError, SourceMissing, SourceError):
        return {}


def _remembered(source: SubjectSource, what: str, compute: Callable[[SubjectSource], Kept]) -> Kept:
    """What is computed of a source's answers, computed where they or their columns are new."""
    path = locate(SOURCES[source.source], data_dir(), source.file)
    columns = "".join(f" {ours}={theirs}" for ours, theirs in sorted(source.columns.items()))
    return remembered(f"{what} {source.source}{columns}", path, lambda _: compute(source))


def _by_llm(source: SubjectSource) -> dict[str, str]:
    columns = ["profile", "question", "question_id", "sample"]
    columns += ["answer", "reasoning", "refused", "finish"]
    rows = source_answers(source).sort_values(["llm", *columns[:4]], kind="stable")
    return {
        str(llm): _hash("\x1e".join("\x1f".join(map(str, row)) for row in own.to_numpy()))
        for llm, own in rows.groupby("llm")[columns]
    }


def llms_of(source: SubjectSource) -> list[str]:
    """The LLMs of a source: those that the study names, else all that its file holds."""
    if source.llms or source.backend != "recorded":
        return source.llms or []
    return sorted(answers_by_llm(source))


def subjects_in(source: SubjectSource) -> list[str]:
    """The subjects that a source could be: its LLMs under profiles, as far as these are known."""
    if source.backend != "recorded":
        return llms_of(source)
    return _remembered(source, "subjects", _subjects_in)


def _subjects_or_none(source: SubjectSource) -> list[str]:
    try:
        return subjects_in(source)
    except (KeyError, SourceMissing, SourceError):
        return []


def _subjects_in(source: SubjectSource) -> list[str]:
    pairs = source_answers(source)[["llm", "profile"]].drop_duplicates()
    return sorted(subject_key(*pair) for pair in pairs.itertuples(index=False))


class Origins:
    """Where each subject's answers come from, looked up once for all."""

    def __init__(self, study: Study) -> None:
        self._by_llm: dict[str, SubjectSource] = {}
        for source in study.subjects:
            for llm in llms_of(source):
                self._by_llm.setdefault(llm, source)
        self._added = added_llms(study)
        self._study = study
        self._prompts: dict[str, str] | None = None
        self._answers: dict[int, dict[str, str]] = {}

    def of(self, subject: str) -> tuple[SubjectSource | None, Hashes]:
        """A subject's source (none where its LLM was added), and the hash of what was recorded, or
        of the profile that it is asked under. `subject` is its key, LLM|profile."""
        llm, profile = subject_parts(subject)
        source = self._by_llm.get(llm)
        if source is None:
            return None, {"answers": file_hash(self._added.get(llm))}
        if source.backend == "recorded":
            if id(source) not in self._answers:
                self._answers[id(source)] = answers_by_llm(source)
            return source, {"answers": self._answers[id(source)].get(llm, MISSING)}
        if self._prompts is None:
            known = profiles_of(self._study)
            self._prompts = dict(zip(known["profile"], known["prompt"], strict=True))
        return source, {"profile": _hash(str(self._prompts.get(profile)))}


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:SHOWN]
