"""Value-eliciting questions written by an LLM, one a value; each is checked before it is taken.

Questions that ask for advice in the first person, as people put them to LLMs, without the value's
name: an answer then shows the value unprompted. Nothing is invented where the LLM fails.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpla_assets.chat.prompts import marked, prompt_of
from gpla_assets.chat.protocol import Chat, ChatReply, ChatRequest
from gpla_assets.chat.replies import REMARKS, asked_again, read_items
from gpla_assets.chat.wording import cleaned, one_line

if TYPE_CHECKING:
    from rouge_score.rouge_scorer import RougeScorer
    from rouge_score.tokenizers import DefaultTokenizer

COLUMNS = ["question_id", "value", "question", "attempts", "problem"]
FEWEST_WORDS, MOST_WORDS = 6, 60
REPLY_TOKENS = 200
"""Room for the longest question, in its JSON, twice over."""
COSINE_THRESHOLD = 0.8
"""Of the project's own questions, all on different values, the nearest pair has 0.72 (MiniLM)."""
ROUGE_THRESHOLD = 0.7
"""Rouge-L; of the project's own questions, the nearest pair has 0.57."""
SHORTEST_STEM = 4
"""Letters with which a stem that begins another one is the same: 'honest' and 'honesti'."""

FIRST_PERSON = re.compile(r"\b(I|[Mm]e|[Mm]y|[Mm]ine|[Mm]yself|[Ww]e|us|[Oo]urs?|[Oo]urselves)\b")
MARKUP = re.compile(r"[\n*#`<>|{}\[\]]|^\s*([-•–]|\(?\d{1,2}[.)]|[A-Za-z][.)])\s|https?://")
SMALL_WORDS = {"a", "an", "and", "at", "by", "for", "from", "in", "of", "on", "or", "the", "to"}
PUZZLED = "Write one question only, as plain text in the JSON."

Embed = Callable[[Sequence[str]], np.ndarray]
"""Texts -> unit vectors (n_texts, n_dimensions)."""


@dataclass
class _Draft:
    """A value's question in the making."""

    request: ChatRequest
    question: str | None = None
    attempts: int = 0
    problem: str | None = None


@dataclass
class Had:
    """The questions already had, against which new ones are compared."""

    embed: Embed | None
    cosine_threshold: float = COSINE_THRESHOLD
    rouge_threshold: float = ROUGE_THRESHOLD
    questions: list[str] = field(default_factory=list)
    vectors: list[np.ndarray] = field(default_factory=list)

    def add(self, question: str) -> None:
        """Take a question in."""
        self.questions.append(question)
        if self.embed is not None:
            self.vectors.append(np.asarray(self.embed([question])[0], float))

    def near(self, question: str) -> str | None:
        """The nearest question already had, if it is a near-duplicate."""
        if not self.questions:
            return None
        if self.embed is not None:
            vector = np.asarray(self.embed([question])[0], float)
            likeness, threshold = np.stack(self.vectors) @ vector, self.cosine_threshold
        else:
            scorer = _rouge()
            scores = [scorer.score(one, question)["rougeL"].fmeasure for one in self.questions]
            likeness, threshold = np.array(scores), self.rouge_threshold
        nearest = int(np.argmax(likeness))
        return self.questions[nearest] if likeness[nearest] >= threshold else None


def generate_questions(
    values: Sequence[str],
    chat: Chat,
    embed: Embed | None = None,
    definitions: Mapping[str, str] | None = None,
    existing: Sequence[str] = (),
    attempts: int = 4,
    seed: int = 0,
    cosine_threshold: float = COSINE_THRESHOLD,
    rouge_threshold: float = ROUGE_THRESHOLD,
    prefix: str = "g",
) -> pd.DataFrame:
    """One question a value: rows (question_id, value, question, attempts, problem).

    A faulty question is asked for again with the fault named, in all `attempts` times; where the
    last one is faulty too, `question` is None and `problem` says why. `existing` questions, and
    those of earlier values, must not be repeated: by cosine where there is `embed`, else by
    Rouge-L. `question_id` is `prefix` and the value's place. Raises ValueError for values that are
    blank or repeat (whatever the case), and what the chat raises.
    """
    _check(values, attempts)
    prompt = prompt_of("question")
    had = Had(embed, cosine_threshold, rouge_threshold)
    for question in existing:
        had.add(question)
    meanings = {key.casefold(): text for key, text in (definitions or {}).items()}
    drafts = [
        _Draft(
            ChatRequest(
                prompt.messages(_asked(value, meanings.get(value.casefold()))),
                max_new_tokens=REPLY_TOKENS,
                seed=seed,
                schema=prompt.schema,
            )
        )
        for value in values
    ]
    for _ in range(attempts):
        waiting = [
            (v, draft) for v, draft in zip(values, drafts, strict=True) if not draft.question
        ]
        if not waiting:
            break
        replies = chat.ask([draft.request for _, draft in waiting])
        for (value, draft), reply in zip(waiting, replies, strict=True):
            _judge(value, draft, reply, had, prompt.key)
    width = max(3, len(str(len(values))))
    rows = [
        (f"{prefix}{n:0{width}d}", value, draft.question, draft.attempts, draft.problem)
        for n, (value, draft) in enumerate(zip(values, drafts, strict=True), 1)
    ]
    return pd.DataFrame(rows, columns=COLUMNS, dtype=object).astype({"attempts": np.int64})


def fault_of(question: str, value: str) -> str | None:
    """What is wrong with a question for a value, in words for the LLM; None where nothing is."""
    words = re.findall(r"[\w'’-]+", question)
    if MARKUP.search(question):
        return "The question holds markup, a list or several lines."
    if not question.endswith("?"):
        return "The question does not end with a question mark."
    if question.count("?") > 1:
        return "There is more than one question."
    if not FEWEST_WORDS <= len(words) <= MOST_WORDS:
        return f"The question has {len(words)} words, expected {FEWEST_WORDS} to {MOST_WORDS}."
    if not FIRST_PERSON.search(question):
        return "The question is not in the first person."
    if said := named_in(question, value):
        return f"The question says {said!r}, which gives away the value {value!r}."
    return None


def named_in(question: str, value: str) -> str | None:
    """The question's word that has a stem of the value's name; None where there is none.

    Stems by Porter's stemmer, as rouge_score uses it. A stem of SHORTEST_STEM letters or more that
    begins the other is the same: of "Honesty" also "honest", and with it some innocent words, for
    which the LLM easily finds others.
    """
    stems = {_stem(word) for word in _words(value) if word not in SMALL_WORDS}
    for word in _words(question):
        stem = _stem(word)
        for own in stems:
            short, long = sorted((stem, own), key=len)
            if short == long or (len(short) >= SHORTEST_STEM and long.startswith(short)):
                return word
    return None


def _judge(value: str, draft: _Draft, reply: ChatReply, had: Had, key: str) -> None:
    draft.attempts += 1
    question, fault = _question(reply, key)
    fault = fault or fault_of(question, value)
    if fault is None and (near := had.near(question)):
        fault = f"The question is too much like one that we have: {near!r}. Change the situation."
    draft.problem = fault
    if fault is None:
        draft.question = question
        had.add(question)
    else:
        draft.request = asked_again(draft.request, reply, fault)


def _question(reply: ChatReply, key: str) -> tuple[str, str | None]:
    """The question of a reply, and a fault where it has none; a reply in plain text is one too."""
    reading = read_items(reply, key, key)
    if len(reading.items) > 1:
        return "", f"There are {len(reading.items)} questions. {PUZZLED}"
    if reading.items:
        text = str(reading.items[0][key])
    elif reading.problem == "no_json":
        text = reply.content
    else:
        return "", REMARKS[reading.problem or "empty"]
    # Lines are kept apart: they are a fault, and joined they would pass.
    return cleaned(text).text.strip().strip('"“”').strip(), None


def _asked(value: str, definition: str | None) -> str:
    known = f": {one_line(definition)}" if definition and definition.strip() else ""
    return f"{marked('VALUE', one_line(value) + known)}\n\nGive one question as JSON."


def _check(values: Sequence[str], attempts: int) -> None:
    if attempts < 1:
        raise ValueError(f"attempts = {attempts}: expected at least 1.")
    seen: set[str] = set()
    for place, value in enumerate(values):
        name = one_line(value).casefold()
        if not name or name in seen:
            fault = "repeats an earlier one" if name else "is blank"
            raise ValueError(f"values[{place}] = {value!r} {fault}, expected distinct names.")
        seen.add(name)


def _words(text: str) -> list[str]:
    return re.findall(r"[^\W_\d]+", text.casefold())


@lru_cache(maxsize=10_000)
def _stem(word: str) -> str:
    # rouge_score knows only a to z.
    stems = _tokenizer().tokenize(word) if word.isascii() else []
    return str(stems[0]) if stems else word


@lru_cache(maxsize=1)
def _tokenizer() -> DefaultTokenizer:
    from rouge_score.tokenizers import DefaultTokenizer

    return DefaultTokenizer(use_stemmer=True)


@lru_cache(maxsize=1)
def _rouge() -> RougeScorer:
    from rouge_score.rouge_scorer import RougeScorer

    return RougeScorer(["rougeL"], use_stemmer=True)
