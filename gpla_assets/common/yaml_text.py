"""YAML of users: plain data, of a size that its text suggests."""

from __future__ import annotations

from typing import Any

import yaml

MOST_NODES = 200_000
"""Scalars, lists and mappings of a text once its aliases are written out: a study has hundreds."""


def load_yaml(text: str) -> Any:  # what a text holds is not known before it is read
    """The plain data of a YAML text. Raises yaml.YAMLError, also where it cannot be written out:
    aliases of aliases that grow without bound, one within itself, or nesting without end."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
        if node is not None and _size(node, {}) > MOST_NODES:
            raise yaml.YAMLError(
                f"its aliases stand for more than {MOST_NODES:,} nodes; write out what they stand "
                "for, or leave them out"
            )
        return yaml.safe_load(text)
    except RecursionError:
        raise yaml.YAMLError("it is nested too deeply, or an alias stands within itself") from None


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """Nodes that a node is written out as; what is met again is not counted anew."""
    if id(node) not in known:
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [part for pair in node.value for part in pair]
        known[id(node)] = 1 + sum(_size(part, known) for part in parts)
    return known[id(node)]
