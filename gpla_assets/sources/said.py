"""What was said, out of the forms in which LLMs' replies are kept: text, parts, messages."""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from gpla_assets.common.texts import mended
from gpla_assets.sources.reasoning import split_reasoning
from gpla_assets.sources.refusals import refuses
from gpla_assets.sources.unwrapping import unwrapped

EMPTY, UNCLOSED, FAILED = "empty", "unclosed reasoning", "error"
UNREADABLE = "of an unknown form"
FILTERED = "content_filter"
FINISHES = {
    **dict.fromkeys(("end_turn", "stop_sequence", "eos", "eos_token", "endoftext"), "stop"),
    **dict.fromkeys(("max_tokens", "model_length", "max_output_tokens", "max_length"), "length"),
    **dict.fromkeys(("refusal", "safety", "content-filter", "blocklist", "prohibited"), FILTERED),
}
"""Why a reply ended, in the words of OpenAI's endpoints."""
LONGEST_NOTHING = 20
_NOTHING = frozenset(("", "nan", "none", "null", "<na>", "n/a", "#n/a"))
_THOUGHT = ("reasoning", "thinking", "reasoning_text", "redacted_thinking", "thought")
_TEXT = ("text", "message")
_THOUGHT_FIELDS = ("reasoning_content", "reasoning", "thinking", "thoughts")
_JSON_SIGNS = ('"type"', "'type'", '"choices"', "'choices'", '"role"', "'role'", '"content"')


@dataclass(frozen=True, slots=True)
class Said:
    """One reply: answer and reasoning apart, whether it refuses, and why it ended.

    `problem` is the reason where there is no answer, `unclosed` that its reasoning never ended,
    `mended` that characters were replaced.
    """

    answer: str
    reasoning: str = ""
    refused: bool = False
    finish: str | None = None
    problem: str | None = None
    unclosed: bool = False
    mended: bool = False


@dataclass
class _Parts:
    texts: list[str] = field(default_factory=list)
    thoughts: list[str] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    finish: str | None = None
    refused: bool = False
    unknown: bool = False
    failed: bool = False


def said(
    content: object, reasoning: object = None, refusal: object = None, finish: object = None
) -> Said:
    """What a reply says: of a text, of parts of content, a message, or a choice of an endpoint.

    >>> said("<think>Hm.</think>Be kind.").answer
    'Be kind.'
    >>> said([{"type": "text", "text": "Be kind."}]).answer, said(None).problem
    ('Be kind.', 'empty')
    """
    parts = _Parts()
    _collect(content, parts)
    if reasoning is not None:
        _collect_thought(reasoning, parts)
    if refusal is not None:
        _collect_refusal(refusal, parts)
    ended = _finish(finish) or parts.finish
    text, was_mended = mended("\n".join(parts.texts or parts.refusals))
    answer, thought, unclosed = split_reasoning(text)
    answer, more = unwrapped(answer)
    thoughts = [mended(one)[0].strip() for one in parts.thoughts] + [thought, more]
    refused = bool(parts.refusals) or parts.refused or ended == FILTERED or refuses(answer)
    return Said(
        answer,
        "\n\n".join(one for one in thoughts if one),
        refused,
        ended,
        None if answer or refused else _problem(unclosed, parts),
        unclosed,
        was_mended,
    )


def heard(message: object) -> tuple[str, str, bool]:
    """Text, reasoning and refusal of an endpoint's message as the server gives them apart.

    Raises ValueError where it is no message.

    >>> heard({"content": "Be kind.", "reasoning_content": "Hm."})
    ('Be kind.', 'Hm.', False)
    """
    if not isinstance(message, Mapping):
        raise ValueError(f"a message is {type(message).__name__}, expected an object")
    content, parts = message.get("content"), _Parts()
    if not isinstance(content, str):
        _collect(content, parts)
        content = "\n".join(parts.texts)
    for name in _THOUGHT_FIELDS:
        _collect_thought(message.get(name), parts)
    _collect_refusal(message.get("refusal"), parts)
    refused = bool(parts.refusals) and not content
    return content or "\n".join(parts.refusals), "\n\n".join(parts.thoughts), refused


def _problem(unclosed: bool, parts: _Parts) -> str:
    """Why there is no answer."""
    if parts.failed:
        return FAILED
    return UNCLOSED if unclosed else UNREADABLE if parts.unknown else EMPTY


def several(content: object) -> list[object]:
    """The replies in one cell: choices of an endpoint, or a list of texts; most hold one.

    >>> several(["Be kind.", "Be brave."]), several("Be kind.")
    (['Be kind.', 'Be brave.'], ['Be kind.'])
    """
    content = _parsed(content)
    if isinstance(content, str):
        return [content]
    if isinstance(content, Mapping) and isinstance(content.get("choices"), Sequence):
        return list(content["choices"]) or [None]
    if isinstance(content, Mapping) and isinstance(content.get("candidates"), Sequence):
        return list(content["candidates"]) or [None]
    if isinstance(content, list):
        while len(content) == 1 and isinstance(content[0], list):
            content = content[0]
        texts = [one for one in content if isinstance(one, str)]
        if len(texts) == len(content) > 0:
            return list(texts)
        if content and all(isinstance(one, Mapping) and "message" in one for one in content):
            return list(content)
    return [content]


def blank(content: object) -> bool:
    """Whether a cell holds nothing: null, NaN, an empty text, or a word that stands for these."""
    if isinstance(content, str):
        return len(content) < LONGEST_NOTHING and content.strip().casefold() in _NOTHING
    if content is None or (isinstance(content, float) and math.isnan(content)):
        return True
    return isinstance(content, Sequence | Mapping) and not content


def text_of(content: object) -> str:
    """The text of a cell that is no reply: a question, a name; parts and lists are joined."""
    parts = _Parts()
    _collect(content, parts)
    return mended("\n".join(parts.texts))[0].replace("\r\n", "\n").strip()


def _finish(reason: object) -> str | None:
    if isinstance(reason, Mapping):
        reason = reason.get("reason")
    if not isinstance(reason, str) or not reason.strip():
        return None
    plain = reason.strip().casefold()
    return FINISHES.get(plain, plain)[:40]


def _parsed(content: object) -> object:
    """Lists and objects that stand as texts, as in a CSV; arrays of numpy as lists."""
    if not isinstance(content, str):
        return content.tolist() if hasattr(content, "tolist") else content
    text = content.strip()
    if text[:1] not in ("{", "[") or text[-1:] not in ("}", "]"):
        return content
    of_texts = text[:2] in ("['", '["')
    if not of_texts and not any(sign in text[:300] for sign in _JSON_SIGNS):
        return content
    for parse in (json.loads, ast.literal_eval):
        try:
            found = parse(text)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
        return found if isinstance(found, list | dict) else content
    return content


def _collect(content: object, parts: _Parts) -> None:
    if blank(content):
        return
    content = _parsed(content)
    if isinstance(content, str):
        parts.texts.append(content)
    elif isinstance(content, int | float):
        parts.texts.append(str(content))
    elif isinstance(content, list | tuple):
        for one in content:
            _collect(one, parts)
    elif isinstance(content, Mapping):
        _collect_fields(content, parts)
    else:
        parts.unknown = True


def _collect_fields(fields: Mapping[str, object], parts: _Parts) -> None:
    kind = fields.get("type")
    if kind in _THOUGHT or (kind is None and fields.get("thought") is True):
        for name in ("reasoning", "thinking", "text", "summary", "content"):
            _collect_thought(fields.get(name), parts)
        return
    if kind == "refusal":
        _collect_refusal(fields.get("refusal"), parts)
        return
    if isinstance(kind, str) and not kind.endswith(_TEXT) and "content" not in fields:
        return  # a picture, a call of a tool
    parts.finish = (
        _finish(fields.get("finish_reason"))
        or _finish(fields.get("stop_reason"))
        or _finish(fields.get("finishReason"))
        or parts.finish
    )
    for name in _THOUGHT_FIELDS:
        _collect_thought(fields.get(name), parts)
    _collect_refusal(fields.get("refusal"), parts)
    for name in ("choices", "candidates", "message", "content", "text", "parts", "output", "delta"):
        if name in fields:
            found = fields[name]
            own = several(found)[0] if name in ("choices", "candidates") else found
            _collect(own[0] if name == "choices" and isinstance(own, list) else own, parts)
            return
    parts.failed = parts.failed or not blank(fields.get("error"))
    parts.unknown = True


def _collect_thought(content: object, parts: _Parts) -> None:
    own = _Parts()
    _collect(content, own)
    # a server may give the same twice, under two names
    thoughts = [*own.texts, *own.thoughts]
    parts.thoughts += [one for one in thoughts if one not in parts.thoughts]


def _collect_refusal(refusal: object, parts: _Parts) -> None:
    if refusal is True:
        parts.refused = True
    elif not blank(refusal) and refusal is not False:
        parts.refusals.append(text_of(refusal))
