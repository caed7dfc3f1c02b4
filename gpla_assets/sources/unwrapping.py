"""Whole answers in a wrapping: code fence, tag, `\\boxed{}`, JSON with one text."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Mapping

DEEPEST = 6
"""Wrappings within each other that are taken off."""
_FENCE = re.compile(r"(```+|~~~+)[ \t]*([\w-]*)[ \t]*\n(.*?)\n?[ \t]*\1", re.DOTALL)
_OF_PROSE = {"", "text", "txt", "plain", "plaintext", "markdown", "md", "html", "xml", "json"}
_TAGGED = re.compile(
    r"<(answer|response|output|final|final_answer|result|reply|body|html|div|span)\b[^>]*>(.*)</\1>",
    re.DOTALL | re.IGNORECASE,
)
_PARAGRAPHS = re.compile(r"<p\b[^>]*>.*</p>", re.DOTALL | re.IGNORECASE)
_PARAGRAPH = re.compile(r"\s*</?p\b[^>]*>\s*", re.IGNORECASE)
_BREAK = re.compile(r"<br\s*/?>", re.IGNORECASE)
_STRAY = re.compile(r"</?(?:final_)?answer>", re.IGNORECASE)
_MATHS = re.compile(r"\$\$(.*)\$\$|\$(.*)\$|\\\[(.*)\\\]|\\\((.*)\\\)", re.DOTALL)
_COMMANDS = ("\\boxed{", "\\fbox{", "\\text{", "\\textbf{")
ANSWERS = ("answer", "response", "output", "final_answer", "final", "content", "text", "reply")
THOUGHTS = ("reasoning", "thinking", "thought", "thoughts", "analysis", "rationale")
"""Fields of an answer in JSON that are the answer, and those that led to it."""


def unwrapped(text: str) -> tuple[str, str]:
    r"""An answer without what is wrapped around all of it, and reasoning that stood in its JSON.

    >>> unwrapped("```\nBe kind.\n```"), unwrapped('{"reasoning": "Hm.", "answer": "Yes."}')
    (('Be kind.', ''), ('Yes.', 'Hm.'))
    >>> unwrapped(r"$\boxed{\text{Be kind.}}$")[0]
    'Be kind.'
    """
    thought = ""
    for _ in range(DEEPEST):
        text = text.strip()
        inner, more = _once(text)
        thought = "\n\n".join(one for one in (thought, more) if one)
        if inner == text:
            break
        text = inner
    return _STRAY.sub("", text).strip(), thought


def _once(text: str) -> tuple[str, str]:
    if text[:1] in ("`", "~"):
        found = _FENCE.fullmatch(text)
        if found and found[2].casefold() in _OF_PROSE:
            return found[3], ""
    elif text[:1] == "<":
        if _PARAGRAPHS.fullmatch(text):
            lines = _BREAK.sub("\n", _PARAGRAPH.sub("\n\n", text))
            return html.unescape(re.sub(r"\n{3,}", "\n\n", lines)), ""
        found = _TAGGED.fullmatch(text)
        if found and f"<{found[1].casefold()}" not in found[2].casefold():
            return found[2], ""
    elif text[:1] in ("\\", "$"):
        found = _MATHS.fullmatch(text)
        if found and "\\boxed{" in text:
            return next(one for one in found.groups() if one is not None), ""
        return _of_command(text), ""
    elif text[:1] in ("{", '"', "["):
        return _of_json(text)
    return text, ""


def _of_command(text: str) -> str:
    for command in _COMMANDS:
        if not text.startswith(command):
            continue
        depth = 0
        for place, mark in enumerate(text):
            depth += (mark == "{") - (mark == "}")
            if mark == "}" and depth == 0:
                return text[len(command) : place] if place == len(text) - 1 else text
    return text


def _of_json(text: str) -> tuple[str, str]:
    try:
        found = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return text, ""
    if isinstance(found, list) and len(found) == 1:
        found = found[0]
    if isinstance(found, str):
        return found, ""
    own = _of_fields(found) if isinstance(found, dict) else None
    return own or (text, "")


def _of_fields(fields: Mapping[str, object]) -> tuple[str, str] | None:
    texts = {
        name.casefold(): value
        for name, value in fields.items()
        if isinstance(value, str) and value.strip()
    }
    if len(texts) == 1:
        return next(iter(texts.values())), ""
    answers = [name for name in ANSWERS if name in texts]
    thoughts = [name for name in THOUGHTS if name in texts]
    if len(answers) == 1 and len(texts) == 1 + len(thoughts):
        return texts[answers[0]], "\n\n".join(texts[name] for name in thoughts)
    return None
