"""What is asked elsewhere: questions as a file, and as a task of Inspect."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import profiles, questions
from gpla_assets.studies import StudyError
from gpla_assets.subjects.administration import administration, first_questions
from tests.conftest import gpla

ROOT = Path(__file__).parents[2]


def test_questions_are_written_each_of_another_value(tmp_path: Path) -> None:
    out = tmp_path / "q.csv"
    told = gpla("questions", "--out", str(out), folder=tmp_path)
    rows = pd.read_csv(out)
    assert "60 questions" in told
    assert list(rows.columns) == ["question_id", "question"] and len(rows) == 60
    values = questions().set_index("question_id")["value"]
    assert values[rows["question_id"]].is_unique
    assert rows["question"].str.endswith("?").all()
    with pytest.raises(StudyError, match="124 questions: expected 1 to 123"):
        first_questions(124)


def test_a_study_is_administered_under_each_of_its_profiles() -> None:
    asked = administration("demo_texts")
    prompts = profiles().set_index("profile")["prompt"]
    assert len(asked) == 21 * 60 == len({one.id for one in asked})
    assert {one.system for one in asked} == set(prompts)
    assert asked[0].system == prompts[asked[0].profile]
    own = [one for one in asked if one.profile == "Default"]
    assert [one.question_id for one in own] == [one.question_id for one in first_questions(60)]


TASK = """
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model
def reply(number):
    made = ModelOutput.from_content("mockllm/model", f"Honesty matters to me, {number}.")
    made.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # else it downloads
    return made
replies = [reply(number) for number in range(6)]
model = get_model("mockllm/model", custom_outputs=replies, memoize=False)
logs = eval("gpla/values", model=model, epochs=2, task_args={"questions": 3},
            log_dir="logs", log_format="json", display="none")
print(logs[0].status, len(logs[0].samples))
"""


@pytest.mark.skipif(
    importlib.util.find_spec("inspect_ai") is None or not entry_points(group="inspect_ai"),
    reason="gpla[inspect] is not installed",
)
@pytest.mark.slow
def test_inspect_asks_the_questions_and_its_log_is_read_as_they_were_asked(tmp_path: Path) -> None:
    from gpla_assets.sources.recorded import read_answers

    done = subprocess.run(
        [sys.executable, "-c", TASK],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["success", "6"], done.stdout + done.stderr
    (log,) = (tmp_path / "logs").glob("*.json")
    assert json.loads(log.read_text("utf-8"))["eval"]["task"] == "gpla/values"
    found = read_answers(log).frame
    asked = first_questions(3)
    assert sorted(found["question_id"]) == sorted([one.question_id for one in asked] * 2)
    assert set(found["question"]) == {one.question for one in asked}
    assert sorted(found["sample"]) == [1, 1, 1, 2, 2, 2]
    assert set(found["profile"]) == {"Default"}
    assert set(found["answer"]) == {f"Honesty matters to me, {number}." for number in range(6)}
