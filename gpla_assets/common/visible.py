"""Text of LLMs as it may be shown: nothing in it moves the cursor or turns lines around."""

from __future__ import annotations

import unicodedata

HIDDEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")
"""Unicode's categories of what acts on a screen or is not seen: controls, marks of direction and of
width, halves of characters, separators of lines."""
JOINERS = "\u200c\u200d"
"""They are part of words and emoji, and act on nothing else."""


def visible(text: str, keep: str = "") -> str:
    r"""The text with characters that act on a terminal written out, but for those of `keep`.

    >>> visible("a\x1b[2Jb" + chr(0x202E) + "c\n")
    'a\\x1b[2Jb\\u202ec\\n'
    """
    if text.isprintable():
        return text
    return "".join(one if _is_safe(one, keep) else _written_out(one) for one in text)


def _is_safe(one: str, keep: str) -> bool:
    return one in keep or one in JOINERS or unicodedata.category(one) not in HIDDEN


def _written_out(one: str) -> str:
    return one.encode("unicode_escape", "surrogatepass").decode("ascii")
