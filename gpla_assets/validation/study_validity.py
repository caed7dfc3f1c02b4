"""What is known of a study's validity: steering by its profiles, reliability across its LLMs.

Each rule is judged by the same sums, so that the table says which reads most out of a study.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gpla_assets.content import schwartz
from gpla_assets.studies.measurement import RULES, MeasurementRule
from gpla_assets.validation.by_question import ByQuestion, unit_of
from gpla_assets.validation.consistency import FEWEST_VALUES
from gpla_assets.validation.findings import COLUMNS
from gpla_assets.validation.question_halves import (
    FEWEST_UNITS,
    SPLITS,
    question_halves,
    reliabilities,
    reliability_caution,
    reliability_rows,
)
from gpla_assets.validation.steering import classified, share_of_pairs, win_shares
from gpla_assets.validation.style import styles

WANTED = 0.7
"""Reliability from which on groups can be compared (Nunnally, 1978)."""
STEERING, RELIABILITY, LESS_STYLE = (
    "steering",
    "reliability",
    "reliability less style",
)
SHARE = "share of pairs"
CLASSIFIER = "TF-IDF and logistic regression, questions held out"
CHANCE = "chance .5"


def study_validity(
    expressions: pd.DataFrame,
    responses: pd.DataFrame,
    subjects: pd.DataFrame,
    agent: str,
    rules: Sequence[MeasurementRule] = RULES,
    seed: int = 0,
) -> pd.DataFrame:
    """Rows with COLUMNS of what the study's subjects allow, for each list of values and rule.

    `expressions`: lexicon, subject_id, question_id, value and SUMS; `responses`: subject_id,
    question_id, content; `subjects`: subject_id, llm, profile, `asks` (the value of Schwartz's ten
    that the profile asks for, or null). Steering needs two profiles of an LLM and one that asks for
    a value; reliability needs two questions and some units (`unit_of`) that answered them.
    """
    expressions = expressions.merge(subjects[["subject_id", "llm"]], on="subject_id")
    responses = responses.merge(subjects, on="subject_id")
    style = styles(responses).groupby(responses[unit_of(subjects)]).mean()
    frames = [pd.DataFrame(columns=COLUMNS)]
    for lexicon, own in expressions.groupby("lexicon", sort=True):
        asks = asked_on(subjects, list(own["value"].unique()))
        steered = _steering(own, responses, subjects, asks, rules, seed)
        reliable = _reliability(own, style, unit_of(subjects), rules, seed)
        for agent_rows in (steered, reliable):
            frames += [
                rows.assign(data=lexicon, agent=rows.get("agent", agent)) for rows in agent_rows
            ]
    rows = pd.concat([one for one in frames if len(one)] or frames, ignore_index=True)
    return rows[COLUMNS]


def asked_on(subjects: pd.DataFrame, values: Sequence[str]) -> pd.DataFrame:
    """Which profile asks for which of the values: rows profile, value.

    A profile asks for its value of Schwartz's ten, and for the pole of the circle that it is of.
    """
    higher = schwartz().set_index("value")["higher"]
    asks = subjects.dropna(subset=["asks"]).drop_duplicates("profile")
    poles = asks.assign(asks=asks["asks"].map(higher))
    both = pd.concat([asks, poles])[["profile", "asks"]].rename(columns={"asks": "value"})
    return both[both["value"].isin(values)].reset_index(drop=True)


def _steering(
    expressions: pd.DataFrame,
    responses: pd.DataFrame,
    subjects: pd.DataFrame,
    asks: pd.DataFrame,
    rules: Sequence[MeasurementRule],
    seed: int,
) -> Iterator[pd.DataFrame]:
    if asks.empty:
        return
    by_question = ByQuestion(expressions, "subject_id")
    found = {
        rule: win_shares(by_question.scores(rule)(by_question.questions), subjects, asks)
        for rule in rules
    }
    for rule, shares in found.items():
        if len(shares):
            yield _steered(shares, seed).assign(rule=rule)
    ceiling = win_shares(classified(responses, asks), subjects, asks)
    if len(ceiling):
        yield _steered(ceiling, seed).assign(rule="", agent=CLASSIFIER)


def _steered(shares: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The share of all pairs, then each profile's; n is of profiles of an LLM, and of LLMs."""
    rows: list[tuple[object, ...]] = [
        (SHARE, *share_of_pairs(shares, seed), len(shares)),
    ]
    rows += [
        (f"{value} under {profile}", own["share"].mean(), None, None, len(own))
        for (profile, value), own in shares.groupby(["profile", "value"], sort=False)
    ]
    table = pd.DataFrame(rows, columns=["measure", "number", "low", "high", "n"])
    return table.assign(check=STEERING, known=CHANCE)


def _reliability(
    expressions: pd.DataFrame,
    style: pd.DataFrame,
    unit: str,
    rules: Sequence[MeasurementRule],
    seed: int,
) -> Iterator[pd.DataFrame]:
    by_question = ByQuestion(expressions, unit)
    enough = len(by_question.questions) > 1 and len(by_question.units) >= FEWEST_UNITS
    # a profile of fewer values has no shape
    if not enough or len(by_question.values) < FEWEST_VALUES:
        return
    for rule in rules:
        halves = question_halves(by_question.questions, by_question.scores(rule), SPLITS, seed)
        # a rule that reads what M_E did not give has no score at all
        if np.isnan(halves.first).all():
            continue
        for check, own in ((RELIABILITY, halves), (LESS_STYLE, halves.less_style(style))):
            rows = reliability_rows(own, WANTED, seed)
            yield rows.assign(check=check, rule=rule)


def unreliable(
    expressions: pd.DataFrame, subjects: pd.DataFrame, rule: MeasurementRule, seed: int = 0
) -> str | None:
    """The caution of `reliability_caution` on a study's values; None where there is nothing to say.

    `expressions` of one list: subject_id, question_id, value and SUMS. With fewer LLMs than tell
    anything it is of subjects.
    """
    unit = unit_of(subjects)
    own = expressions.merge(subjects[["subject_id", "llm"]], on="subject_id")
    by_question = ByQuestion(own, unit)
    if len(by_question.questions) < 2 or len(by_question.units) < FEWEST_UNITS:
        return None
    halves = question_halves(by_question.questions, by_question.scores(rule), SPLITS, seed)
    units = f"{len(by_question.units)} {'LLMs' if unit == 'llm' else 'subjects'}"
    return reliability_caution(reliabilities(halves), len(by_question.questions), units, WANTED)
