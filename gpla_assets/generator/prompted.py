"""M_G by prompt on any instruct LLM: perceptions -> values of an open vocabulary."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from gpla_assets.chat.prompts import marked, prompt_of
from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest
from gpla_assets.chat.replies import ATTEMPTS, Reading, ask_until_read, read_items, share
from gpla_assets.chat.wording import LONGEST_STATEMENT, one_line, shortened
from gpla_assets.studies import Generator

REPLY_TOKENS = 300
MOST_WORDS = 4
SMALL_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to"}
WORD = re.compile(r"[^\W\d_]+(?:[-'’][^\W\d_]+)*")


def value_name(raw: str, known: dict[str, str]) -> str | None:
    """The normal form of a value's name; None where it is no name of one to four words of letters.

    `known` terms by casefold keep their own case; others are put in title case. Hyphens and
    apostrophes count as letters within a word, as in "Self-Respect".
    """
    name = one_line(raw).strip(" \"'“”‘’.,;:*")
    if name.casefold() in known:
        return known[name.casefold()]
    words = name.split()
    if not 1 <= len(words) <= MOST_WORDS or not all(WORD.fullmatch(word) for word in words):
        return None
    return " ".join(
        word.lower() if place and word.lower() in SMALL_WORDS else _capital(word)
        for place, word in enumerate(words)
    )


def _capital(word: str) -> str:
    return "-".join(part[:1].upper() + part[1:].lower() for part in word.split("-"))


class PromptedGenerator:
    """Values by prompt; `known` are terms whose spelling is kept, and limit nothing.

    `probability` is the strength that the LLM gives, in (0, 1]. `dropped` counts what is left out
    by reason: malformed, no_strength, no_name, duplicate, surplus; `unread` counts perceptions that
    `attempts` replies did not settle, by problem.
    """

    name = "prompted"

    def __init__(
        self,
        chat: Chat,
        settings: Generator,
        known: Iterable[str] = (),
        seed: int = 0,
        attempts: int = ATTEMPTS,
    ) -> None:
        self.chat = chat
        self.known = {term.casefold(): term for term in known}
        self.values_per_perception = settings.values_per_perception
        self.seed = seed
        self.attempts = attempts
        self.prompt = prompt_of("generator", settings.prompt_version)
        self.inferences = 0
        self.dropped: Counter[str] = Counter()
        self.unread: Counter[str] = Counter()

    @property
    def model(self) -> str:
        """The LLM's name."""
        return self.chat.model

    @property
    def revision(self) -> str | None:
        """The LLM's revision, where the backend knows one."""
        return self.chat.revision

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        """Rows (row, value, probability), strongest first within a perception.

        Equal perceptions are asked about once. Raises what the chat raises.
        """
        statements = [shortened(one_line(text), LONGEST_STATEMENT) for text in perceptions]
        # after shortening: what is asked is what must differ
        distinct = [text for text in dict.fromkeys(statements) if text]
        before = self.chat.inferences
        try:
            readings = ask_until_read(
                self.chat, [self.request(text) for text in distinct], self._read, self.attempts
            )
        finally:
            self.inferences += self.chat.inferences - before
        named = {text: self._named(one) for text, one in zip(distinct, readings, strict=True)}
        rows = [
            (row, value, strength)
            for row, text in enumerate(statements)
            for value, strength in named.get(text, [])
        ]
        return pd.DataFrame(rows, columns=["row", "value", "probability"]).astype(
            {"row": np.int64, "value": object, "probability": float}
        )

    def request(self, statement: str) -> ChatRequest:
        """What is asked of the LLM about a perception."""
        limit = f"Give at most {self.values_per_perception} values of the statement as JSON."
        return ChatRequest(
            messages=self.prompt.messages(f"{marked('STATEMENT', statement)}\n\n{limit}"),
            max_new_tokens=REPLY_TOKENS,
            seed=self.seed,
            schema=self.prompt.schema,
        )

    def _read(self, reply: ChatReply) -> Reading:
        reading = read_items(reply, self.prompt.key, "value")
        # one readable strength is enough: the rest is counted, and the reply is not asked for again
        unnumbered = all(share(item.get("strength")) is None for item in reading.items)
        if reading.problem is None and reading.items and unnumbered:
            return replace(reading, problem="no_numbers")
        return reading

    def _named(self, reading: Reading) -> list[tuple[str, float]]:
        """Values of a reply with their strengths, strongest first."""
        if reading.problem:
            self.unread[reading.problem] += 1
        self.dropped["malformed"] += reading.malformed
        self.dropped["duplicate"] += reading.repeated
        strengths: dict[str, tuple[str, float]] = {}
        for item in reading.items:
            strength = share(item.get("strength"))
            name = value_name(str(item["value"]), self.known)
            if not strength or name is None:
                self.dropped["no_name" if strength else "no_strength"] += 1
                continue
            key = name.casefold()
            if key in strengths:
                self.dropped["duplicate"] += 1
            if key not in strengths or strength > strengths[key][1]:
                strengths[key] = name, strength
        ranked = sorted(strengths.values(), key=lambda pair: -pair[1])
        self.dropped["surplus"] += len(ranked[self.values_per_perception :])
        return ranked[: self.values_per_perception]
