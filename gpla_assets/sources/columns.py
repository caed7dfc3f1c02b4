"""Which column of a file is what: our names, the names that others use, and what users say."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.said import blank

Row = Mapping[str, object]

ALIASES: Mapping[str, tuple[str, ...]] = {
    "llm": ("llm", "model", "generator"),
    "question": ("question", "question_text", "prompt", "instruction", "input"),
    "answer": ("answer", "response", "output", "completion", "content"),
    "profile": ("profile", "persona", "system"),
    "sample": ("sample", "epoch", "repeat"),
    "question_id": ("question_id",),
    "reasoning": ("reasoning", "reasoning_content", "thinking"),
    "refused": ("refused", "refusal"),
    "finish": ("finish", "finish_reason", "stop_reason"),
    "messages": ("messages", "conversation", "conversations"),
    "error": ("error",),
}
"""Names of columns by what they hold, as other programs write them."""
LAST_RESORT = {
    "llm": ("model_name", "model_id", "llm_name"),
    "answer": ("text", "message", "choices"),
}
"""Names that count where no other does."""
OLDER = {"question_text": "question", "content": "answer", "item": "sample"}
"""Our own names of before, which studies' files use."""


class ColumnsError(SourceError):
    """Columns that cannot be told, or that were named and are not there."""


def as_mapping(written: str | None) -> dict[str, str]:
    """Columns as a command takes them: `llm=model,answer=text`.

    Raises ColumnsError.

    >>> as_mapping("llm=model, answer=text")
    {'llm': 'model', 'answer': 'text'}
    """
    found = {}
    for part in (written or "").split(","):
        if not part.strip():
            continue
        ours, equals, theirs = part.partition("=")
        if not equals or not theirs.strip():
            raise ColumnsError(
                f"--columns {part.strip()!r}: expected OURS=THEIRS, e.g. llm=model,answer=text."
            )
        found[ours.strip()] = theirs.strip()
    return found


def columns_of(
    rows: Sequence[Row], given: Mapping[str, str], file: object, needed: Sequence[str] = ()
) -> dict[str, str]:
    """The file's columns by what they hold; `given` goes before what is recognised.

    Raises ColumnsError where two columns could be the same thing and differ, where a named one is
    missing, or one that is `needed`.
    """
    names = list(dict.fromkeys(name for row in rows for name in row))
    found: dict[str, str] = {}
    for ours, theirs in given.items():
        role = OLDER.get(ours, ours)
        if role not in ALIASES:
            raise ColumnsError(f"Columns name {ours!r}, expected some of {', '.join(ALIASES)}.")
        if theirs not in names:
            near = difflib.get_close_matches(theirs, names, 1)
            raise ColumnsError(
                f"{file} has no column {theirs!r}{f' (nearest: {near[0]!r})' if near else ''}, "
                f"expected one of {_listed(names)}."
            )
        found[role] = theirs
    plain = {name.strip().casefold(): name for name in reversed(names)}
    taken = set(found.values())
    for role, aliases in ALIASES.items():
        if role in found:
            continue
        known = [plain[one] for one in aliases if one in plain and plain[one] not in taken]
        known = known or [plain[one] for one in LAST_RESORT.get(role, ()) if one in plain]
        if len(known) > 1:
            known = _one_of(known, rows, role, file)
        if known:
            found[role] = known[0]
    for role in needed:
        if role not in found:
            raise ColumnsError(
                f"{file} has columns {_listed(names)}: none is named as the {role} is "
                f"({', '.join(ALIASES[role])}); say which it is: --columns {role}=NAME, or "
                f"`columns: {{{role}: NAME}}` in a study."
            )
    return found


def _one_of(names: list[str], rows: Sequence[Row], role: str, file: object) -> list[str]:
    """The one of several columns that holds anything; the first where all hold the same."""
    filled = [name for name in names if any(not blank(row.get(name)) for row in rows)]
    if not filled:
        return names[:1]
    first = filled[0]
    if all(row.get(name) == row.get(first) for name in filled[1:] for row in rows):
        return [first]
    if role in ("profile", "sample", "refused", "finish", "messages", "reasoning"):
        return [first]
    shown = " and ".join(map(repr, filled))
    raise ColumnsError(
        f"{file}: columns {shown} could each be the {role}; say which it is: --columns "
        f"{role}={first}, or `columns: {{{role}: {first}}}` in a study."
    )


def _listed(names: Sequence[str], most: int = 12) -> str:
    shown = ", ".join(map(repr, names[:most])) or "none"
    return shown + (f" and {len(names) - most} more" if len(names) > most else "")
