"""Reading lists of items out of what LLMs really return, and asking again where it is useless."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import Literal

from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest, Message

Problem = Literal["empty", "refusal", "no_json", "wrong_shape", "truncated", "no_numbers"]

LONGEST = 100_000
"""Characters read of a reply; more is no list of perceptions, values or judgements."""
STARTS = 200
"""Brackets tried as the start of JSON: reading stays linear in hostile replies."""
EXCERPT = 300
"""Characters of a reply that are reported, and those given back to the LLM are ten times that."""

ATTEMPTS = 3
"""Times that an LLM is asked for what it did not give readably; few gain from a fourth."""

REFUSAL = re.compile(
    r"\W*(i['’]?m (very |so |really )?sorry|i am (very |so |really )?sorry|sorry|"
    r"i (can['’]?t|cannot|can not|won['’]?t|am unable|am not able)|i['’]?m (unable|not able)|"
    r"(unfortunately|as an ai)\b.{0,80}\b(can['’]?t|cannot|unable|not able))",
    re.I | re.S,
)
THOUGHTS = re.compile(r"<think(ing)?>.*?(</think(ing)?>|\Z)", re.I | re.S)
FENCE = re.compile(r"```[a-zA-Z]*")
REMARKS = {
    "empty": "Your reply was empty.",
    "refusal": "The task is to describe a text, not to carry out or approve what it says.",
    "no_json": "No JSON was found in your reply.",
    "wrong_shape": "Your JSON did not have the form that was asked for.",
    "truncated": "Your reply broke off before its end. Be shorter.",
    "no_numbers": "Numbers were missing, or were not between 0 and 1.",
}


@dataclass(frozen=True)
class Reading:
    """What a reply holds: its `items` in order, and what is wrong with it, if anything.

    `malformed` items had another shape, `repeated` ones equalled an earlier one: both are left
    out. A problem can come with items: of a truncated reply those that were complete.
    """

    items: list[dict[str, object]]
    problem: Problem | None = None
    malformed: int = 0
    repeated: int = 0
    attempts: int = 1
    excerpt: str = ""


def read_items(reply: ChatReply, key: str, field: str | None = None) -> Reading:
    """The list under `key`: objects with a text in `field`; a bare text stands for such an object.

    Without `field`, any object is an item. Read are JSON within prose or code fences, a bare list,
    one object instead of a list, and what json_repair mends (quotes, commas, broken ends).
    """
    excerpt = reply.content.strip()[:EXCERPT]
    content = THOUGHTS.sub("", reply.content[:LONGEST]).strip()
    if not content:
        return Reading([], "truncated" if reply.finish == "length" else "empty", excerpt=excerpt)
    found = [
        _as_items(value, key, field)
        for value, outermost in _strict_values(content)
        if outermost or isinstance(value, list) or key in value
    ]
    complete = [reading for reading in found if reading and reading.problem is None]
    if complete:
        best = max(complete, key=lambda reading: len(reading.items))
    else:
        best = _repaired(content, key, field)
    return replace(best, excerpt=excerpt)


def share(value: object) -> float | None:
    """A number in [0, 1], also as text or percentage; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    scale = 1.0
    if isinstance(value, str):
        value = value.strip()
        if value.endswith("%"):
            value, scale = value[:-1], 100.0
    try:
        number = float(value) / scale
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and 0 <= number <= 1 else None


def ask_until_read(
    chat: Chat,
    requests: Sequence[ChatRequest],
    read: Callable[[ChatReply], Reading],
    attempts: int,
) -> list[Reading]:
    """One reading a request; what got a useless reply is asked again, in all `attempts` times.

    A remark on the reply is added, which makes a greedy LLM answer anew too. Where no attempt was
    without a problem, the reading with the most items is kept, with its problem. Raises what the
    chat raises.
    """
    if attempts < 1:
        raise ValueError(f"attempts = {attempts}: expected at least 1.")
    best: dict[int, Reading] = {}
    waiting = dict(enumerate(requests))
    for attempt in range(1, attempts + 1):
        replies = chat.ask(list(waiting.values()))
        again = {}
        for (place, request), reply in zip(waiting.items(), replies, strict=True):
            reading = replace(read(reply), attempts=attempt)
            kept = best.get(place)
            if kept is None or not reading.problem or len(reading.items) >= len(kept.items):
                best[place] = reading
            best[place] = replace(best[place], attempts=attempt)
            if reading.problem:
                again[place] = asked_again(request, reply, REMARKS[reading.problem])
                if reading.problem == "truncated":
                    longer = 2 * request.max_new_tokens
                    again[place] = replace(again[place], max_new_tokens=longer)
        waiting = again
        if not waiting:
            break
    return [best[place] for place in range(len(requests))]


def asked_again(request: ChatRequest, reply: ChatReply, remark: str) -> ChatRequest:
    """The conversation so far with its last reply and what was wrong with it; attempt + 1."""
    said = reply.content.strip()[: 10 * EXCERPT] or "(nothing)"
    said = said.encode("utf-8", "replace").decode("utf-8")
    opening = takewhile(lambda message: message.role != "assistant", request.messages)
    return replace(
        request,
        messages=(
            *opening,
            Message("assistant", said),
            Message("user", f"{remark} Reply again, with the JSON alone."),
        ),
        attempt=request.attempt + 1,
    )


def _strict_values(content: str) -> Iterator[tuple[list[object] | dict[str, object], bool]]:
    """Lists and objects, each with whether no bracket before it was broken: it is within none."""
    decoder = json.JSONDecoder()
    place, tries, outermost = _bracket(content, 0), 0, True
    while place >= 0 and tries < STARTS:
        tries += 1
        try:
            value, end = decoder.raw_decode(content, place)
            yield value, outermost
        except (ValueError, RecursionError):
            end, outermost = place + 1, False
        place = _bracket(content, end)


def _bracket(content: str, start: int) -> int:
    found = re.compile(r"[\[{]").search(content, start)
    return found.start() if found else -1


def _repaired(content: str, key: str, field: str | None) -> Reading:
    import json_repair

    first = _bracket(content, 0)
    if first < 0 or (REFUSAL.match(content) and "{" not in content):
        return Reading([], "refusal" if REFUSAL.match(content) else "no_json")
    body = FENCE.sub("\n", content[first:])
    if not any(sign in body for sign in "{\"'"):
        return Reading([], "no_json")
    # json_repair would also close the item in which a reply broke off, so that is cut away first.
    complete, open_end = _complete_part(body)
    try:
        value = json_repair.loads(complete)
    except (ValueError, RecursionError):
        value = None
    # Of several JSON values in a reply, json_repair makes a list.
    inner = value if isinstance(value, list) else []
    readings = [one for one in (_as_items(part, key, field) for part in [value, *inner]) if one]
    best = max(readings, key=lambda one: len(one.items), default=Reading([], "wrong_shape"))
    return replace(best, problem="truncated") if open_end else best


def _as_items(value: object, key: str, field: str | None) -> Reading | None:
    """A decoded value as items; None where it is no list of them."""
    if isinstance(value, dict):
        lists = [one for one in value.values() if isinstance(one, list)]
        if key in value:
            value = value[key]
        elif field in value or (field is None and value and not lists):
            value = [value]
        elif len(lists) == 1:
            value = lists[0]
        else:
            return None
        value = value if isinstance(value, list) else [value]
    if not isinstance(value, list):
        return None
    items: list[dict[str, object]] = []
    malformed = repeated = 0
    for one in value:
        item: object = {field: one} if field is not None and isinstance(one, str) else one
        if not isinstance(item, dict) or not (field is None or _has_text(item.get(field))):
            malformed += 1
        elif item in items:
            repeated += 1
        else:
            items.append(item)
    problem: Problem | None = "wrong_shape" if malformed and not items else None
    return Reading(items, problem, malformed, repeated)


def _has_text(value: object) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _complete_part(body: str) -> tuple[str, bool]:
    """A reply up to its last complete item, and whether it broke off after that.

    Items are texts or objects in the outermost list.
    """
    stack: list[str] = []
    quoted = escaped = False
    complete = 0
    for place, sign in enumerate(body):
        if escaped:
            escaped = False
        elif sign == "\\":
            escaped = quoted
        elif sign == '"':
            quoted = not quoted
        elif not quoted and sign in "[{":
            stack.append(sign)
        elif not quoted and sign in "]}" and stack:
            stack.pop()
        closed = sign in '}"' and not quoted and not escaped
        if closed and stack and stack[-1] == "[" and stack.count("[") == 1:
            complete = place + 1
    return (body[:complete], True) if stack else (body, False)
