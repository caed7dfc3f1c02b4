"""LLMs that were added to a study by their recorded answers, and what is kept of them."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from gpla_assets.common.errors import KnownError
from gpla_assets.common.keys import key_of
from gpla_assets.sources.answer_frame import COLUMNS
from gpla_assets.sources.recorded import Answers, read_answers, stem_of
from gpla_assets.studies import Study
from gpla_assets.subjects.matching import matched, why_none

LONGEST_NAME = 300
NAME_FIELD = b"llm"
"""Where a kept file says whose answers it holds: a name may be anything, a file's name not."""


class AddedAnswersError(KnownError, ValueError):
    """Responses that cannot be added, or an LLM that cannot be removed; says what is wanted."""


@dataclass(frozen=True)
class Added:
    """An LLM that was added: what was read, how many of its answers are to the study's questions
    and to how many of these, and whether it took the place of earlier answers."""

    llm: str
    read: Answers
    answers: int
    questions: int
    replaced: bool


def add_llm(
    study: Study,
    name: str,
    responses: Path,
    questions: pd.DataFrame,
    columns: dict[str, str] | None = None,
    taken: frozenset[str] = frozenset(),
) -> Added:
    """Keep an LLM's answers beside the study's warehouse, in the place of earlier ones.

    `taken` are the names of the study's own LLMs. Raises AddedAnswersError on such a name, on one
    that no table can hold, where the file holds several LLMs and none of that name, and where
    nothing matches; SourceError where the file cannot be read.
    """
    name = checked_name(name)
    if name in taken:
        raise AddedAnswersError(f"LLM {name!r} is one of the study's own; choose another name.")
    read = read_answers(responses, columns, by_file=False)
    rows = _of_llm(read.frame, name, responses)
    of = matched(rows, questions)
    if of.isna().all():
        raise AddedAnswersError(
            f"{responses}: none of its {rows['question'].nunique()} questions is one of the "
            f"study's {len(questions)}: {why_none(rows, questions)}. Expected their wording (or "
            "their question_id, where it has none); `gpla query questions` lists them."
        )
    folder = added_folder(study)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / f"{_file_name(name)}.parquet"
    staged = folder / f".{place.name}.partial"
    earlier = {path for path in added_files(study) if llm_of(path) == name}
    try:
        _write(rows, name, staged)
        added_answers(staged)
        staged.replace(place)
    finally:
        staged.unlink(missing_ok=True)
    for path in earlier - {place}:
        path.unlink()
    return Added(name, read, int(of.notna().sum()), of.nunique(), bool(earlier))


def checked_name(name: str) -> str:
    """An LLM's name as tables have it. Raises AddedAnswersError."""
    plain = unicodedata.normalize("NFC", name).strip()
    unfit = next((mark for mark in plain if unicodedata.category(mark) in ("Cc", "Cs")), None)
    if not plain or len(plain) > LONGEST_NAME or unfit:
        found = f"the mark {unfit!r}" if unfit else f"{len(plain)} characters"
        raise AddedAnswersError(
            f"LLM name {plain[:60]!r} has {found}, expected 1 to {LONGEST_NAME} characters that "
            "can be printed."
        )
    return plain


def _of_llm(rows: pd.DataFrame, name: str, path: Path) -> pd.DataFrame:
    known = sorted(rows["llm"].dropna().unique())
    if name in known:
        return rows[rows["llm"] == name].reset_index(drop=True)
    if len(known) > 1:
        raise AddedAnswersError(
            f"{path} holds answers of {len(known)} LLMs, none of the name {name!r}: expected one "
            f"of {', '.join(known[:8])}{' ...' if len(known) > 8 else ''}."
        )
    return rows.assign(llm=name)


def _file_name(name: str) -> str:
    """A file's name for any LLM's: what can be read of it, and a hash that tells it from others."""
    readable = re.sub(r"[^A-Za-z0-9._+-]+", "-", name).strip(".-")[:40]
    return f"{readable or 'llm'}-{key_of(name)}"


def _write(rows: pd.DataFrame, name: str, path: Path) -> None:
    table = pa.Table.from_pandas(rows[COLUMNS], preserve_index=False)
    named = {**(table.schema.metadata or {}), NAME_FIELD: name.encode()}
    parquet.write_table(table.replace_schema_metadata(named), path)


def remove_llm(study: Study, name: str) -> Path:
    """Take an added LLM's responses out of the study; where they are kept now.

    Raises AddedAnswersError where no such LLM was added.
    """
    added = added_llms(study)
    wanted = unicodedata.normalize("NFC", name).strip()
    if wanted not in added:
        known = ", ".join(added) or "none was added"
        raise AddedAnswersError(
            f"LLM {wanted!r} was not added to study {study.name}: expected one of those that were "
            f"({known}). An LLM of the study itself leaves when its file no longer names it "
            "(subjects.llms), or its answers no longer hold it."
        )
    folder = added_folder(study) / ".removed"
    folder.mkdir(exist_ok=True)
    kept = folder / added[wanted].name
    added[wanted].replace(kept)
    return kept


def added_folder(study: Study) -> Path:
    """Where the responses of added LLMs are kept."""
    return study.warehouse_path.parent / "added" / study.name


def added_files(study: Study) -> list[Path]:
    """Files of added LLMs."""
    folder = added_folder(study)
    return sorted(path for path in folder.glob("[!.]*") if path.is_file())


def added_llms(study: Study) -> dict[str, Path]:
    """The LLMs that were added, by name, with the files of their answers."""
    return dict(sorted((llm_of(path), path) for path in added_files(study)))


def added_subjects(study: Study) -> list[tuple[str, str]]:
    """LLMs that were added, under the profiles of their answers."""
    return [
        (llm, str(profile))
        for llm, path in added_llms(study).items()
        for profile in sorted(added_answers(path)["profile"].unique())
    ]


def llm_of(path: Path) -> str:
    """Whose answers a kept file holds; a file that was put there by hand is named after its LLM."""
    return _llm_of(path, path.stat().st_mtime_ns) or stem_of(path)


@lru_cache(1024)
def _llm_of(path: Path, stamp: int) -> str | None:
    if ".parquet" not in path.suffixes:
        return None
    try:
        name = (parquet.read_schema(path).metadata or {}).get(NAME_FIELD)
    except (pa.ArrowException, OSError):
        return None
    return name.decode() if name else None


def added_answers(path: Path) -> pd.DataFrame:
    """A kept file's answers, as `read_answers` has them."""
    return _added_answers(path, path.stat().st_mtime_ns)


@lru_cache(8)
def _added_answers(path: Path, stamp: int) -> pd.DataFrame:
    if _llm_of(path, stamp) is None:
        return read_answers(path).frame
    return parquet.read_table(path).to_pandas()
