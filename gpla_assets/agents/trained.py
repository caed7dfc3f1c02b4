"""Trained weights kept beside the warehouses, so that a process need not train them again.

A file's name holds a hash of all that its weights depend on; a changed item makes a new file.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar

from gpla_assets.studies import fingerprint, warehouse_folder


class Weights(Protocol):
    """What can be kept: plain arrays in a npz file."""

    def save(self, path: Path) -> None: ...

    @classmethod
    def load(cls, path: Path) -> Self: ...


W = TypeVar("W", bound=Weights)


def kept(kind: type[W], name: str, depends_on: Any, fit: Callable[[], W]) -> W:
    """The weights of before, or those that `fit` gives, kept for the next time."""
    path = warehouse_folder() / "agents" / f"{name}-{fingerprint(depends_on)}.npz"
    if path.exists():
        return kind.load(path)
    weights = fit()
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_name(f".{os.getpid()}-{path.name}")
    weights.save(staged)
    staged.replace(path)
    return weights
