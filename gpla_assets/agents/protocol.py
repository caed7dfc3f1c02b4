"""What all agents tell of themselves: M_P, M_G, M_E and the LLMs that answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

FAILURES = ("dropped", "unparsed", "unread", "unjudged")
"""What agents say of replies that gave no row: counts by reason, or the parts that failed."""


class Agent(Protocol):
    """What all agents tell of themselves; `inferences` counts texts that went through the model."""

    @property
    def name(self) -> str: ...

    @property
    def model(self) -> str: ...

    @property
    def inferences(self) -> int: ...


@dataclass
class Told:
    """What agents have told of their work: texts that went through the model, and failures."""

    inferences: int = 0
    failures: dict[str, Counter[str] | list[object]] = field(default_factory=dict)

    @classmethod
    def by(cls, agent: Agent) -> Told:
        """What an agent tells up to now, as a copy."""
        found = {name: getattr(agent, name) for name in FAILURES if getattr(agent, name, None)}
        copies = {
            name: Counter(one) if isinstance(one, Mapping) else list(one)
            for name, one in found.items()
        }
        return cls(agent.inferences, copies)

    def since(self, before: Told) -> Told:
        """What was told after an earlier moment of the same agent."""
        failures: dict[str, Counter[str] | list[object]] = {}
        for name, found in self.failures.items():
            known = before.failures.get(name)
            if isinstance(found, Counter):
                failures[name] = found - (known if isinstance(known, Counter) else Counter())
            else:
                failures[name] = found[len(known or ()) :]
        return Told(self.inferences - before.inferences, failures)

    def add(self, other: Told) -> None:
        """Take in what another agent tells."""
        self.inferences += other.inferences
        for name, found in other.failures.items():
            if isinstance(found, Counter):
                own = self.failures.setdefault(name, Counter())
                assert isinstance(own, Counter)
                own.update(found)
            else:
                listed = self.failures.setdefault(name, [])
                assert isinstance(listed, list)
                listed += found
