"""What a few of the answers let one expect of all: sentences, relevant ones, time; before a run.

A pilot answers the question that a table of results cannot: whether there is enough to say
anything. Answers are drawn over LLMs and questions by a seed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pandas as pd

from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.scoring import is_relevant
from gpla_assets.parser.protocol import PerceptionParser, Utterance

ANSWERS = 48
"""Answers of the pilot."""
FEWEST_SENTENCES = 1.0
"""Sentences that state an attitude, an answer: below, prompts call for facts, code or stories."""
FEWEST_RELEVANT = 3.0
"""Relevant sentences of an LLM a value on the mean, below which a sign is chance."""
SOME_SILENT = 0.5


@dataclass(frozen=True)
class Pilot:
    """Of the pilot's answers: how many, M_P's sentences an answer, the share of answers without
    one, the share of pairs of sentence and value that are relevant, seconds an answer."""

    answers: int
    sentences: float
    silent: float
    relevant: float
    seconds: float


@dataclass(frozen=True)
class Expected:
    """Of all answers: sentences an LLM, of these relevant to a value on the mean; seconds."""

    sentences: float
    relevant: float
    seconds: float


def pilot(
    frame: pd.DataFrame,
    parser: PerceptionParser,
    evaluator: ValueEvaluator,
    values: pd.DataFrame,
    minimum_relevance: float,
    seed: int = 0,
) -> Pilot:
    """A pilot on answers (llm, question, answer, refused) and values (value, definition).

    Without values nothing is said of relevance (NaN).
    """
    usable = frame[~frame["refused"] & (frame["answer"].str.strip() != "")]
    drawn = usable.sample(min(ANSWERS, len(usable)), random_state=seed)
    given = [
        Utterance(str(n), row.answer, row.question) for n, row in enumerate(drawn.itertuples())
    ]
    started = time.monotonic()
    found = parser.parse(given)
    relevant = float("nan")
    if found and len(values):
        contents = [one.content for one in found]
        reading = evaluator.read(contents, list(values["value"]), list(values["definition"]))
        relevant = float(is_relevant(reading.relevance, minimum_relevance).mean())
    elapsed = time.monotonic() - started
    silent = len(given) - len({one.parent for one in found})
    n = max(len(given), 1)
    return Pilot(len(given), len(found) / n, silent / n, relevant, elapsed / n)


def expected(frame: pd.DataFrame, found: Pilot) -> Expected:
    """What the pilot lets one expect of all answers in the frame."""
    answers = len(frame) / max(frame["llm"].nunique(), 1)
    sentences = answers * found.sentences
    return Expected(sentences, sentences * found.relevant, len(frame) * found.seconds)


def warnings(frame: pd.DataFrame, found: Pilot) -> Iterator[str]:
    """What is too little, in a plain word each, with what to do."""
    llms, questions = frame["llm"].nunique(), frame["question"].nunique()
    if llms == 1:
        yield (
            f"one LLM ({frame['llm'].iloc[0]}): nothing to compare it with. Salience is read less "
            "what a question brings out of all, so its scores say little until there are others."
        )
    if questions < FEWEST_QUESTIONS:
        yield (
            f"{questions} question{'s' * (questions != 1)}, expected {FEWEST_QUESTIONS} or more: "
            f"intervals will be wide. {MORE_QUESTIONS}"
        )
    asked = frame.groupby("llm")["question"].nunique()
    if llms > 1 and asked.min() < questions:
        short = ", ".join(f"{llm} {n}" for llm, n in asked.sort_values().head(3).items())
        yield (
            f"not every LLM answered all {questions} questions ({short}): differences may be of "
            "questions, not of LLMs."
        )
    if found.sentences < FEWEST_SENTENCES or found.silent > SOME_SILENT:
        yield (
            f"{found.sentences:.1f} sentences an answer state an attitude, and "
            f"{found.silent:.0%} of the answers none: these prompts carry few values (facts, code, "
            f"stories?), or the answers are not in English. {MORE_QUESTIONS}"
        )
    elif questions >= FEWEST_QUESTIONS and expected(frame, found).relevant < FEWEST_RELEVANT:
        yield (
            f"about {expected(frame, found).relevant:.1f} sentences of an LLM will bear on a "
            f"value, expected {FEWEST_RELEVANT:g} or more. {MORE_QUESTIONS}"
        )


MORE_QUESTIONS = (
    "60 questions that elicit values: `gpla questions --out q.csv`; as an Inspect task: "
    "`inspect eval gpla/values`."
)
