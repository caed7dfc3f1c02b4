"""Sums of what LLMs express by question, from which any rule scores any part of the questions."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from gpla_assets.evaluator.expression import SUMS, by_rule, less_questions, subject_scores
from gpla_assets.studies.measurement import MeasurementRule
from gpla_assets.validation.question_halves import FEWEST_UNITS, Scorer


class ByQuestion:
    """Sums (units, questions, values, SUMS) of a study's expressions on one list of values.

    `expressions`: question_id, value, SUMS and the column `unit` (subject_id, or llm, whose
    profiles are then added up); units, questions and values are in alphabetical order. Scores
    are of logits `less_questions`, as in a study; cells keep what differs between questions.
    """

    def __init__(self, expressions: pd.DataFrame, unit: str) -> None:
        self.units, units = _places(expressions[unit])
        self.questions, questions = _places(expressions["question_id"])
        self.values, values = _places(expressions["value"])
        shape = (len(self.units), len(self.questions), len(self.values), len(SUMS))
        self.sums = np.zeros(shape)
        # an unknown sum (NaN) makes its total unknown
        places = (units, questions, values)
        np.add.at(self.sums, places, expressions[SUMS].to_numpy(float))
        self.less_questions = np.zeros(shape)
        own = less_questions(expressions)[SUMS].to_numpy(float)
        np.add.at(self.less_questions, places, own)

    def scores(self, rule: MeasurementRule) -> Scorer:
        """Scores by the rule (units x values) from some of the questions."""
        at = {question: place for place, question in enumerate(self.questions)}

        def of(questions: Collection[str]) -> pd.DataFrame:
            total = self.less_questions[:, [at[one] for one in questions]].sum(axis=1)
            return self._scored(total, rule, self.units)

        return of

    def cells(self, rule: MeasurementRule) -> pd.DataFrame:
        """Each response's scores by the rule: rows unit, question, value, score, NaN of none."""
        n, k = self.sums.shape[:2]
        names = [f"{unit}\n{question}" for unit in self.units for question in self.questions]
        flat = self.sums.reshape(n * k, *self.sums.shape[2:])
        table = self._scored(flat, rule, names)
        index = pd.MultiIndex.from_product([self.units, self.questions], names=["unit", "question"])
        table = table.set_axis(index).rename_axis(columns="value").reset_index()
        return table.melt(["unit", "question"], var_name="value", value_name="score")

    def _scored(
        self, total: np.ndarray, rule: MeasurementRule, units: Collection[str]
    ) -> pd.DataFrame:
        """Totals (n, values, SUMS) -> scores (n, values)."""
        parts = {name: total[..., place].ravel() for place, name in enumerate(SUMS)}
        known = ~np.isnan(parts["logit_sum"])
        parts["logit_weight"] = np.where(known, parts["weight_sum"], 0.0)
        parts["logit_sum"] = np.where(known, parts["logit_sum"], 0.0)
        score = by_rule(parts, rule)[2]
        return pd.DataFrame(score.reshape(total.shape[:2]), list(units), self.values)


def response_cells(expressions: pd.DataFrame, unit: str, rule: MeasurementRule) -> pd.DataFrame:
    """Scores of single responses by the rule: rows unit, question, value, score (NaN of none).

    `expressions`: response_id, question_id, value, SUMS and the column `unit`. A unit's several
    answers to a question are rows of their own, so that samples can be told apart.
    """
    found = subject_scores(expressions.assign(subject=expressions["response_id"]), rule)
    known = expressions.drop_duplicates("response_id").set_index("response_id")
    of = known.loc[found["subject"], [unit, "question_id"]].reset_index(drop=True)
    return pd.DataFrame(
        {
            "unit": of[unit],
            "question": of["question_id"],
            "value": found["value"],
            "score": found["score"],
        }
    )


def _places(names: pd.Series) -> tuple[list[str], np.ndarray]:
    codes, different = pd.factorize(names, sort=True)
    return [str(one) for one in different], codes


def unit_of(subjects: pd.DataFrame) -> str:
    """What is to be told apart: LLMs where there are enough of them, else subjects."""
    return "llm" if subjects["llm"].nunique() >= FEWEST_UNITS else "subject_id"
