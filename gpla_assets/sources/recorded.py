"""Answers of LLMs out of the files in which users have them: the one door for all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from pathlib import Path

import pandas as pd

from gpla_assets.sources import logs
from gpla_assets.sources.answer_frame import (
    COLUMNS,
    KINDS,
    numbered,
    of_note,
    profile_of,
    with_an_answer,
    with_profiles,
)
from gpla_assets.sources.columns import ColumnsError
from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.formats import (
    BATCH,
    OTHER,
    REQUESTS,
    RESULTS,
    WITHOUT_ANSWERS,
    Document,
    opened,
    records,
)
from gpla_assets.sources.opening import PACKED, files_in
from gpla_assets.sources.reading import ReadResult
from gpla_assets.sources.records import DUPLICATE, Fields, Record, named
from gpla_assets.sources.said import Said, said

EXPECTED = (
    "expected answers of LLMs: a table with question and answer (say which columns: --columns "
    "answer=NAME,question=NAME), or a log of a known kind."
)


class AnswersError(SourceError):
    """Files that hold no answer, or not what was asked of them; says what was found."""


@dataclass(frozen=True)
class Answers:
    """What was read: `frame` has COLUMNS, one row an answer; rows that gave none are `skipped`.

    `profile` is "Default" where nothing was said of one, `system` its prompt where it is known,
    `sample` counts the answers of a subject to a question from 1, `question_id` and `finish` may
    be null. A refusal's answer is what it says; an answer is empty where its reasoning never
    ended, and `reasoning` is "" where there was none. `noted` counts what is in the frame and of
    note; `notes` say how the files were read.
    """

    frame: pd.DataFrame
    formats: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    skipped: Mapping[str, int] = field(default_factory=dict)
    noted: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def said(self) -> str:
        """What was read, in one line."""
        rows = self.frame
        numbers = {"LLM": rows["llm"].nunique(), "question": rows["question"].nunique()}
        parts = [_counted(number, what) for what, number in numbers.items() if number]
        profiles, samples = rows["profile"].nunique(), int(rows["sample"].max())
        parts += [_counted(profiles, "profile")] * (profiles > 1)
        parts += [_counted(samples, "sample") + " each at most"] * (samples > 1)
        parts.append(_counted(len(rows), "answer"))
        of = ", ".join(f"{ours} = {theirs}" for ours, theirs in self.columns.items())
        parts += [f"columns {of}"] * bool(of)
        return f"{' and '.join(self.formats)}: {', '.join(parts)}"

    @property
    def counts(self) -> str:
        """What was skipped, by reason, and what is of note; "" where there is nothing."""
        parts = [f"skipped {count:,} ({why})" for why, count in self.skipped.items()]
        parts += [f"{count:,} {what}" for what, count in self.noted.items()]
        return "; ".join([*parts, *self.notes])


def read_answers(
    paths: Path | Sequence[Path],
    columns: Mapping[str, str] | None = None,
    llm: str | None = None,
    by_file: bool = True,
    most: int | None = None,
) -> Answers:
    """Answers of files, or of all files of a folder, in the formats of docs/howto/import_logs.md.

    `columns` maps ours to the file's names of columns where they cannot be told; `llm` names the
    LLM of files that do not, else (`by_file`) the file's name stands for it. Of each file
    `most` rows are read. Raises AnswersError where there is
    no answer, ColumnsError where columns are ambiguous, SourceDamaged where a file is broken.
    """
    given = [paths] if isinstance(paths, Path) else list(paths)
    files = _opened(given, columns or {})
    reading = _Reading(llm, by_file)
    for path, own in files.records:
        reading.add(islice(own, most), stem_of(path))
    return reading.answers(files.formats, files.columns, files.notes, given)


def replies(
    path: Path, columns: Mapping[str, str] | None = None
) -> Iterator[tuple[int, Record, Said | None]]:
    """The rows of a file, from 1, with what was said in each; None where a row holds no reply.

    Raises what `read_answers` does, but for a file whose rows hold nothing.
    """
    files = _opened([path], columns or {})
    every = chain.from_iterable(own for _, own in files.records)
    for number, record in enumerate(every, start=1):
        yield number, record, None if record.skip else said_of(record)


def as_written(path: Path) -> pd.DataFrame:
    """Replies as the file has them (content, stripped; question_text), and their answer.

    For what names a place in a text, as labels do: reading takes reasoning and wrappings off.
    `answer` is null of refusals. Raises what `replies` does.
    """
    rows = [
        (record.content.strip(), record.question, None if one.refused else one.answer or None)
        for _, record, one in replies(path)
        if one is not None and isinstance(record.content, str)
    ]
    return pd.DataFrame(rows, columns=["content", "question_text", "answer"])


def said_of(record: Record) -> Said:
    """What a record's reply says."""
    return said(record.content, record.reasoning, record.refusal, record.finish)


@dataclass
class _Opened:
    """Files that were opened, with their records still to be read."""

    records: list[tuple[Path, Iterator[Record]]]
    formats: tuple[str, ...]
    columns: dict[str, str]
    notes: list[str]


def _opened(paths: Sequence[Path], columns: Mapping[str, str]) -> _Opened:
    alone = len(paths) == 1 and paths[0].is_file()
    documents, notes = _documents([one for path in paths for one in files_in(path)], alone)
    requests: dict[str, Fields] = {}
    llms: dict[Path, str] = {}
    for document in documents:
        if document.format == REQUESTS:
            requests |= logs.batch_requests(list(document.rows))
        if document.format == RESULTS and (name := named(document.whole.get("model_name"))):
            llms[document.path] = name
    found: dict[str, str] = {}
    parts = []
    wanted = [one for one in documents if columns or one.format not in WITHOUT_ANSWERS]
    for document in wanted:
        try:
            own, taken = records(document, columns, requests, llms)
        except ColumnsError as error:
            if alone or document.format != OTHER:
                raise
            notes.append(f"left out: {error}")
            continue
        found |= taken
        parts.append((document.path, own))
    if not parts:
        where = ", ".join(map(str, paths[:3]))
        raise AnswersError(f"{where}: {_without_answers(documents, notes)}")
    notes += [f"{one.path.name} {one.note}" for one in wanted if one.note]
    if not requests and any(one.format == BATCH for one in wanted):
        notes.append("what was asked stands in the batch's requests: give that file as well")
    formats = tuple(dict.fromkeys(one.format for one in wanted or documents))
    return _Opened(parts, formats, found, notes)


def of_rows(rows: pd.DataFrame, skipped: Mapping[str, int], name: str) -> Answers:
    """Rows of a source's own reader (content; llm, profile, question_text, item) as answers."""
    reading = _Reading(None, by_file=False)
    columns = {
        "llm": "llm",
        "question": "question_text",
        "profile": "profile",
        "question_id": "question_id",
    }
    present = {ours: theirs for ours, theirs in columns.items() if theirs in rows}
    known = rows[["content", *present.values()]].to_dict("records")
    reading.add(
        (
            Record(row["content"], **{ours: named(row[name]) for ours, name in present.items()})
            for row in known
        ),
        name,
    )
    reading.skipped.update(skipped)
    return reading.answers((f"source {name}",), {}, [], [Path(name)])


def read_texts(path: Path, columns: Mapping[str, str]) -> ReadResult:
    """Answers alone, for whoever reads texts: llm, profile, item, question_text, content.

    Refusals, and answers that are empty, are skipped and counted.
    """
    found = read_answers(path, columns, by_file=False)
    kept, left_out = with_an_answer(found.frame)
    kept = kept.reset_index(drop=True)
    names = {"sample": "item", "question": "question_text", "answer": "content"}
    texts = kept.rename(columns=names)[["llm", "profile", "item", "question_text", "content"]]
    return ReadResult(texts.dropna(axis=1, how="all"), {**found.skipped, **left_out})


def _documents(paths: Sequence[Path], alone: bool) -> tuple[list[Document], list[str]]:
    """The files that can be opened; of a folder, those that cannot are said."""
    documents, notes = [], []
    for path in paths:
        try:
            documents.append(opened(path))
        except SourceError as error:
            if alone:
                raise
            notes.append(f"left out: {error}")
    others = [one.path.name for one in documents if one.format == OTHER]
    if others and len(others) < len(documents):
        notes.append(f"{len(others)} files hold no answers ({', '.join(others[:3])})")
    return documents, notes


def stem_of(path: Path) -> str:
    """A file's name without its endings."""
    name = path.name
    for ending in PACKED:
        name = name.removesuffix(ending)
    return Path(name).stem


class _Reading:
    """Records into rows, with what is skipped and of note counted."""

    def __init__(self, llm: str | None, by_file: bool) -> None:
        self.llm, self.by_file = llm, by_file
        self.rows: list[tuple[object, ...]] = []
        self.skipped: Counter[str] = Counter()
        self.mended = 0
        self.files: set[str] = set()
        self.records = 0

    def add(self, found: Iterable[Record], stem: str) -> None:
        """The records of one document; `stem` is its file's name."""
        for record in found:
            self.records += 1
            if record.skip:
                self.skipped[record.skip] += 1
                continue
            one = said_of(record)
            if one.problem and not one.reasoning:
                self.skipped[one.problem] += 1
                continue
            self.mended += one.mended
            llm = record.llm or self.llm
            if llm is None and self.by_file:
                self.files.add(stem)
                llm = stem
            self._keep(record, one, llm)

    def _keep(self, record: Record, one: Said, llm: str | None) -> None:
        profile, system = profile_of(record)
        self.rows.append(
            (
                *(llm, profile, system, record.question, record.question_id),
                *(_number(record.sample), one.answer, one.reasoning, one.refused, one.finish),
            )
        )

    def answers(
        self,
        formats: tuple[str, ...],
        columns: Mapping[str, str],
        notes: list[str],
        paths: Sequence[Path],
    ) -> Answers:
        """The whole; raises AnswersError where nothing was read."""
        where = ", ".join(map(str, paths[:3]))
        if not self.rows:
            raise AnswersError(f"{where}: {_why_nothing(formats, self)}")
        frame = with_profiles(pd.DataFrame(self.rows, columns=COLUMNS, dtype=object), notes)
        frame, twice = numbered(frame)
        frame = frame.astype(object).where(frame.notna(), None).astype(KINDS)
        self.skipped[DUPLICATE] += twice
        if self.files:
            names = ", ".join(sorted(self.files)[:3])
            notes.append(f"no column names the LLM, so the file's name stands for it ({names})")
        counted = of_note(frame, self.mended)
        skipped = {one: count for one, count in self.skipped.items() if count}
        return Answers(frame, formats, columns, skipped, counted, tuple(notes))


def _why_nothing(formats: Sequence[str], reading: _Reading) -> str:
    if not reading.records:
        return f"{' and '.join(formats)} without a row, {EXPECTED}"
    reasons = ", ".join(f"{count:,} {why}" for why, count in reading.skipped.items())
    rows = f"{' and '.join(formats)} of {reading.records:,} rows"
    return f"{rows} without one answer ({reasons}), {EXPECTED}"


def _without_answers(documents: Sequence[Document], notes: Sequence[str]) -> str:
    """In words, what files hold that are of no known format."""
    names = [str(name) for one in documents for row in one.rows[:1] for name in row]
    kinds = dict.fromkeys(one.format for one in documents if one.format != OTHER)
    held = f"columns {', '.join(map(repr, names[:10]))}" if names else " and ".join(kinds) or "none"
    more = f" ({'; '.join(notes)})" if notes else ""
    return f"no column or field that could hold an answer (found {held}){more}, {EXPECTED}"


def _number(sample: object) -> float | None:
    try:
        return float(sample)  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return None


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
