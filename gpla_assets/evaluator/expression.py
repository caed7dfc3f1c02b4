"""How much perceptions together express a value, and which way: sums, and scores by rule.

The sums of a response add up to those of its subject, and each rule reads the same sums. SQL
repeats the rules for a warehouse (dbt's int_subject_list_values) and is held to this module by
tests/evaluator/test_expression.py. Point 10 of docs/open_points.md.

Scores shrunk by a subject's reliability, with questions as random effects, are no rule of their
own: where subjects answer the same questions they are a value's scores times one number (r .9998
or more with scores by question on the demo), which changes neither factors nor ranks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, cast

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.common.errors import KnownError
from gpla_assets.evaluator.scoring import is_relevant, lean, scored_pairs
from gpla_assets.parser.referents import holds_question
from gpla_assets.studies.measurement import TOP_RELEVANCE, MeasurementRule
from gpla_assets.studies.study import RELEVANT

Numbers = NDArray[np.floating]
Flags = NDArray[np.bool_]
LEAST_SHARE = 1e-4
"""Relevance is read from here to 1 minus it, so that no pair's logit outweighs all others."""
SUMS = [
    *("n", "weight_sum", "logit_sum", "relevant_n", "sided_n", "score_sum"),
    *("top_n", "top_weight", "top_sum"),
]
SCORES = ["salience", "direction", "score", "n"]


class ReadingError(KnownError, ValueError):
    """A reading whose parts do not fit together, or that a rule cannot use."""


@dataclass(frozen=True)
class Reading:
    """What M_E says of n perceptions and m values, each array (n, m).

    `relevance` in [0, 1], NaN where M_E does not say; `lean`: p(support) - p(oppose), NaN where
    the pair was not judged; `undecided`: "either" is strictly the largest. `stances` (n, m, 3) are
    the probabilities of support, oppose and either behind them; None where leans are known labels.
    """

    relevance: Numbers
    lean: Numbers
    undecided: Flags
    stances: Numbers | None = None

    def __post_init__(self) -> None:
        shapes = {self.relevance.shape, self.lean.shape, self.undecided.shape}
        if len(shapes) > 1 or self.relevance.ndim != 2:
            raise ReadingError(
                f"A reading has relevance {self.relevance.shape}, lean {self.lean.shape} and "
                f"undecided {self.undecided.shape}, expected one shape, perceptions x values."
            )

    @classmethod
    def judged(cls, relevance: Numbers, stances: Numbers) -> Self:
        """From relevance (n, m) and probabilities (n, m, 3), NaN where a pair was not judged."""
        exact = stances.astype(float)
        undecided = exact[..., 2] > exact[..., :2].max(axis=-1, initial=-np.inf)
        return cls(relevance, lean(exact), undecided, stances)

    @property
    def sided(self) -> Flags:
        """Judged pairs that take a side (n, m)."""
        found: Flags = ~np.isnan(self.lean) & ~self.undecided
        return found

    def pairs(self, values: Sequence[str], minimum_relevance: float) -> pd.DataFrame:
        """The relevant pairs, by perception, then in order of values: rows of `scored_pairs`.

        Raises ReadingError where the reading has no stances.
        """
        if self.stances is None:
            raise ReadingError("A reading of known labels has no stances, expected one of M_E.")
        rows, columns = np.nonzero(is_relevant(self.relevance, minimum_relevance))
        names = np.array(list(values), object)[columns]
        return scored_pairs(rows, names, self.relevance[rows, columns], self.stances[rows, columns])


def joined(parts: Sequence[Reading], n: int, m: int) -> Reading:
    """Readings of M_E one below the other; (n, m) gives the shape where there are none."""
    if not parts:
        return Reading.judged(np.zeros((n, m), np.float32), np.zeros((n, m, 3), np.float32))
    stances = [part.stances for part in parts if part.stances is not None]
    relevance = np.concatenate([part.relevance for part in parts])
    return Reading.judged(relevance, np.concatenate(stances))


@dataclass(frozen=True)
class Cuts:
    """From where on a pair counts, strictly above: for its score, and as the top value."""

    minimum_relevance: float = RELEVANT
    top_relevance: float = TOP_RELEVANCE


NO_TOP = 1.0
"""A cut that no top value passes."""


def tops(relevance: Numbers, cut: float) -> Flags:
    """(n, m): each perception's most relevant value, where its relevance is above the cut.

    Of equal ones the first in order of values.
    """
    found: Flags = np.zeros(relevance.shape, bool)
    if relevance.size:
        known = np.where(np.isnan(relevance), -1.0, relevance)
        rows, best = np.arange(len(known)), known.argmax(axis=1)
        found[rows, best] = is_relevant(known[rows, best], cut)
    return found


def to_judge(relevance: Numbers, cuts: Cuts) -> Flags:
    """(n, m): the pairs whose valence the rules read, so that a dear judge sees no others."""
    found: Flags = is_relevant(relevance, cuts.minimum_relevance)
    return found | tops(relevance, cuts.top_relevance)


def logit(share: Numbers) -> Numbers:
    """Of shares of any shape, read from LEAST_SHARE to 1 minus it; NaN stays.

    >>> logit(np.array([0.5, 0.0])).round(2).tolist()
    [0.0, -9.21]
    """
    known = np.clip(np.asarray(share, float), LEAST_SHARE, 1 - LEAST_SHARE)
    found: Numbers = np.log(known) - np.log1p(-known)
    return found


def leading_weights(
    contents: Iterable[str],
    questions: Iterable[str | None],
    ordinals: Iterable[int],
    follow_on: float,
) -> Numbers:
    """Weights (n,) of perceptions, aligned with their questions and places in their responses.

    1 of what holds the question, and of a response's first perception; else `follow_on`.
    """
    leads = [
        ordinal == 0 or holds_question(content, question)
        for content, question, ordinal in zip(contents, questions, ordinals, strict=True)
    ]
    return np.where(np.array(leads, bool), 1.0, follow_on)


def samples(perceptions: pd.DataFrame) -> Numbers:
    """Of each perception (subject_id, question_id, response_id), how many of the subject's answers
    to its question hold any: (n,).

    Weights are divided by it, so that a question that was asked again counts once, by the mean of
    its samples, and a subject's score is of its questions.
    """
    asked = perceptions.groupby(["subject_id", "question_id"])["response_id"]
    return np.asarray(asked.transform("nunique"), float)


def expressions(
    reading: Reading,
    values: Sequence[str],
    groups: Sequence[object] | NDArray[np.generic],
    cuts: Cuts,
    weights: Numbers | None = None,
) -> pd.DataFrame:
    """Sums by group and value, of perceptions in `groups` (n,) with `weights` (n,), else 1 each.

    Columns group, value and SUMS: `n` perceptions; `weight_sum` of their weights; `logit_sum` of
    logits of relevance; `relevant_n` relevant ones, of which `sided_n` take a side, and their
    `score_sum` of leans; `top_n` whose most relevant value it is, and of those that take a side
    `top_weight`, the sum of their strengths, and `top_sum`, of these times leans. All but `n`
    are weighted. Rows by group as it first comes, then by value. Raises ReadingError where
    numbers of perceptions or values differ.
    """
    n, m = reading.relevance.shape
    own = np.ones(n) if weights is None else np.asarray(weights, float)
    if len(groups) != n or len(values) != m or own.shape != (n,):
        raise ReadingError(
            f"A reading of {n} perceptions x {m} values came with {len(groups)} groups, "
            f"{len(values)} values and weights {own.shape}, expected as many of each."
        )
    codes, names = pd.factorize(np.asarray(groups, object))
    by_pair = _by_pair(reading, cuts)
    sums = {
        name: _added(array * own[:, None], codes, len(names)) for name, array in by_pair.items()
    }
    sums["n"] = np.repeat(np.bincount(codes, minlength=len(names))[:, None], m, axis=1)
    keys = {"group": np.repeat(names, m), "value": np.tile(np.array(values, object), len(names))}
    return pd.DataFrame(keys | {name: sums[name].ravel() for name in SUMS})


def _by_pair(reading: Reading, cuts: Cuts) -> dict[str, Numbers]:
    """What each pair (n, m) adds to the weighted sums."""
    relevance = np.asarray(reading.relevance, float)
    leans = np.where(reading.sided, np.asarray(reading.lean, float), 0)
    relevant, top = (
        is_relevant(relevance, cuts.minimum_relevance),
        tops(relevance, cuts.top_relevance),
    )
    strength = np.where(top & reading.sided, _strength(relevance), 0)
    return {
        "weight_sum": np.ones_like(relevance),
        "logit_sum": logit(relevance),
        "relevant_n": relevant.astype(float),
        "sided_n": (relevant & reading.sided).astype(float),
        "score_sum": np.where(relevant, leans, 0),
        "top_n": top.astype(float),
        "top_weight": strength,
        "top_sum": strength * leans,
    }


def _strength(relevance: Numbers) -> Numbers:
    """(n, m): how much a perception's top value counts, the same for all values of a perception.

    The root of the highest relevance, times how far its logit lies above the second, as a share of
    how far it can: a value that is hardly more relevant than another may be the other's cross-talk.
    Of one value the root alone.
    """
    known = np.nan_to_num(relevance)
    _, m = known.shape
    if m == 1:
        return np.sqrt(known)
    second, first = np.sort(logit(known), axis=1)[:, -2:].T
    lowest, highest = logit(np.array([0.0, 1.0]))
    lead = (first - second) / (highest - lowest)
    strength: Numbers = np.sqrt(known.max(axis=1)) * lead
    return np.broadcast_to(strength[:, None], relevance.shape)


def _added(array: Numbers, codes: NDArray[np.integer], groups: int) -> Numbers:
    """Rows (n, m) added up by group -> (groups, m), in their order: the same in any company."""
    found = np.zeros((groups, array.shape[1]))
    np.add.at(found, codes, array)
    return found


def subject_scores(sums: pd.DataFrame, rule: MeasurementRule) -> pd.DataFrame:
    """Subjects' scores by a rule, of sums with the columns subject, value and SUMS (any number of
    rows a subject).

    Columns subject, value, `salience` (how much: mean logit of relevance by the rule salience,
    else a share of perceptions), `direction` (which way, -1 to 1; NaN where nothing takes a side),
    `score` (the rule's one number; NaN where it has none) and `n`, the perceptions that it rests
    on (weighted, rounded up). Of the rule salience responses without a `logit_sum` are left out.
    """
    keys = ["subject", "value"]
    added = with_logit_weight(sums).groupby(keys, sort=False)[[*SUMS, "logit_weight"]].sum()
    total = {name: column.to_numpy(float) for name, column in added.items()}
    salience, direction, score, n = by_rule(total, rule)
    numbers = {"salience": salience, "direction": direction, "score": score, "n": whole(n)}
    return added.index.to_frame(index=False).assign(**numbers)


def with_logit_weight(sums: pd.DataFrame) -> pd.DataFrame:
    """Sums with `logit_weight`: a response whose relevance is not known counts for no salience."""
    return sums.assign(logit_weight=sums["weight_sum"].where(sums["logit_sum"].notna(), 0.0))


def less_questions(sums: pd.DataFrame) -> pd.DataFrame:
    """Sums of responses (question_id, value, SUMS) whose logits are less what each question brings.

    A question's mean over responses of their mean logit of a value becomes that of all responses:
    who says more to one question than others do, or nothing to another, is not told by the
    question. What differs between subjects within a question stays. Rows as they come.
    """
    logits = sums["logit_sum"] / sums["weight_sum"].where(sums["weight_sum"] > 0)
    of_question = logits.groupby([sums["question_id"], sums["value"]]).transform("mean")
    brought = (of_question - logits.groupby(sums["value"]).transform("mean")).fillna(0.0)
    return sums.assign(logit_sum=sums["logit_sum"] - sums["weight_sum"] * brought)


def whole(n: Numbers) -> NDArray[np.int64]:
    """Weighted counts as numbers of perceptions: what counts a little is one more."""
    return np.ceil(np.round(n, 6)).astype(np.int64)


def by_rule(
    total: Mapping[str, Numbers], rule: MeasurementRule
) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Salience, direction, score and n (cells,) of totals (cells,) of SUMS and `logit_weight`."""
    every = total["weight_sum"]
    direction = _ratio(total["score_sum"], total["sided_n"])
    share = _ratio(total["relevant_n"], every)
    if rule == "salience":
        salience = _ratio(total["logit_sum"], total["logit_weight"])
        return salience, direction, salience, total["logit_weight"]
    if rule == "top":
        direction = _ratio(total["top_sum"], total["top_weight"])
        net = _ratio(total["top_sum"], every)
        return _ratio(total["top_n"], every), direction, net, every
    if rule == "net":
        return share, direction, _ratio(total["score_sum"], every), every
    if rule == "share":
        return share, direction, share, every
    return share, direction, direction, total["sided_n"]


def _ratio(above: Numbers, below: Numbers) -> Numbers:
    """NaN where there is nothing below."""
    found = np.full(len(above), np.nan)
    return cast(Numbers, np.divide(above, below, out=found, where=below > 0))
