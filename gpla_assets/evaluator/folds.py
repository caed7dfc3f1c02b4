"""Scores on values held out in training, and what is fitted on them.

Values are dealt to folds by name whatever the case, over all sources; a text that a fold tests is
dropped from its training too, also where it stands there under another value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize
from sklearn.linear_model import LogisticRegression

from gpla_assets.content import STANCES
from gpla_assets.evaluator.heads import Floats, Heads, answered
from gpla_assets.evaluator.views import Mode, value_views, viewed_logits

PRIOR = 0.05
"""Share of relevant pairs that relevance is calibrated to. Of labelled sentences and values drawn
at random none of 185 pairs was relevant; the values of a lexicon are likelier than that."""

Encode = Callable[[Sequence[str]], Floats]
Sentiment = Callable[[Sequence[str]], Floats]
LOGITS = ["support_logit", "oppose_logit", "either_logit"]
ATTITUDE_LOGITS = ["asserts", "denies", "open"]


@dataclass(frozen=True)
class Split:
    """Training and test rows of one fold."""

    statements: pd.DataFrame
    answers: pd.DataFrame
    test_statements: pd.DataFrame
    test_answers: pd.DataFrame


def fold_of(values: pd.Series, folds: int, seed: int) -> pd.Series:
    """Each row's fold by its value: 0 to folds - 1."""
    names = np.array(sorted(values.str.casefold().unique()))
    np.random.default_rng(seed).shuffle(names)
    fold = {name: n % folds for n, name in enumerate(names)}
    return values.str.casefold().map(fold)


def split(
    statements: pd.DataFrame, answers: pd.DataFrame, fold: int, folds: int = 5, seed: int = 0
) -> Split:
    """Rows as in `examples`, apart by value and by group."""
    both = pd.concat([statements["value"], answers["value"]], ignore_index=True)
    of = fold_of(both, folds, seed).to_numpy()
    held, held_answers = of[: len(statements)] == fold, of[len(statements) :] == fold
    texts = {*statements.loc[held, "group"], *answers.loc[held_answers, "group"]}
    fitted = ~held & ~statements["group"].isin(texts).to_numpy()
    fitted_answers = ~held_answers & ~answers["group"].isin(texts).to_numpy()
    return Split(
        statements[fitted].reset_index(drop=True),
        answers[fitted_answers].reset_index(drop=True),
        statements[held].reset_index(drop=True),
        answers[held_answers].reset_index(drop=True),
    )


def score_statements(
    rows: pd.DataFrame,
    heads: Heads,
    encode: Encode,
    sentiment: Sentiment,
    mode: Mode = "fast",
    seed: int = 0,
) -> pd.DataFrame:
    """The rows with logits of valence, sentiment (product), cosine, and unrelated_cosine.

    The last is with a value drawn among the rows' other values that the text does not stand under.
    """
    views = value_views(rows["value"], rows["definition"], mode)
    values = views[0]
    u, v = encode(list(rows["text"])), encode(values)
    other = encode([values[place] for place in _unrelated(rows, seed)])
    logits = viewed_logits(heads, u, [encode(view) for view in views])
    return rows.assign(
        **{name: logits[:, k] for k, name in enumerate(LOGITS)},
        sentiment=sentiment(list(rows["text"])) * sentiment(values),
        cosine=(u * v).sum(1),
        unrelated_cosine=(u * other).sum(1),
    )


def score_answers(
    rows: pd.DataFrame,
    heads: Heads,
    encode: Encode,
    sentiment: Sentiment,
    mode: Mode = "fast",
) -> pd.DataFrame:
    """The rows with the logits of what is asked, and the answer's stance in `said_*`."""
    views = value_views(rows["value"], rows["definition"], mode)
    values, questions = views[0], list(rows["question"])
    logits = viewed_logits(heads, encode(questions), [encode(view) for view in views])
    stance = heads.stance(encode(list(rows["text"])))
    return rows.assign(
        **{name: logits[:, k] for k, name in enumerate(LOGITS)},
        **{f"said_{name}": stance[:, k] for k, name in enumerate(ATTITUDE_LOGITS)},
        sentiment=sentiment(questions) * sentiment(values),
    )


def _unrelated(rows: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    of_text = rows.groupby("text")["value"].agg(set)
    if rows["value"].nunique() < 2:
        raise ValueError("All rows are of one value, expected two or more to draw unrelated ones.")
    values = rows["value"].to_numpy()
    first = rows.drop_duplicates("value")
    places, names = first.index.to_numpy(), first["value"].to_numpy()
    drawn = np.zeros(len(rows), np.int64)
    for n, text in enumerate(rows["text"]):
        own = of_text[text] | {values[n]}
        free = [place for place, name in zip(places, names, strict=True) if name not in own]
        drawn[n] = rng.choice(free) if free else places[0]
    return drawn


def probabilities(rows: pd.DataFrame, heads: Heads) -> Floats:
    """(n, 3) of scored statements, or of scored answers by way of what they were asked."""
    found = heads.judged(rows[LOGITS].to_numpy(np.float32), rows["sentiment"].to_numpy(np.float32))
    said = [f"said_{name}" for name in ATTITUDE_LOGITS]
    if said[0] in rows:
        return answered(rows[said].to_numpy(np.float32), found)
    return found


def calibrated(heads: Heads, statements: pd.DataFrame, prior: float = PRIOR) -> Heads:
    """Heads whose temperature, sentiment and relevance curve suit scored held-out statements.

    Temperature and sentiment minimise the log loss of valence; the relevance curve is a logistic
    regression on the cosines of own and unrelated values, weighted so that a share `prior` of the
    pairs is relevant.
    """
    logits = statements[LOGITS].to_numpy(np.float64)
    targets = statements[list(STANCES)].to_numpy(np.float64)
    turn = np.outer(statements["sentiment"].to_numpy(np.float64), [1, -1, 0])

    def loss(parameters: NDArray[np.float64]) -> float:
        scaled = (logits + parameters[0] * turn) / np.exp(parameters[1])
        scaled = scaled - scaled.max(1, keepdims=True)
        return float(-(targets * (scaled - np.log(np.exp(scaled).sum(1, keepdims=True)))).sum())

    fitted = minimize(loss, np.array([0.5, 0.5]), method="Nelder-Mead").x
    own = statements["cosine"].to_numpy()
    unrelated = statements["unrelated_cosine"].to_numpy()
    curve = LogisticRegression(C=1e6).fit(
        np.concatenate([own, unrelated])[:, None],
        np.repeat([1, 0], [len(own), len(unrelated)]),
        sample_weight=np.repeat([prior, 1 - prior], [len(own), len(unrelated)]),
    )
    return heads.calibrated(
        (float(curve.coef_[0, 0]), float(curve.intercept_[0])),
        float(fitted[0]),
        float(np.exp(fitted[1])),
    )
