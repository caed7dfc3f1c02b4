"""Studies that are made of a user's answers, and lists of values in the place of a corpus."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpla_assets.content import ContentError, value_list, vocabulary
from gpla_assets.studies import StudyError, load_study
from gpla_assets.studies.own_study import OwnStudy, study_name, study_text, write_study


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("answers.jsonl", "answers"),
        ("My Answers (v2).csv.gz", "my_answers_v2"),
        ("2024-logs.eval", "answers_2024_logs"),
        ("…", "answers"),
        # a user's own must not share the warehouse of what ships
        ("demo.jsonl", "my_demo"),
    ],
)
def test_a_study_is_named_after_its_first_file(file: str, expected: str) -> None:
    assert study_name(None, [Path(file), Path("other.csv")]) == expected


@pytest.mark.parametrize("name", ["demo", "survey", "Mine", "a b", "", "1a"])
def test_names_that_ship_or_are_none_are_refused(name: str) -> None:
    with pytest.raises(StudyError, match="--name"):
        study_name(name, [Path("a.csv")])


def test_the_study_s_file_is_read_back_as_it_was_asked_for(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    own = OwnStudy("mine", [tmp_path / "a.csv"], "schwartz", {"llm": "who"}, "accurate", "2 LLMs")
    path = write_study(own, tmp_path)
    study = load_study(str(path))
    assert study.subjects[0].columns == {"llm": "who"}
    assert study.subjects[0].file == tmp_path / "a.csv"
    assert "a.csv" in path.read_text() and str(tmp_path) not in path.read_text()
    assert (study.lexicon.values, study.evaluator.mode) == ("schwartz", "accurate")
    assert study.questions.origin == "source" and not study.corpus
    # the same answers again go on where they ended; another study's file is not lost
    assert write_study(own, tmp_path) == path
    other = OwnStudy("mine", [tmp_path / "a.csv"], "paper")
    with pytest.raises(StudyError, match="another study"):
        write_study(other, tmp_path)
    assert load_study(str(path)).lexicon.values == "schwartz"


def test_values_can_be_drawn_from_the_answers_themselves(tmp_path: Path) -> None:
    text = study_text(OwnStudy("mine", [tmp_path / "a.csv"], "auto"), tmp_path)
    (tmp_path / "mine.yaml").write_text(text)
    study = load_study(str(tmp_path / "mine.yaml"))
    assert study.corpus[0].file == study.subjects[0].file == tmp_path / "a.csv"
    assert study.lexicon.values is None and study.lexicon.size == 35


def test_a_study_is_found_by_its_name_where_its_file_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(OwnStudy("mine", [tmp_path / "a.csv"]), tmp_path)
    monkeypatch.chdir(tmp_path)
    assert load_study("mine").name == "mine"


def test_values_come_from_a_corpus_or_a_list_and_not_from_both(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    subjects = "name: mine\nsubjects: [{backend: recorded, source: demo}]\n"
    for more, found in (
        ("", "neither is"),
        ("corpus: [{source: demo}]\nlexicon: {values: paper}\n", "both are given"),
    ):
        path.write_text(subjects + more)
        with pytest.raises(StudyError, match=found):
            load_study(str(path))


def test_lists_of_values_have_definitions(tmp_path: Path) -> None:
    paper, ten = value_list("paper"), value_list("schwartz")
    assert len(paper) == 92 and len(ten) == 10
    assert (paper["definition"] != "").all() and (ten["definition"] != "").all()
    own = tmp_path / "values.csv"
    own.write_text("value,definition\nhonesty,\nGrit,to go on\nZorp,\n,nothing\n")
    rows = value_list(str(own))
    known = vocabulary().set_index("value")["definition"]
    assert list(rows["value"]) == ["honesty", "Grit", "Zorp"]
    assert list(rows["definition"]) == [known["Honesty"], "to go on", ""]


@pytest.mark.parametrize("text", ["a,b\n1,2\n", "value\n", "value\nA\na\n", "value\n \n"])
def test_lists_that_are_none_are_refused_by_their_file(tmp_path: Path, text: str) -> None:
    own = tmp_path / "values.csv"
    own.write_text(text)
    with pytest.raises(ContentError, match=r"values\.csv"):
        value_list(str(own))
