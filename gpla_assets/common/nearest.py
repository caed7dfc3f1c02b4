"""Names that are nearest to one that does not exist."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

from gpla_assets.common.errors import KnownError
from gpla_assets.common.visible import visible

MOST = 4
LEAST_ALIKE = 0.6


class UnknownName(KnownError, LookupError):
    """A name that nothing has; the message gives the nearest ones."""


def nearest(name: str, known: Iterable[str], most: int = MOST) -> list[str]:
    """The names most like one, by their letters and digits, best first.

    >>> nearest("gpt4", ["gpt-4", "gpt4_turbo", "claude"])
    ['gpt-4', 'gpt4_turbo']
    """
    own = _letters(name)
    found = {one: _alike(own, _letters(one)) for one in known}
    close = [one for one, alike in found.items() if alike >= LEAST_ALIKE]
    return sorted(close, key=lambda one: (-found[one], one))[:most]


def _letters(name: str) -> str:
    """A name by its letters and digits: which marks stand between them is soon forgotten."""
    plain = name.casefold()
    return "".join(one for one in plain if one.isalnum()) or plain


def _alike(own: str, other: str) -> float:
    alike = SequenceMatcher(None, own, other).ratio()
    # a part of a name is meant as the whole, whatever the rest of it
    inside = (len(own) > 2 and own in other) or (len(other) > 2 and other in own)
    return max(alike, LEAST_ALIKE + alike / 10) if inside else alike


def chosen(what: str, name: str, known: Iterable[str], listed: str) -> str:
    """The name as it is known: itself, or the only one that differs in case or outer blanks alone.

    Raises UnknownName with the nearest names; `listed` says where all stand.

    >>> chosen("value", "empathy", ["Empathy", "Order"], "")
    'Empathy'
    """
    every = list(dict.fromkeys(known))
    if name in every:
        return name
    same = [one for one in every if one.casefold() == name.strip().casefold()]
    if len(same) == 1:
        return same[0]
    close = nearest(name, every)
    if close:
        said = f"nearest: {', '.join(close)}"
    elif len(every) <= MOST:
        said = f"expected {' or '.join(every) or 'one, but there is none'}"
    else:
        said = f"expected one of {len(every)}, such as {', '.join(every[:MOST])}"
    raise UnknownName(visible(f"No {what} {shortened(name)!r}: {said}. {listed}".rstrip()))


def shortened(text: str, most: int = 80) -> str:
    """A text of a message: its middle is left out where it is long.

    >>> shortened("a" * 200, 9)
    'aaaa…aaaa'
    """
    half = (most - 1) // 2
    return text if len(text) <= most else f"{text[:half]}…{text[-half:]}"
