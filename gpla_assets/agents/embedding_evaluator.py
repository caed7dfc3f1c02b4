"""M_E by logistic heads on frozen embeddings: relevance of a pair, then its valence.

Rules of relevance and score as in GPV (Value4AI/gpv): a pair counts above relevance 0.5; its score
is p(support) - p(oppose), and missing where "either" is strictly the most probable.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import accuracy_score, balanced_accuracy_score, roc_auc_score
from sklearn.model_selection import GroupKFold

from gpla_assets.agents.cues import pair_cues, text_cues
from gpla_assets.agents.embedding import Encoder
from gpla_assets.agents.embedding_generator import value_text
from gpla_assets.agents.heads import (
    Floats,
    HeadWeights,
    PairHead,
    fit_pair_head,
    sigmoid,
    softmax,
)
from gpla_assets.content import STANCES, ContentError, check_stances

COLUMNS = ["row", "value", "relevance", "p_support", "p_oppose", "p_either", "score"]
CHUNK = 2048
RELEVANCE_STRENGTH = 0.1
VALENCE_STRENGTH = 0.03
"""Of 0.03, 0.1 and 0.3, with classes balanced or not, this and unbalanced had the best accuracy of
sign on held-out values (0.727 with ValueBench's items)."""
NEGATIVES = 10
"""Unrelated values per statement. They set the prior of relevance, 1 in 11: of balanced classes,
the head called 15% of all pairs of real perceptions and values relevant, most of them wrongly."""
UNRELATED_COSINE = 0.4
"""Values whose definitions are closer may well be relevant to the same statement."""

TRAINING = (RELEVANCE_STRENGTH, VALENCE_STRENGTH, NEGATIVES, UNRELATED_COSINE)
"""What the weights depend on besides the items."""

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Accuracy:
    """How well heads do on statements of values that they were not trained on.

    `accuracy` and `balanced_accuracy` are of three stances; `sign_accuracy` and `auc` are of the
    score's sign and order on the statements that support or oppose; `relevance_auc` is of a
    statement's own value against unrelated ones.
    """

    n_items: int
    n_values: int
    accuracy: float
    balanced_accuracy: float
    sign_accuracy: float
    auc: float
    relevance_auc: float


@dataclass(frozen=True)
class TrainingPairs:
    """Embedded items: statements (n, d), values (m, d), which value, and which stance."""

    statements: Floats
    statement_cues: Floats
    values: Floats
    value_cues: Floats
    value_of: Indices
    stances: Indices

    def subset(self, items: Indices) -> TrainingPairs:
        """The same values with some of the items."""
        return TrainingPairs(
            self.statements[items],
            self.statement_cues[items],
            self.values,
            self.value_cues,
            self.value_of[items],
            self.stances[items],
        )

    def cues(self, items: Indices, values: Indices) -> Floats:
        """Cues of some pairs of item and value."""
        return pair_cues(self.statement_cues[items], self.value_cues[values])


def training_pairs(items: pd.DataFrame, embedder: Encoder) -> TrainingPairs:
    """Embed items: rows (value, definition, stance, statement)."""
    check_stances(items["stance"], "The evaluator's items")
    values = items.drop_duplicates("value").reset_index(drop=True)
    places = {value: place for place, value in enumerate(values["value"])}
    texts = [value_text(row.value, row.definition) for row in values.itertuples(index=False)]
    statements = list(items["statement"])
    return TrainingPairs(
        statements=embedder.encode(statements),
        statement_cues=text_cues(statements),
        values=embedder.encode(texts),
        value_cues=text_cues(texts),
        value_of=items["value"].map(places).to_numpy(np.int64),
        stances=items["stance"].map(STANCES.index).to_numpy(np.int64),
    )


def train(items: pd.DataFrame, embedder: Encoder, seed: int = 0) -> HeadWeights:
    """Heads from items (value, definition, stance, statement).

    Raises ContentError where a stance has no statement or all values are alike.
    """
    return _train(training_pairs(items, embedder), seed)


def _train(pairs: TrainingPairs, seed: int) -> HeadWeights:
    absent = [s for n, s in enumerate(STANCES) if n not in pairs.stances]
    if absent:
        raise ContentError(
            f"No item has stance {absent[0]!r}, expected items of each of {', '.join(STANCES)}."
        )
    items, values, labels = relevance_pairs(pairs, seed)
    relevance = fit_pair_head(
        pairs.statements[items],
        pairs.values[values],
        np.zeros((len(items), 0), np.float32),
        labels,
        RELEVANCE_STRENGTH,
    )
    every = np.arange(len(pairs.stances))
    valence = fit_pair_head(
        pairs.statements,
        pairs.values[pairs.value_of],
        pairs.cues(every, pairs.value_of),
        pairs.stances,
        VALENCE_STRENGTH,
    )
    return HeadWeights(relevance, valence)


def relevance_pairs(pairs: TrainingPairs, seed: int) -> tuple[Indices, Indices, Indices]:
    """Each statement with its value (label 1) and with unrelated values of other items (0).

    Only values that items are about are drawn, so that a fold holds out its values altogether.
    """
    rng = np.random.default_rng(seed)
    present = np.unique(pairs.value_of)
    close = pairs.values @ pairs.values.T
    items, values = [np.arange(len(pairs.value_of))], [pairs.value_of]
    for value in present:
        unrelated = present[close[value, present] < UNRELATED_COSINE]
        own = np.flatnonzero(pairs.value_of == value)
        if len(unrelated):
            items.append(np.repeat(own, NEGATIVES))
            values.append(rng.choice(unrelated, len(own) * NEGATIVES))
    if len(items) == 1:
        raise ContentError(
            f"All {len(present)} values of the items lie within cosine {UNRELATED_COSINE} of each "
            "other, expected unrelated ones; add items of other values."
        )
    labels = np.concatenate([np.full(len(i), int(n == 0)) for n, i in enumerate(items)])
    return np.concatenate(items), np.concatenate(values), labels.astype(np.int64)


def held_out_accuracy(
    items: pd.DataFrame, embedder: Encoder, folds: int = 5, seed: int = 0
) -> Accuracy:
    """Cross-validated over values: each value's statements are judged by heads that saw neither."""
    pairs = training_pairs(items, embedder)
    folder = GroupKFold(n_splits=folds)
    probabilities = np.zeros((len(items), len(STANCES)), np.float32)
    labels, relevances = [], []
    for fitted, held in folder.split(probabilities, groups=pairs.value_of):
        heads = _train(pairs.subset(fitted), seed)
        probabilities[held] = _valence_of(pairs.subset(held), heads)
        found = _relevance_of(pairs.subset(held), heads, seed)
        labels.append(found[0])
        relevances.append(found[1])
    return _accuracy(pairs, probabilities, np.concatenate(labels), np.concatenate(relevances))


def accuracy_on(items: pd.DataFrame, embedder: Encoder, heads: HeadWeights) -> Accuracy:
    """Accuracy of trained heads on other items."""
    pairs = training_pairs(items, embedder)
    return _accuracy(pairs, _valence_of(pairs, heads), *_relevance_of(pairs, heads, 0))


def _valence_of(pairs: TrainingPairs, heads: HeadWeights) -> Floats:
    every = np.arange(len(pairs.stances))
    cues = pairs.cues(every, pairs.value_of)
    logits = heads.valence.pair_logits(pairs.statements, pairs.values[pairs.value_of], cues)
    return softmax(logits)


def _relevance_of(pairs: TrainingPairs, heads: HeadWeights, seed: int) -> tuple[Indices, Floats]:
    items, values, labels = relevance_pairs(pairs, seed)
    no_cues = np.zeros((len(items), 0), np.float32)
    logits = heads.relevance.pair_logits(pairs.statements[items], pairs.values[values], no_cues)
    return labels, sigmoid(logits[:, 0])


def _accuracy(
    pairs: TrainingPairs, probabilities: Floats, labels: Indices, relevances: Floats
) -> Accuracy:
    stances, predicted = pairs.stances, probabilities.argmax(1)
    sided = stances != STANCES.index("either")
    score = (probabilities[:, 0] - probabilities[:, 1])[sided]
    support = stances[sided] == STANCES.index("support")
    return Accuracy(
        n_items=len(stances),
        n_values=len(np.unique(pairs.value_of)),
        accuracy=float(accuracy_score(stances, predicted)),
        balanced_accuracy=float(balanced_accuracy_score(stances, predicted)),
        sign_accuracy=float(accuracy_score(support, score > 0)),
        auc=float(roc_auc_score(support, score)),
        relevance_auc=float(roc_auc_score(labels, relevances)),
    )


class EmbeddingEvaluator:
    """Scores all pairs of perceptions and values with trained heads."""

    name = "embedding"

    def __init__(
        self, embedder: Encoder, heads: HeadWeights, minimum_relevance: float = 0.5
    ) -> None:
        self.embedder = embedder
        self.heads = heads
        self.minimum_relevance = minimum_relevance

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self.embedder.model

    @property
    def inferences(self) -> int:
        """Texts embedded so far."""
        return self.embedder.inferences

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Pairs with relevance above `minimum_relevance`, by perception, then in order of values.

        Rows (row, value, relevance, p_support, p_oppose, p_either, score); `score` in [-1, 1] is
        p_support - p_oppose, NaN where p_either is strictly the largest. Raises ValueError where
        values and definitions differ in number.
        """
        if len(values) != len(definitions):
            raise ValueError(
                f"Found {len(values)} values and {len(definitions)} definitions, expected one "
                "definition (or None) a value."
            )
        parts = list(self._parts(list(perceptions), list(values), list(definitions)))
        if not parts:
            empty = {name: np.zeros(0) for name in COLUMNS}
            return pd.DataFrame(empty).astype({"row": np.int64, "value": object})
        return pd.concat(parts, ignore_index=True)

    def _parts(
        self, perceptions: list[str], values: list[str], definitions: list[str | None]
    ) -> Iterator[pd.DataFrame]:
        if not perceptions or not values:
            return
        texts = [value_text(*pair) for pair in zip(values, definitions, strict=True)]
        v, value_cues = self.embedder.encode(texts), text_cues(texts)
        p, cues = self.embedder.encode(perceptions), text_cues(perceptions)
        names = np.array(values, object)
        for first in range(0, len(p), CHUNK):
            part = slice(first, first + CHUNK)
            relevance = sigmoid(self.heads.relevance.logits(p[part], v)[0])
            rows, columns = np.nonzero(relevance > self.minimum_relevance)
            valence = self.heads.valence
            logits = valence.logits(p[part], v)[:, rows, columns].T
            logits = logits + pair_cues(cues[part][rows], value_cues[columns]) @ valence.cues.T
            yield scored_pairs(
                rows + first, names[columns], relevance[rows, columns], softmax(logits)
            )


def scored_pairs(
    rows: NDArray[np.int64], values: NDArray[np.object_], relevance: Floats, probabilities: Floats
) -> pd.DataFrame:
    """Pairs with their probabilities (n, 3) and the score of point 9."""
    support, oppose, either = probabilities.astype(float).T
    undecided = either > np.maximum(support, oppose)
    return pd.DataFrame(
        {
            "row": rows.astype(np.int64),
            "value": values,
            "relevance": relevance.astype(float),
            "p_support": support,
            "p_oppose": oppose,
            "p_either": either,
            "score": np.where(undecided, np.nan, support - oppose),
        },
        columns=COLUMNS,
    )


__all__ = [
    "Accuracy",
    "EmbeddingEvaluator",
    "PairHead",
    "accuracy_on",
    "held_out_accuracy",
    "train",
]
