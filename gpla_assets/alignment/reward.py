"""The reward of a response: how near its values are to a target (equation 5).

The response is parsed into perceptions (M_P), these are measured on the values of a system (M_E),
and the reward is minus the mean absolute difference between target and measurement over the
system's dimensions. A dimension that a response says nothing of counts as measured at 0, neither
for nor against: a response without any perception therefore gets minus the mean absolute target,
and saying nothing is never better than taking the target's side.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.agents import contract
from gpla_assets.alignment.dimensions import dimension_scores
from gpla_assets.benchmarks.systems import System
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.parser.protocol import PerceptionParser, Utterance

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class AlignmentTarget:
    """A value system with its values' definitions, and the point in it to align to.

    `point` maps each dimension of the system to a number in [-1, 1]. Raises ValueError where
    point and system differ in their dimensions or a number is out of range.
    """

    system: System
    point: Mapping[str, float]
    definitions: Mapping[str, str | None]

    def __post_init__(self) -> None:
        odd = sorted(set(self.system.factors) ^ set(self.point))
        if odd:
            raise ValueError(
                f"Target of {self.system.name!r}: dimension {odd[0]!r} is in the system or in the "
                f"target only; expected one number for each of {', '.join(self.system.factors)}."
            )
        for name, number in self.point.items():
            if not -1 <= number <= 1:
                raise ValueError(f"Target of {name!r} is {number}, expected -1 to 1.")


@dataclass(frozen=True)
class Rewarded:
    """Of n responses: reward (n,), measurements and distances (n, dimensions), perceptions (n,).

    Measurements are NaN where a response says nothing of a dimension.
    """

    reward: Floats
    measured: pd.DataFrame
    distances: pd.DataFrame
    perceptions: NDArray[np.int64]


class DistanceReward:
    """M_P and M_E as a reward on responses; `inferences` are theirs together."""

    def __init__(
        self, parser: PerceptionParser, evaluator: ValueEvaluator, target: AlignmentTarget
    ) -> None:
        self.parser, self.evaluator, self.target = parser, evaluator, target

    @property
    def inferences(self) -> int:
        """Texts that went through the agents so far."""
        return self.parser.inferences + self.evaluator.inferences

    def __call__(self, prompts: Sequence[str], responses: Sequence[str]) -> Rewarded:
        """The reward of each response to its prompt, in order."""
        found = self.parser.parse(
            [
                Utterance(str(place), response, prompt)
                for place, (prompt, response) in enumerate(zip(prompts, responses, strict=True))
            ]
        )
        parents = np.array([int(one.parent) for one in found], dtype=np.int64)
        values = self.target.system.values
        scored = self.evaluator.evaluate(
            [one.content for one in found],
            values,
            [self.target.definitions.get(value) for value in values],
        )
        scored = contract.measured(scored, self.evaluator, len(found))
        rows = pd.DataFrame(
            {
                "response_id": parents[scored["row"].to_numpy(np.int64)].astype(str),
                "value": scored["value"].to_numpy(),
                "score": scored["score"].to_numpy(),
            }
        )
        every = [str(place) for place in range(len(responses))]
        measured = dimension_scores(rows, self.target.system.factors, every)
        distances = distance(measured, self.target.point)
        reward = -distances.mean(axis=1).to_numpy(float)
        counts = np.bincount(parents, minlength=len(responses)).astype(np.int64)
        return Rewarded(reward, measured, distances, counts)


def distance(measured: pd.DataFrame, point: Mapping[str, float]) -> pd.DataFrame:
    """|target - measurement| by response and dimension; nothing measured counts as 0."""
    target = pd.Series({name: float(point[name]) for name in measured.columns})
    # neither for nor against; leaving it out would reward saying little
    return (measured.fillna(0.0) - target).abs()
