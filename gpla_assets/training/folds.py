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

from gpla_assets.content import STANCES
from gpla_assets.evaluator.heads import Floats, Heads, answered
from gpla_assets.evaluator.value_text import value_texts

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
    statements: pd.DataFrame, answers: pd.DataFrame, fold: int, folds: int, seed: int = 0
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
    seed: int = 0,
) -> pd.DataFrame:
    """The rows with logits of valence, relatedness, and other_relatedness.

    The last is with a value drawn among the rows' other values that the text does not stand under.
    """
    values = value_texts(rows["value"], rows["definition"])
    u, v = encode(list(rows["text"])), encode(values)
    other = encode([values[place] for place in unrelated(rows, seed)])
    logits = heads.pair_logits(u, v, sentiment(list(rows["text"])), sentiment(values))
    return rows.assign(
        **{name: logits[:, k] for k, name in enumerate(LOGITS)},
        relatedness=heads.relatedness(u, v),
        other_relatedness=heads.relatedness(u, other),
    )


def score_answers(
    rows: pd.DataFrame,
    heads: Heads,
    encode: Encode,
    sentiment: Sentiment,
) -> pd.DataFrame:
    """The rows with the logits of what is asked, and the answer's stance in `said_*`."""
    values, questions = value_texts(rows["value"], rows["definition"]), list(rows["question"])
    logits = heads.pair_logits(
        encode(questions), encode(values), sentiment(questions), sentiment(values)
    )
    stance = heads.stance(encode(list(rows["text"])))
    return rows.assign(
        **{name: logits[:, k] for k, name in enumerate(LOGITS)},
        **{f"said_{name}": stance[:, k] for k, name in enumerate(ATTITUDE_LOGITS)},
    )


def unrelated(rows: pd.DataFrame, seed: int) -> NDArray[np.int64]:
    """For each row the place of a row with a value that its text does not stand under."""
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
    found = heads.judged(rows[LOGITS].to_numpy(np.float32))
    said = [f"said_{name}" for name in ATTITUDE_LOGITS]
    if said[0] in rows:
        return answered(rows[said].to_numpy(np.float32), found)
    return found


def calibrated(
    heads: Heads, statements: pd.DataFrame, pairs: pd.DataFrame, prior: float = PRIOR
) -> Heads:
    """Heads whose temperature and relevance curve suit scored held-out rows.

    Statements and labelled `pairs` as `score_statements` gives them; the curve is fitted to the own
    values of both, the offset and then the temperature to the statements.
    """
    own = [statements["relatedness"], pairs.loc[pairs["related"] > 0, "relatedness"]]
    other = [statements["other_relatedness"], pairs["other_relatedness"]]
    curve = fitted_relevance(pd.concat(own), pd.concat(other), prior)
    offset = fitted_offset(statements)
    moved = statements.assign(**{LOGITS[0]: statements[LOGITS[0]] + offset})
    return heads.calibrated(curve, offset, fitted_temperature(moved))


def fitted_offset(statements: pd.DataFrame) -> float:
    """What is to be added to the logit of support so that statements that support and oppose, half
    each in every source, are called support as often as oppose.

    0 where no source has both.
    """
    sided = statements[statements["either"] < 1]
    supports = sided["support"] > sided["oppose"]
    of_side = sided.groupby([sided["source"], supports])["text"].transform("size")
    sides = supports.groupby(sided["source"]).transform("nunique")
    lean = (sided[LOGITS[0]] - sided[LOGITS[1]]).to_numpy(float)
    # a source counts by the root of its rows, so that none rules alone
    rows = sided.groupby("source")["text"].transform("size")
    weights = np.where(sides == 2, np.sqrt(rows) / of_side, 0)
    if not weights.sum():
        return 0.0
    order = np.argsort(lean, kind="stable")
    half = np.searchsorted(np.cumsum(weights[order]), weights.sum() / 2)
    return -float(lean[order[half]])


def fitted_temperature(statements: pd.DataFrame) -> float:
    """The temperature that minimises the log loss of the valence's LOGITS."""
    from scipy.optimize import minimize_scalar
    from scipy.special import log_softmax

    logits = statements[LOGITS].to_numpy(np.float64)
    targets = statements[list(STANCES)].to_numpy(np.float64)

    def loss(log_temperature: float) -> float:
        return -float((targets * log_softmax(logits / np.exp(log_temperature), axis=1)).sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def fitted_relevance(own: pd.Series, other: pd.Series, prior: float = PRIOR) -> tuple[float, float]:
    """Slope and offset of a logistic curve on what tells own values from unrelated ones.

    The pairs weigh so that a share `prior` of them is relevant.
    """
    from sklearn.linear_model import LogisticRegression

    curve = LogisticRegression(C=1e6).fit(
        np.concatenate([own, other])[:, None],
        np.repeat([1, 0], [len(own), len(other)]),
        sample_weight=np.repeat([prior, 1 - prior], [len(own), len(other)]),
    )
    return float(curve.coef_[0, 0]), float(curve.intercept_[0])
