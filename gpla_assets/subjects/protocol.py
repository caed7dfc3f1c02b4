"""What is asked of an LLM that answers questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from gpla_assets.agents.protocol import Agent
from gpla_assets.sources.said import Said


class Subject(Agent, Protocol):
    """An LLM that answers questions under a system prompt."""

    @property
    def has_system_role(self) -> bool: ...

    def answer(
        self,
        system_prompt: str,
        questions: Sequence[str],
        progress: Callable[[int], None] = ...,
        sample: int = 0,
    ) -> list[Said]:
        """One answer per question, in order; what was thought before it is set apart.

        `sample` (from 0) tells apart answers to a question that are drawn one after another.
        """
        ...
