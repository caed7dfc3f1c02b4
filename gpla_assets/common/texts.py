"""Texts that can be stored and sent."""

from __future__ import annotations

MARK = "\ufffd"
"""Stands for what no text can hold."""


def whole_text(text: str) -> str:
    """Text that UTF-8 can hold: lone surrogates become U+FFFD, pairs become their character.

    Everything else is kept, NUL and other control characters too.
    """
    if text.isascii():
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def mended(text: str) -> tuple[str, bool]:
    r"""Text that a table can hold, and whether it had to be mended: NUL becomes U+FFFD as well.

    A byte order mark before it goes.

    >>> mended("kind\x00ness"), mended("kindness")
    (('kind\ufffdness', True), ('kindness', False))
    """
    text = text.removeprefix("\ufeff")
    if "\x00" not in text and _encodes(text):
        return text, False
    return whole_text(text).replace("\x00", MARK), True


def _encodes(text: str) -> bool:
    try:
        return text.isascii() or bool(text.encode())
    except UnicodeEncodeError:
        return False
