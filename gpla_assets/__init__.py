"""Generative psycho-lexical approach: the value system of LLMs from what they write.

`value_system(frame, settings)` runs the structure step on any frame of subjects x values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpla_assets.psychometrics import StructureSettings, ValueSystem, value_system

__all__ = ["StructureSettings", "ValueSystem", "value_system"]


def __getattr__(name: str) -> object:
    """Names of `psychometrics`, imported when first used: the command line stays quick."""
    if name in __all__:
        from gpla_assets import psychometrics

        return getattr(psychometrics, name)
    raise AttributeError(f"module 'gpla_assets' has no attribute {name!r}")
