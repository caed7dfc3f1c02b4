"""What a score rests on: questions, standard error, interval, and what differs from the others.

Questions are the sample: LLMs are to be told apart on other questions of the kind, and sentences
of one answer say much the same. Each number is computed again without each question (the delete-one
jackknife; Efron & Stein, 1981), by the study's own rule, so that an interval belongs to its number
whatever the rule is. Differences are of the same questions, and what a question brings to all
cancels in them. Intervals are t's, with one degree of freedom less than there are questions.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.common.intervals import INTERVAL
from gpla_assets.evaluator.contributions import with_questions
from gpla_assets.evaluator.expression import SUMS, by_rule, less_questions, with_logit_weight
from gpla_assets.studies.measurement import MeasurementRule

Floats = NDArray[np.float64]
FEWEST_QUESTIONS = 10
"""Scores of fewer questions are flagged `few`: their intervals are wide, and less to be trusted."""
FEWEST_UNITS = 3
"""Fewer scores of a value say nothing of how much to shrink."""
ESTIMATES = [
    *("unit", "value", "score", "n_questions", "se", "low", "high", "shrunken", "few"),
    *("difference", "difference_low", "difference_high"),
    *("share", "share_low", "share_high", "direction", "direction_low", "direction_high"),
]
CELLS = 400_000
"""Subjects x questions x values that are held at a time."""
TOTALS = [*SUMS, "logit_weight"]
RANGES: dict[MeasurementRule, tuple[float, float]] = {
    "share": (0, 1),
    "gpv": (-1, 1),
    "net": (-1, 1),
    "top": (-1, 1),
    "salience": (-np.inf, np.inf),
}
"""Beyond which no score lies, and no interval says that it could."""


class Replicates:
    """A reading of units on values: `full` (units, values), and `without` each of the questions.

    `without` is (units, questions, values); `rests_on` (units, values) counts the questions that
    have a part in it. All that is said of the reading is made of these.
    """

    def __init__(self, scores: Floats, rests_on: Floats) -> None:
        self.full, self.without, self.rests_on = scores[:, 0], scores[:, 1:], rests_on

    def shifted(self, shift: Floats) -> Replicates:
        """With what the absence of a question (questions, values) moves every unit by."""
        return Replicates(
            np.concatenate([self.full[:, None], self.without + shift], axis=1), self.rests_on
        )

    def less_others(self) -> Replicates:
        """Each unit less the mean of the others; NaN where there are none."""
        every = np.concatenate([self.full[:, None], self.without], axis=1)
        n = (~np.isnan(every)).sum(axis=0)
        others = _ratio(np.nansum(every, axis=0) - every, np.broadcast_to(n - 1, every.shape))
        return Replicates(every - others, self.rests_on)

    def less(self, other: Replicates) -> Replicates:
        """The difference from another's, unit by unit."""
        own, theirs = (
            np.concatenate([one.full[:, None], one.without], axis=1) for one in (self, other)
        )
        return Replicates(own - theirs, np.minimum(self.rests_on, other.rests_on))

    def variance(self) -> Floats:
        """Of each number over questions (units, values); NaN of fewer than two."""
        k = self.rests_on
        spread = ((self.without - self.full[:, None]) ** 2).sum(axis=1)
        return np.where(k > 1, spread * _ratio(k - 1, k), np.nan)

    def interval(self, lowest: float = -np.inf, highest: float = np.inf) -> tuple[Floats, Floats]:
        """Lower and upper ends of the 95% interval, within what a number can be."""
        from scipy.stats import t

        half = t.ppf(INTERVAL[1], np.maximum(self.rests_on - 1, 1)) * np.sqrt(self.variance())
        return np.clip(self.full - half, lowest, None), np.clip(self.full + half, None, highest)

    def shrunken(self) -> Floats:
        """Empirical Bayes: each number moved to its value's mean over units, as it is unsure.

        mean + T / (T + v) (number - mean). v is the variance of the deviation over questions, from
        that of all units by the number of questions; T, how much units truly differ, is the mean
        of squared deviations less that of v, at least 0. NaN with fewer than FEWEST_UNITS units.
        """
        n = (~np.isnan(self.full)).sum(axis=0)
        mean = _ratio(np.nansum(self.full, axis=0), n)
        deviation = self.full - mean
        # a unit's deviation is (n - 1) / n of its difference from the others
        of_deviation = self.less_others().variance() * ((n - 1) / np.maximum(n, 1)) ** 2
        k = np.where(np.isnan(self.full), np.nan, self.rests_on)
        unsure = _ratio(_mean(of_deviation * k), 1.0) / k
        true = np.maximum(_mean(deviation**2) - _mean(unsure), 0)
        kept = _ratio(np.broadcast_to(true, unsure.shape), true + unsure)
        found = mean + np.where(true == 0, 0.0, kept) * deviation
        return np.where((n >= FEWEST_UNITS) & ~np.isnan(unsure), found, np.nan)


def estimates(sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule) -> pd.DataFrame:
    """Scores by the rule with what they rest on: rows with ESTIMATES, by unit, then by value.

    `sums`: the responses of one list of values (subject_id, question_id, response_id, value and
    SUMS); `units`: what each subject is taken for (index subject_id: its LLM, or itself). A unit's
    number is the mean over its subjects. `difference` is from the mean of the other units; `share`,
    how often: the share of sentences that bear on the value; `direction`, which way. NaN where
    there is none; intervals need two questions. A response without a question is a question.
    """
    frames = [_estimated(*part, rule) for part in _parts(sums, units, rule)]
    if not frames:
        return pd.DataFrame(columns=ESTIMATES)
    found = pd.concat(frames, ignore_index=True)[ESTIMATES]
    return found.sort_values(["unit", "value"], ignore_index=True)


def compared(
    sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule, first: str, second: str
) -> pd.DataFrame:
    """Two units side by side: rows value, score_a, score_b, difference, low, high, n_questions.

    Arguments as of `estimates`; `difference` is the first's less the second's on their questions,
    and `n_questions` the smaller number of theirs. Values that both have a score on.
    """
    frames = []
    for names, values, cubes, owners, _ in _parts(sums, units, rule):
        every = _read(cubes, owners, rule, "score")
        a, b = (_only(every, names.index(one)) for one in (first, second))
        both = a.less(b)
        low, high = both.interval()
        rows = {"score_a": a.full, "score_b": b.full, "difference": both.full, "low": low}
        rows |= {"high": high, "n_questions": both.rests_on}
        frames.append(
            pd.DataFrame({"value": values} | {name: one[0] for name, one in rows.items()})
        )
    found = pd.concat(frames, ignore_index=True).dropna(subset=["difference"])
    return found.astype({"n_questions": int}).sort_values("value", ignore_index=True)


def deviations(
    sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule
) -> Iterator[tuple[list[str], list[str], Floats]]:
    """How far each unit's score moves without each question: what `compared` makes intervals of.

    Arguments as of `estimates`. Parts of the values, each with units, values and an array (units,
    questions, values), the same questions in each part; NaN where there is no score.
    """
    for names, values, cubes, owners, _ in _parts(sums, units, rule):
        every = _read(cubes, owners, rule, "score")
        yield names, values, every.without - every.full[:, None]


Part = tuple[list[str], list[str], Floats, Floats, Floats]
"""Units, values, totals (subjects, questions, values, TOTALS), owners (units, subjects), shift."""


def _parts(sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule) -> Iterator[Part]:
    """Values by as many as can be held at a time."""
    rows = with_questions(sums)
    subject, subjects = pd.factorize(rows["subject_id"], sort=True)
    question, questions = pd.factorize(rows["question_id"], sort=True)
    names = units.reindex(subjects).astype(str)
    unit, every = pd.factorize(names, sort=True)
    owners = (unit == np.arange(len(every))[:, None]).astype(float)
    rows = with_logit_weight(less_questions(rows)).assign(
        _mean=rows["logit_sum"] / rows["weight_sum"].where(rows["weight_sum"] > 0)
    )
    value, values = pd.factorize(rows["value"], sort=True)
    at_a_time = max(CELLS // max(len(subjects) * len(questions), 1), 1)
    for first in range(0, len(values), at_a_time):
        own = values[first : first + at_a_time]
        here = (value >= first) & (value < first + len(own))
        cubes = np.zeros((len(subjects), len(questions), len(own), len(TOTALS)))
        places = (subject[here], question[here], value[here] - first)
        np.add.at(cubes, places, np.nan_to_num(rows.loc[here, TOTALS].to_numpy(float)))
        shift = np.zeros((len(questions), len(own)))
        if rule == "salience":
            shift = _shift(rows.loc[here, "_mean"].to_numpy(float), *places[1:], shift.shape)
        yield list(every), list(own), cubes, owners, shift


def _shift(
    logits: Floats, question: NDArray[np.intp], value: NDArray[np.intp], shape: tuple[int, ...]
) -> Floats:
    """By how much all salience moves where a question is left out: what it brought is gone."""
    known = ~np.isnan(logits)
    total, count = np.zeros(shape), np.zeros(shape)
    np.add.at(total, (question[known], value[known]), logits[known])
    np.add.at(count, (question[known], value[known]), 1)
    mean = _ratio(total.sum(axis=0), count.sum(axis=0))
    without = _ratio(total.sum(axis=0) - total, count.sum(axis=0) - count)
    return np.nan_to_num(without - mean)


def _estimated(
    names: list[str],
    values: list[str],
    cubes: Floats,
    owners: Floats,
    shift: Floats,
    rule: MeasurementRule,
) -> pd.DataFrame:
    plain = _read(cubes, owners, rule, "score")
    score, others = plain.shifted(shift), plain.less_others()
    share, direction = (
        _read(cubes, owners, "share", "score"),
        _read(cubes, owners, rule, "direction"),
    )
    numbers = {
        "score": score.full,
        "n_questions": score.rests_on,
        "se": np.sqrt(score.variance()),
        "shrunken": plain.shrunken(),
        "few": score.rests_on < FEWEST_QUESTIONS,
        "difference": others.full,
        "share": share.full,
        "direction": direction.full,
    }
    ends = {
        "": score.interval(*RANGES[rule]),
        "difference_": others.interval(),
        "share_": share.interval(*RANGES["share"]),
        "direction_": direction.interval(*RANGES["gpv"]),
    }
    for name, (low, high) in ends.items():
        numbers |= {f"{name}low": low, f"{name}high": high}
    keys = {"unit": np.repeat(names, len(values)), "value": np.tile(values, len(names))}
    table = pd.DataFrame(keys | {name: one.ravel() for name, one in numbers.items()})
    said = table["score"].notna() | table["direction"].notna() | (table["share"] > 0)
    return table[said].astype({"n_questions": int})


def _read(
    cubes: Floats,
    owners: Floats,
    rule: MeasurementRule,
    reading: Literal["score", "direction"],
) -> Replicates:
    """A reading of the units, whole and without each question, from their subjects' totals."""
    total = cubes.sum(axis=1, keepdims=True)
    left = total - cubes
    # what is left of a sum whose only part is gone is nothing, whatever its last digit says
    every = np.concatenate([total, np.where(np.abs(left) < 1e-9, 0.0, left)], axis=1)
    scores = _scored(every, rule, reading)
    has_part = ~np.isnan(_scored(cubes, rule, reading))
    counted = ~np.isnan(scores)
    n = np.einsum("us,sqv->uqv", owners, counted.astype(float))
    units = _ratio(np.einsum("us,sqv->uqv", owners, np.nan_to_num(scores)), n)
    asked = np.einsum("us,sqv->uqv", owners, has_part.astype(float)) > 0
    return Replicates(units, asked.sum(axis=1).astype(float))


def _scored(
    totals: Floats, rule: MeasurementRule, reading: Literal["score", "direction"]
) -> Floats:
    flat = dict(zip(TOTALS, totals.reshape(-1, len(TOTALS)).T, strict=True))
    _, direction, score, _ = by_rule(flat, rule)
    found: Floats = np.asarray(score if reading == "score" else direction, float)
    return found.reshape(totals.shape[:-1])


def _only(every: Replicates, unit: int) -> Replicates:
    scores = np.concatenate([every.full[:, None], every.without], axis=1)
    return Replicates(scores[[unit]], every.rests_on[[unit]])


def _mean(numbers: Floats) -> Floats:
    """Over units, of those that have one (values,)."""
    return _ratio(np.nansum(numbers, axis=0), (~np.isnan(numbers)).sum(axis=0))


def _ratio(above: Floats | float, below: Floats | float) -> Floats:
    """NaN where there is nothing below."""
    top, bottom = np.broadcast_arrays(np.asarray(above, float), np.asarray(below, float))
    found = np.full(top.shape, np.nan)
    return cast(Floats, np.divide(top, bottom, out=found, where=bottom > 0))
