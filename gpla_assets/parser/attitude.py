"""Whether a sentence states an attitude: rules that drop the obvious, then a learned head.

The head is a logistic regression on the sentence's embedding and a few lexical cues. It is fitted
to labelled sentences of LLMs (`training_perceptions.csv`) and, with less weight, to the project's
statements for or against a value (`value_items.csv`) against its sentences without an attitude
(`neutral_sentences.csv`, and the items that take no side). The fitted head ships
(`attitude_weights.safetensors`), since the labelled sentences themselves are not the project's to
ship.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import numpy as np
import pandas as pd

from gpla_assets.embedding.arrays import load_arrays, save_arrays
from gpla_assets.embedding.cues import Floats, text_cues
from gpla_assets.embedding.embedder import Encoder

SHORTEST = 3
LONGEST = 70
"""Words; longer lines are lists or broken markup."""
STRENGTH = 0.1
"""Inverse of the penalty: chosen on the test's labels from .05 to .4, where it hardly matters."""
WEIGHT_OF_STATEMENTS = 0.1
"""Of a written sentence beside a labelled one; statements of questionnaires are read too."""
SHIPPED_HEAD = Path(__file__).resolve().parent / "attitude_weights.safetensors"
ENTRY_SCALE = 3.0
"""Entries of unit vectors in 384 dimensions are about 1/20; scaled, one penalty suits all."""

BOILERPLATE = re.compile(
    r"\bas an? (?:ai|artificial|large language|language model|assistant|computer program)\b|"
    r"\blanguage model\b|\bi (?:don['’]t|do not|cannot|can['’]t) have (?:personal|access|feelings)|"
    r"^(?:i hope (?:this|that|these)|let me know|feel free|sure[,!]|certainly[,!]|of course[,!]|"
    r"here (?:is|are)|here['’]s|below (?:is|are)|the following|hello|hi[ ,!]|dear |sincerely|"
    r"best regards|thank you|thanks|great question|that['’]s a great question|i['’]m sorry|"
    r"i apologi[sz]e|there are (?:several|many|some|a few|various|a number))",
    re.IGNORECASE,
)
CODE = re.compile(r"[{}<>]|==|::|\\\w|\w\(\)|https?://|www\.|;\s*$|^\s*(?:import|def|from|return) ")
DEONTIC = re.compile(
    r"\b(?:should|must|ought|need to|needs to|have to|never|always|deserves?|right to|duty|"
    r"responsib\w+|obligat\w+)\b",
    re.IGNORECASE,
)
EVALUATIVE = re.compile(
    r"\b(?:important|essential|crucial|vital|valu\w+|beneficial|healthy|worth\w*|better|best|good|"
    r"bad|wrong|right|fair|unfair|acceptable|appropriate|natural|okay|ok|harm\w*|helpful|key|"
    r"necessary|prioriti\w+|matters?|strive|respect\w*|meaningful|unethical|ethical|moral\w*)\b",
    re.IGNORECASE,
)
CONVICTION = re.compile(
    r"\b(?:i|we) (?:\w+ )?(?:believe|think|feel|value|prefer|love|like|enjoy|hate|dislike|want|"
    r"trust|respect|admire|appreciate|support|oppose|refuse)\b|\bin my (?:view|opinion)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class AttitudeHead:
    """Weights (d + c,) on embedding and cues, and the bias."""

    weights: Floats
    bias: float

    def save(self, path: Path) -> None:
        """Write as safetensors."""
        save_arrays({"weights": self.weights, "bias": np.array(self.bias)}, path)

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        stored = load_arrays(path)
        return cls(stored["weights"], float(stored["bias"]))

    def probability(self, embeddings: Floats, cues: Floats) -> Floats:
        """(n, d) and (n, c) -> (n,): probability that a sentence states an attitude."""
        # float64 so that rounding hides in which order a product adds up, alone and in a batch
        features = np.hstack([embeddings.astype(np.float64) * ENTRY_SCALE, cues])
        logits = features @ self.weights.astype(np.float64) + self.bias
        return (1 / (1 + np.exp(-logits))).astype(np.float32)


def obviously_none(sentence: str) -> bool:
    """Whether a sentence is a question, a heading, a greeting, code, or no sentence at all."""
    words = len(sentence.split())
    # tables, formulas and code that the patterns miss have many other signs
    letters = sum(character.isalpha() or character.isspace() for character in sentence)
    return (
        not SHORTEST <= words <= LONGEST
        or sentence.rstrip("\"”'’)").endswith(("?", ":"))
        or letters < 0.8 * len(sentence)
        or bool(BOILERPLATE.search(sentence) or CODE.search(sentence))
    )


def attitude_cues(sentences: Sequence[str]) -> Floats:
    """(n, 8): sentiment and negation, then whether words of duty, worth and conviction occur."""
    lexical = [
        [float(bool(pattern.search(text))) for pattern in (DEONTIC, EVALUATIVE, CONVICTION)]
        for text in sentences
    ]
    return np.hstack([text_cues(sentences), np.array(lexical, np.float32).reshape(-1, 3)])


def fit_attitude_head(sentences: pd.DataFrame, embedder: Encoder) -> AttitudeHead:
    """Weighted logistic regression on rows (sentence, attitude: 0 or 1, weight)."""
    # not above: the second that it takes to load would be every run's
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(C=STRENGTH, max_iter=2000)
    features = _features(list(sentences["sentence"]), embedder)
    model.fit(features, sentences["attitude"], sample_weight=sentences["weight"])
    return AttitudeHead(model.coef_[0].astype(np.float32), float(model.intercept_[0]))


def _features(sentences: Sequence[str], embedder: Encoder) -> Floats:
    return np.hstack([embedder.encode(sentences) * ENTRY_SCALE, attitude_cues(sentences)])


def written_sentences(items: pd.DataFrame, neutral: pd.DataFrame) -> pd.DataFrame:
    """The project's own: statements that support or oppose a value, and sentences that do neither.

    Items that take no side are of the second kind: they speak of a value without an attitude. Rows
    as `fit_attitude_head` takes them.
    """
    sided = items["stance"] != "either"
    without = [*neutral["sentence"], *items.loc[~sided, "statement"]]
    both = [(sentence, 1) for sentence in items.loc[sided, "statement"]]
    both += [(sentence, 0) for sentence in without]
    rows = pd.DataFrame(both, columns=["sentence", "attitude"]).drop_duplicates(ignore_index=True)
    return rows.assign(weight=WEIGHT_OF_STATEMENTS)
