"""Studies: what ships is valid, and what is wrong is refused by key, value and what is allowed."""

import pytest

from gpla_assets.studies import SHIPPED, StudyError, load_study, parse_study

MINIMAL = "name: mine\ncorpus: [{source: demo}]\nsubjects: [{source: demo}]\n"


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_studies_are_valid(name: str) -> None:
    assert load_study(name).name == name


def test_the_paper_study_has_the_papers_setting() -> None:
    study = load_study("paper")
    assert len(study.subjects[0].llms or []) == 33
    assert study.questions.count == 123
    assert study.structure.n_factors == 5
    assert {item.source: item.sample for item in study.corpus}["beavertails"] == 3012


@pytest.mark.parametrize(
    ("addition", "message"),
    [
        ("lexikon: {}", r"lexikon: there is no such setting; nearest: lexicon"),
        ("lexicon: {cosine_threshold: 1.4}", r"lexicon.cosine_threshold = 1.4: .*less than or"),
        ("seed: many", r"seed = 'many': .*integer"),
        ("parser: {minimum_attitude: -0.1}", r"parser.minimum_attitude = -0.1: .*greater"),
        ("questions: {origin: elsewhere}", r"questions.origin = 'elsewhere': .*'project'"),
    ],
)
def test_a_wrong_setting_is_named_with_its_value(addition: str, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        parse_study(MINIMAL + addition, "mine.yaml")


def test_an_unknown_study_names_those_that_ship() -> None:
    with pytest.raises(
        StudyError, match="expected one of demo, survey, speechmap, alignment, paper, demo_texts or"
    ):
        load_study("nothing")


@pytest.mark.parametrize("text", ["- a\n- b", "a: [", ""])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    with pytest.raises(StudyError):
        parse_study(text, "mine.yaml")


def test_a_users_study_is_read_from_its_path(tmp_path) -> None:  # type: ignore[no-untyped-def]
    path = tmp_path / "mine.yaml"
    path.write_text(MINIMAL, "utf-8")
    assert load_study(str(path)).warehouse_path.name == "mine.duckdb"
