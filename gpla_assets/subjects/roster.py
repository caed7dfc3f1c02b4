"""Subjects: LLMs under profiles, those of the study and those that were added to it."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import pandas as pd

from gpla_assets.common.keys import subject_key
from gpla_assets.content import llm_family
from gpla_assets.content import profiles as shipped_profiles
from gpla_assets.sources import SOURCES, Answers, answers_of, locate
from gpla_assets.sources.opening import state_of_path
from gpla_assets.studies import Study, StudyError, SubjectSource, data_dir
from gpla_assets.subjects.added import added_answers, added_llms, added_subjects


def study_subjects(study: Study) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows of `llms`, `profiles` and `subjects`.

    Raises StudyError where the study names an LLM or a profile that does not exist.
    """
    known = profiles_of(study)
    subjects: list[tuple[str, str, str]] = []
    for source in study.subjects:
        origin = source.source if source.backend == "recorded" else source.backend
        subjects += [(*pair, origin) for pair in _subjects_of(source, known)]
    subjects += [(*pair, "added") for pair in added_subjects(study)]
    rows = pd.DataFrame(subjects, columns=["llm", "profile", "source"])
    rows = rows.drop_duplicates(["llm", "profile"]).sort_values(["llm", "profile"])
    rows["subject_id"] = [
        subject_key(*pair) for pair in zip(rows["llm"], rows["profile"], strict=False)
    ]
    llms = rows.drop_duplicates("llm")[["llm", "source"]].assign(parameters=None)
    # objects: a column of texts has no None
    llms["family"] = pd.Series([llm_family(llm) for llm in llms["llm"]], llms.index, object)
    prompts = _prompts(study, known)
    used = prompts[prompts["profile"].isin(rows["profile"])]
    return (
        llms.reset_index(drop=True),
        used.rename(columns={"prompt": "content"}).reset_index(drop=True),
        rows[["subject_id", "llm", "profile"]].reset_index(drop=True),
    )


@lru_cache(maxsize=4)
def _read(source: str, path: Path, stamp: object, columns: tuple[tuple[str, str], ...]) -> Answers:
    return answers_of(source, path, dict(columns))


def source_read(source: SubjectSource) -> Answers:
    """Recorded answers of a source, with what was skipped and is of note."""
    path = locate(SOURCES[source.source], data_dir(), source.file)
    found = _read(source.source, path, state_of_path(path), tuple(sorted(source.columns.items())))
    check_asked(found, source.source, path)
    return found


def check_asked(found: Answers, source: str, path: Path) -> None:
    """Raises StudyError where answers of subjects come without a sign of what was asked."""
    if found.frame[["question", "question_id"]].isna().all(axis=None):
        raise StudyError(
            f"subjects.source = {source!r}: {path} does not say what was asked, expected a column "
            "that does (subjects.columns: {question: NAME}); of a batch, its requests beside it."
        )


def source_answers(source: SubjectSource) -> pd.DataFrame:
    """Recorded answers of a source: rows as `read_answers` has them."""
    return source_read(source).frame


def source_of(study: Study, llm: str) -> SubjectSource | None:
    """The part of the study that an LLM belongs to; None for an added one."""
    return next((source for source in study.subjects if llm in _llms(source)), None)


def own_llms(study: Study) -> frozenset[str]:
    """The LLMs of a study's own sources."""
    return frozenset(llm for source in study.subjects for llm in _llms(source))


def _llms(source: SubjectSource) -> list[str]:
    if source.backend != "recorded":
        if not source.llms:
            raise StudyError(f"subjects.llms is empty, expected names for {source.backend!r}.")
        return source.llms
    present = sorted(source_answers(source)["llm"].dropna().unique())
    missing = sorted(set(source.llms or []) - set(present))
    if missing:
        raise StudyError(
            f"subjects.llms = {missing[0]!r}: not in source {source.source}, "
            f"expected some of its {len(present)}, e.g. {present[0]!r}."
        )
    return source.llms or present


def profiles_of(study: Study) -> pd.DataFrame:
    """The study's profiles: rows (profile, prompt, asks); its own file's or the shipped ones."""
    return shipped_profiles(study.profiles_file) if study.profiles_file else shipped_profiles()


def _subjects_of(source: SubjectSource, known: pd.DataFrame) -> list[tuple[str, str]]:
    """A source's LLMs under its profiles; recorded ones under those that their answers have."""
    llms, names = _llms(source), list(known["profile"])
    if source.backend != "recorded":
        return [(llm, profile) for llm in llms for profile in _profiles(source, names, names)]
    answers = source_answers(source)
    present = list(answers["profile"].unique())
    asked = _profiles(source, names, present)
    if "profiles" not in source.model_fields_set and not set(asked) & set(present):
        asked = present
    pairs = answers[["llm", "profile"]].drop_duplicates()
    pairs = pairs[pairs["llm"].isin(llms) & pairs["profile"].isin(asked)]
    return list(pairs.itertuples(index=False, name=None))


def _profiles(source: SubjectSource, known: list[str], every: list[str]) -> list[str]:
    if source.profiles == ["all"]:
        return every
    for name in source.profiles:
        if name not in known and name not in every:
            raise StudyError(
                f"subjects.profiles = {name!r}: expected 'all' or some of "
                f"{', '.join(dict.fromkeys([*every, *known]))}."
            )
    return source.profiles


def _prompts(study: Study, known: pd.DataFrame) -> pd.DataFrame:
    """Profiles with their prompts: the study's, and those that recorded answers came under."""
    parts = [known]
    frames = [source_answers(one) for one in study.subjects if one.backend == "recorded"]
    frames += [added_answers(path) for path in added_llms(study).values()]
    for rows in frames:
        own = rows[["profile", "system"]].drop_duplicates("profile")
        prompts = own["system"].where(own["system"].notna(), own["profile"])
        parts.append(own[["profile"]].assign(prompt=prompts, asks=None))
    return pd.concat(parts, ignore_index=True).drop_duplicates("profile")
