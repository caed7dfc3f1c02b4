"""What all agents tell of themselves: M_P, M_G, M_E and the LLMs that answer."""

from __future__ import annotations

from typing import Protocol


class Agent(Protocol):
    """What all agents tell of themselves; `inferences` counts texts that went through the model."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def inferences(self) -> int: ...
