"""Pairs that the cross-encoder judges, for the bi-encoder to learn from.

Half of the texts are statements of the training, half sentences of LLMs that no label names; each
is paired with two values near to it (general embedding). Where values are held out, the teacher has
not seen them either, and they are not among the values.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.content import (
    STANCES,
    labelled_oppositions,
    labelled_perceptions,
    labelled_sentences,
    opposing_perceptions,
    training_perceptions,
)
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.cross_encoder import CrossEncoder
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.parser.attitude import attitude_cues
from gpla_assets.parser.embedded import SentenceParser, candidates
from gpla_assets.parser.protocol import Utterance
from gpla_assets.training.examples import TAUGHT_COLUMNS
from gpla_assets.training.labels import text_hash, written_texts

NEAREST = 12
"""A text's values are drawn among so many nearest ones, the nearer the likelier."""
VALUES_PER_TEXT = 2
BARE = 0.3
"""Share of pairs in which the teacher reads a value without its definition."""
SENTENCES_PER_TEXT = 6
TEXTS = 4600
MINIMUM_ATTITUDE = 0.3
LENGTHS = (80, 4000)
"""Characters of the texts of LLMs that are read."""


def unlabelled_sentences(parser: SentenceParser, seed: int = 0, texts: int = TEXTS) -> list[str]:
    """Sentences of random AlpacaEval texts that may state an attitude, in random order.

    Texts that are labelled for training or test, and questions of the test, are left out. Empty
    without AlpacaEval's data.
    """
    rows = written_texts("alpaca_eval")
    if rows is None:
        return []
    rows = rows.dropna(subset="answer")
    rows = rows[rows["content"].str.len().between(*LENGTHS)].drop_duplicates("content")
    hashes = pd.Series([text_hash(content) for content in rows["content"]], index=rows.index)
    tests = (labelled_perceptions(), labelled_oppositions(), labelled_sentences())
    tested = {text for labels in tests for text in labels["text"]}
    asked = set(rows.loc[hashes.isin(tested), "question_text"])
    known = tested | {*training_perceptions()["text"], *opposing_perceptions()["text"]}
    rows = rows[~hashes.isin(known) & ~rows["question_text"].isin(asked)]
    rows = rows.sample(min(texts, len(rows)), random_state=seed)
    said = [
        [found.content for found in candidates(Utterance("", text, question))]
        for text, question in zip(rows["answer"], rows["question_text"], strict=True)
    ]
    rng = np.random.default_rng(seed)
    drawn = [
        str(content)
        for contents in said
        for content in rng.permutation(contents)[:SENTENCES_PER_TEXT]
    ]
    sentences = list(dict.fromkeys(drawn))
    stated = parser.head.probability(parser.embedder.encode(sentences), attitude_cues(sentences))
    kept = [s for s, p in zip(sentences, stated, strict=True) if p >= MINIMUM_ATTITUDE]
    return [str(sentence) for sentence in rng.permutation(kept)]


def pairs_to_teach(
    statements: pd.DataFrame,
    sentences: list[str],
    values: pd.DataFrame,
    encoder: Encoder,
    count: int,
    seed: int = 0,
) -> pd.DataFrame:
    """At most `count` rows (text, value, definition), half of each kind of text.

    `values`: rows (value, definition) to draw from; a statement's own value is not drawn for it.
    """
    half = count // 2 // VALUES_PER_TEXT
    distinct = statements.drop_duplicates("text")
    drawn = distinct.sample(min(half, len(distinct)), random_state=seed)
    texts = [*drawn["text"], *sentences[:half]]
    own = [*drawn["value"], *[None] * len(sentences[:half])]
    names = values["value"].to_numpy(object)
    definitions = values["definition"].fillna("").to_numpy(object)
    similar = encoder.encode(texts) @ encoder.encode(value_texts(names, definitions)).T
    nearest = np.argsort(-similar, axis=1, kind="stable")[:, :NEAREST]
    rng = np.random.default_rng(seed)
    rows = []
    for text, value, places in zip(texts, own, nearest, strict=True):
        free = [place for place in places if names[place] != value]
        weights = np.linspace(1, 0.4, len(free))
        chosen = rng.choice(free, VALUES_PER_TEXT, replace=False, p=weights / weights.sum())
        rows += [(text, names[place], definitions[place]) for place in chosen]
    return pd.DataFrame(rows, columns=["text", "value", "definition"])


def taught(pairs: pd.DataFrame, teacher: CrossEncoder, seed: int = 0) -> pd.DataFrame:
    """The pairs with the teacher's probabilities, as in `evaluator.examples`."""
    bare = np.random.default_rng(seed).random(len(pairs)) < BARE
    texts = value_texts(pairs["value"], pairs["definition"].mask(bare, ""))
    logits = teacher.logits(list(pairs["text"]), texts)
    stances = dict(zip(STANCES, teacher.weights.valence(logits).T, strict=True))
    return pairs.assign(**stances, related=teacher.weights.about(logits))[TAUGHT_COLUMNS]
