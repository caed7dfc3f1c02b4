"""Adding an LLM makes its own partitions and the aggregates, and nothing else."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from gpla_assets.storage import relation
from tests.conftest import Ran, gpla

AFTER_CORRELATIONS = {
    *("factors", "stability", "factor_names", "schwartz_relations", "cfa_fits"),
    *("probes", "consistency", "direct_lexicon"),
    *("targets", "target_checks"),
}
OF_ALL_SUBJECTS = {
    *("subjects", "value_estimates", "value_correlations", "criteria", "coverage", "validity"),
    "generalizability",
}


@pytest.fixture(scope="module")
def added(small: Ran, tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The small study with one more LLM."""
    folder = tmp_path_factory.mktemp("added")
    shutil.copytree(small.folder, folder, dirs_exist_ok=True)
    with duckdb.connect(str(folder / "small.duckdb"), read_only=True) as connection:
        questions = [
            row[0]
            for row in connection.execute("select content from evidence.questions").fetchall()
        ]
    responses = folder / "new.jsonl"
    # enough attitudes that some concern a value of the lexicon, whichever values it has
    answer = (
        "You should always be honest. It is important to respect other people. "
        "Keep a healthy balance between work and rest. Taking risks is worth it. "
        "Strive to achieve your goals. We must fight for social justice. "
    )
    with responses.open("w", encoding="utf-8") as file:
        for number, question in enumerate(questions):
            said = answer + f"Never give up after {number} failures."
            file.write(json.dumps({"instruction": question, "output": said}) + "\n")
    output = gpla(
        *("add-llm", "new-llm", "--responses", str(responses), "--study", small.study),
        folder=folder,
    )
    return Ran(folder, output, small.study)


def runs(folder: Path) -> dict[tuple[str, str], tuple[str, int]]:
    with duckdb.connect(str(folder / "small.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select asset, partition_key, finished_at, inferences from internal.runs"
        ).fetchall()
    return {(asset, key): (str(finished), inferences) for asset, key, finished, inferences in rows}


def test_only_the_new_partitions_and_the_aggregates_are_made(small: Ran, added: Ran) -> None:
    before, after = runs(small.folder), runs(added.folder)
    new = {key for key in after if key not in before}
    changed = {key[0] for key in before if before[key] != after[key]}
    assert new == {
        (asset, "new-llm|Default")
        for asset in (
            "responses",
            "subject_perceptions",
            "measurements",
        )
    }
    assert changed == OF_ALL_SUBJECTS | AFTER_CORRELATIONS


def test_no_model_runs_on_the_others_texts(small: Ran, added: Ran) -> None:
    after = runs(added.folder)
    with duckdb.connect(str(added.folder / "small.duckdb"), read_only=True) as connection:
        own = connection.execute(
            "select count(distinct content) from evidence.perceptions "
            "where subject_id = 'new-llm|Default'"
        ).fetchone()
    assert own is not None
    parsed = after["subject_perceptions", "new-llm|Default"][1]
    assert own[0] <= parsed <= 7 * 10  # seven sentences an answer


def test_the_new_llm_is_measured_and_scored(added: Ran) -> None:
    with duckdb.connect(str(added.folder / "small.duckdb"), read_only=True) as connection:
        for table in ("responses", "measurements", "expressions", "factor_scores"):
            row = connection.execute(
                f"select count(*) from {relation(table)} where subject_id = 'new-llm|Default'"
            ).fetchone()
            assert row is not None
            assert row[0] > 0, table
    assert "answers to 10 of 10 questions" in added.output


def test_an_llm_that_is_removed_leaves_everything_and_comes_back_whole(
    small: Ran, added: Ran, tmp_path: Path
) -> None:
    shutil.copytree(added.folder, tmp_path, dirs_exist_ok=True)
    output = gpla("remove-llm", "new-llm", "--study", small.study, folder=tmp_path)
    assert "its answers were moved to" in output
    own = ("responses", "perceptions", "measurements", "expressions", "factor_scores")
    with duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as connection:
        for table in own:
            sql = f"select count(*) from {relation(table)} where subject_id = 'new-llm|Default'"
            assert connection.execute(sql).fetchone() == (0,), table
    assert not [key for key in runs(tmp_path) if key[1] == "new-llm|Default"]
    assert "Nothing is stale" in gpla("status", small.study, "--exit-code", folder=tmp_path)
    told = gpla("remove-llm", "new-llm", "--study", small.study, folder=tmp_path, expected=1)
    assert "was not added to study small" in " ".join(told.split())
    command = ("add-llm", "new-llm", "--responses", str(added.folder / "new.jsonl"))
    gpla(*command, "--study", small.study, folder=tmp_path)
    with (
        duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as now,
        duckdb.connect(str(added.folder / "small.duckdb"), read_only=True) as before,
    ):
        for table in own:
            sql = f"from {relation(table)} order by all"
            assert now.execute(sql).fetchall() == before.execute(sql).fetchall(), table


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("llm-00", {"instruction": "q", "output": "a"}, "one of the study's own"),
        ("a\tb", {"instruction": "q", "output": "a"}, "LLM name"),
        ("other", {"instruction": "no such question", "output": "a"}, "none of its 1 questions"),
        ("other", {"asked": "q", "output": "a"}, "none of its 0 questions"),
    ],
)
def test_answers_that_cannot_be_added_are_refused(
    small: Ran, tmp_path: Path, name: str, line: dict[str, str], message: str
) -> None:
    responses = tmp_path / "bad.jsonl"
    responses.write_text(json.dumps(line) + "\n")
    output = gpla(
        *("add-llm", name, "--responses", str(responses), "--study", small.study),
        folder=small.folder,
        expected=1,
    )
    assert message in " ".join(output.split())


def test_a_changed_threshold_makes_only_what_depends_on_it(small: Ran, tmp_path: Path) -> None:
    shutil.copytree(small.folder, tmp_path, dirs_exist_ok=True)
    study = tmp_path / "small.yaml"
    text = Path(small.study).read_text("utf-8")
    study.write_text(text.replace("n_factors: 2", "n_factors: 3"), "utf-8")
    output = gpla("status", str(study), folder=tmp_path)
    assert "settings changed: structure" in output
    assert "measurements" not in output.split()
    gpla("run", str(study), folder=tmp_path)
    before, after = runs(small.folder), runs(tmp_path)
    assert {key[0] for key in before if before[key] != after[key]} == AFTER_CORRELATIONS
    # the system that was there stays, and is compared with the new one
    with duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as connection:
        systems = connection.execute(
            "select system_id from analysis.value_systems order by made_at"
        ).fetchall()
        compared = connection.execute(
            "select distinct system_id, other_id from analysis.system_congruence"
        )
        assert compared.fetchall() == [(systems[1][0], systems[0][0])]
    frozen = study.read_text("utf-8").replace(
        "n_factors: 3", f"n_factors: 3, frozen: {systems[0][0]}"
    )
    study.write_text(frozen, "utf-8")
    gpla("run", str(study), folder=tmp_path)
    with duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as connection:
        scored = connection.execute(
            "select system_id, count(distinct subject_id), count(distinct factor) "
            "from analysis.frozen_scores group by system_id"
        ).fetchall()
        assert scored == [(systems[0][0], 8, 2)]
        assert connection.execute("select count(*) from analysis.value_systems").fetchone() == (2,)
    study.write_text(frozen.replace(systems[0][0], "nosuchsystem"), "utf-8")
    output = gpla("run", str(study), folder=tmp_path, expected=1)
    assert "structure.frozen = 'nosuchsystem': expected the key of a stored" in " ".join(
        output.split()
    )


def test_two_runs_at_once_with_a_reader_both_end_well(small: Ran, tmp_path: Path) -> None:
    shutil.copytree(small.folder, tmp_path, dirs_exist_ok=True)
    study = tmp_path / "small.yaml"
    text = Path(small.study).read_text("utf-8")
    study.write_text(text.replace("n_factors: 2", "n_factors: 3"), "utf-8")
    command = [str(Path(sys.executable).with_name("gpla")), "run", str(study)]
    environment = os.environ | {"GPLA_WAREHOUSE_DIR": str(tmp_path)}
    with duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as reader:
        both = [
            subprocess.Popen(
                command,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
            for _ in range(2)
        ]
        outputs = [process.communicate(timeout=300)[0] for process in both]
        row = reader.execute("select count(*) from analysis.reliabilities").fetchone()
        assert row is not None
        assert row[0] <= 2  # the reader still sees the copy that it opened
    assert [process.returncode for process in both] == [0, 0], outputs
    with duckdb.connect(str(tmp_path / "small.duckdb"), read_only=True) as connection:
        row = connection.execute("select count(distinct factor) from analysis.loadings").fetchone()
    assert row == (3,)
