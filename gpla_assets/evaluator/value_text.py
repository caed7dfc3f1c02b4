"""What stands for a value when it is embedded, or read beside a text."""

from __future__ import annotations

from collections.abc import Sequence


def value_text(value: str, definition: str | None) -> str:
    """Name and definition, or the name alone."""
    known = isinstance(definition, str) and definition.strip()
    return f"{value}: {str(definition).strip()}" if known else value


def value_texts(values: Sequence[str], definitions: Sequence[str | None]) -> list[str]:
    """`value_text` of aligned values and definitions."""
    return [value_text(*pair) for pair in zip(values, definitions, strict=True)]


def one_each(values: Sequence[str], definitions: Sequence[str | None]) -> None:
    """Raises ValueError where values and definitions differ in number."""
    if len(values) != len(definitions):
        raise ValueError(
            f"Found {len(values)} values and {len(definitions)} definitions, expected one "
            "definition (or None) a value."
        )
