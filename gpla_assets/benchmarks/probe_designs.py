"""Which LLMs a probe is fitted to and which it is tested on: always pairs of unseen LLMs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from gpla_assets.common.errors import KnownError

INNER_FOLDS = 3
LEFT_OUT = "leave pairs out"
FAMILIES_OUT = "leave families out"
FEWEST_TRAINED = 6
"""LLMs that remain when two families are left out: each inner fold then holds two, a pair."""

FEWEST_LLMS = 5
"""With two of fewer left out, those that remain (two) cannot be fitted and validated within."""


class UnfitCriterion(KnownError, ValueError):
    """A criterion that these LLMs cannot be told apart by; the message says what is lacking."""


@dataclass(frozen=True)
class Design:
    """`trained` (repeats, n_train) and `tested` (repeats, n_test): places of LLMs."""

    name: str
    trained: np.ndarray
    tested: np.ndarray

    def first(self, repeats: int) -> Design:
        """The first repeats; all of them where there are no more."""
        return Design(self.name, self.trained[:repeats], self.tested[:repeats])


def design(n: int, repeats: int, test_share: float, exact_below: int, seed: int) -> Design:
    """Random splits of n LLMs (point 18); with few LLMs, each pair is left out once.

    Raises UnfitCriterion with fewer than FEWEST_LLMS.
    """
    if n < FEWEST_LLMS:
        raise UnfitCriterion(
            f"{n} LLMs have a score of the criterion and values; expected at least {FEWEST_LLMS}. "
            "Measure more LLMs, or add their names to the alias table."
        )
    random = np.random.default_rng(seed)
    if n < exact_below:
        tested = np.array(list(combinations(range(n), 2)))
        # in random order, so that the first few are a sample of the pairs
        return _design(LEFT_OUT, n, tested[random.permutation(len(tested))])
    # fewer than two LLMs make no pair
    n_test = max(2, round(n * test_share))
    return _design("splits", n, np.array([random.permutation(n)[:n_test] for _ in range(repeats)]))


def family_designs(families: Sequence[str | None]) -> list[Design]:
    """Every two families left out whole, once: no relative of a tested LLM is among the trained.

    `families` by place; a LLM without one is a family of its own. Designs are by the number of LLMs
    left out. Two families whose leaving leaves fewer than FEWEST_TRAINED LLMs are passed over.
    """
    named = [family or f"LLM {place}" for place, family in enumerate(families)]
    members = {
        name: [at for at, own in enumerate(named) if own == name] for name in sorted(set(named))
    }
    by_size: dict[int, list[list[int]]] = {}
    for one, other in combinations(members, 2):
        tested = sorted(members[one] + members[other])
        if len(named) - len(tested) >= FEWEST_TRAINED:
            by_size.setdefault(len(tested), []).append(tested)
    return [
        _design(FAMILIES_OUT, len(named), np.array(tested)) for _, tested in sorted(by_size.items())
    ]


def _design(name: str, n: int, tested: np.ndarray) -> Design:
    outside = np.ones((len(tested), n), bool)
    np.put_along_axis(outside, tested, False, axis=1)
    return Design(name, np.nonzero(outside)[1].reshape(len(tested), -1), tested)


def inner_folds(trained: np.ndarray, seed: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """(fitted, validated) places of each inner fold, (repeats, m) each."""
    random = np.random.default_rng(seed)
    # places come in ascending order, and folds are cut off in blocks
    shuffled = random.permuted(trained, axis=1)
    held = np.array_split(np.arange(trained.shape[1]), INNER_FOLDS)
    return [(np.delete(shuffled, fold, axis=1), shuffled[:, fold]) for fold in held]
