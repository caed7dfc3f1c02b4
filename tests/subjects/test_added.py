"""LLMs added by their answers: any name, kept in one form, all samples, and removed again."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.common.keys import subject_key, subject_parts
from gpla_assets.orchestration.inputs import Origins
from gpla_assets.studies import Study, parse_study
from gpla_assets.subjects import AddedAnswersError, add_llm, answered, remove_llm, study_subjects
from gpla_assets.subjects.added import added_files, added_llms
from gpla_assets.subjects.matching import matched, plain_wording, why_none

ASKED = pd.DataFrame(
    {
        "question_id": ["k1", "k2"],
        "content": ["Is it right to lie to a friend?", "What do you owe to strangers?"],
    }
)
NAMES = [
    "org/model:free",
    "a|b",
    "  padded  ",
    "..",
    ".hidden",
    "模型 №1 – β",
    "100% sure...",
    "x" * 300,
    'it\'s "quoted"; drop table llms',
]


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    file = written(tmp_path / "own.jsonl", [("Is it right to lie to a friend?", "No, never.")])
    return parse_study(
        f"name: tiny\ncorpus: [{{source: table, file: {file}}}]\n"
        f"subjects: [{{source: table, file: {file}}}]\n",
        "tiny",
    )


def written(path: Path, pairs: list[tuple[str, object]], **more: object) -> Path:
    rows = [{"question": question, "response": said} | more for question, said in pairs]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_kept_and_found_again(name: str, study: Study, tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [(ASKED["content"][0] + "\n", "I would never lie.")])
    added = add_llm(study, name, file, ASKED)
    plain = name.strip()
    assert (added.llm, added.answers, added.questions, added.replaced) == (plain, 1, 1, False)
    assert list(added_llms(study)) == [plain]
    _, _, subjects = study_subjects(study)
    key = subject_key(plain, "Default")
    assert key in set(subjects["subject_id"]) and subject_parts(key) == (plain, "Default")
    assert not any(mark in key for mark in ("\n", "..."))
    given = answered(study, [key], ASKED)
    assert given.rows[["subject_id", "question_id", "answer"]].to_numpy().tolist() == [
        [key, "k1", "I would never lie."]
    ]
    assert "missing" not in Origins(study).of(key)[1].values()
    remove_llm(study, name)
    assert added_llms(study) == {}


def test_names_with_bars_do_not_collide() -> None:
    assert subject_key("a|b", "c") != subject_key("a", "b|c") != subject_key("a%7Cb", "c")
    for pair in (("a|b", "c"), ("a", "b|c"), ("a%7Cb", "c"), ("gpt-4", "Default")):
        assert subject_parts(subject_key(*pair)) == pair


@pytest.mark.parametrize("name", ["", "  ", "a\nb", "a\x00b", "x" * 301, "\ud83d"])
def test_a_name_that_cannot_be_shown_is_refused(name: str, study: Study, tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [(ASKED["content"][0], "No.")])
    with pytest.raises(AddedAnswersError, match="LLM name"):
        add_llm(study, name, file, ASKED)
    assert added_files(study) == []


def test_the_same_name_replaces_whatever_the_file_was(study: Study, tmp_path: Path) -> None:
    first = tmp_path / "v1.csv"
    first.write_text(f"question,response\n{ASKED['content'][0]},Old.\n")
    assert not add_llm(study, "m", first, ASKED).replaced
    # as an older version kept it
    hand = added_files(study)[0].with_name("m.jsonl")
    written(hand, [(ASKED["content"][0], "By hand.")])
    second = written(tmp_path / "v2.jsonl", [(ASKED["content"][0], "New.")])
    assert add_llm(study, "m", second, ASKED).replaced
    assert len(added_files(study)) == 1
    given = answered(study, ["m|Default"], ASKED)
    assert given.rows["answer"].tolist() == ["New."]


def test_a_file_that_was_put_there_by_hand_is_named_after_its_llm(study: Study) -> None:
    folder = study.warehouse_path.parent / "added" / study.name
    folder.mkdir(parents=True)
    written(folder / "by-hand.v2.jsonl", [(ASKED["content"][0], "By hand.")])
    assert list(added_llms(study)) == ["by-hand.v2"]


def test_all_samples_are_kept_and_what_holds_no_attitudes_is_counted(
    study: Study, tmp_path: Path
) -> None:
    friend, strangers = ASKED["content"]
    pairs = [
        (friend, "<think>I love lies.</think>I would never lie."),
        (friend, "I'm sorry, but I can't help with that."),
        (friend, "Creo que la honestidad es muy importante."),
        (strangers, "<think>I could"),
        (strangers, None),
    ]
    add_llm(study, "m", written(tmp_path / "a.jsonl", pairs), ASKED)
    given = answered(study, ["m|Default"], ASKED)
    rows = given.rows.sort_values(["question_id", "sample"])
    assert rows["sample"].tolist() == [1, 2, 3, 1]
    assert rows["refused"].tolist() == [False, True, False, False]
    assert rows["language"].tolist() == ["en", "en", "es", None]
    assert rows["reasoning"].tolist() == ["I love lies.", None, None, "I could"]
    assert rows["response_id"].is_unique
    assert given.noted == {"refused": 1, "reasoning never ended": 1, "in language es": 1}


def test_of_a_file_of_several_llms_the_one_of_the_name_is_taken(
    study: Study, tmp_path: Path
) -> None:
    file = tmp_path / "all.jsonl"
    rows = [
        {"model": name, "prompt": ASKED["content"][0], "output": f"I am {name}."} for name in "xy"
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(AddedAnswersError, match=r"answers of 2 LLMs, none of the name 'm'.*x, y"):
        add_llm(study, "m", file, ASKED)
    add_llm(study, "y", file, ASKED)
    assert answered(study, ["y|Default"], ASKED).rows["answer"].tolist() == ["I am y."]


def test_profiles_of_the_answers_become_subjects(study: Study, tmp_path: Path) -> None:
    file = tmp_path / "p.jsonl"
    rows = [
        {"prompt": ASKED["content"][0], "output": f"As {name} I say no.", "profile": name}
        for name in ("Bold", "Shy|ish")
    ]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    add_llm(study, "m", file, ASKED)
    _, profiles, subjects = study_subjects(study)
    assert {"m|Bold", "m|Shy%7Cish"} <= set(subjects["subject_id"])
    assert {"Bold", "Shy|ish"} <= set(profiles["profile"])


def test_no_match_says_why(study: Study, tmp_path: Path) -> None:
    file = written(tmp_path / "a.jsonl", [("Question: " + ASKED["content"][0], "No.")])
    with pytest.raises(AddedAnswersError, match="its wordings have 'Question:' around the study's"):
        add_llm(study, "m", file, ASKED)
    assert added_files(study) == []
    near = pd.DataFrame({"question": ["Is it right to lie to friends?"], "question_id": [None]})
    assert "the nearest to its" in why_none(near, ASKED)
    far = pd.DataFrame({"question": ["2 + 2?"], "question_id": [None]})
    assert "it asks e.g. '2 + 2?'" in why_none(far, ASKED)


def test_answers_match_by_wording_and_without_one_by_key() -> None:
    answers = pd.DataFrame(
        {
            "question": [" What do you\nowe to strangers? ", None, None, "Other?"],
            "question_id": [None, "k1", "k9", "k1"],
        }
    )
    assert matched(answers, ASKED).tolist() == ["k2", "k1", None, None]
    assert plain_wording("Cafe\u0301  or\ttea") == "Café or tea"
