"""Places: relative paths begin at the study's file, whatever the current folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel
from typer.testing import CliRunner

from gpla_assets.cli import app
from gpla_assets.orchestration import ui
from gpla_assets.orchestration.hashes import MISSING
from gpla_assets.orchestration.inputs import RESOLVERS
from gpla_assets.orchestration.readiness import readiness
from gpla_assets.orchestration.versions import Versions
from gpla_assets.studies import (
    Study,
    StudyError,
    child_environment,
    dagster_yaml,
    data_dir,
    dbt_folder,
    load_study,
    places,
    sql_folder,
    warehouse_folder,
)

STUDY = """
name: beside
corpus: [{source: table, file: texts.jsonl}]
subjects:
  - {source: table, file: answers/all.jsonl}
  - {backend: transformers, llms: [./llama, gpt2], file: ./other.jsonl}
  - {backend: openai, llms: [./served], model: ./served}
profiles_file: profiles.yaml
questions: {file: ../shared/questions.csv}
parser: {backend: transformers, model: ./llama}
systems: [systems/mine.yaml]
probe: {criteria: [{source: file, file: scores.csv}]}
validation: {conversations: alpaca_eval, conversations_file: talks.json, direct_file: named.csv}
targets: {source: pairs, file: pairs.csv}
alignment: {policy: ~/policy, prompts: file, prompts_file: prompts.txt, held_out: held.csv}
"""
FILES = (
    "a/texts.jsonl",
    "a/answers/all.jsonl",
    "a/other.jsonl",
    "a/profiles.yaml",
    "shared/questions.csv",
    "a/systems/mine.yaml",
    "a/scores.csv",
    "a/talks.json",
    "a/named.csv",
    "a/pairs.csv",
    "a/prompts.txt",
    "a/held.csv",
)
"""Every path setting that a study has, as the file that it names in STUDY."""


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder a with a study and its files; the current folder is b, beside it."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        # a row that any of them may hold
        row = '{"llm": "llm", "question_text": "Why?", "content": "So."}'
        (tmp_path / name).write_text(row + "\n", "utf-8")
    profiles = "profiles: [{profile: Default, prompt: Answer.}]\n"
    (tmp_path / "a/profiles.yaml").write_text(profiles, "utf-8")
    (tmp_path / "a" / "beside.yaml").write_text(STUDY, "utf-8")
    (tmp_path / "b").mkdir()
    monkeypatch.chdir(tmp_path / "b")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "a"


def paths_of(settings: Any) -> set[Path]:
    """All paths among settings, however deep."""
    if isinstance(settings, Path):
        return {settings}
    if isinstance(settings, BaseModel):
        settings = [getattr(settings, name) for name in type(settings).model_fields]
    if isinstance(settings, dict):
        settings = list(settings.values())
    return set().union(*map(paths_of, settings)) if isinstance(settings, list) else set()


def path_settings(kind: type[BaseModel], where: str = "") -> set[str]:
    """Names of the settings that are paths, of a group and all groups within it."""

    def types(annotation: Any) -> set[Any]:
        return {annotation}.union(*map(types, get_args(annotation)))

    found = set()
    for name, setting in kind.model_fields.items():
        for one in types(setting.annotation):
            if one is Path:
                found.add(f"{where}{name}")
            elif isinstance(one, type) and issubclass(one, BaseModel):
                found |= path_settings(one, f"{where}{name}.")
    return found


def test_every_path_of_a_study_begins_at_its_own_folder(beside: Path) -> None:
    study = load_study("../a/beside.yaml")
    found = paths_of(study)
    assert all(path.is_absolute() for path in found)
    assert {path.resolve() for path in found} == {beside.parent / name for name in FILES}
    # one file for each setting that there is: a new one must come into STUDY
    assert len(path_settings(Study)) == len(FILES) - 1  # two subjects


def test_folders_of_models_begin_there_too_and_names_stay_names(beside: Path) -> None:
    study = load_study("../a/beside.yaml")
    assert study.parser.model == str(beside / "llama")
    assert study.subjects[1].llms == [str(beside / "llama"), "gpt2"]
    assert study.subjects[2].llms == ["./served"]
    assert study.subjects[2].model == "./served"
    assert study.alignment.policy == str(beside.parent / "home" / "policy")


def test_what_a_study_reads_is_found_from_another_folder(beside: Path) -> None:
    study = load_study("../a/beside.yaml")
    ready = {line.what: line.ready for line in readiness(study)}
    for what in ("source table", "answers table", "criterion file", "preferences pairs"):
        assert ready[what], what
    assert ready["conversations alpaca_eval"]
    assert ready["prompts file"]
    found = {name: resolve(study) for name, resolve in RESOLVERS.items()}
    # its values come from its corpus, not from a list
    assert [name for name, hashes in found.items() if not hashes] == ["values"]
    for name, hashes in found.items():
        assert MISSING not in hashes.values(), name


def test_check_and_status_take_a_relative_study(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", "made")
    checked = CliRunner().invoke(app, ["check", "../a/beside.yaml"])
    assert str(beside / "texts.jsonl") in checked.output
    shown = CliRunner().invoke(app, ["status", "../a/beside.yaml"])
    assert shown.exit_code == 0, shown.output


def test_a_study_moved_with_its_files_is_as_fresh_as_before(beside: Path) -> None:
    before = load_study("../a/beside.yaml")
    implied = Versions(before).expected(["llm|Default"])
    moved = beside.rename(beside.parent / "c")
    after = load_study(str(moved / "beside.yaml"))
    assert after.corpus[0].file == moved / "texts.jsonl"
    assert after.bearing("corpus", "alignment") == before.bearing("corpus", "alignment")
    again = Versions(after).expected(["llm|Default"])
    # a model in a folder is named by its path: of such an LLM the subjects are others now
    for step in ("texts", "questions", "lexicon", "preferences"):
        assert again[step, ""] == implied[step, ""], step
    assert again["responses", "llm|Default"] == implied["responses", "llm|Default"]


def test_folders_of_the_environment_are_absolute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", "made/here")
    monkeypatch.setenv("GPLA_DATA_DIR", "~/data")
    assert warehouse_folder() == tmp_path / "made" / "here"
    assert data_dir() == tmp_path / "home" / "data"
    monkeypatch.setenv("GPLA_DATA_DIR", "")
    assert data_dir() is None


def test_a_child_process_is_given_absolute_paths(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", "made")
    monkeypatch.setenv("GPLA_DATA_DIR", "data")
    given = child_environment("../a/beside.yaml")
    assert load_study(given["GPLA_STUDY"]).name == "beside"
    assert all(os.path.isabs(path) for path in given.values())
    assert child_environment("demo")["GPLA_STUDY"] == "demo"


def test_the_ui_is_started_with_absolute_paths(
    beside: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", "made")
    monkeypatch.setenv("DAGSTER_HOME", "")  # restored afterwards: the command sets it
    started: dict[str, Any] = {}

    def run(command: list[str], environment: dict[str, str], folder: Path) -> int:
        started.update(env=environment, command=command)
        return 0

    monkeypatch.setattr(ui, "run_until_stopped", run)
    shown = CliRunner().invoke(app, ["ui", "../a/beside.yaml"])
    assert shown.exit_code == 0, shown.output
    for name in ("GPLA_STUDY", "GPLA_WAREHOUSE_DIR", "DAGSTER_HOME"):
        assert os.path.isabs(started["env"][name]), name
    assert "gpla_assets.definitions" in started["command"]
    assert not any("workspace" in part for part in started["command"])


def test_a_study_that_cannot_be_read_is_an_error_not_a_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StudyError, match="is a folder"):
        load_study(str(tmp_path))
    latin = tmp_path / "latin.yaml"
    latin.write_bytes("name: é".encode("latin-1"))
    with pytest.raises(StudyError, match="byte 6 of the file is not UTF-8"):
        load_study(str(latin))
    with pytest.raises(StudyError, match="No study"):
        load_study(str(latin / "below.yaml"))
    for name in ("a\0b", "x" * 5000):
        with pytest.raises(StudyError, match="cannot be read"):
            load_study(name)

    def refused(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refused)
    with pytest.raises(StudyError, match=r"cannot be read \(Permission denied\)"):
        load_study(str(latin))


def test_what_ships_is_found_in_the_package_or_else_in_the_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (dbt_folder() / "dbt_project.yml").is_file()
    assert list(sql_folder().glob("*.sql"))
    assert dagster_yaml().is_file()
    for name in ("_dbt", "_sql"):
        (tmp_path / "gpla_assets" / name).mkdir(parents=True)
    monkeypatch.setattr(places, "PACKAGE", tmp_path / "gpla_assets")
    monkeypatch.delenv("GPLA_WAREHOUSE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert dbt_folder() == tmp_path / "gpla_assets" / "_dbt"
    assert dagster_yaml() == tmp_path / "dagster.yaml"
    assert warehouse_folder() == tmp_path / "warehouse"


HEAVY = ("torch", "sklearn", "scipy", "dagster", "transformers", "statsmodels")


@pytest.mark.parametrize("arguments", [["--help"], ["query", "list"], ["query", "no_such_query"]])
def test_a_quick_command_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom gpla_assets.cli import app\n"
        f"try:\n    app({arguments})\nfinally:\n"
        f"    print('heavy:', [name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "heavy: []" in done.stdout, done.stdout[-500:] + done.stderr[-500:]
