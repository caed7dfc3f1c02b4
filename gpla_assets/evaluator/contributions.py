"""What made a score: what each question adds to it, and how far it hangs on each.

By every rule a subject's score is a sum over its answers, divided by another. What a question adds
beyond a level can therefore be told exactly, and the questions' parts add up to the score less
the level.
"""

from __future__ import annotations

import pandas as pd

from gpla_assets.evaluator.expression import less_questions, with_logit_weight
from gpla_assets.studies.measurement import MeasurementRule

PARTS: dict[MeasurementRule, tuple[str, str]] = {
    "salience": ("logit_sum", "logit_weight"),
    "share": ("relevant_n", "weight_sum"),
    "net": ("score_sum", "weight_sum"),
    "gpv": ("score_sum", "sided_n"),
    "top": ("top_sum", "weight_sum"),
}
"""Of each rule the sums that a score is the ratio of (`by_rule` of expression.py)."""
CONTRIBUTIONS = ["unit", "value", "question_id", "contribution"]


def with_questions(sums: pd.DataFrame) -> pd.DataFrame:
    """The sums; a response without a question is a question of its own."""
    question = sums["question_id"].astype(object).where(sums["question_id"].notna())
    return sums.assign(question_id=question.fillna(sums["response_id"].astype(object)))


def contributions(
    sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule, levels: pd.DataFrame
) -> pd.DataFrame:
    """What each question adds to a unit's score beyond a level: rows with CONTRIBUTIONS.

    `sums` and `units` as of `estimates`; `levels` (unit, value, level) are what scores are held
    against, such as the mean of the other units. With the sums a and b of question q whose ratio
    is a subject's score, q adds (a_q - level b_q) / sum(b); of a unit the mean over its subjects
    that have a score. Over questions this adds up to score - level.
    """
    above, below = PARTS[rule]
    rows = with_logit_weight(less_questions(with_questions(sums))).fillna({above: 0.0})
    keys = ["subject_id", "value", "question_id"]
    parts = rows.groupby(keys, sort=False)[[above, below]].sum().reset_index()
    parts["unit"] = parts["subject_id"].map(units).astype(str)
    whole = parts.groupby(["subject_id", "value"])[below].transform("sum")
    parts, whole = parts[whole > 0], whole[whole > 0]
    parts = parts.merge(levels, on=["unit", "value"], how="left").set_axis(parts.index)
    parts["contribution"] = (parts[above] - parts["level"] * parts[below]) / whole
    subjects = parts.groupby(["unit", "value"])["subject_id"].transform("nunique")
    parts["contribution"] /= subjects
    added = parts.dropna(subset=["contribution"]).groupby(["unit", "value", "question_id"])
    return added["contribution"].sum().reset_index()[CONTRIBUTIONS]
