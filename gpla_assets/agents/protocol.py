"""What the agents of the pipeline are asked for: M_P, M_G, M_E and the subjects.

An agent is chosen by name in the study (`registry`), and each backend lives in its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import pandas as pd

from gpla_assets.errors import KnownError


class BackendUnavailable(KnownError, RuntimeError):
    """A backend or model that this version or this machine cannot run; says what to choose."""


class UnknownBackend(KnownError, ValueError):
    """A backend name that no file implements; the message lists the known ones."""


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


@runtime_checkable
class Agent(Protocol):
    """What all agents tell of themselves; `inferences` counts texts that went through the model."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def inferences(self) -> int: ...


@runtime_checkable
class PerceptionParser(Agent, Protocol):
    """M_P: texts -> perceptions."""

    def parse(
        self, batch: Sequence[Utterance], progress: Callable[[int], None] = ...
    ) -> list[Perception]:
        """Perceptions in the order of the batch and of each text; `ordinal` counts from 0.

        `progress` is told how many utterances are finished.
        """
        ...


@runtime_checkable
class ValueGenerator(Agent, Protocol):
    """M_G: perceptions -> values."""

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability); `row` is the position of the perception."""
        ...


@runtime_checkable
class ValueEvaluator(Agent, Protocol):
    """M_E: perceptions x values -> relevance and valence."""

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Rows (row, value, relevance, p_support, p_oppose, p_either, score) of relevant pairs."""
        ...

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """The same columns for aligned pairs, all of them, in order."""
        ...


@runtime_checkable
class Subject(Agent, Protocol):
    """An LLM that answers questions under a system prompt."""

    @property
    def has_system_role(self) -> bool: ...

    def answer(
        self,
        system_prompt: str,
        questions: Sequence[str],
        progress: Callable[[int], None] = ...,
    ) -> list[str]:
        """One answer per question, in order."""
        ...
