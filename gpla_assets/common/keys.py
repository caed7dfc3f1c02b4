"""Hash keys of rows."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import unquote

_MARKS = re.compile(r"[%|\x00-\x1f\x7f]|\.(?=\.)")
"""What sets the parts of a key apart, and what Dagster takes in no key of a partition: control
characters and `...`."""


def key_of(*parts: object) -> str:
    """A 16-digit key of some parts; the same parts give the same key on every machine."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def subject_key(llm: str, profile: str) -> str:
    """Key of an LLM under a profile: `llm|profile`, marks that could be mistaken written as %XX.

    >>> subject_key("gpt-4", "Default"), subject_key("a|b", "c"), subject_key("a", "b|c")
    ('gpt-4|Default', 'a%7Cb|c', 'a|b%7Cc')
    """
    return f"{_plain(llm)}|{_plain(profile)}"


def subject_parts(subject: str) -> tuple[str, str]:
    """The LLM and the profile of a subject's key.

    >>> subject_parts("a%7Cb|c")
    ('a|b', 'c')
    """
    llm, _, profile = subject.partition("|")
    return unquote(llm), unquote(profile)


def _plain(name: str) -> str:
    return _MARKS.sub(lambda found: f"%{ord(found[0]):02X}", name)
