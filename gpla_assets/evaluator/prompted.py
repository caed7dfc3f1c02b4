"""M_E by prompt on any instruct LLM: relevance and stance of numbered values, as numbers.

Rules of relevance and score are those of `scoring` (point 9).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from gpla_assets.chat.prompts import marked, prompt_of
from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest
from gpla_assets.chat.replies import ATTEMPTS, REMARKS, read_items, share
from gpla_assets.chat.wording import LONGEST_STATEMENT, one_line, shortened
from gpla_assets.evaluator.expression import NO_TOP, Reading
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.scoring import is_relevant, leaning, scored_pairs
from gpla_assets.evaluator.value_text import one_each
from gpla_assets.studies import Evaluator

VALUES_PER_CALL = 10
TOKENS_PER_VALUE = 90
"""Of a reply, with room for entries over several lines; each further attempt gets as much again."""
REQUESTS = 256
LONGEST_DEFINITION = 300

Candidates = Callable[[Sequence[str], Sequence[str]], list[tuple[int, int]]]
"""Perceptions and values -> the pairs (perception, value) worth asking about, by position."""
Judgement = tuple[float, float, float, float]
"""Relevance; support, oppose and either, which add up to 1."""
Group = tuple[int, tuple[int, ...]]
"""A perception and the values that are asked about together, by position."""


def plausible_pairs(cheap: ValueEvaluator, definitions: Sequence[str]) -> Candidates:
    """The pairs that a cheap evaluator gives back; `definitions` belong to the values asked."""

    def pairs(perceptions: Sequence[str], values: Sequence[str]) -> list[tuple[int, int]]:
        places = {value: place for place, value in enumerate(values)}
        found = cheap.evaluate(perceptions, values, definitions)
        return [
            (int(row), places[value])
            for row, value in zip(found["row"], found["value"], strict=True)
        ]

    return pairs


class PromptedEvaluator:
    """Judges pairs by prompt, several values a call; `candidates` chooses the pairs to ask about.

    Without `candidates` all pairs are asked about. A value whose numbers are missing or unreadable
    is asked about again, in all `attempts` times; then the pair is left out and counted in
    `unjudged`. `inferences` counts replies made anew, `asked_pairs` the pairs.
    """

    name = "prompted"

    def __init__(
        self,
        chat: Chat,
        settings: Evaluator,
        values_per_call: int = VALUES_PER_CALL,
        candidates: Candidates | None = None,
        seed: int = 0,
        attempts: int = ATTEMPTS,
    ) -> None:
        if values_per_call < 1 or attempts < 1:
            raise ValueError(
                f"values_per_call = {values_per_call}, attempts = {attempts}: expected at least 1."
            )
        self.chat = chat
        self.minimum_relevance = settings.minimum_relevance
        self.values_per_call = values_per_call
        self.candidates = candidates
        self.seed = seed
        self.attempts = attempts
        self.prompt = prompt_of("evaluator", settings.prompt_version)
        self.inferences = 0
        self.asked_pairs = 0
        self.unjudged: Counter[str] = Counter()

    @property
    def model(self) -> str:
        """The LLM's name."""
        return self.chat.model

    @property
    def revision(self) -> str | None:
        """The LLM's revision, where the backend knows one."""
        return self.chat.revision

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """The relevant pairs, by perception, then in order of values: rows of `scored_pairs`.

        Equal perceptions are asked about once. Raises ValueError where values and definitions
        differ in number or `candidates` names a pair that there is not, and what the chat raises.
        """
        return self.read(perceptions, values, definitions).pairs(values, self.minimum_relevance)

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """What the LLM said of the pairs that it was asked about, whatever their relevance.

        NaN where it was not asked or no reply judged the pair; relevance 0 of blank perceptions.
        Raises as `evaluate`.
        """
        one_each(values, definitions)
        rows = {text: row for row, text in enumerate(dict.fromkeys(perceptions))}
        named = [_named(*pair) for pair in zip(values, definitions, strict=True)]
        relevance = np.full((len(rows), len(values)), np.nan)
        stances = np.full((*relevance.shape, 3), np.nan)
        relevance[[row for text, row in rows.items() if not one_line(text)]] = 0
        judged = self._judged(list(rows), named, self._pairs(list(rows), list(values)))
        for pair, (about, *stance) in judged.items():
            relevance[pair], stances[pair] = about, stance
        places = np.array([rows[text] for text in perceptions], int)
        return Reading.judged(relevance[places], stances[places])

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, whatever their relevance, one row a pair, `leaning`.

        `candidates` is not used. A pair that no reply judged has NaN for its numbers. Raises
        ValueError where the three differ in number, and what the chat raises.
        """
        if not len(perceptions) == len(values) == len(definitions):
            raise ValueError(
                f"Found {len(perceptions)} perceptions, {len(values)} values and "
                f"{len(definitions)} definitions, expected as many of each."
            )
        named = [_named(*pair) for pair in zip(values, definitions, strict=True)]
        rows = {text: row for row, text in enumerate(dict.fromkeys(perceptions))}
        columns = {value: column for column, value in enumerate(dict.fromkeys(named))}
        pairs = [
            (rows[text], columns[value]) for text, value in zip(perceptions, named, strict=True)
        ]
        blank = {row for text, row in rows.items() if not one_line(text)}
        # sorted: the same pairs make the same calls, whose replies are kept by what was asked
        asked = sorted({pair for pair in pairs if pair[0] not in blank})
        judged = self._judged(list(rows), list(columns), asked, every_stance=True)
        unknown = (np.nan,) * 4
        table = np.array([judged.get(pair, unknown) for pair in pairs], float).reshape(-1, 4)
        names = np.array(list(values), object)
        return leaning(scored_pairs(np.arange(len(pairs)), names, table[:, 0], table[:, 1:]))

    def request(self, statement: str, named: Sequence[str], attempt: int = 0) -> ChatRequest:
        """What is asked of the LLM about a perception and some values."""
        numbered = "\n".join(f"{n}. {value}" for n, value in enumerate(named, 1))
        again = f" {REMARKS['no_numbers']}" if attempt else ""
        user = (
            f"{marked('STATEMENT', shortened(one_line(statement), LONGEST_STATEMENT))}\n\n"
            f"{marked('VALUES', numbered)}\n\n"
            f"Give the judgements of all {len(named)} numbers as JSON.{again}"
        )
        return ChatRequest(
            messages=self.prompt.messages(user),
            max_new_tokens=TOKENS_PER_VALUE * (len(named) + 1) * (attempt + 1),
            seed=self.seed,
            schema=self.prompt.schema,
            attempt=attempt,
        )

    def _pairs(self, perceptions: list[str], values: list[str]) -> list[tuple[int, int]]:
        asked = [row for row, text in enumerate(perceptions) if one_line(text)]
        if self.candidates is None:
            return [(row, column) for row in asked for column in range(len(values))]
        pairs = set(self.candidates(perceptions, values))
        for row, column in pairs:
            if not (0 <= row < len(perceptions) and 0 <= column < len(values)):
                raise ValueError(
                    f"candidates gave the pair {(row, column)}: expected positions below "
                    f"{len(perceptions)} perceptions and {len(values)} values."
                )
        return sorted(pair for pair in pairs if pair[0] in set(asked))

    def _judged(
        self,
        perceptions: list[str],
        named: list[str],
        pairs: list[tuple[int, int]],
        every_stance: bool = False,
    ) -> dict[tuple[int, int], Judgement]:
        self.asked_pairs += len(pairs)
        judged: dict[tuple[int, int], Judgement] = {}
        waiting, problems = pairs, dict.fromkeys(pairs, "missing")
        for attempt in range(self.attempts):
            groups = self._groups(waiting)
            for first in range(0, len(groups), REQUESTS):
                part = groups[first : first + REQUESTS]
                requests = [
                    self.request(perceptions[row], [named[one] for one in columns], attempt)
                    for row, columns in part
                ]
                for (row, columns), reply in zip(part, self._ask(requests), strict=True):
                    numbers, problem = self._read(reply, len(columns), every_stance)
                    problems.update({(row, column): problem for column in columns})
                    judged.update({(row, columns[n]): one for n, one in numbers.items()})
            waiting = [pair for pair in waiting if pair not in judged]
            if not waiting:
                break
        self.unjudged.update(problems[pair] for pair in waiting)
        return judged

    def _groups(self, pairs: list[tuple[int, int]]) -> list[Group]:
        columns: dict[int, list[int]] = defaultdict(list)
        for row, column in pairs:
            columns[row].append(column)
        size = self.values_per_call
        return [
            (row, tuple(found[first : first + size]))
            for row, found in columns.items()
            for first in range(0, len(found), size)
        ]

    def _ask(self, requests: list[ChatRequest]) -> list[ChatReply]:
        before = self.chat.inferences
        try:
            return self.chat.ask(requests)
        finally:
            self.inferences += self.chat.inferences - before

    def _read(
        self, reply: ChatReply, count: int, every_stance: bool
    ) -> tuple[dict[int, Judgement], str]:
        """Judgements by position, and why others may be missing."""
        reading = read_items(reply, self.prompt.key)
        items = reading.items
        # as many as were asked about and none numbered: they are in order
        if len(items) == count and not any("n" in item for item in items):
            items = [{**item, "n": n} for n, item in enumerate(items, 1)]
        found: dict[int, Judgement] = {}
        for item in items:
            number, judgement = item.get("n"), self._judgement(item, every_stance)
            whole = str(number).strip()
            if judgement and whole.isascii() and whole.isdigit() and 1 <= int(whole) <= count:
                # of a number given twice the first
                found.setdefault(int(whole) - 1, judgement)
        return found, reading.problem or "missing"

    def _judgement(self, item: dict[str, object], every_stance: bool) -> Judgement | None:
        relevance = share(item.get("relevance"))
        stances = [share(item.get(name)) for name in ("support", "oppose", "either")]
        if relevance is None:
            return None
        known = [one for one in stances if one is not None]
        total = sum(known)
        if len(known) < len(stances) or total <= 0:
            # A pair that is not relevant is left out whatever its stance: it need not be asked for.
            enough = not (is_relevant(relevance, self.minimum_relevance) or every_stance)
            return (relevance, 0, 0, 1) if enough else None
        # LLMs' shares seldom add up to 1
        support, oppose, either = (one / total for one in known)
        return relevance, support, oppose, either


def _named(value: str, definition: str | None) -> str:
    known = one_line(definition) if isinstance(definition, str) else ""
    name = one_line(value)
    return f"{name}: {shortened(known, LONGEST_DEFINITION)}" if known else name


__all__ = ["Candidates", "PromptedEvaluator", "plausible_pairs"]
