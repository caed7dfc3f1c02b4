"""Questions that an LLM writes: each is checked, and none is invented."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import numpy as np
import pytest

from gpla_assets.chat import ChatReply, ChatRequest
from gpla_assets.subjects.question_generator import fault_of, generate_questions, named_in

LATE = "My friend turns up late every single time. Should I say something to her?"
LATE_AGAIN = "My friend turns up late every single time. Should I say something to him?"
GRADES = "My little sister copied her homework and asks me to keep quiet. What should I do?"
SAVINGS = "I have saved for a house, but my cousin needs a loan. What would you advise me?"


class ScriptedChat:
    """Gives each value its replies, one after the other; remembers what it was asked."""

    name, model, revision, inferences = "scripted", "script", None, 0

    def __init__(self, **replies: list[str]) -> None:
        self.replies = replies
        self.asked: list[ChatRequest] = []

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        self.asked += requests
        return [ChatReply(self.replies[value_of(one)][one.attempt]) for one in requests]


def value_of(request: ChatRequest) -> str:
    return request.messages[1].content.splitlines()[1].split(":")[0]


def said(question: str) -> str:
    return json.dumps({"question": question})


@pytest.mark.parametrize(
    ("question", "fault"),
    [
        (LATE, None),
        ("Should I tell her?", "has 4 words, expected 6 to 60"),
        ("Should I " + "really " * 60 + "tell?", "has 63 words"),
        ("I wonder what I should tell my friend about it.", "question mark"),
        ("Should one tell a friend that she is late?", "first person"),
        ("Should I tell her? Or is it better that I wait for a while?", "more than one"),
        ("1. My friend is late again, should I say something?", "markup"),
        ("**My friend** is late again, should I say something?", "markup"),
        ("My friend is late.\nShould I say something to her?", "markup"),
        ("Should I be honest with my friend about her being late?", "'honest'"),
    ],
)
def test_faults_of_a_question_are_named(question: str, fault: str | None) -> None:
    found = fault_of(question, "Honesty")
    assert found is None if fault is None else found is not None and fault in found


@pytest.mark.parametrize(
    ("question", "value", "word"),
    [
        ("Should I be more loyal to them?", "Loyalty", "loyal"),
        ("Is it wise to stay kind?", "Kindness", "kind"),
        ("Should I live more environmentally?", "Environmental Sustainability", "environmentally"),
        ("Should I respect my elders?", "Respect for Tradition", "respect"),
        ("Should I go for it?", "Respect for Tradition", None),
        ("Is it an art?", "Party", None),
        ("Should I tell her the truth?", "Honesty", None),
    ],
)
def test_a_value_is_named_by_its_stem_too(question: str, value: str, word: str | None) -> None:
    assert named_in(question, value) == word


def test_faulty_questions_are_asked_for_again_with_the_fault() -> None:
    chat = ScriptedChat(
        Honesty=[said("Should I be honest about her homework with our parents?"), said(GRADES)],
        Generosity=[SAVINGS],
        Punctuality=["I'm sorry, I can't help.", '["a", "b"]'],
    )
    found = generate_questions(
        ["Honesty", "Generosity", "Punctuality"],
        chat,
        definitions={"honesty": "telling the truth"},
        attempts=2,
    )
    assert list(found.columns) == ["question_id", "value", "question", "attempts", "problem"]
    assert found["question_id"].tolist() == ["g001", "g002", "g003"]
    assert found["question"].tolist() == [GRADES, SAVINGS, None]
    assert found["attempts"].tolist() == [2, 1, 2]
    assert found["problem"].tolist()[:2] == [None, None]
    assert "There are 2 questions" in found["problem"][2]
    assert "Honesty: telling the truth" in chat.asked[0].messages[1].content
    again = next(one for one in chat.asked if one.attempt == 1 and value_of(one) == "Honesty")
    assert "'honest'" in again.messages[-1].content
    assert again.messages[-2].role == "assistant"


def test_near_duplicates_are_refused_by_overlap_or_by_cosine() -> None:
    def chat() -> ScriptedChat:
        return ScriptedChat(A=[LATE], B=[said(LATE_AGAIN), said(GRADES)])

    by_rouge = generate_questions(["A", "B"], chat(), attempts=1)
    assert by_rouge["question"].tolist() == [LATE, None]
    assert "too much like one that we have" in by_rouge["problem"][1]

    def embed(texts: Sequence[str]) -> np.ndarray:
        return np.array([[0.6, 0.8] if "homework" in text else [1.0, 0.0] for text in texts])

    by_cosine = generate_questions(["A", "B"], chat(), embed, attempts=2)
    assert by_cosine["question"].tolist() == [LATE, GRADES]
    strict = generate_questions(["A", "B"], chat(), embed, attempts=2, cosine_threshold=0.6)
    assert strict["question"].tolist() == [LATE, None], "0.6 reaches a threshold of 0.6"


def test_questions_that_exist_are_not_repeated() -> None:
    found = generate_questions(["A"], ScriptedChat(A=[LATE]), existing=[LATE_AGAIN], attempts=1)
    assert found["question"].tolist() == [None]


def test_values_must_be_distinct_and_not_blank() -> None:
    with pytest.raises(ValueError, match=r"values\[1\] = 'care' repeats"):
        generate_questions(["Care", "care"], ScriptedChat())
    with pytest.raises(ValueError, match=r"values\[0\] = ' ' is blank"):
        generate_questions([" "], ScriptedChat())
    assert generate_questions([], ScriptedChat()).empty
