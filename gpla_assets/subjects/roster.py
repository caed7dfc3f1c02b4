"""Subjects: LLMs under profiles, those of the study and those that were added to it."""

from __future__ import annotations

import re
import shutil
from functools import lru_cache
from pathlib import Path

import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.common.keys import subject_key
from gpla_assets.content import llm_family
from gpla_assets.content import profiles as shipped_profiles
from gpla_assets.sources import SOURCES, locate, read
from gpla_assets.studies import Study, StudyError, SubjectSource, data_dir

QUESTION_NAMES = ("question_text", "question", "instruction", "prompt")
ANSWER_NAMES = ("content", "response", "output", "answer")


class AddedAnswersError(KnownError, ValueError):
    """A file of responses that cannot be added; the message says what is wanted."""


def study_subjects(study: Study) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Rows of `llms`, `profiles` and `subjects`.

    Raises StudyError where the study names an LLM or a profile that does not exist.
    """
    known = profiles_of(study)
    subjects: list[tuple[str, str, str]] = []
    for source in study.subjects:
        origin = source.source if source.backend == "recorded" else source.backend
        for llm in _llms(source):
            subjects += [(llm, profile, origin) for profile in _profiles(source, known)]
    subjects += [(path.stem, "Default", "added") for path in added_files(study)]
    rows = pd.DataFrame(subjects, columns=["llm", "profile", "source"])
    rows = rows.drop_duplicates(["llm", "profile"]).sort_values(["llm", "profile"])
    rows["subject_id"] = [
        subject_key(*pair) for pair in zip(rows["llm"], rows["profile"], strict=False)
    ]
    llms = rows.drop_duplicates("llm")[["llm", "source"]].assign(parameters=None)
    # objects: a column of texts has no None
    llms["family"] = pd.Series([llm_family(llm) for llm in llms["llm"]], llms.index, object)
    used = known[known["profile"].isin(rows["profile"])]
    return (
        llms.reset_index(drop=True),
        used.rename(columns={"prompt": "content"}).reset_index(drop=True),
        rows[["subject_id", "llm", "profile"]].reset_index(drop=True),
    )


def add_llm(study: Study, name: str, responses: Path, questions: pd.DataFrame) -> int:
    """Keep an LLM's responses beside the study's warehouse; how many of them match a question.

    Raises AddedAnswersError on a name that is no file name or is taken, or where nothing matches.
    """
    if not re.fullmatch(r"[\w.+-]{1,100}", name):
        raise AddedAnswersError(
            f"LLM name {name!r}: expected 1 to 100 letters, digits and the marks . _ + -"
        )
    taken = {llm for source in study.subjects for llm in _llms(source)}
    if name in taken:
        raise AddedAnswersError(f"LLM {name!r} is one of the study's own; choose another name.")
    answers = added_answers(responses)
    matched = int(answers["question_text"].isin(set(questions["content"])).sum())
    if not matched:
        raise AddedAnswersError(
            f"{responses}: none of its {len(answers)} questions is one of the study's "
            f"{len(questions)}, expected their wording, e.g. {questions['content'].iloc[0]!r}; "
            "`gpla query questions` lists them."
        )
    folder = added_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    staged = folder / f".{name}.partial"
    shutil.copyfile(responses, staged)
    staged.replace(folder / f"{name}{responses.suffix}")
    return matched


def remove_llm(study: Study, name: str) -> Path:
    """Take an added LLM's responses out of the study; where they are kept now.

    Raises AddedAnswersError where no such LLM was added.
    """
    added = {path.stem: path for path in added_files(study)}
    if name not in added:
        known = ", ".join(added) or "none was added"
        raise AddedAnswersError(
            f"LLM {name!r} was not added to study {study.name}: expected one of those that were "
            f"({known}). An LLM of the study itself leaves when its file no longer names it "
            "(subjects.llms), or its answers no longer hold it."
        )
    folder = added_folder(study) / ".removed"
    folder.mkdir(exist_ok=True)
    kept = folder / added[name].name
    added[name].replace(kept)
    return kept


def added_folder(study: Study) -> Path:
    """Where the responses of added LLMs are kept."""
    return study.warehouse_path.parent / "added" / study.name


def added_files(study: Study) -> list[Path]:
    """Files of added LLMs, by name."""
    folder = added_folder(study)
    return sorted(path for path in folder.glob("[!.]*") if path.is_file())


def added_answers(path: Path) -> pd.DataFrame:
    """Rows (question_text, content) of a user's file, whichever common names its columns have."""
    names = column_names(path)
    columns = {}
    for ours, theirs in (("question_text", QUESTION_NAMES), ("content", ANSWER_NAMES)):
        found = next((name for name in theirs if name in names), None)
        if found is None:
            raise AddedAnswersError(
                f"{path} has columns {', '.join(names)}, expected one of {', '.join(theirs)}."
            )
        columns[ours] = found
    return read("table", path, columns).rows


def column_names(path: Path) -> list[str]:
    """Names of a JSONL, CSV or Parquet file's columns (of JSONL, its first line's)."""
    if not path.is_file():
        raise AddedAnswersError(f"{path} does not exist, expected a JSONL, CSV or Parquet file.")
    if path.suffix == ".parquet":
        return list(pd.read_parquet(path).columns)
    if path.suffix == ".csv":
        return list(pd.read_csv(path, nrows=0).columns)
    try:
        return list(pd.read_json(path, lines=True, nrows=1).columns)
    except ValueError as error:
        raise AddedAnswersError(f"{path} is not JSON lines: {error}") from error


@lru_cache(maxsize=4)
def _read_answers(source: str, path: Path, stamp: int) -> pd.DataFrame:
    rows = read(source, path).rows
    return rows if "profile" in rows else rows.assign(profile="Default")


@lru_cache(maxsize=4)
def _llms_in(source: str, path: Path, stamp: int) -> tuple[str, ...]:
    return tuple(sorted(set(_read_answers(source, path, stamp)["llm"])))


def source_answers(source: SubjectSource) -> pd.DataFrame:
    """Recorded answers of a source: rows (llm, profile, question_text, content)."""
    return _read_answers(source.source, *_file(source))


def _file(source: SubjectSource) -> tuple[Path, int]:
    path = locate(SOURCES[source.source], data_dir(), source.file)
    return path, path.stat().st_mtime_ns


def source_of(study: Study, llm: str) -> SubjectSource | None:
    """The part of the study that an LLM belongs to; None for an added one."""
    return next((source for source in study.subjects if llm in _llms(source)), None)


def _llms(source: SubjectSource) -> list[str]:
    if source.backend != "recorded":
        if not source.llms:
            raise StudyError(f"subjects.llms is empty, expected names for {source.backend!r}.")
        return source.llms
    present = _llms_in(source.source, *_file(source))
    missing = sorted(set(source.llms or []) - set(present))
    if missing:
        raise StudyError(
            f"subjects.llms = {missing[0]!r}: not in source {source.source}, "
            f"expected some of its {len(present)}, e.g. {present[0]!r}."
        )
    return source.llms or list(present)


def profiles_of(study: Study) -> pd.DataFrame:
    """The study's profiles: rows (profile, prompt, asks); its own file's or the shipped ones."""
    return shipped_profiles(study.profiles_file) if study.profiles_file else shipped_profiles()


def _profiles(source: SubjectSource, known: pd.DataFrame) -> list[str]:
    names = list(known["profile"])
    if source.profiles == ["all"]:
        return names
    for name in source.profiles:
        if name not in names:
            raise StudyError(
                f"subjects.profiles = {name!r}: expected 'all' or some of {', '.join(names)}."
            )
    return source.profiles
