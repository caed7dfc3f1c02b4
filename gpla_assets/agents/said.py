"""What a perception states, and the yes-or-no question that it answers if it begins with one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpla_assets.agents.embedding import Encoder
from gpla_assets.agents.referents import is_polar
from gpla_assets.evaluator import Floats, Heads
from gpla_assets.evaluator.framing import unframed

ASKED = re.compile(r"^(?P<question>[^?\n]{8,300}\?)\s+(?P<answer>\S.*)$", re.DOTALL)

BY_ANSWER = 5.0
"""An answer is judged by itself only where it is so many times as relevant as the question: the
question with the answer's stance meets ValueBench's ratings better (values held out)."""


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


def relevance_to_all(
    parts: Said, rows: slice, v: Floats, heads: Heads
) -> tuple[Floats, NDArray[np.bool_]]:
    """Relevance (n, m) of perceptions by `rows` to values with embeddings `v` (m, d).

    What answers a question is relevant if the question or the answer is; the second array (n, m)
    tells where the question is what is judged.
    """
    found = heads.relevance(parts.u[rows], v)
    by_question = np.zeros(found.shape, bool)
    asked = np.flatnonzero(parts.asked[rows])
    if len(asked):
        of_question = heads.relevance(parts.u_question[rows][asked], v)
        found[asked], by_question[asked] = _of_either(of_question, found[asked])
    return found, by_question


def relevance_to_own(parts: Said, v: Floats, heads: Heads) -> tuple[Floats, NDArray[np.bool_]]:
    """The same of aligned pairs: each perception (n) to the value in its place, `v` (n, d)."""
    found = heads.relevance_of(heads.relatedness(parts.u, v))
    by_question, asked = np.zeros(len(found), bool), parts.asked
    if asked.any():
        of_question = heads.relevance_of(heads.relatedness(parts.u_question[asked], v[asked]))
        found[asked], by_question[asked] = _of_either(of_question, found[asked])
    return found, by_question


def _of_either(of_question: Floats, of_answer: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    return np.maximum(of_question, of_answer), of_question * BY_ANSWER >= of_answer


def question_of(perception: str) -> str | None:
    """The yes-or-no question that a text begins with and goes on to answer; None without one.

    >>> question_of("Should I plan ahead? No, not always.")
    'Should I plan ahead?'
    """
    found = ASKED.match(perception)
    return found["question"] if found and is_polar(found["question"]) else None
