"""Hash keys of rows."""

from __future__ import annotations

import hashlib


def key_of(*parts: object) -> str:
    """A 16-digit key of some parts; the same parts give the same key on every machine."""
    joined = "\x1f".join("" if part is None else str(part) for part in parts)
    return hashlib.sha1(joined.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def subject_key(llm: str, profile: str) -> str:
    """Key of an LLM under a profile."""
    return f"{llm}|{profile}"
