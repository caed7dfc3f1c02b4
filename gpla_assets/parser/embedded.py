"""M_P without an LLM: sentences that state an attitude, in words that can be understood alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpla_assets.embedding.embedder import Encoder
from gpla_assets.parser.attitude import SHIPPED_HEAD, AttitudeHead, attitude_cues, obviously_none
from gpla_assets.parser.protocol import Perception, Utterance
from gpla_assets.parser.referents import self_contained
from gpla_assets.parser.sentences import clause_spans, plain, sentence_spans

CHUNK = 2048
"""Candidates embedded at a time, so that long work can tell how far it is."""


@dataclass(frozen=True)
class Candidate:
    """A clause that the rules let through, with the sentence and text that it is of."""

    parent: str
    start: int
    end: int
    sentence: str
    content: str


class SentenceParser:
    """Splits, drops by rule, then keeps what the attitude head gives `minimum_attitude`."""

    name = "embedded"
    revision: str | None = None

    def __init__(
        self, embedder: Encoder, minimum_attitude: float, head: AttitudeHead | None = None
    ) -> None:
        self.embedder = embedder
        self.minimum_attitude = minimum_attitude
        self.head = head or AttitudeHead.load(SHIPPED_HEAD)

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self.embedder.model

    @property
    def inferences(self) -> int:
        """Sentences embedded so far."""
        return self.embedder.inferences

    def parse(
        self, batch: Sequence[Utterance], progress: Callable[[int], None] = lambda count: None
    ) -> list[Perception]:
        """Perceptions in the order of the batch and of each text.

        `progress` is told how many utterances are finished.
        """
        perceptions: list[Perception] = []
        waiting: list[Candidate] = []
        unfinished = 0
        for utterance in batch:
            waiting += candidates(utterance)
            unfinished += 1
            # between utterances: an utterance's candidates stay together, for their ordinals
            if len(waiting) >= CHUNK:
                perceptions += self._judged(waiting)
                progress(unfinished)
                waiting, unfinished = [], 0
        perceptions += self._judged(waiting)
        progress(unfinished)
        return perceptions

    def _judged(self, found: list[Candidate]) -> list[Perception]:
        if not found:
            return []
        contents = [candidate.content for candidate in found]
        attitudes = self.head.probability(self.embedder.encode(contents), attitude_cues(contents))
        kept: list[Perception] = []
        for candidate, attitude in zip(found, attitudes, strict=True):
            if attitude < self.minimum_attitude:
                continue
            same = bool(kept) and kept[-1].parent == candidate.parent
            kept.append(
                Perception(
                    parent=candidate.parent,
                    ordinal=kept[-1].ordinal + 1 if same else 0,
                    start=candidate.start,
                    end=candidate.end,
                    sentence=candidate.sentence,
                    content=candidate.content,
                    attitude=float(attitude),
                )
            )
        return kept


def candidates(utterance: Utterance) -> list[Candidate]:
    """Clauses of an utterance that may state an attitude, by the rules alone."""
    text = utterance.content
    spans = sentence_spans(text)
    found: list[Candidate] = []
    previous: str | None = None
    for span in spans:
        sentence = plain(text[span.start : span.end])
        # a short first sentence ("No, never.") says much once the question stands before it
        if not obviously_none(sentence) or (previous is None and utterance.question):
            for clause in clause_spans(text, span):
                words = plain(text[clause.start : clause.end])
                content = self_contained(words, utterance.question, previous, len(spans))
                # asked again of the words that will be embedded, to which the question may have
                # been added
                if not obviously_none(content) and not words.endswith("?"):
                    quoted = text[clause.start : clause.end]
                    found.append(
                        Candidate(utterance.key, clause.start, clause.end, quoted, content)
                    )
        previous = sentence
    return found
