"""A short campaign of kills; the whole one is `python -m tests.campaign`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import dagster as dg
import pytest

from gpla_assets.orchestration import dbt
from gpla_assets.orchestration.dead_runs import PROCESS_TAG, end_dead_runs, this_process
from gpla_assets.storage import FileWarehouse
from tests.campaign import run_campaign
from tests.conftest import Known


@pytest.mark.long
def test_runs_after_kills_give_the_tables_of_an_undisturbed_run(
    known: Known, tmp_path: Path
) -> None:
    known.begin(tmp_path / "warehouse")
    campaign = run_campaign(tmp_path, kills=4, seed=3, variants=1)
    assert campaign.faults == []
    assert sum(campaign.kills.values()) == 4
    assert campaign.completed == campaign.equal > 0


def test_a_copy_that_is_cut_off_leaves_no_half_a_working_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    warehouse = FileWarehouse(tmp_path / "x.duckdb")
    warehouse.create()
    warehouse.publish()
    warehouse.working.unlink()

    def killed(source: Path, target: Path) -> None:
        target.write_bytes(source.read_bytes()[:5000])
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(shutil, "copyfile", killed)
        with pytest.raises(SystemExit):
            FileWarehouse(tmp_path / "x.duckdb").create()
    assert len(FileWarehouse(tmp_path / "x.duckdb").table("runs")) == 0


def test_a_parse_of_dbt_that_is_cut_off_leaves_no_half_a_manifest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(tmp_path))

    def killed(command: list[str], manifest: object) -> None:
        target = Path(command[command.index("--target-path") + 1])
        (target / "manifest.json").write_text('{"nodes": {', "utf-8")
        (target / dbt.PARSED).write_bytes(b"half")
        raise SystemExit

    with monkeypatch.context() as patched:
        patched.setattr(dbt, "_invoke", killed)
        with pytest.raises(SystemExit):
            dbt.prepared_manifest()
    assert "lexicon" in dbt.model_parents("lexicon")


def test_a_run_whose_process_is_gone_counts_as_failed_in_dagster() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", "import os; print(os.getpid())"],
        capture_output=True,
        text=True,
        check=True,
    )
    host, _, own = this_process().partition(" ")
    tags = {
        "gone": f"{host} {ended.stdout.strip()} 1",
        "number given out again": f"{host} {os.getpid()} 1",
        "alive": f"{host} {own}",
        "elsewhere": f"not-{host} {ended.stdout.strip()} 1",
    }
    with dg.DagsterInstance.ephemeral() as instance:
        runs = {
            name: instance.create_run_for_job(
                _job, tags={PROCESS_TAG: tag}, status=dg.DagsterRunStatus.STARTED
            ).run_id
            for name, tag in tags.items()
        }
        assert end_dead_runs(instance) == 2
        found = {name: instance.get_run_by_id(run) for name, run in runs.items()}
        failed = {name for name, run in found.items() if run and run.is_failure_or_canceled}
    assert failed == {"gone", "number given out again"}


@dg.job
def _job() -> None:
    pass
