"""Generative psycho-lexical approach: the value system of LLMs from what they write.

`value_system(frame, settings)` runs the structure step on any frame of subjects x values.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpla_assets.psychometrics.structure import ValueSystem, value_system
    from gpla_assets.studies.structure import StructureSettings

__all__ = ["StructureSettings", "ValueSystem", "value_system"]


def __getattr__(name: str) -> object:
    """What `__all__` names, imported when first used: the command line stays quick."""
    if name not in __all__:
        raise AttributeError(f"module 'gpla_assets' has no attribute {name!r}")
    from gpla_assets.psychometrics import structure

    return getattr(structure, name)
