"""A page as large as the explorer promises to carry: `python -m tests.report.large OUT.html`.

100 LLMs of 7 profiles each, 120 values, 30 questions, 50,000 sentences in some 19,000 answers; the
words are the demo's in another order. Says the sizes of the page's parts.
"""

from __future__ import annotations

import random
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.content import CONTENT
from gpla_assets.evaluator.expression import SUMS
from gpla_assets.report.html import page
from gpla_assets.report.page import parts
from tests.report.explored import PART, hostile, known

LLMS, PROFILES, VALUES, QUESTIONS, SENTENCES = 100, 7, 120, 30, 50_000
IN_ANSWER, LONG = 18, 80
"""Sentences of an answer, and letters of what is marked in it."""


def cells(unit: str, names: list[str], values: list[str]) -> pd.DataFrame:
    """Scores of units on values with intervals."""
    rng = np.random.default_rng(1)
    n = len(names) * len(values)
    middle, half = rng.normal(0, 0.4, n), np.abs(rng.normal(0.5, 0.1, n))
    return pd.DataFrame({
        unit: np.repeat(names, len(values)), "value": np.tile(values, len(names)),
        "score": middle - 5, "low": middle - 5 - half, "high": middle - 5 + half,
        "difference": middle, "difference_low": middle - half, "difference_high": middle + half,
        "share": rng.random(n) / 10, "direction": rng.uniform(-1, 1, n), "n": 300,
        "n_relevant": rng.integers(0, 30, n), "n_questions": QUESTIONS, "few": False,
    })  # fmt: skip


def sentences(subjects: pd.DataFrame, values: list[str]) -> pd.DataFrame:
    """Marked sentences, no two answers alike."""
    drawn = random.Random(2)
    rng = np.random.default_rng(2)
    texts = pd.read_parquet(CONTENT / "demo_texts.parquet")["content"]
    known_words = [one for text in texts for one in text.split(". ") if len(one) > 20]
    asked = rng.integers(0, len(subjects) * QUESTIONS, SENTENCES)
    answers = {
        one: ". ".join(drawn.choices(known_words, k=IN_ANSWER)) for one in set(asked.tolist())
    }
    answer = [answers[one] for one in asked.tolist()]
    starts = [drawn.randrange(max(len(one) - LONG, 1)) for one in answer]
    words = [one[start : start + LONG] for one, start in zip(answer, starts, strict=True)]
    who = subjects.iloc[asked // QUESTIONS].reset_index(drop=True)
    return who.assign(
        value=rng.choice(values, SENTENCES), score=rng.uniform(-1, 1, SENTENCES),
        relevance=rng.uniform(0.5, 1, SENTENCES), p_support=rng.random(SENTENCES),
        p_oppose=rng.random(SENTENCES), p_either=rng.random(SENTENCES),
        question_id=[f"q{one % QUESTIONS:02d}" for one in asked], question="Should one?",
        answer=answer, words_in_answer=words, perception=[f"It is said: {one}" for one in words],
        start_offset=starts, end_offset=[one + LONG for one in starts], part="answer", sample=1,
        evaluator="embedded, gpla", response_id=[key_of(one) for one in asked.tolist()],
        perception_id=[f"p{one:06d}" for one in range(SENTENCES)],
    )  # fmt: skip


def tables() -> dict[str, pd.DataFrame]:
    """What a page reads of such a study."""
    llms = [f"org{one % 9}/model-{one:03d}-instruct" for one in range(LLMS)]
    profiles = [f"Profile {one}" for one in range(PROFILES)]
    values = [f"Value number {one:03d}" for one in range(VALUES)]
    keys = [(f"{llm}|{one}", llm, one) for llm in llms for one in profiles]
    subjects = pd.DataFrame(keys, columns=["subject_id", "llm", "profile"])
    questions = [f"q{one:02d}" for one in range(QUESTIONS)]
    n = len(subjects) * QUESTIONS
    who = np.repeat(subjects["subject_id"].to_numpy(), QUESTIONS * VALUES)
    asked = np.tile(np.repeat(questions, VALUES), len(subjects))
    sums = pd.DataFrame({"subject_id": who, "question_id": asked, "value": np.tile(values, n)})
    sums = sums.assign(response_id=np.repeat(np.arange(n), VALUES), **dict.fromkeys(SUMS, 1.0))
    sums["logit_sum"] = np.random.default_rng(3).normal(-5, 1, len(sums))
    families = [f"Family {one % 9}" for one in range(LLMS)]
    return known() | {
        "llms": pd.DataFrame({"llm": llms, "family": families, "n_profiles": PROFILES}),
        "subjects": subjects,
        "llm_values": cells("llm", llms, values),
        "subject_values": cells("subject_id", list(subjects["subject_id"]), values),
        "expressions": sums,
        "questions": pd.DataFrame({"question_id": questions, "content": "Should one do so?"}),
        "sentences": sentences(subjects, values),
    }


def main() -> None:
    """Write the page."""
    out = Path(sys.argv[1])
    drawn = tables()
    began = time.monotonic()
    found = parts("large", drawn)
    # a whole study has pictures
    found["panels"] = parts("other", hostile())["panels"]
    text = page("Study", "large", found)
    out.write_text(text, "utf-8")
    print(f"{len(text) / 1e6:.1f} MB in {time.monotonic() - began:.0f} s")
    for name, letters in PART.findall(text):
        print(f"{name:<10} {len(letters) / 1e6:6.2f} MB")


if __name__ == "__main__":
    main()
