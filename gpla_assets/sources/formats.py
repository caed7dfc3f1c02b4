"""Which format a file of answers has, and who reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gpla_assets.sources import logs
from gpla_assets.sources.columns import Row, columns_of
from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.opening import (
    JSON,
    decoded,
    json_values,
    kind_of,
    table_rows,
    unpacked,
)
from gpla_assets.sources.reading import readable
from gpla_assets.sources.records import ERROR, Fields, Record, conversation, fields, named, prompted
from gpla_assets.sources.said import blank, several

INSPECT, HARNESS, HELM = "Inspect log", "lm-evaluation-harness samples", "HELM scenario state"
PROMPTFOO, BATCH, CHAT = "promptfoo results", "batch results", "chat completions"
TRANSCRIPTS, TABLE = "Scout transcripts", "table"
REQUESTS, RESULTS, OTHER = "batch requests", "lm-evaluation-harness results", "no answers"
WITHOUT_ANSWERS = (REQUESTS, RESULTS, OTHER)


@dataclass(frozen=True)
class Document:
    """A file that was opened: its format, and either one object or rows."""

    path: Path
    format: str
    whole: Mapping[str, object] = field(default_factory=dict)
    rows: Sequence[Row] = ()
    note: str | None = None


def opened(path: Path) -> Document:
    """A file with its format told. Raises SourceError, SourceDamaged where it cannot be read."""
    kind = kind_of(path)
    if kind == ".eval":
        return Document(path, INSPECT)
    if kind not in JSON and kind not in (".csv", ".tsv", ".txt", ".xlsx", ".parquet"):
        raise SourceError(
            f"{path} ends in {path.suffix!r}, expected .jsonl, .json, .csv, .tsv, .xlsx, .parquet "
            "(each also with .gz or .zst) or Inspect's .eval."
        )
    if kind not in JSON:
        rows, note = table_rows(path)
        return Document(path, _of_rows(rows), rows=rows, note=note)
    with readable(path):
        text, note = decoded(unpacked(path))
    found = json_values(text, path)
    if isinstance(found, Mapping):
        return _of_object(found, path, note)
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    if isinstance(found, list) and len(rows) < len(found):
        wrong = next(row for row in found if not isinstance(row, dict))
        raise SourceError(
            f"{path} holds {type(wrong).__name__} {str(wrong)[:40]!r} among its rows, expected "
            "objects with a question and an answer each."
        )
    if len(rows) == 1 and (whole := _of_object(rows[0], path, note)).format in (INSPECT, HELM):
        return whole
    return Document(path, _of_rows(rows), rows=rows, note=note)


def _of_object(found: Mapping[str, object], path: Path, note: str | None) -> Document:
    if "eval" in found and ("samples" in found or "plan" in found or "status" in found):
        return Document(path, INSPECT, found, note=note)
    if "request_states" in found:
        return Document(path, HELM, found, note=note)
    inner = found.get("results")
    listed = fields(inner).get("results", inner)
    if isinstance(listed, list) and listed and "provider" in fields(listed[0]):
        return Document(path, PROMPTFOO, found, note=note)
    if "configs" in found and "results" in found:
        return Document(path, RESULTS, found, note=note)
    own = _of_rows([found])
    if own != OTHER:
        return Document(path, own, rows=[found], note=note)
    if found and all(isinstance(row, Mapping) for row in found.values()):
        rows = [{"question_id": name, **fields(row)} for name, row in found.items()]
        return Document(path, _of_rows(rows), rows=rows, note=note)
    lists = [
        value
        for value in found.values()
        if isinstance(value, list) and value and all(isinstance(one, Mapping) for one in value)
    ]
    if len(lists) == 1:
        return Document(path, _of_rows(lists[0]), rows=lists[0], note=note)
    return Document(path, OTHER, found, [found], note)


def _of_rows(rows: Sequence[Row]) -> str:
    names = {name for row in rows[:50] for name in row}
    if "custom_id" in names:
        return BATCH if names & {"response", "result", "error"} else REQUESTS
    if "resps" in names:
        return HARNESS
    if "choices" in names and not names & {"response", "answer", "output"}:
        return CHAT
    if {"transcript_id", "messages"} <= names:
        return TRANSCRIPTS
    if rows and not _could_be_answers(names):
        return OTHER
    return TABLE


def _could_be_answers(names: set[str]) -> bool:
    plain = {str(name).strip().casefold() for name in names}
    wanted = "response answer output completion content text message messages conversation"
    wanted += " conversations"
    return bool(plain & set(wanted.split()))


def records(
    document: Document,
    columns: Mapping[str, str],
    requests: Mapping[str, Fields],
    harness_llms: Mapping[Path, str],
) -> tuple[Iterator[Record], dict[str, str]]:
    """The records of a document, and which of its columns was taken for what.

    Raises SourceError, and ColumnsError where columns cannot be told.
    """
    rows, whole = list(document.rows), document.whole
    if columns and document.format in (TABLE, OTHER, HARNESS, CHAT) and rows:
        found = columns_of(rows, columns, document.path)
        return table_records(rows, found), found
    readers: dict[str, Iterator[Record]] = {
        HELM: logs.helm_state(whole),
        PROMPTFOO: logs.promptfoo_results(whole),
        BATCH: logs.batch_results(rows, requests),
        CHAT: logs.completions(rows),
        TRANSCRIPTS: logs.transcripts(rows),
        HARNESS: logs.harness_rows(rows, harness_llm(document.path, harness_llms)),
    }
    if document.format == INSPECT:
        archive = kind_of(document.path) == ".eval"
        return (logs.inspect_archive(document.path) if archive else logs.inspect_samples(whole)), {}
    if document.format in readers:
        return readers[document.format], {}
    found = columns_of(rows, columns, document.path)
    return table_records(rows, found), found


def harness_llm(path: Path, known: Mapping[Path, str]) -> str | None:
    """The LLM of a file of samples: in the results beside it, else the name of its folder."""
    own = re.search(r"\d{4}-\d\d-\d\dT[\d.:-]+", path.name)
    beside = {one: llm for one, llm in known.items() if one.parent == path.parent}
    same = [llm for one, llm in beside.items() if own and own[0].rstrip(".") in one.name]
    if same or len(set(beside.values())) == 1:
        return (same or list(beside.values()))[0]
    return path.parent.name.replace("__", "/") if "__" in path.parent.name else None


def table_records(rows: Sequence[Row], columns: Mapping[str, str]) -> Iterator[Record]:
    """The records of a plain table, a reply a row, or several where a cell holds several."""
    answer, messages = columns.get("answer"), columns.get("messages")
    for row in rows:
        cells = {role: row.get(name) for role, name in columns.items()}
        system, question = prompted(cells.get("question"))
        content = cells.get("answer")
        if answer is None and messages is not None:
            own_system, asked, content = conversation(_listed(row.get(messages)))
            system, question = own_system or system, question or asked
        failed = "error" in cells and not blank(cells["error"]) and blank(content)
        replies = several(content)
        for place, reply in enumerate(replies, start=1):
            yield Record(
                content=reply,
                llm=named(cells.get("llm")),
                question=question,
                question_id=named(cells.get("question_id")),
                sample=place if len(replies) > 1 else cells.get("sample"),
                profile=named(cells.get("profile")),
                system=system,
                reasoning=cells.get("reasoning"),
                refusal=_flag(cells.get("refused")),
                finish=cells.get("finish"),
                skip=ERROR if failed else None,
            )


def _flag(cell: object) -> object:
    """A column of refusals: texts, or yes and no."""
    if isinstance(cell, str) and cell.strip().casefold() in (
        "true",
        "false",
        "0",
        "1",
        "yes",
        "no",
    ):
        return cell.strip().casefold() in ("true", "1", "yes")
    if isinstance(cell, bool | str) or cell is None:
        return cell
    return bool(cell == 1)


def _listed(cell: object) -> object:
    if isinstance(cell, str):
        import json

        try:
            return json.loads(cell)
        except ValueError:
            return None
    return cell.tolist() if hasattr(cell, "tolist") else cell
