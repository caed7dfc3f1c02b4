"""M_G of the paper's setting: Kaleido, a T5 that names values and judges their relevance.

Source: tsor13/kaleido, file KaleidoSys.py (read at commit 3bf0e69): 100 beams that all come back,
30 new tokens, inputs of at most 128 tokens, relevance = P(Yes) over Yes and No, valence over
Supports, Opposes and Either; values below the relevance threshold go, then near-duplicates by
rougeLsum with stemmer, then by cosine, the more relevant one staying. Templates and thresholds are
part of the published config.json (`task_specific_params`, `system_params`) and are read from it.
That file could not be read where this was written: TEMPLATES and the study's thresholds stand in
only where a config has none. Of TEMPLATES "generate" is confirmed by other users' code, the rest is
not.

Answers are read after one start token; there after two, which comes to the same in T5 (it has no
absolute positions). Departures: padding is masked, and of a prompt that is too long the perception
is cut, so that the value behind it is not lost. Our own since KaleidoSys.py is a file and no
package, and names the values of one input at a time.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.chat.wording import one_line
from gpla_assets.embedding.local_weights import (
    LabelWords,
    Loaded,
    LocalWeights,
    OnLocalWeights,
    decoder_logits,
    padded,
)
from gpla_assets.lexicon.spelling import normal_form
from gpla_assets.studies import Generator

TYPE = "Value"
"""What is asked for; the model also names rights and duties."""
MAX_TOKENS = 128
LONGEST_VALUE = 60
"""Characters of a value's name; beams that run on without an end are longer."""
ANSWERS = {"relevance": ("Yes", "No"), "valence": ("Supports", "Opposes", "Either")}
Floats = NDArray[np.float64]
Embed = Callable[[list[str]], NDArray[np.floating]]
"""Names of values -> unit vectors (n_names, n_dimensions)."""
Named = tuple[str, float]
"""A value and its relevance."""
Near = Callable[[str, str], bool]
Setting = Mapping[str, float] | float | None
"""A number in a model's config: one for all, or one for each of several."""


@dataclass(frozen=True)
class Template:
    """An input of the model: `slots` are the words of `text` that stand for what is filled in."""

    text: str
    slots: tuple[str, ...]

    def filled(self, *contents: str) -> str:
        """The text with its slots filled at once, so that no content is taken for a slot."""
        by_slot = dict(zip(self.slots, contents, strict=False))
        return re.sub("|".join(map(re.escape, by_slot)), lambda slot: by_slot[slot[0]], self.text)


PAIR = ("ACTION", "VRD", "VALUE")
TEMPLATES = {
    "generate": Template("[Generate]:\tAction: ACTION", PAIR[:1]),
    "relevance": Template("[Relevance]:\tAction: ACTION\tVRD: VALUE", PAIR),
    "valence": Template("[Valence]:\tAction: ACTION\tVRD: VALUE", PAIR),
}


@dataclass(frozen=True)
class Thresholds:
    """A value stays from `relevance` on; it is a duplicate above one of the others.

    Rouge's three thresholds are for F, precision and recall.
    """

    relevance: float
    rouge: tuple[float, float, float]
    cosine: float


def templates_of(config: object) -> dict[str, Template]:
    """The templates in a model's config, by task, and TEMPLATES for what it lacks."""
    tasks = getattr(config, "task_specific_params", None) or {}
    return {
        task: Template(tasks[task]["template"], tuple(tasks[task].get("args", known.slots)))
        if "template" in tasks.get(task, {})
        else known
        for task, known in TEMPLATES.items()
    }


def thresholds_of(config: object, settings: Generator) -> Thresholds:
    """The thresholds for values in a model's config, and the study's for what it lacks."""
    known = getattr(config, "system_params", None) or {}
    return Thresholds(
        _of_type(known.get("relevance_threshold"), settings.minimum_relevance),
        _rouge(known.get("ngram_threshold"), settings.rouge_threshold),
        _of_type(known.get("embed_threshold"), settings.cosine_threshold),
    )


def _of_type(found: Setting, otherwise: float) -> float:
    number = found.get(TYPE) if isinstance(found, Mapping) else found
    return otherwise if number is None else float(number)


def _rouge(found: Setting, otherwise: float) -> tuple[float, float, float]:
    if not isinstance(found, Mapping):
        return (otherwise if found is None else float(found),) * 3
    named = {"fmeasure": found.get("f1", 1.0), **found}
    f, precision, recall = (float(named.get(n, 1.0)) for n in ("fmeasure", "precision", "recall"))
    return f, precision, recall


class KaleidoGenerator(OnLocalWeights):
    """Values by beam search that the same model then finds relevant, duplicates left out.

    KaleidoSys.py embeds by all-mpnet-base-v2, for which its config's cosine was set. The weights'
    `batch_size` is how many sequences are decoded together: pairs, or perceptions times beams.
    `inferences` counts prompts; `dropped` the beams left out by reason: other_type, no_letters,
    overlong, repeated, irrelevant, rouge, cosine.
    """

    name = "kaleido"

    def __init__(self, weights: LocalWeights, embed: Embed, settings: Generator) -> None:
        self.weights = weights
        self.settings = settings
        self.beams = settings.beams
        self.embed = embed
        self.inferences = 0
        self.dropped: Counter[str] = Counter()
        self._loaded: Loaded | None = None

    @property
    def thresholds(self) -> Thresholds:
        """The thresholds in use; the first call loads the model, whose config holds them."""
        return thresholds_of(self._load().model.config, self.settings)

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability), the most relevant first within a perception.

        `probability` is P(Yes), the relevance. Equal perceptions are run once, blank ones not at
        all. Raises BackendUnavailable where the model cannot run.
        """
        texts = [one_line(text) for text in perceptions]
        distinct = list(dict.fromkeys(filter(None, texts)))
        named = [self._named(beams) for beams in self.candidates(distinct)]
        pairs = [(text, v) for text, values in zip(distinct, named, strict=True) for v in values]
        relevance = self.relevance([text for text, _ in pairs], [value for _, value in pairs])
        found: dict[str, list[Named]] = {text: [] for text in distinct}
        for (text, value), probability in zip(pairs, relevance, strict=True):
            found[text].append((value, float(probability)))
        kept = self._kept(found) if pairs else found
        rows = [(row, *one) for row, text in enumerate(texts) for one in kept.get(text, [])]
        return pd.DataFrame(rows, columns=["row", "value", "probability"]).astype(
            {"row": np.int64, "value": object, "probability": float}
        )

    def candidates(self, perceptions: Sequence[str]) -> list[list[str]]:
        """The beams of each perception as the model wrote them ("Value: ..."), best first."""
        import torch

        found: list[list[str]] = [[] for _ in perceptions]
        if not perceptions:
            return found
        loaded = self._load()
        tokens = self._encoded("generate", [(text,) for text in perceptions])
        # every beam is a sequence of the batch
        together = max(1, self.weights.batch_size // self.beams)

        def write(batch: list[int]) -> None:
            inputs = padded([tokens[n] for n in batch], loaded.pad, "right", loaded.model.device)
            with torch.inference_mode():
                written = loaded.model.generate(
                    **inputs,
                    num_beams=self.beams,
                    num_return_sequences=self.beams,
                    max_new_tokens=self.settings.max_new_tokens,
                    do_sample=False,
                )
            texts = loaded.tokenizer.batch_decode(written, skip_special_tokens=True)
            for place, n in enumerate(batch):
                found[n] = texts[place * self.beams : (place + 1) * self.beams]
            self.inferences += len(batch)

        replace(loaded.batches, size=together).run([len(row) for row in tokens], write)
        return found

    def relevance(self, perceptions: Sequence[str], values: Sequence[str]) -> Floats:
        """P(Yes) over Yes and No for aligned pairs (n,)."""
        return self._answers("relevance", perceptions, values)[:, 0]

    def valence(self, perceptions: Sequence[str], values: Sequence[str]) -> Floats:
        """Probabilities of Supports, Opposes and Either for aligned pairs (n, 3)."""
        return self._answers("valence", perceptions, values)

    def _answers(self, task: str, perceptions: Sequence[str], values: Sequence[str]) -> Floats:
        import torch

        pairs = list(zip(perceptions, values, strict=True))
        found = np.zeros((len(pairs), len(ANSWERS[task])))
        if not pairs:
            return found
        loaded = self._load()
        labels = LabelWords.of(loaded.tokenizer, ANSWERS[task])
        tokens = self._encoded(task, [(one_line(text), TYPE, value) for text, value in pairs])

        def judge(batch: list[int]) -> None:
            with torch.inference_mode():
                logits = decoder_logits(loaded, [tokens[n] for n in batch])
                found[batch] = labels.probabilities(logits)
            self.inferences += len(batch)

        loaded.batches.run([len(row) for row in tokens], judge)
        return found

    def _encoded(self, task: str, contents: list[tuple[str, ...]]) -> list[list[int]]:
        """Prompts in tokens; where one is too long, its perception (the first slot) is cut."""
        loaded = self._load()
        tokenizer = loaded.tokenizer
        template = templates_of(loaded.model.config)[task]
        rows = tokenizer([template.filled(*one) for one in contents])["input_ids"]
        for place, (text, *rest) in enumerate(contents):
            words = tokenizer.encode(text, add_special_tokens=False) if text else []
            while len(rows[place]) > MAX_TOKENS and words:
                words = words[: max(0, len(words) - (len(rows[place]) - MAX_TOKENS))]
                shorter = tokenizer.decode(words, skip_special_tokens=True)
                rows[place] = tokenizer(template.filled(shorter, *rest))["input_ids"]
        return [list(row) for row in rows]

    def _named(self, beams: Iterable[str]) -> list[str]:
        """The values among a perception's beams, each once, best beam first."""
        found: dict[str, str] = {}
        for beam in beams:
            value, reason = value_of(beam)
            if value is not None and normal_form(value) in found:
                value, reason = None, "repeated"
            if value is None:
                self.dropped[reason] += 1
            else:
                found[normal_form(value)] = value
        return list(found.values())

    def _kept(self, found: dict[str, list[Named]]) -> dict[str, list[Named]]:
        """Relevant values that repeat no more relevant one of the same perception."""
        limits = self.thresholds
        near = near_by_rouge(limits.rouge)
        kept = {}
        for text, values in found.items():
            # from the threshold on, unlike M_E's rule: so KaleidoSys.py filters its own output
            relevant = [one for one in values if one[1] >= limits.relevance]
            kept[text] = distinct(sorted(relevant, key=lambda one: -one[1]), near)
            self.dropped["irrelevant"] += len(values) - len(relevant)
            self.dropped["rouge"] += len(relevant) - len(kept[text])
        names = list(dict.fromkeys(value for values in kept.values() for value, _ in values))
        vectors = dict(zip(names, self.embed(names), strict=True)) if names else {}
        for text, values in kept.items():
            kept[text] = distinct(values, lambda a, b: vectors[a] @ vectors[b] > limits.cosine)
            self.dropped["cosine"] += len(values) - len(kept[text])
        return kept

    def _load(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self.weights.load("seq2seq")
        return self._loaded


def value_of(beam: str) -> tuple[str | None, str]:
    """The value that a beam names, in one line and without marks around it; else None and why.

    >>> value_of("Value:  work-life balance.")
    ('Work-life balance', '')
    >>> value_of("Duty: Duty to help")
    (None, 'other_type')
    """
    kind, _, rest = one_line(beam).partition(":")
    name = rest.strip(" \t\"'“”‘’.,;:*-")
    if TYPE.casefold() not in kind.casefold():
        return None, "other_type"
    if not any(sign.isalpha() for sign in name):
        return None, "no_letters"
    if len(name) > LONGEST_VALUE:
        return None, "overlong"
    return name[0].upper() + name[1:], ""


def distinct(ranked: list[Named], near: Near) -> list[Named]:
    """The values that are near none of those that stay before them."""
    kept: list[Named] = []
    for one in ranked:
        if not any(near(one[0], other) for other, _ in kept):
            kept.append(one)
    return kept


def near_by_rouge(limits: tuple[float, float, float]) -> Near:
    """Whether rougeLsum's F, precision or recall is above its limit."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeLsum"], use_stemmer=True)

    def near(value: str, other: str) -> bool:
        found = scorer.score(value, other)["rougeLsum"]
        measures = (found.fmeasure, found.precision, found.recall)
        return any(number > limit for number, limit in zip(measures, limits, strict=True))

    return near
