"""Generative psycho-lexical approach: the value system of LLMs from what they write.

`measure(answers)` finds what LLMs value by their answers; `open(study)` gives what a study found
as frames; `value_system(frame, settings)` runs the structure step on any frame of subjects x
values.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpla_assets.looking import PublishedStudy
    from gpla_assets.looking import open_study as open
    from gpla_assets.orchestration.measuring import measure
    from gpla_assets.psychometrics.structure import ValueSystem, value_system
    from gpla_assets.studies.structure import StructureSettings

__all__ = ["PublishedStudy", "StructureSettings", "ValueSystem", "measure", "open", "value_system"]
_LIES_IN = {
    "PublishedStudy": ("looking", "PublishedStudy"),
    "measure": ("orchestration.measuring", "measure"),
    "open": ("looking", "open_study"),
    "StructureSettings": ("studies.structure", "StructureSettings"),
    "ValueSystem": ("psychometrics.structure", "ValueSystem"),
    "value_system": ("psychometrics.structure", "value_system"),
}


def __getattr__(name: str) -> object:
    """Names of rooms, imported when first used: the command line stays quick."""
    if name in _LIES_IN:
        room, own = _LIES_IN[name]
        return getattr(import_module(f"gpla_assets.{room}"), own)
    raise AttributeError(f"module 'gpla_assets' has no attribute {name!r}")
