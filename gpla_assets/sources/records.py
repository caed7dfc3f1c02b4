"""One reply as a file holds it, before what was said is read out of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gpla_assets.sources.said import blank, text_of

Fields = Mapping[str, object]
ERROR, INVALIDATED, NO_CHOICE = "error", "invalidated", "no choice"
MULTIPLE_CHOICE, DUPLICATE = "multiple choice", "duplicate"
NO_QUESTION = "no question"


@dataclass(slots=True)
class Record:
    """A reply with who gave it to what; `skip` is the reason why it is none."""

    content: object = None
    llm: str | None = None
    question: str | None = None
    question_id: str | None = None
    sample: object = None
    profile: str | None = None
    system: str | None = None
    reasoning: object = None
    refusal: object = None
    finish: object = None
    skip: str | None = None


def fields(value: object) -> Fields:
    """A JSON object; an empty one in the place of anything else."""
    return value if isinstance(value, Mapping) else {}


def items(value: object) -> Sequence[object]:
    """A JSON list; an empty one in the place of anything else."""
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def named(value: object) -> str | None:
    """A name or text; None where there is none."""
    if isinstance(value, str):
        return _named(value)
    return None if blank(value) else text_of(value) or None


@lru_cache(4096)
def _named(text: str) -> str | None:
    return None if blank(text) else text_of(text) or None


def conversation(messages: object) -> tuple[str | None, str | None, object]:
    """System message, last question and the last reply to it, of messages with role and content.

    >>> conversation([{"role": "user", "content": "Why?"}, {"role": "assistant", "content": "So."}])
    (None, 'Why?', {'role': 'assistant', 'content': 'So.'})
    """
    system, question, reply = None, None, None
    for message in map(fields, items(messages)):
        role = message.get("role") or message.get("from")
        content = message.get("content", message.get("value"))
        if role in ("system", "developer"):
            system = named(content) or system
        elif role in ("user", "human"):
            question, reply = named(content), None
        elif role in ("assistant", "gpt", "model"):
            reply = message if "content" in message else content
    return system, question, reply


def prompted(prompt: object) -> tuple[str | None, str | None]:
    """System message and question of a prompt: a text, or messages."""
    if isinstance(prompt, str):
        if prompt.lstrip()[:1] != "[" or '"role"' not in prompt:
            return None, _named(prompt)
        try:
            prompt = json.loads(prompt)
        except ValueError:
            return None, named(prompt)
    if items(prompt) and all("role" in fields(one) for one in items(prompt)):
        system, question, _ = conversation(prompt)
        return system, question
    return None, named(prompt)


def of_choices(choices: object, **known: object) -> Iterator[Record]:
    """One record a choice of an endpoint's reply; a record without a choice where there is none."""
    found = items(choices)
    if not found:
        yield Record(skip=NO_CHOICE, **known)  # type: ignore[arg-type]
    for place, choice in enumerate(found, start=1):
        sample = place if len(found) > 1 else known.get("sample")
        yield Record(choice, **{**known, "sample": sample})  # type: ignore[arg-type]
