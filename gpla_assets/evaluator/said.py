"""What a perception states, and the yes-or-no question that it answers if it begins with one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.framing import unframed
from gpla_assets.evaluator.heads import Floats, Heads
from gpla_assets.parser.referents import is_polar

ASKED = re.compile(r"^(?P<question>[^?\n]{8,300}\?)\s+(?P<answer>\S.*)$", re.DOTALL)


@dataclass(frozen=True)
class Said:
    """Perceptions in parts, each list and array in their order (n).

    `statements`: without what only affirms or denies them, `denied` where that denied them;
    `questions`: "" where none is answered, `asked` tells where one is. `u` (n, d) are unit
    embeddings of the statements, `u_question` (n, d) of the questions, 0 where nothing was asked.
    """

    perceptions: list[str]
    statements: list[str]
    denied: NDArray[np.bool_]
    questions: list[str]
    asked: NDArray[np.bool_]
    u: Floats
    u_question: Floats


def said(perceptions: Sequence[str], encoder: Encoder) -> Said:
    """Takes perceptions apart and embeds the parts."""
    questions = [question_of(text) or "" for text in perceptions]
    parts = [
        unframed(text[len(question) :].strip() if question else text)
        for text, question in zip(perceptions, questions, strict=True)
    ]
    asked = np.array([bool(question) for question in questions], bool)
    # all at once, so that texts of one length share a batch
    u = encoder.encode([part.text for part in parts])
    u_question = np.zeros_like(u)
    if asked.any():
        u_question[asked] = encoder.encode([question for question in questions if question])
    return Said(
        list(perceptions),
        [part.text for part in parts],
        np.array([part.denied for part in parts], bool),
        questions,
        asked,
        u,
        u_question,
    )


@dataclass(frozen=True)
class Relevance:
    """Relevance of perceptions to values, by what they state and by the question they answer.

    Arrays (n, m) of all pairs or (n,) of aligned ones. `asked` (n, 1) or (n,) tells where there is
    a question; `of_question` is 0 elsewhere.
    """

    of_statement: Floats
    of_question: Floats
    asked: NDArray[np.bool_]

    @property
    def of_either(self) -> Floats:
        """What answers a question is relevant if the question or the answer is."""
        return np.maximum(self.of_question, self.of_statement)

    def by_question(self, answer_margin: float) -> NDArray[np.bool_]:
        """Where the question is what is judged: the answer is not so many times as relevant."""
        return self.asked & (self.of_question * answer_margin >= self.of_statement)


def relevance_to_all(parts: Said, rows: slice, v: Floats, heads: Heads) -> Relevance:
    """Relevance (n, m) of perceptions by `rows` to values with embeddings `v` (m, d)."""
    of_statement = heads.relevance(parts.u[rows], v)
    of_question, asked = np.zeros_like(of_statement), parts.asked[rows]
    if asked.any():
        of_question[asked] = heads.relevance(parts.u_question[rows][asked], v)
    return Relevance(of_statement, of_question, asked[:, None])


def relevance_to_own(parts: Said, v: Floats, heads: Heads) -> Relevance:
    """The same of aligned pairs: each perception (n) to the value in its place, `v` (n, d)."""
    of_statement = heads.relevance_of(heads.relatedness(parts.u, v))
    of_question, asked = np.zeros_like(of_statement), parts.asked
    if asked.any():
        related = heads.relatedness(parts.u_question[asked], v[asked])
        of_question[asked] = heads.relevance_of(related)
    return Relevance(of_statement, of_question, asked)


def question_of(perception: str) -> str | None:
    """The yes-or-no question that a text begins with and goes on to answer; None without one.

    >>> question_of("Should I plan ahead? No, not always.")
    'Should I plan ahead?'
    """
    found = ASKED.match(perception)
    return found["question"] if found and is_polar(found["question"]) else None
