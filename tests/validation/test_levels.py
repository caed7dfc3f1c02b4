"""Two levels with planted structures: factors of LLMs alone, and factors of all answers."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.evaluator.expression import SUMS
from gpla_assets.validation.by_question import ByQuestion
from gpla_assets.validation.levels import factor_levels

UNITS, QUESTIONS = 120, 30
VALUES = [f"v{n}" for n in range(9)]
LLMS = np.arange(9) // 3
"""The factor of each value between LLMs; its remainder by three is the factor within."""


def answers(between: float, within: np.ndarray, seed: int = 0) -> ByQuestion:
    """LLMs have three factors of three values each; answers three others, as `within` deals."""
    random = np.random.default_rng(seed)
    own = random.standard_normal((UNITS, 3))[:, LLMS] * between
    mood = random.standard_normal((UNITS, QUESTIONS, 3))[:, :, within]
    noise = random.standard_normal((UNITS, QUESTIONS, 9)) * 0.7
    question = random.standard_normal((1, QUESTIONS, 9))
    logits = own[:, None] + mood + noise + question
    index = pd.MultiIndex.from_product(
        [[f"u{n:03d}" for n in range(UNITS)], [f"q{n:02d}" for n in range(QUESTIONS)], VALUES],
        names=["llm", "question_id", "value"],
    )
    rows = index.to_frame(index=False)
    rows[SUMS] = 0.0
    rows[["n", "weight_sum"]] = 1.0
    rows["logit_sum"] = logits.ravel()
    return ByQuestion(rows, "llm")


def test_a_structure_of_llms_is_not_that_of_their_answers() -> None:
    found = factor_levels(answers(1.0, np.arange(9) % 3), "salience", VALUES, 3, splits=5)
    assert (found.n_units, found.n_answers) == (UNITS, UNITS * QUESTIONS)
    assert found.factors["halves"].min() > 0.95
    # each factor within has one value of each factor between
    assert found.factors["within"].max() < 0.6 and found.r < 0


def test_what_answers_speak_of_together_is_known_as_that() -> None:
    found = factor_levels(answers(0.0, LLMS), "salience", VALUES, 3, splits=5)
    # nothing differs between LLMs, and yet the same factors come from all questions again
    assert found.factors["halves"].min() > 0.9
    assert found.factors["within"].min() > 0.95 and found.r > 0.9


def test_noise_brings_no_factor_again() -> None:
    random = np.random.default_rng(1)
    made = answers(0.0, np.arange(9) % 3)
    made.less_questions[..., SUMS.index("logit_sum")] = random.standard_normal(
        made.less_questions.shape[:3]
    )
    found = factor_levels(made, "salience", VALUES, 3, splits=5)
    assert found.factors["halves"].mean() < 0.7
