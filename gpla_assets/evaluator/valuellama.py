"""M_E of the paper's setting: ValueLlama, a Llama-3 8B fine-tuned to judge values in sentences.

Source: Value4AI/gpv, file gpv/valuellama.py (read at commit 23b3b4c). From there come the input
that the model was trained on, which is its interface (MIT licence, Copyright 2024 Value4AI), the
answers (yes, no; support, oppose, either), that no special token opens a prompt, and bfloat16 on a
GPU. Rules of relevance and score are those of `scoring`. The model card was not at hand, so that
these are checked against the code alone. Our own since gpv's class runs on CUDA alone, and judges
pairs in the order in which they come, however their lengths differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.chat.wording import LONGEST_STATEMENT, one_line, shortened
from gpla_assets.embedding.local_weights import (
    LabelWords,
    Loaded,
    LocalWeights,
    OnLocalWeights,
    causal_logits,
)
from gpla_assets.evaluator.expression import NO_TOP, Cuts, Reading, to_judge
from gpla_assets.evaluator.scoring import leaning, scored_pairs
from gpla_assets.evaluator.value_text import one_each
from gpla_assets.studies import Evaluator

PAIRS = 8192
"""Pairs that are tokenized together, which bounds the memory and lets like lengths meet."""
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Question:
    """An input that the model was trained on, with the answers that it then gives."""

    task: str
    answers: tuple[str, ...]

    def about(self, sentence: str, value: str) -> str:
        """The prompt about a pair."""
        return f"{self.task}\nSentence: {sentence}\nValue: {value}\nOutput:\n"


RELEVANCE = Question(
    "[Task] Given a sentence and a value, determine whether the sentence is relevant to the value. "
    'If the sentence is relevant to the value, output "yes", otherwise output "no".',
    ("yes", "no"),
)
VALENCE = Question(
    "[Task] Given a sentence and a value, determine whether the sentence supports or opposes the "
    'value. If the sentence supports the value, output "support". If the sentence opposes the '
    'value, output "oppose". If you need more context to make a decision, output "either".',
    ("support", "oppose", "either"),
)


class ValueLlamaEvaluator(OnLocalWeights):
    """Judges each pair by the probabilities of its answers' first tokens.

    Values go by their names: the model was trained without definitions. `inferences` counts
    prompts; the weights are loaded when the first pair is judged.
    """

    name = "valuellama"

    def __init__(self, weights: LocalWeights, settings: Evaluator) -> None:
        self.weights = weights
        self.minimum_relevance = settings.minimum_relevance
        self.inferences = 0
        self._loaded: Loaded | None = None

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """The relevant pairs, by perception, then in order of values: rows of `scored_pairs`.

        Equal perceptions are judged once, blank ones not at all. Raises ValueError where values
        and definitions differ in number, BackendUnavailable where the model cannot run.
        """
        return self.read(perceptions, values, definitions).pairs(values, self.minimum_relevance)

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """Relevance of all pairs, 0 of blank perceptions; valence of those that `to_judge` names.

        Raises as `evaluate`.
        """
        one_each(values, definitions)
        sentences = [_sentence(text) for text in perceptions]
        distinct = {
            text: place for place, text in enumerate(dict.fromkeys(filter(None, sentences)))
        }
        # the last row is that of blank ones
        relevance = np.zeros((len(distinct) + 1, len(values)))
        stances = np.full((*relevance.shape, len(VALENCE.answers)), np.nan)
        cuts, texts = Cuts(self.minimum_relevance, top_relevance), list(distinct)
        step = max(1, PAIRS // max(1, len(values)))
        for first in range(0, len(texts), step):
            part = texts[first : first + step]
            own = slice(first, first + len(part))
            pairs = [(text, value) for text in part for value in values]
            relevance[own] = self._answers(RELEVANCE, pairs)[:, 0].reshape(len(part), -1)
            rows, columns = np.nonzero(to_judge(relevance[own], cuts))
            asked = [pairs[n] for n in rows * len(values) + columns]
            stances[rows + first, columns] = self._answers(VALENCE, asked)
        places = np.array([distinct.get(text, -1) for text in sentences], int)
        return Reading.judged(relevance[places], stances[places])

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, whatever their relevance, one row a pair, `leaning`.

        A blank perception has NaN for its numbers. Raises ValueError where the three differ in
        number, BackendUnavailable as `evaluate`.
        """
        if not len(perceptions) == len(values) == len(definitions):
            raise ValueError(
                f"Found {len(perceptions)} perceptions, {len(values)} values and "
                f"{len(definitions)} definitions, expected as many of each."
            )
        pairs = list(zip(perceptions, values, strict=True))
        # a blank sentence would be judged all the same, by the prompt around it
        told = [place for place, (text, _) in enumerate(pairs) if _sentence(text)]
        numbers = np.full((len(pairs), 4), np.nan)
        numbers[told, :1] = self._answers(RELEVANCE, [pairs[n] for n in told])[:, :1]
        numbers[told, 1:] = self._answers(VALENCE, [pairs[n] for n in told])
        names = np.array(list(values), object)
        return leaning(scored_pairs(np.arange(len(pairs)), names, numbers[:, 0], numbers[:, 1:]))

    def relevance(self, perceptions: Sequence[str], values: Sequence[str]) -> Floats:
        """Probability of "yes" for aligned pairs (n,)."""
        return self._answers(RELEVANCE, list(zip(perceptions, values, strict=True)))[:, 0]

    def valence(self, perceptions: Sequence[str], values: Sequence[str]) -> Floats:
        """Probabilities of support, oppose and either for aligned pairs (n, 3)."""
        return self._answers(VALENCE, list(zip(perceptions, values, strict=True)))

    def _answers(self, question: Question, pairs: list[tuple[str, str]]) -> Floats:
        """Probabilities of a question's answers for pairs (n_pairs, n_answers)."""
        import torch

        found = np.zeros((len(pairs), len(question.answers)))
        if not pairs:
            return found
        loaded = self._load()
        labels = LabelWords.of(loaded.tokenizer, question.answers)
        prompts = [question.about(_sentence(text), one_line(value)) for text, value in pairs]
        # as the model was trained: no token opens its prompts
        tokens = loaded.tokenizer(prompts, add_special_tokens=False)["input_ids"]

        def judge(batch: list[int]) -> None:
            with torch.inference_mode():
                logits = causal_logits(loaded, [tokens[n] for n in batch])
                found[batch] = labels.probabilities(logits)
            self.inferences += len(batch)

        loaded.batches.run([len(row) for row in tokens], judge)
        return found

    def _load(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self.weights.load("causal")
        return self._loaded


def _sentence(text: str) -> str:
    """A perception as it stands in the prompt: in one line, so that it adds none to the prompt."""
    return shortened(one_line(text), LONGEST_STATEMENT)
