"""What a pilot says of answers that are enough, and of those that are not."""

from __future__ import annotations

import pandas as pd
import pytest

from gpla_assets.subjects.pilot import Pilot, expected, warnings

GOOD = Pilot(answers=48, sentences=4.0, silent=0.05, relevant=0.05, seconds=0.02)


def answers(llms: int, questions: int) -> pd.DataFrame:
    return pd.DataFrame(
        [(f"llm{n}", f"question {k}") for n in range(llms) for k in range(questions)],
        columns=["llm", "question"],
    )


def test_expectations_are_the_pilot_s_times_the_answers() -> None:
    found = expected(answers(12, 30), GOOD)
    assert found.sentences == pytest.approx(120)
    assert found.relevant == pytest.approx(6)
    assert found.seconds == pytest.approx(7.2)


def test_nothing_is_said_of_enough() -> None:
    assert list(warnings(answers(12, 30), GOOD)) == []


@pytest.mark.parametrize(
    ("frame", "found", "word"),
    [
        (answers(1, 30), GOOD, "one LLM"),
        (answers(3, 4), GOOD, "4 questions, expected 10"),
        (answers(3, 30).iloc[:70], GOOD, "not every LLM answered all 30"),
        (answers(3, 30), Pilot(48, 0.2, 0.9, 0.05, 0.02), "90% of the answers none"),
        (answers(3, 30), Pilot(48, 2.0, 0.05, 0.01, 0.02), "about 0.6 sentences"),
    ],
)
def test_what_is_too_little_is_said_once(frame: pd.DataFrame, found: Pilot, word: str) -> None:
    (said,) = warnings(frame, found)
    assert word in said
