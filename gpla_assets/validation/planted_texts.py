"""Texts for and against values, alone or as an LLM's prose, and what M_E reads in them once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.parser.protocol import PerceptionParser, Utterance
from gpla_assets.validation.planted import Counts, Side

FEWEST = 5
"""Statements for and against that a value needs to be planted."""
MOST = 12
"""Statements of a side that are read: more cost time and change little."""
STATEMENTS_AN_ANSWER = 2
ANSWERS = 10
"""Answers of prose that are composed for each side of a value."""


@dataclass(frozen=True)
class Planted:
    """Values that can be planted, and the units that subjects state.

    `values`: rows (value, definition). `sides`: by value, the units for and against it. `units`
    (n_units, n_perceptions): how often each unit, a statement or an answer, holds each of the
    `perceptions`. `own` (n_perceptions,): the value that each is about, -1 for none, and `truth`
    its side, 1 or -1.
    """

    values: pd.DataFrame
    sides: list[Side]
    units: Counts
    perceptions: list[str]
    own: Counts
    truth: Counts


def plantable(
    statements: pd.DataFrame, n_values: int, random: np.random.Generator, fewest: int = FEWEST
) -> pd.DataFrame:
    """Statements (value, definition, stance, statement) of `n_values` values, drawn at random.

    Only values with at least `fewest` of both sides are drawn, and of each side at most MOST.
    """
    sided = statements[statements["stance"] != "either"].drop_duplicates(["value", "statement"])
    enough = sided.groupby(["value", "stance"]).size().unstack(fill_value=0).min(axis=1) >= fewest
    names = sorted(enough.index[enough])
    drawn = random.permutation(names)[:n_values]
    rows = sided[sided["value"].isin(set(drawn))].sort_values(
        ["value", "stance", "statement"], kind="stable"
    )
    rows = rows.iloc[random.permutation(len(rows))]
    return rows.groupby(["value", "stance"]).head(MOST).reset_index(drop=True)


def as_statements(statements: pd.DataFrame) -> Planted:
    """Each statement as a perception of its own."""
    values = _values(statements)
    own = pd.Index(values["value"]).get_indexer(statements["value"])
    truth = np.where(statements["stance"] == "support", 1, -1)
    units = np.eye(len(statements), dtype=np.int64)
    return Planted(values, _sides(own, truth), units, list(statements["statement"]), own, truth)


def as_prose(
    statements: pd.DataFrame,
    questions: pd.DataFrame,
    fillers: Sequence[str],
    parser: PerceptionParser,
    random: np.random.Generator,
) -> Planted:
    """Answers of two statements among neutral sentences, and the perceptions that M_P has of them.

    `questions` (value, question): an answer on a value that has one answers it in half of the
    cases. M_P may drop a statement, and may keep a neutral sentence: it is about no value.
    """
    values = _values(statements)
    asked = questions.groupby("value")["question"].agg(list).to_dict()
    answers: list[Utterance] = []
    spans, about, sides = [], [], []
    for at, value in enumerate(values["value"]):
        rows = statements[statements["value"] == value]
        for truth, stance in ((1, "support"), (-1, "oppose")):
            pool = list(rows.loc[rows["stance"] == stance, "statement"])
            for _ in range(ANSWERS):
                said = [str(one) for one in random.permutation(pool)[:STATEMENTS_AN_ANSWER]]
                text, places = _answer(said, fillers, random)
                own = asked.get(value, [])
                # half of the answers stand without their question
                question = str(random.choice(own)) if own and random.random() < 0.5 else None
                answers.append(Utterance(str(len(answers)), text, question))
                spans.append(places)
                about.append(at)
                sides.append(truth)
    found = parser.parse(answers)
    codes, contents = pd.factorize(np.array([one.content for one in found], object))
    units = np.zeros((len(answers), len(contents)), np.int64)
    np.add.at(units, ([int(one.parent) for one in found], codes), 1)
    stated, side = np.full(len(contents), -1), np.zeros(len(contents), np.int64)
    for one, code in zip(found, codes, strict=True):
        unit = int(one.parent)
        if any(start < one.end and one.start < end for start, end in spans[unit]):
            stated[code], side[code] = about[unit], sides[unit]
    every = _sides(np.array(about), np.array(sides))
    return Planted(values, every, units, list(contents), stated, side)


def _answer(
    said: Sequence[str], fillers: Sequence[str], random: np.random.Generator
) -> tuple[str, list[tuple[int, int]]]:
    """An answer that says what it holds at once or after a neutral sentence, and goes on.

    With the places of what it holds.
    """
    drawn = [str(filler) for filler in random.choice(fillers, 1 + len(said), replace=False)]
    text = f"{drawn[0]} " if random.random() < 0.5 else ""
    places = []
    for statement, filler in zip(said, drawn[1:], strict=True):
        places.append((len(text), len(text) + len(statement)))
        text += f"{statement} {filler} "
    return text.rstrip(), places


def _values(statements: pd.DataFrame) -> pd.DataFrame:
    first = statements.drop_duplicates("value").sort_values("value")
    return first[["value", "definition"]].reset_index(drop=True)


def _sides(own: Counts, truth: Counts) -> list[Side]:
    return [
        Side(np.flatnonzero((own == at) & (truth > 0)), np.flatnonzero((own == at) & (truth < 0)))
        for at in range(int(own.max()) + 1)
    ]
