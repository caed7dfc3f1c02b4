"""The planted structure and the null, by rule: rows of findings.

For each way of planting, the same subjects are measured three times: with labels known (what the
statistics alone lose), with relevance known and M_E's sign, and as a study does it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.evaluator.expression import SUMS, Cuts, Reading, expressions, subject_scores
from gpla_assets.evaluator.scoring import is_relevant
from gpla_assets.studies.measurement import MeasurementRule
from gpla_assets.validation.findings import Finding, auc, over_seeds
from gpla_assets.validation.planted import (
    Counts,
    Floats,
    Kind,
    latent_scores,
    planted_counts,
    planted_loadings,
    random_factors,
    recovered,
    retained,
    shuffled,
    similar_factors,
)
from gpla_assets.validation.planted_texts import Planted

SUBJECTS = 400
LABELS, SIGN = "labels known", "relevance known, sign of "
PLANTED, NULL, RELEVANCE = "planted structure", "nothing planted", "relevance"
SALIENCE_SPREAD = 0.5
"""Of the logarithm of how many texts bear on a value, where values are unequally salient."""
FALSE_POSITIVES = 0.03


@dataclass(frozen=True)
class Case:
    """One way of planting: `per_value` texts; `similar`: similar values load on one factor.

    `null` plants nothing: values are independent, or each value's scores are shuffled.
    """

    kind: Kind
    per_value: int
    similar: bool = False
    null: Literal["", "independent values", "scores shuffled"] = ""

    @property
    def measure(self) -> str:
        """As the findings name it."""
        texts = f"{self.kind}, {self.per_value} statements a value"
        if self.null:
            return f"factors retained; {self.null}; {texts}"
        factors = "similar values together" if self.similar else "values dealt at random"
        return f"congruence; {texts}, {factors}"


CASES = (
    *(Case("direction", n, similar) for similar in (False, True) for n in (2, 5, 10)),
    Case("salience", 5),
    Case("both", 5),
    Case("direction", 5, null="independent values"),
    Case("salience", 5, null="independent values"),
    Case("direction", 5, null="scores shuffled"),
)


@dataclass(frozen=True)
class Planting:
    """Texts of a data set, of how many statements a unit is, and whether values are unequally
    salient; unit embeddings (n_values, d) of the values."""

    data: str
    planted: Planted
    embeddings: NDArray[np.floating]
    statements: int = 1
    unequal: bool = False


@dataclass(frozen=True)
class TextSums:
    """Sums by perception, value and SUMS (n, m, 9): any subject's are sums of these."""

    values: Sequence[str]
    sums: Floats

    @classmethod
    def of(cls, reading: Reading, values: Sequence[str], cuts: Cuts) -> TextSums:
        n, m = reading.relevance.shape
        rows = expressions(reading, values, np.arange(n), cuts)[SUMS]
        return cls(values, rows.to_numpy(float).reshape(n, m, len(SUMS)))

    def scores(self, counts: Counts, rule: MeasurementRule) -> pd.DataFrame:
        """Subjects x values by a rule; `counts` (n_subjects, n_perceptions)."""
        every = np.tensordot(counts.astype(float), self.sums, axes=1)
        subjects, m, _ = every.shape
        rows = pd.DataFrame(every.reshape(-1, len(SUMS)), columns=SUMS)
        rows["subject"] = np.repeat(np.arange(subjects), m)
        rows["value"] = np.tile(np.array(self.values, object), subjects)
        found = subject_scores(rows, rule).pivot(index="subject", columns="value", values="score")
        return found[list(self.values)]


def known_reading(planted: Planted) -> Reading:
    """What an M_E would read that knows each perception's value and side."""
    relevance = np.zeros((len(planted.perceptions), len(planted.values)))
    about = np.flatnonzero(planted.own >= 0)
    relevance[about, planted.own[about]] = 1.0
    lean = relevance * planted.truth[:, None]
    return Reading(relevance, lean, np.zeros(lean.shape, bool))


def signed_reading(planted: Planted, leans: Floats) -> Reading:
    """Relevance known, and M_E's lean (n,) of each perception to its own value."""
    known = known_reading(planted)
    return Reading(known.relevance, known.relevance * leans[:, None], known.undecided)


def planted_findings(
    planting: Planting,
    readings: Mapping[str, Reading],
    rules: Sequence[MeasurementRule],
    cuts: Cuts,
    seeds: int,
    cases: Sequence[Case] = CASES,
) -> Iterator[Finding]:
    """Findings of each case, agent and rule; `readings` by agent, those of SIGN and LABELS too.

    Number, low and high are mean, least and most over the seeds; `n` the subjects of each.
    """
    values = list(planting.planted.values["value"])
    sums = {agent: TextSums.of(reading, values, cuts) for agent, reading in readings.items()}
    for case in cases:
        found: dict[tuple[str, MeasurementRule], list[float]] = {}
        for seed in range(seeds):
            counts, loadings = _subjects(planting, case, seed)
            for agent, own in sums.items():
                for rule in _rules_of(agent, rules):
                    number = _number(own.scores(counts, rule), case, loadings, seed)
                    found.setdefault((agent, rule), []).append(number)
        check, known = (NULL, "at most 1") if case.null else (PLANTED, "1; chance about .3")
        for (agent, rule), numbers in found.items():
            where = (check, planting.data, agent, rule, case.measure)
            yield Finding(*where, *over_seeds(numbers), SUBJECTS, known)


def _number(scores: pd.DataFrame, case: Case, loadings: Floats, seed: int) -> float:
    """What a case asks of subjects' scores: congruence, or factors that are retained."""
    if case.null == "scores shuffled":
        scores = shuffled(scores, np.random.default_rng(seed))
    return retained(scores) if case.null else recovered(scores, loadings)


def _rules_of(agent: str, rules: Sequence[MeasurementRule]) -> Sequence[MeasurementRule]:
    """With relevance known all rules but `share` and `salience` read the same leans."""
    return ["gpv"] if agent.startswith(SIGN) else rules


def _subjects(planting: Planting, case: Case, seed: int) -> tuple[Counts, Floats]:
    """How often each subject states each perception, and the planted loadings."""
    planted, random = planting.planted, np.random.default_rng(seed)
    m = len(planted.values)
    factor_of = (
        similar_factors(planting.embeddings, random) if case.similar else random_factors(m, random)
    )
    loadings = planted_loadings(factor_of)
    latent = latent_scores(0 * loadings if case.null else loadings, SUBJECTS, random)
    base = np.exp(random.normal(0, SALIENCE_SPREAD, m)) if planting.unequal else np.ones(m)
    counts = planted_counts(
        latent,
        planted.sides,
        len(planted.units),
        case.per_value / planting.statements,
        case.kind,
        random,
        base / base.mean(),
    )
    return counts @ planted.units, loadings


def relevance_findings(
    planted: Planted, reading: Reading, data: str, agent: str, cut: float
) -> Iterator[Finding]:
    """How far perceptions are told to be about their own value rather than about the others."""
    about = np.flatnonzero(planted.own >= 0)
    own = reading.relevance[about, planted.own[about]]
    every = reading.relevance[about]
    others = np.ones(every.shape, bool)
    others[np.arange(len(about)), planted.own[about]] = False
    strange = every[others]
    labels = np.repeat([True, False], [len(own), len(strange)])
    bar = np.quantile(strange, 1 - FALSE_POSITIVES)
    counts = is_relevant(own, cut)
    passing = float(counts.sum() / max(is_relevant(every, cut).sum(), 1))
    top = every.argmax(axis=1) == planted.own[about]
    against = planted.truth[about] < 0
    numbers = {
        "AUC of relevance": (auc(labels, np.concatenate([own, strange])), "1; chance .5"),
        f"recall at {FALSE_POSITIVES:.0%} false": (float((own > bar).mean()), "1"),
        f"recall above {cut}": (float(counts.mean()), "1"),
        f"recall above {cut}, opposing": (float(counts[against].mean()), "as of supporting"),
        f"share of own among pairs above {cut}": (passing, "1"),
        "own value is the most relevant": (
            float(top.mean()),
            f"1; chance {1 / len(planted.values):.2f}",
        ),
    }
    for measure, (number, known) in numbers.items():
        nan = float("nan")
        yield Finding(RELEVANCE, data, agent, "", measure, number, nan, nan, len(about), known)
