"""Adding LLMs by their answers, of any name and in any form, and removing them again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Ran, gpla

NAME = ".org/model:free|β 2"
REFUSAL = "I'm sorry, but I can't help with that."


@pytest.fixture(scope="module")
def asked(quick: Ran) -> list[str]:
    with duckdb.connect(str(quick.folder / "quick.duckdb"), read_only=True) as connection:
        found = connection.execute("select content from evidence.questions").fetchall()
    return [str(content) for (content,) in found]


@pytest.fixture(scope="module")
def added(quick: Ran, asked: list[str], tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The quick study with an LLM whose answers think, refuse, come twice, and in Spanish."""
    folder = tmp_path_factory.mktemp("added")
    shutil.copytree(quick.folder, folder, dirs_exist_ok=True)
    said = "I believe that honesty matters, and I would rather tell the truth than be liked."
    lines = [
        *({"question": f"{text}\n", "response": f"<think>I love lies.</think>{said}", "epoch": 1}
          for text in asked),
        {"question": asked[0], "response": [{"type": "text", "text": said}], "epoch": 2},
        {"question": asked[1], "response": REFUSAL, "epoch": 2},
        {"question": asked[2], "response": "Creo que la honestidad es muy importante.", "epoch": 2},
        {"question": asked[3], "response": "<think>I could", "epoch": 2},
        {"question": asked[4], "response": None},
        {"question": "Another one?", "response": said},
    ]  # fmt: skip
    file = folder / "answers.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    command = ("add-llm", NAME, "--responses", str(file), "--study", quick.study)
    return Ran(folder, gpla(*command, folder=folder), quick.study)


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(folder / "quick.duckdb"), read_only=True) as connection:
        return connection.execute(sql).fetchall()


def test_what_was_read_and_skipped_is_said(added: Ran, asked: list[str]) -> None:
    said = " ".join(added.output.split())
    assert "skipped 1 (empty)" in said and "1 refusals" in said
    assert f"{NAME}: {len(asked) + 4} answers to {len(asked)} of {len(asked)} questions" in said


def test_an_llm_of_any_name_is_measured(added: Ran) -> None:
    key = ".org/model:free%7Cβ 2|Default"
    found = rows(added.folder, f"select llm from evidence.subjects where subject_id = '{key}'")
    assert found == [(NAME,)]
    measured = f"select count(*) from evidence.measurements where subject_id = '{key}'"
    assert rows(added.folder, measured)[0][0] > 0


def test_only_what_was_said_is_parsed(added: Ran) -> None:
    found = rows(
        added.folder,
        f"select answer, reasoning, refused, finish, language from evidence.responses r "
        f"join evidence.subjects using (subject_id) where llm = '{NAME}' and r.sample = 2 "
        "order by answer",
    )
    assert found[0][:3] == ("", "I could", False)
    assert (REFUSAL, None, True, None, "en") in found
    assert "es" in {row[4] for row in found}
    perceived = rows(
        added.folder,
        "select distinct p.content from evidence.perceptions p join evidence.subjects using "
        f"(subject_id) where llm = '{NAME}'",
    )
    assert perceived and not any(
        "lies" in str(text) or "sorry" in str(text) for (text,) in perceived
    )


def test_refusals_and_languages_are_counted_by_llm(added: Ran, asked: list[str]) -> None:
    found = rows(
        added.folder,
        "select n_answers, n_refused, n_without_answer, languages from marts.llm_answers "
        f"where llm = '{NAME}'",
    )
    assert found == [(len(asked) + 4, 1, 1, "es 1")]


def test_the_same_name_replaces_and_leaves(added: Ran, asked: list[str], tmp_path: Path) -> None:
    shutil.copytree(added.folder, tmp_path, dirs_exist_ok=True)
    file = tmp_path / "newer.csv"
    file.write_text(f'question;response\n"{asked[0]}";"I love freedom."\n', "utf-8")
    command = ("add-llm", NAME, "--responses", str(file), "--study", added.study)
    assert "in the place of those that were added before" in gpla(*command, folder=tmp_path)
    own = (
        "select answer from evidence.responses join evidence.subjects using (subject_id) "
        f"where llm = '{NAME}'"
    )
    assert rows(tmp_path, own) == [("I love freedom.",)]
    gpla("remove-llm", NAME, "--study", added.study, folder=tmp_path)
    assert rows(tmp_path, own) == []
