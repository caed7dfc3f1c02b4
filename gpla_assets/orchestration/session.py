"""What the runs of one process share: whom to tell, the budget, and what was made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from gpla_assets.chat import Budget
from gpla_assets.orchestration.making import Made
from gpla_assets.orchestration.progress import step_begins
from gpla_assets.studies import Study


@dataclass
class Session:
    """One `gpla run`: several Dagster runs, published once at its end.

    `tell` is told each step as it begins; `reasons` say why it is made, `waiting` which steps are
    still to come, and `took` how many seconds steps took before.
    """

    study: Study
    tell: Callable[[str], None]
    reasons: Mapping[str, str] = field(default_factory=dict)
    waiting: list[str] = field(default_factory=list)
    took: Mapping[str, float] = field(default_factory=dict)
    total: int = 0
    made: list[Made] = field(default_factory=list)
    budget: Budget = field(init=False)
    begun: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.budget = Budget(self.study.calls)

    def begin(self, step: str, partitions: str | None, keys: int) -> None:
        """Say that a step begins: which of how many, of how many partitions, and why."""
        self.begun += 1
        self.total = max(self.total, self.begun)
        what = f"{keys} {partitions}, " if partitions else ""
        why = self.reasons.get(step, "asked for")
        self.tell(f"{self.begun}/{self.total} {step}: {what}{why}")
        self.waiting = [one for one in self.waiting if one != step]
        step_begins(step, self.begun, self.total, self._seconds_left(step))

    def _seconds_left(self, step: str) -> float | None:
        """How long a step and those that wait may take, by how long they took before.

        None where most have no past; the others then count as the mean of those that have.
        """
        names = [step, *self.waiting]
        known = [self.took[one] for one in names if one in self.took]
        if 2 * len(known) < len(names):
            return None
        return sum(known) + (len(names) - len(known)) * sum(known) / len(known)


_current: list[Session] = []


def current() -> Session | None:
    """The session of this process; none in a run that Dagster's UI or daemon started."""
    return _current[-1] if _current else None


class active:
    """Makes a session the current one inside a `with`."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __enter__(self) -> Session:
        _current.append(self.session)
        return self.session

    def __exit__(self, *ended: object) -> None:
        _current.remove(self.session)
