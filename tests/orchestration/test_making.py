"""One making: what is read, checked and written; what a fault leaves; the published file."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from itertools import product
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.chat import Budget
from gpla_assets.content import vocabulary
from gpla_assets.evaluator.expression import SUMS
from gpla_assets.looking.published import rows_of
from gpla_assets.orchestration import making
from gpla_assets.orchestration.forgetting import forget
from gpla_assets.orchestration.making import Making, NotMade, make, state_of
from gpla_assets.orchestration.plan import stale_now
from gpla_assets.orchestration.publishing import fault, publish
from gpla_assets.orchestration.steps import step_named
from gpla_assets.storage import TABLES, Check, FileWarehouse, RowsRefused, WarehouseError
from gpla_assets.storage.files import connected, fault_of
from gpla_assets.studies import Study, load_study


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))
    return load_study("demo")


@pytest.fixture
def warehouse(study: Study) -> FileWarehouse:
    return FileWarehouse(study.warehouse_path)


def made(study: Study, name: str, *keys: str) -> making.Made:
    step = step_named(name)
    return make(step, study, FileWarehouse(study.warehouse_path), Budget(study.calls), keys)


def stale(study: Study) -> set[str]:
    return {one.step for one in stale_now(study)}


def test_what_was_made_is_fresh_and_counts_the_rows_of_its_main_table(
    study: Study, warehouse: FileWarehouse
) -> None:
    for name in ("values", "questions", "subjects"):
        made(study, name)
    counts = dict(
        warehouse.read("select asset, row_count from internal.runs").itertuples(index=False)
    )
    assert counts == {"values": len(vocabulary()), "questions": 60, "subjects": 21}
    assert not {"values", "questions", "subjects"} & stale(study)


def test_a_partition_counts_its_own_rows_and_an_agents_row_is_none_of_them(
    study: Study, warehouse: FileWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("questions", "subjects"):
        made(study, name)
    keys = state_of(warehouse).subjects[:2]
    done = made(study, "responses", *keys)
    assert done.rows == {key: 60 for key in keys}
    rows = warehouse.read(
        "select partition_key, row_count from internal.runs where asset = 'responses'"
    )
    assert dict(rows.itertuples(index=False)) == done.rows
    assert done.row_count == 120


def test_rows_that_break_a_check_are_not_written_and_stay_stale(
    study: Study, warehouse: FileWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(study, "values")
    good = warehouse.table("values")

    def bad(given: Making) -> None:
        given.write("values", vocabulary().head(3))

    monkeypatch.setattr("gpla_assets.assets.values.values", bad)
    check = Check(
        "many", "There are many values.", 'select 1 from evidence."values" having count(*) < 9'
    )
    monkeypatch.setitem(making.CHECKS, "values", (check,))
    changed = study.model_copy(update={"seed": 1})
    for _ in range(2):  # the second run finds it stale again
        with pytest.raises(RowsRefused, match="many: 1 rows"):
            made(changed, "values")
        pd.testing.assert_frame_equal(warehouse.table("values"), good)
    warehouse.replace_partition([], forgotten=[("values", "")])
    with pytest.raises(RowsRefused):
        made(study, "values")
    assert "values" in stale(study)


def test_a_step_whose_upstream_was_never_made_says_so(study: Study) -> None:
    with pytest.raises(NotMade, match="Step factors reads subjects, which was never made"):
        made(study, "factors")


def test_what_is_read_is_noted_before_it_is_computed(
    study: Study, warehouse: FileWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that change while they are read: the record holds the older ones, so it is stale."""
    for name in ("questions", "subjects"):
        made(study, name)
    key = state_of(warehouse).subjects[0]
    fewer = study.model_copy(update={"questions": study.questions.model_copy(update={"count": 30})})
    from gpla_assets.assets import texts

    def slow(given: Making) -> None:
        made(fewer, "questions")  # somebody else makes the questions meanwhile
        own(given)

    own = texts.responses
    monkeypatch.setattr(texts, "responses", slow)
    made(study, "responses", key)
    reasons = {(one.step, one.partition_key): one.reason for one in stale_now(fewer)}
    assert reasons["responses", key] == "upstream changed: questions"


def test_subjects_that_leave_leave_every_table_and_come_back_whole(
    study: Study, warehouse: FileWarehouse
) -> None:
    for name in ("questions", "subjects"):
        made(study, name)
    one, *rest = state_of(warehouse).subjects
    made(study, "responses", one, rest[0])
    own = study.subjects[0].model_copy(update={"profiles": [one.partition("|")[2]]})
    made(study.model_copy(update={"subjects": [own]}), "subjects")
    assert state_of(warehouse).subjects == [one]
    assert set(warehouse.table("responses")["subject_id"]) == {one}
    assert {key for name, key in state_of(warehouse).stored if name == "responses"} == {one}
    made(study, "subjects")
    back = {(item.step, item.partition_key) for item in stale_now(study)}
    assert ("responses", rest[0]) in back
    assert ("responses", one) not in back


def test_orphans_of_an_older_version_leave_too(study: Study, warehouse: FileWarehouse) -> None:
    made(study, "questions")
    with duckdb.connect(str(warehouse.working)) as connection:
        connection.execute(
            "insert into evidence.measurements by name select 'p' as perception_id, 'v' as value, "
            "'lexicon' as lexicon, 'subjects' as origin, 'gone|Default' as subject_id, "
            "1 as relevance, 1 as p_support, 0 as p_oppose, 0 as p_either"
        )
    made(study, "subjects")
    assert len(warehouse.table("measurements")) == 0


def test_a_step_that_is_asked_no_more_is_emptied_and_forgotten(
    study: Study, warehouse: FileWarehouse
) -> None:
    asked = study.model_copy(update={"probe": load_study("paper").probe})
    made(asked, "subjects")
    made(asked, "criteria")
    assert len(warehouse.table("criterion_scores"))
    assert forget(study, warehouse, state_of(warehouse)) == [("criteria", "")]
    assert len(warehouse.table("criterion_scores")) == 0
    assert ("criteria", "") not in state_of(warehouse).stored


def test_a_published_file_that_is_cut_off_or_older_is_published_anew(
    study: Study, warehouse: FileWarehouse
) -> None:
    made(study, "values")
    assert fault(study) == "the published file is missing"
    publish(study)
    assert fault(study) is None
    content = study.warehouse_path.read_bytes()
    study.warehouse_path.write_bytes(content[: len(content) // 2])
    assert fault(study) == "the published file was changed or cut off since it was published"
    publish(study)
    assert fault(study) is None
    made(study, "questions")
    assert fault(study) == "the published file holds older rows or views than were made"
    publish(study)
    with duckdb.connect(str(study.warehouse_path), read_only=True) as connection:
        assert connection.execute("select count(*) from evidence.questions").fetchone() == (60,)


def test_a_query_of_a_cut_off_file_says_what_to_do(study: Study) -> None:
    made(study, "values")
    publish(study)
    content = study.warehouse_path.read_bytes()
    study.warehouse_path.write_bytes(content[: len(content) // 3])
    with pytest.raises(WarehouseError, match="is damaged or cut off"):
        rows_of(study.warehouse_path, 'select count(*) from evidence."values"')


def test_a_lost_working_file_begins_anew_from_the_published_one(
    study: Study, warehouse: FileWarehouse
) -> None:
    made(study, "values")
    publish(study)
    warehouse.working.unlink()
    assert "values" not in stale(study)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"value,definition\n" * 1000, "is no DuckDB file: expected a study's warehouse"),
        (None, "is damaged or cut off"),
    ],
)
def test_a_foreign_or_cut_off_file_says_what_it_is_and_what_to_do(
    study: Study, warehouse: FileWarehouse, content: bytes | None, said: str
) -> None:
    made(study, "values")
    whole = warehouse.working.read_bytes()
    warehouse.working.write_bytes(content if content is not None else whole[: len(whole) // 3])
    done = subprocess.run(
        [sys.executable, "-c", "from gpla_assets.cli import app; app()", "status", "demo"],
        env=os.environ | {"GPLA_WAREHOUSE_DIR": str(study.warehouse_path.parent)},
        capture_output=True,
        text=True,
        check=False,
    )
    told = " ".join((done.stdout + done.stderr).split())
    assert done.returncode == 1
    assert said in told
    assert "Traceback" not in told


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "the disk is full. What was stored stays"),
        (PermissionError(13, "Permission denied"), "cannot be written"),
        (duckdb.IOException("IO Error: Could not write file: No space left on device"), "is full"),
        (duckdb.IOException("Cannot open file: Read-only file system"), "cannot be written"),
        (duckdb.IOException("Could not set lock on file: Conflicting lock is held in p (PID 9)"),
         "is held open by process 9"),
        (duckdb.IOException("Corrupt database file: computed checksum in block 3"), "is damaged"),
    ],
)  # fmt: skip
def test_a_fault_of_a_file_is_one_line_that_says_what_to_do(error: Exception, said: str) -> None:
    message = str(fault_of(error, Path("w.duckdb")))
    assert said in message
    assert "\n" not in message


def test_a_full_disk_loses_nothing_that_was_stored(
    study: Study, warehouse: FileWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(study, "values")
    publish(study)

    def full(*paths: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfile", full)
    with pytest.raises(WarehouseError, match="the disk is full"):
        publish(study)
    with pytest.raises(WarehouseError, match="the disk is full"), warehouse.staged():
        pass
    monkeypatch.undo()
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(study.warehouse_path.parent))
    assert fault(study) is None
    assert len(warehouse.table("values")) == len(vocabulary())
    left = [path.name for path in study.warehouse_path.parent.iterdir()]
    assert not [name for name in left if "publishing" in name]


HOLD = """
import sys, time, duckdb
connection = duckdb.connect(sys.argv[1])
print("open", flush=True)
time.sleep(float(sys.argv[2]))
"""


def test_a_file_that_another_process_has_open_is_waited_for_and_its_holder_named(
    tmp_path: Path,
) -> None:
    file = tmp_path / "w.duckdb"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(file), "6"], stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None and holder.stdout.readline() == "open\n"
        with pytest.raises(WarehouseError, match=f"held open by process {holder.pid}"):
            connected(file, timeout=0.5)
        began = time.monotonic()
        connected(file, timeout=30).close()
        assert time.monotonic() - began < 20
    finally:
        holder.kill()
        holder.wait()


def test_a_staged_copy_takes_the_place_of_the_file_at_its_end_alone(
    study: Study, warehouse: FileWarehouse
) -> None:
    made(study, "values")
    with pytest.raises(ZeroDivisionError), warehouse.staged() as copy:
        with duckdb.connect(str(copy.file)) as connection:
            connection.execute('delete from evidence."values"')
        raise ZeroDivisionError
    assert len(warehouse.table("values")) == len(vocabulary())
    with warehouse.staged() as copy, duckdb.connect(str(copy.file)) as connection:
        connection.execute('delete from evidence."values"')
    assert len(warehouse.table("values")) == 0
    assert not list(warehouse.working.parent.glob("*.staged-*"))


def test_generalizability_is_told_of_every_list_of_values(
    study: Study, warehouse: FileWarehouse
) -> None:
    """Two samples of each question; the numbers are those of the known components' test."""
    random = np.random.default_rng(3)
    places = list(product(("lexicon", "Schwartz-10"), range(20), range(12), range(2)))
    rows = pd.DataFrame(places, columns=["lexicon", "subject_id", "question_id", "sample"])
    response = rows[["subject_id", "question_id", "sample"]].astype(str).agg("-".join, axis=1)
    of_subject = random.standard_normal(20)[rows["subject_id"]]
    sums = dict.fromkeys((*SUMS, "n"), 1)
    rows = rows.astype({"subject_id": str, "question_id": str}).assign(
        response_id=response, value="Honesty", agent_id=None, **sums
    )
    rows["logit_sum"] = of_subject + random.standard_normal(len(rows))
    warehouse.create()
    warehouse.append("expressions", rows[list(TABLES["expressions"].model_fields)])
    made_here = Making(step_named("generalizability"), study, [], warehouse, Budget(study.calls))
    made_here.step.function()(made_here)
    (written,) = made_here.writes
    warehouse.replace_partition([written])
    found = warehouse.table("generalizability").set_index("lexicon")
    assert sorted(found.index) == ["Schwartz-10", "lexicon"]
    assert set(found["rule"]) == {"salience"}
    assert (found[["subjects", "questions", "samples"]] == [20, 12, 2]).all(axis=None)
    assert found["between_samples"].between(0.8, 1.25).all()
    assert (found["coefficient"] < found["twice_questions"]).all()
