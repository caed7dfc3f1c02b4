"""Calls as files: requests in the form of OpenAI's Batch, and results taken into the cache.

An id is the call's key, so that a result finds its request again, in any order and from any file.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby, islice
from pathlib import Path

from gpla_assets.chat.budget import Budget
from gpla_assets.chat.cache import AnsweredCall, ReplyCache
from gpla_assets.chat.endpoint import OPENAI, Endpoint
from gpla_assets.chat.limits import most_bytes
from gpla_assets.chat.protocol import ChatReply, ChatRequest
from gpla_assets.chat.session import LIMIT_NAME, NEWER_LIMIT_NAME, body_of, reply_in
from gpla_assets.common.errors import KnownError

MOST_REQUESTS, MOST_BYTES = 50_000, 200_000_000
"""Of one file, as OpenAI takes it."""
KEPT_AT_ONCE = 500
PATH = "/v1/chat/completions"
ENDED = {"batch_expired": "expired", "batch_cancelled": "cancelled"}
"""Why a request of a batch was not asked, by the code that its result has."""


class BatchError(KnownError, ValueError):
    """A folder or file of batches that cannot be used; says what was expected."""


@dataclass(frozen=True)
class Pending:
    """A request without a reply, by its key, and whom it is for."""

    key: str
    backend: str
    endpoint: Endpoint
    model: str
    revision: str | None
    request: ChatRequest


@dataclass
class Taken:
    """What result files brought: replies by model, and lines without one by reason."""

    replies: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)


def write_batches(
    folder: Path,
    name: str,
    pending: Iterable[Pending],
    most_requests: int = MOST_REQUESTS,
    most_bytes: int = MOST_BYTES,
) -> list[Path]:
    """Write requests as JSONL, a file for each address and model, in parts that a server takes.

    Raises BatchError where the folder holds such files already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.glob("*.jsonl"))):
        raise BatchError(
            f"{folder} is {'a file' if folder.is_file() else 'a folder with .jsonl files'}, "
            "expected a new or empty folder; name another one."
        )
    folder.mkdir(parents=True, exist_ok=True)
    ordered = sorted(pending, key=lambda one: (one.endpoint.url, one.model))
    written: list[Path] = []
    for (_, model), own in groupby(ordered, lambda one: (one.endpoint.url, one.model)):
        slug = re.sub(r"[^\w.-]+", "_", model)[:60]
        for part in _parts(map(_line, own), most_requests, most_bytes):
            path = folder / f"{name}-{slug}-{len(written) + 1:03d}.jsonl"
            path.write_bytes(b"".join(part))
            written.append(path)
    return written


def _line(one: Pending) -> bytes:
    limit_name = NEWER_LIMIT_NAME if one.endpoint.url == OPENAI else LIMIT_NAME
    body = body_of(one.request, one.model, limit_name)
    row = {"custom_id": one.key, "method": "POST", "url": PATH, "body": body}
    return json.dumps(row, ensure_ascii=False).encode() + b"\n"


def _parts(lines: Iterable[bytes], most: int, most_bytes: int) -> Iterator[list[bytes]]:
    part: list[bytes] = []
    size = 0
    for line in lines:
        if part and (len(part) == most or size + len(line) > most_bytes):
            yield part
            part, size = [], 0
        part.append(line)
        size += len(line)
    if part:
        yield part


def take_batches(
    paths: Sequence[Path],
    pending: Mapping[str, Pending],
    cache: ReplyCache,
    budget: Budget,
    price: float = 1.0,
) -> Taken:
    """Keep the replies of result files under their calls' keys, and count the lines without one.

    They are booked in the budget at `price`, the share of the usual price that a batch costs.
    Results of one key are taken once. Raises BatchError where a file cannot be read or is missing.
    """
    taken, seen = Taken(), set[str]()
    lines = (line for path in result_files(paths) for line in _lines(path))
    calls = _calls(lines, pending, cache, taken, seen)
    while group := list(islice(calls, KEPT_AT_ONCE)):
        cache.keep(group)
        for call in group:
            taken.replies[call.model] += 1
            budget.settle(call.model, call.reply.prompt_tokens, call.reply.completion_tokens, price)
    return taken


def result_files(paths: Sequence[Path]) -> list[Path]:
    """The files among paths, and those (.jsonl) of the folders among them.

    Raises BatchError where there is none.
    """
    found: list[Path] = []
    for path in paths:
        own = sorted(path.glob("*.jsonl")) if path.is_dir() else [path]
        if not own or not own[0].is_file():
            wanted = "a folder without .jsonl files" if path.is_dir() else "missing"
            raise BatchError(f"{path} is {wanted}, expected a batch's result files as JSONL.")
        found += own
    return found


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with path.open("rb") as file:
            yield from (line for line in file if line.strip())
    except OSError as error:
        raise BatchError(f"{path} cannot be read: {error.strerror}.") from error


def _calls(
    lines: Iterable[bytes],
    pending: Mapping[str, Pending],
    cache: ReplyCache,
    taken: Taken,
    seen: set[str],
) -> Iterator[AnsweredCall]:
    for line in lines:
        key = _id_of(line)
        one = pending.get(key)
        if key in seen:
            taken.skipped["repeated"] += 1
        elif one is None:
            known = bool(cache.find([key])) if key else False
            taken.skipped[_stranger(line, known)] += 1
        else:
            found = _found(line, one)
            if isinstance(found, str):
                taken.skipped[found] += 1
                continue
            seen.add(key)
            now = datetime.now(UTC).replace(tzinfo=None)
            yield AnsweredCall(
                *(key, one.backend, one.endpoint.url, one.model, one.revision, one.request),
                *(found, now, 0.0),
            )


def _id_of(line: bytes) -> str:
    """The id of a line, or "" where it has none."""
    try:
        return str(json.loads(line)["custom_id"])
    except (ValueError, RecursionError, KeyError, TypeError):
        return ""


def _stranger(line: bytes, known: bool) -> str:
    """Why a line belongs to none of the calls that wait."""
    if known:
        return "answered before"
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "no JSON"
    if isinstance(row, dict) and "body" in row and "response" not in row:
        return "a request, not a result"
    return "unknown id"


def _found(line: bytes, one: Pending) -> ChatReply | str:
    """The reply of a line, or why it has none."""
    if len(line) > most_bytes(one.request):
        return "longer than its tokens can be"
    row = one.endpoint.heard(line)
    error = row.get("error")
    response = row.get("response") or {}
    if error:
        code = str(error.get("code") if isinstance(error, dict) else error)
        return ENDED.get(code) or f"error {one.endpoint.said(code)[:60]}"
    if not isinstance(response, dict):
        return "no reply in it"
    status = response.get("status_code", 200)
    body = response.get("body")
    if status != 200:
        told = body.get("error") if isinstance(body, dict) else None
        named = (told.get("code") or told.get("type")) if isinstance(told, dict) else None
        return one.endpoint.said(f"status {status}{f' {named}' if named else ''}")[:60]
    return reply_in(body, one.request) or "no reply in it"
