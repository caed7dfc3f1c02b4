"""In what order a bi-encoder reads what it learns from."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import pandas as pd

from gpla_assets.training.examples import ANSWER_COLUMNS, PAIR_COLUMNS, TAUGHT_COLUMNS

MATCHED = ("statement", "taught", "pair")
"""Kinds of batches in which texts are beside values."""


@dataclass(frozen=True)
class Recipe:
    """How to train. Chosen on one fold (values held out); see the model card."""

    epochs: int = 2
    batch: int = 64
    same_value: int = 4
    learning_rate: float = 6e-5
    head_learning_rate: float = 2e-3
    warmup: float = 0.08
    weight_decay: float = 0.02
    rank: int = 64
    smoothing: float = 0.05
    dropout: float = 0.1
    relevance_weight: float = 0.5
    contrast_scale: float = 20.0
    close_values: float = 0.5
    without_definition: float = 0.3
    answers_per_epoch: float = 0.33
    texts_of_pairs: int = 12
    pairs_per_epoch: float = 0.5
    taught_per_epoch: float = 0.5
    frozen_layers: int = 2
    statement_tokens: int = 96
    answer_tokens: int = 72
    value_tokens: int = 56


def _no_rows(columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame(columns=columns)


@dataclass(frozen=True)
class Lessons:
    """What is learnt from, rows as in `examples`; all but the statements may be empty."""

    statements: pd.DataFrame
    answers: pd.DataFrame = field(default_factory=lambda: _no_rows(ANSWER_COLUMNS))
    taught: pd.DataFrame = field(default_factory=lambda: _no_rows(TAUGHT_COLUMNS))
    pairs: pd.DataFrame = field(default_factory=lambda: _no_rows(PAIR_COLUMNS))


@dataclass(frozen=True)
class Batch:
    """Rows of one kind that go through the encoder together."""

    kind: str
    rows: list[int]


class Batches:
    """The batches of each epoch; the same seed gives the same."""

    def __init__(self, lessons: Lessons, recipe: Recipe, seed: int) -> None:
        self.recipe = recipe
        self.random = random.Random(seed)
        self.rows = {
            "statement": lessons.statements,
            "taught": lessons.taught,
            "pair": lessons.pairs,
            "answer": lessons.answers,
        }
        self.texts = {kind: list(found["text"]) for kind, found in self.rows.items()}
        self.values = {kind: list(found["value"]) for kind, found in self.rows.items()}

    def epoch(self) -> Iterator[Batch]:
        batches = [
            *self._value_batches("statement", 1.0),
            *self._value_batches("taught", self.recipe.taught_per_epoch),
            *self._pair_batches(),
            *self._answer_batches(),
        ]
        self.random.shuffle(batches)
        yield from batches

    def _value_batches(self, kind: str, share: float) -> list[Batch]:
        """Groups of one value's texts, of like lengths: values are embedded once a group."""
        by_value: dict[str, list[int]] = defaultdict(list)
        every = range(len(self.values[kind]))
        for row in self.random.sample(every, round(len(every) * share)) if share < 1 else every:
            by_value[self.values[kind][row]].append(row)
        groups: list[list[int]] = []
        size = self.recipe.same_value
        for rows in by_value.values():
            self.random.shuffle(rows)
            groups += [rows[i : i + size] for i in range(0, len(rows), size)]
        self.random.shuffle(groups)
        batches: list[Batch] = []
        pool = self.recipe.batch // size * 12
        for first in range(0, len(groups), pool):
            rows = [
                row
                for group in sorted(
                    groups[first : first + pool], key=lambda group: self._length(kind, group)
                )
                for row in group
            ]
            step = self.recipe.batch
            batches += [Batch(kind, rows[i : i + step]) for i in range(0, len(rows), step)]
        return [batch for batch in batches if len(batch.rows) > 1]

    def _length(self, kind: str, group: list[int]) -> float:
        return sum(len(self.texts[kind][row]) for row in group) / len(group)

    def _pair_batches(self) -> list[Batch]:
        """Labelled texts of like lengths, each with all its values."""
        by_text: dict[str, list[int]] = defaultdict(list)
        for row, text in enumerate(self.texts["pair"]):
            by_text[text].append(row)
        drawn = self.random.sample(list(by_text), int(len(by_text) * self.recipe.pairs_per_epoch))
        texts = sorted(drawn, key=len)
        step = self.recipe.texts_of_pairs
        return [
            Batch("pair", [row for text in texts[i : i + step] for row in by_text[text]])
            for i in range(0, len(texts), step)
        ]

    def _answer_batches(self) -> list[Batch]:
        rows = range(len(self.texts["answer"]))
        drawn = self.random.sample(rows, int(len(rows) * self.recipe.answers_per_epoch))
        drawn.sort(key=lambda row: len(self.texts["answer"][row]))
        step = self.recipe.batch
        return [Batch("answer", drawn[i : i + step]) for i in range(0, len(drawn), step)]
