"""What is asked of M_P: texts in, perceptions out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from gpla_assets.agents.protocol import Agent


@dataclass(frozen=True)
class Utterance:
    """A text to parse, with the question that it answers (None where there was none)."""

    key: str
    content: str
    question: str | None = None


@dataclass(frozen=True)
class Perception:
    """A sentence (or clause) that states an attitude.

    `sentence` is as in the text: `utterance.content[start:end] == sentence`, in characters.
    `content` is its self-contained wording; `attitude` the probability that it states an attitude.
    """

    parent: str
    ordinal: int
    start: int
    end: int
    sentence: str
    content: str
    attitude: float


class PerceptionParser(Agent, Protocol):
    """M_P: texts -> perceptions."""

    def parse(
        self, batch: Sequence[Utterance], progress: Callable[[int], None] = ...
    ) -> list[Perception]:
        """Perceptions in the order of the batch and of each text; `ordinal` counts from 0.

        `progress` is told how many utterances are finished.
        """
        ...
