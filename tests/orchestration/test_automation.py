"""`gpla ui STUDY --automate`: a file of answers is dropped, and Dagster's daemon does the rest."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import pytest

from tests.conftest import Ran, gpla
from tests.dagster_ui import PATIENCE_S, drop_answers, serving
from tests.report.explored import parts_of

NEW = "new-llm|Default"
PARTITIONS = {(step, NEW) for step in ("responses", "subject_perceptions", "measurements")}
Made = dict[tuple[str, str], tuple[str, int]]


def made(folder: Path) -> Made:
    """When each published partition was made, and how many texts went through a model."""
    with duckdb.connect(str(folder / "quick.duckdb"), read_only=True) as connection:
        rows = connection.execute(
            "select asset, partition_key, finished_at, inferences from internal.runs"
        ).fetchall()
    return {(asset, key): (str(at), inferences) for asset, key, at, inferences in rows}


@pytest.mark.long
def test_a_dropped_file_of_answers_is_followed_to_the_report(quick: Ran, tmp_path: Path) -> None:
    shutil.copytree(quick.folder, tmp_path, dirs_exist_ok=True)
    study, before = str(tmp_path / "quick.yaml"), made(tmp_path)
    report = tmp_path / "report" / "quick.html"
    with serving(study, tmp_path, "--automate") as ui:
        earlier = {run["runId"] for run in ui.runs()}
        assert ui.stale() == set()
        drop_answers(tmp_path, "new-llm")

        def ended() -> bool:
            own = [run for run in ui.runs() if run["runId"] not in earlier]
            assert not any(run["status"] == "FAILURE" for run in own), own
            published = made(tmp_path)["probes", ""] != before["probes", ""]
            return published and all(run["status"] == "SUCCESS" for run in own)

        ui.wait(ended, PATIENCE_S)
        assert ui.stale() == set()
        runs = [run for run in ui.runs() if run["runId"] not in earlier]
    after = made(tmp_path)
    assert after.keys() - before.keys() == PARTITIONS
    changed = {key for key in before if after[key] != before[key]}
    assert {key for _, key in changed} == {""}  # no other subject's partition was made again
    # the new LLM's few sentences, and no text of the corpus or of another LLM
    assert sum(after[key][1] for key in changed | PARTITIONS) <= 7 * 10 * 3
    assert len(runs) == 3, [run["assetSelection"] for run in runs]
    assert all({"gpla/study", "gpla/reason"} <= run["tags"].keys() for run in runs)
    assert "Nothing is stale." in gpla("status", study, folder=tmp_path)
    with duckdb.connect(str(tmp_path / "quick.duckdb"), read_only=True) as connection:
        query = "select count(*) from analysis.factor_scores where subject_id = ?"
        assert connection.execute(query, [NEW]).fetchall() != [(0,)]
    assert "new-llm" in str(parts_of(report))
