"""Administration: corpus texts, subjects, questions and answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import profiles, questions, schwartz
from gpla_assets.orchestration import inputs
from gpla_assets.orchestration.hashes import MISSING
from gpla_assets.sources.said import Said
from gpla_assets.studies import (
    Study,
    StudyError,
    SubjectSource,
    dbt_folder,
    load_study,
    parse_study,
)
from gpla_assets.subjects import (
    answered,
    answers_as_source,
    choose_questions,
    corpus_texts,
    responses,
    study_subjects,
)
from tests.conftest import gpla
from tests.fault_server import FaultServer

ANSWERS = [
    ("m1", "q1", "one"),
    ("m1", "q2", "two"),
    ("m2", "q1", "three"),
    ("m2", "q2", " "),
]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    file = tmp_path / "answers.jsonl"
    rows = [dict(zip(("llm", "question_text", "content"), row, strict=True)) for row in ANSWERS]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    text = f"""
name: tiny
corpus: [{{source: table, file: {file}}}]
subjects: [{{source: table, file: {file}}}]
questions: {{origin: source}}
"""
    return parse_study(text, "tiny")


def test_corpus_texts_have_keys_that_depend_on_what_they_are(study: Study) -> None:
    first, skipped = corpus_texts(study)
    again, _ = corpus_texts(study)
    assert skipped == {"table: empty": 1}
    assert first["text_id"].is_unique
    pd.testing.assert_frame_equal(first, again)


def test_a_sample_is_seeded(study: Study) -> None:
    sampled = study.model_copy(
        update={"corpus": [study.corpus[0].model_copy(update={"sample": 2})], "seed": 3}
    )
    first, again = corpus_texts(sampled)[0], corpus_texts(sampled)[0]
    assert len(first) == 2
    assert first["text_id"].tolist() == again["text_id"].tolist()


def test_subjects_are_llms_under_profiles(study: Study) -> None:
    llms, used, subjects = study_subjects(study)
    assert llms["llm"].tolist() == ["m1", "m2"]
    assert used["profile"].tolist() == ["Default"]
    assert subjects["subject_id"].tolist() == ["m1|Default", "m2|Default"]


def test_an_llm_or_profile_that_does_not_exist_is_named(study: Study) -> None:
    source = study.subjects[0]
    for wrong, message in (({"llms": ["m9"]}, "'m9'"), ({"profiles": ["Bold"]}, "'Bold'")):
        changed = study.model_copy(update={"subjects": [source.model_copy(update=wrong)]})
        with pytest.raises(StudyError, match=message):
            study_subjects(changed)


def test_the_projects_questions_come_in_their_order() -> None:
    rows, inferences = choose_questions(load_study("demo"))
    assert rows["question_id"].tolist() == questions()["question_id"].head(60).tolist()
    assert inferences == 0


def test_recorded_answers_are_found_by_their_questions_wording(study: Study) -> None:
    asked = pd.DataFrame({"question_id": ["k1", "k2", "k3"], "content": ["q1", "q2", "q3"]})
    given = answered(study, ["m1|Default", "m2|Default"], asked)
    assert given.rows["answer"].tolist() == ["one", "two", "three"]
    assert given.skipped == {"question without an answer": 3}
    assert given.inferences == 0


class Parrot:
    """A subject that says back its prompt."""

    name, model, has_system_role = "parrot", "parrot-1", False

    def __init__(self) -> None:
        self.inferences = 0

    def answer(
        self, system_prompt: str, asked: Sequence[str], progress: Callable[[int], None], sample: int
    ) -> list[Said]:
        self.inferences += len(asked)
        progress(len(asked))
        return [Said(f"{system_prompt} / {question}") for question in asked]


def test_generated_answers_say_where_the_profile_stood(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(responses, "make_subject", lambda source, llm, asking: Parrot())
    study = load_study("demo_texts")
    asked = pd.DataFrame({"question_id": ["k1"], "content": ["q1"]})
    subjects = [f"SmolLM2-135M-Instruct|{name}" for name in profiles()["profile"].head(2)]
    given = answered(study, subjects, asked)
    prompts = profiles()["prompt"].tolist()
    assert given.rows["answer"].tolist() == [f"{prompt} / q1" for prompt in prompts[:2]]
    assert given.rows["profile_role"].tolist() == ["question", "question"]
    assert given.inferences == 2
    source = answers_as_source(given.rows, asked)
    assert source["profile"].tolist() == sorted(profiles()["profile"].head(2))
    assert set(source["question_text"]) == {"q1"}


def test_the_content_is_what_the_paper_counts() -> None:
    table = pd.read_csv(Path(__file__).parents[1] / "data" / "table10_loadings.csv")
    from gpla_assets.content import vocabulary

    assert len(profiles()) == 21
    assert len(questions()) == 123
    assert set(table["value"]) <= set(vocabulary()["value"])
    assert len(vocabulary()) == vocabulary()["value"].nunique() == 701


def test_a_users_profiles_and_questions_take_the_place_of_the_shipped(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(
        "profiles:\n- [Default, '']\n- [Stoic, You bear things calmly.]\n", "utf-8"
    )
    (tmp_path / "q.csv").write_text(
        "question_id,value,question\nx1,Calm,Should I mind the noise?\n", "utf-8"
    )
    study = load_study("demo_texts")
    changed = study.model_copy(
        update={
            "profiles_file": tmp_path / "p.yaml",
            "questions": study.questions.model_copy(update={"file": tmp_path / "q.csv"}),
        }
    )
    rows, _ = choose_questions(changed)
    assert rows[["question_id", "value", "content"]].to_numpy().tolist() == [
        ["x1", "Calm", "Should I mind the noise?"]
    ]
    _, known, subjects = study_subjects(changed)
    assert list(known["profile"]) == ["Default", "Stoic"]
    assert set(subjects["profile"]) == {"Default", "Stoic"}
    for resolve in (inputs.profiles, inputs.questions):
        assert resolve(study) != resolve(changed)
        assert MISSING not in resolve(changed).values()


@pytest.mark.slow
def test_a_study_asks_generated_questions(tmp_path: Path) -> None:
    question = "My flat is so noisy that I cannot think. Should I move out, or should I bear it?"
    (tmp_path / "values.csv").write_text("value\nCalm\nHonesty\n", "utf-8")
    with FaultServer(reply=lambda asked: json.dumps({"question": question})) as server:
        command = ["generate-questions", str(tmp_path / "values.csv"), "--model", "m"]
        command += ["--base-url", server.url, "--out", str(tmp_path / "q.csv")]
        output = gpla(*command, folder=tmp_path)
        asked = len(server.asked)
        gpla(*command, folder=tmp_path)
        assert len(server.asked) == asked
    assert "1 of 2 questions" in output  # the second is a repetition, however often it is asked
    assert "no question for Honesty" in output
    made = questions(tmp_path / "q.csv")
    assert made[["value", "question"]].to_numpy().tolist() == [["Calm", question]]


def test_schwartzs_ten_values_stand_in_the_circle_under_the_four() -> None:
    rows = schwartz()
    lower, higher = rows[rows.level == "lower"], rows[rows.level == "higher"]
    table = pd.read_csv(dbt_folder() / "seeds" / "paper_schwartz_correlations.csv")
    assert set(lower.value) == set(table.schwartz_value)
    assert set(lower.higher) == set(higher.value) and len(higher) == 4
    assert lower.set_index("value").higher["Hedonism"] == "Openness to Change"
    assert rows.definition.str.len().gt(15).all()


def test_an_llm_that_has_left_the_study_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    asked = choose_questions(load_study("demo"))[0]
    with pytest.raises(StudyError, match="LLM 'gone' is in none of the study's sources"):
        answered(load_study("demo"), ["gone|Default"], asked)


def test_llms_carry_the_family_that_their_name_tells(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    path.write_text("llm,question_text,content\nvicuna-7b,q,a\nmeta/llama-3-8b,q,b\nmine,q,c\n")
    source = SubjectSource(source="table", file=path)
    study = load_study("demo").model_copy(update={"subjects": [source], "name": "families"})
    llms, _, _ = study_subjects(study)
    found = dict(zip(llms["llm"], llms["family"], strict=True))
    assert found == {"vicuna-7b": "LLaMA", "meta/llama-3-8b": "Llama 3", "mine": None}
