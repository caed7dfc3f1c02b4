"""What a study's file is refused for: one line that names key, value and what is allowed."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gpla_assets.studies import StudyError, load_study, parse_study

LEAST = "name: mine\ncorpus: [{source: demo}]\nsubjects: [{source: demo}]\n"


def refused(text: str, folder: Path | None = None) -> str:
    with pytest.raises(StudyError) as found:
        parse_study(text, "mine.yaml", folder)
    return str(found.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("structure: {rotaton: oblimin}", "structure.rotaton: there is no such setting; nearest"),
        ("evaluater: {mode: fast}", "nearest: evaluator"),
        ("measurement: {rule: gvp}", "measurement.rule = 'gvp'"),
        ("calls: {prices: {m: {promt: 1, completion: 1}}}", "nearest: prompt"),
    ],
)
def test_a_wrong_setting_names_the_nearest_key_and_what_is_allowed(more: str, said: str) -> None:
    assert said in refused(LEAST + more)


def test_a_wrong_key_of_a_subject_names_those_that_a_subject_has() -> None:
    said = refused("name: mine\ncorpus: [{source: demo}]\nsubjects: [{sourc: demo}]\n")
    assert "subjects.0.sourc: there is no such setting; nearest: source" in said
    assert "profiles" in said.split("allowed: ")[1]


def test_long_values_are_cut_and_no_login_or_key_is_told() -> None:
    said = refused(LEAST + f"seed: {'x' * 5000}")
    assert len(said) < 300
    secret = refused(LEAST + "generator: {base_url: ['http://me:secretword@host/v1']}")
    assert "secretword" not in secret and "generator.base_url" in secret
    key = refused(LEAST + "generator: {model: [sk-abcdefghijklmnopqrst]}")
    assert "abcdefgh" not in key


def bomb(levels: int) -> str:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    for level in range(1, levels):
        inside = ", ".join([f"*a{level - 1}"] * 9)
        lines.append(f"a{level}: &a{level} [{inside}]")
    return "\n".join(lines)


@pytest.mark.parametrize("text", [bomb(9), bomb(30), "a: &a [*a]", "[" * 5000])
def test_yaml_that_grows_without_bound_is_refused_at_once(text: str) -> None:
    start = time.process_time()
    said = refused(text)
    assert time.process_time() - start < 5
    assert said.startswith("Study mine.yaml is not YAML: ") and "\n" not in said


def test_aliases_of_a_usual_size_are_read() -> None:
    text = "name: mine\ncorpus: &own [{source: demo}]\nsubjects: *own\n"
    assert parse_study(text, "mine.yaml").subjects[0].source == "demo"


def test_a_study_of_ones_own_cannot_have_a_name_that_ships(tmp_path: Path) -> None:
    said = refused(LEAST.replace("mine", "demo", 1), tmp_path)
    assert "'demo' is a study that ships" in said
    assert load_study("demo").name == "demo"


def test_a_study_that_is_not_there_gets_the_nearest_names() -> None:
    with pytest.raises(StudyError, match="No study 'speachmap': nearest: speechmap; expected"):
        load_study("speachmap")
