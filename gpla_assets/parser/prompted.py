"""M_P by prompt on any instruct LLM: chunks of a text -> perceptions that are quoted from it.

Chunks are as in GPV (point 2); prompt and alignment are the project's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from gpla_assets.chat.prompts import marked, prompt_of
from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest
from gpla_assets.chat.replies import ATTEMPTS, Reading, ask_until_read, read_items
from gpla_assets.chat.wording import (
    TokenCounter,
    Traced,
    cleaned,
    estimated_tokens,
    one_line,
    shortened,
)
from gpla_assets.parser.chunks import Chunk, aligned, chunks_of
from gpla_assets.parser.protocol import Perception, Utterance
from gpla_assets.studies import Parser

REQUESTS = 256
"""Chunks asked for at a time, so that long work can tell how far it is."""
REPLY_TOKENS = 1200
"""Of a reply: a chunk's perceptions with their quotes, several times as long as the chunk."""
LONGEST_QUESTION = 1500
LONGEST_PERCEPTION = 400
"""Characters; a longer 'perception' is a copy of the text and no atomic one."""


@dataclass(frozen=True)
class Unparsed:
    """A chunk whose replies were of no use, or not wholly: its span in the text, and why.

    `excerpt` is the beginning of the reply; `kept` items were read of it all the same.
    """

    parent: str
    start: int
    end: int
    problem: str
    attempts: int
    kept: int
    excerpt: str


@dataclass(frozen=True)
class _Piece:
    """A chunk with the text that it is of; `batch` counts utterances."""

    batch: int
    traced: Traced
    chunk: Chunk


class PromptedParser:
    """Perceptions by prompt; what it leaves out is counted in `dropped` and `unparsed`.

    `dropped` counts perceptions by reason: malformed, blank, too_long, unaligned (their quote is
    not in the text), duplicate. `unparsed` lists chunks that `attempts` replies did not settle.
    `attitude` is 1: the LLM does not tell how sure it is. `inferences` counts replies made anew.
    """

    name = "prompted"

    def __init__(
        self,
        chat: Chat,
        settings: Parser,
        count_tokens: TokenCounter = estimated_tokens,
        seed: int = 0,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.chat = chat
        self.chunk_tokens = settings.chunk_tokens
        self.temperature = settings.temperature
        self.count_tokens = count_tokens
        self.seed = seed
        self.attempts = attempts
        self.prompt = prompt_of("parser", settings.prompt_version)
        self.inferences = 0
        self.dropped: Counter[str] = Counter()
        self.unparsed: list[Unparsed] = []

    @property
    def model(self) -> str:
        """The LLM's name."""
        return self.chat.model

    @property
    def revision(self) -> str | None:
        """The LLM's revision, where the backend knows one."""
        return self.chat.revision

    def parse(
        self, batch: Sequence[Utterance], progress: Callable[[int], None] = lambda count: None
    ) -> list[Perception]:
        """Perceptions in the order of the batch and of each text.

        `progress` is told how many utterances are finished. Raises what the chat raises.
        """
        perceptions: list[Perception] = []
        waiting: list[_Piece] = []
        first = 0
        for place, utterance in enumerate(batch):
            waiting += self._pieces(place, utterance)
            if len(waiting) >= REQUESTS:
                perceptions += self._asked(batch, waiting)
                progress(place + 1 - first)
                waiting, first = [], place + 1
        perceptions += self._asked(batch, waiting)
        progress(len(batch) - first)
        return perceptions

    def request(self, text: str, question: str | None) -> ChatRequest:
        """What is asked of the LLM about a chunk."""
        parts = [marked("TEXT", text)]
        if question and question.strip():
            shown = shortened(cleaned(question).text.strip(), LONGEST_QUESTION)
            parts.insert(0, marked("QUESTION", shown))
        parts.append("Give the perceptions of the text as JSON.")
        return ChatRequest(
            messages=self.prompt.messages("\n\n".join(parts)),
            max_new_tokens=REPLY_TOKENS,
            temperature=self.temperature,
            seed=self.seed,
            schema=self.prompt.schema,
        )

    def _pieces(self, place: int, utterance: Utterance) -> Iterator[_Piece]:
        traced = cleaned(utterance.content)
        for chunk in chunks_of(traced.text, self.chunk_tokens, self.count_tokens):
            yield _Piece(place, traced, chunk)

    def _asked(self, batch: Sequence[Utterance], pieces: list[_Piece]) -> list[Perception]:
        if not pieces:
            return []
        before = self.chat.inferences
        requests = [self.request(one.chunk.text, batch[one.batch].question) for one in pieces]
        try:
            readings = ask_until_read(self.chat, requests, self._read, self.attempts)
        finally:
            self.inferences += self.chat.inferences - before
        found: dict[int, list[Perception]] = {}
        for piece, reading in zip(pieces, readings, strict=True):
            utterance = batch[piece.batch]
            if reading.problem:
                self._report(utterance, piece, reading)
            self.dropped["malformed"] += reading.malformed
            self.dropped["duplicate"] += reading.repeated
            found.setdefault(piece.batch, []).extend(self._aligned(utterance, piece, reading))
        return [one for text in sorted(found) for one in self._in_order(found[text])]

    def _read(self, reply: ChatReply) -> Reading:
        return read_items(reply, self.prompt.key, "perception")

    def _report(self, utterance: Utterance, piece: _Piece, reading: Reading) -> None:
        chunk = piece.chunk
        start, end = piece.traced.span(chunk.start, chunk.start + len(chunk.text))
        self.unparsed.append(
            Unparsed(
                utterance.key,
                start,
                end,
                str(reading.problem),
                reading.attempts,
                len(reading.items),
                reading.excerpt,
            )
        )

    def _aligned(
        self, utterance: Utterance, piece: _Piece, reading: Reading
    ) -> Iterator[Perception]:
        after = 0
        for item in reading.items:
            wording = one_line(str(item["perception"]))
            if not any(sign.isalpha() for sign in wording):
                self.dropped["blank"] += 1
                continue
            if len(wording) > LONGEST_PERCEPTION:
                self.dropped["too_long"] += 1
                continue
            quote = item.get("quote")
            quote = cleaned(quote).text if isinstance(quote, str) and quote.strip() else wording
            span = aligned(quote, piece.chunk.text, after)
            if span is None:
                self.dropped["unaligned"] += 1
                continue
            # quotes come in order: equal words later in the text are looked for behind the last
            after = span[0]
            start, end = piece.traced.span(piece.chunk.start + span[0], piece.chunk.start + span[1])
            sentence = utterance.content[start:end]
            yield Perception(utterance.key, 0, start, end, sentence, wording, 1.0)

    def _in_order(self, found: list[Perception]) -> list[Perception]:
        distinct: dict[str, Perception] = {}
        for perception in sorted(found, key=lambda one: (one.start, one.end)):
            same = perception.content.casefold().rstrip(".!? ")
            if same in distinct:
                self.dropped["duplicate"] += 1
            # several chunks may say the same: the first stays
            distinct.setdefault(same, perception)
        return [replace(one, ordinal=n) for n, one in enumerate(distinct.values())]
