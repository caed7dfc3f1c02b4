"""What the Dagster UI shows: groups, plots, rounded numbers, types; and that it ends whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import psutil
import pytest

from gpla_assets.orchestration import plots
from gpla_assets.orchestration.making import Made
from gpla_assets.orchestration.shown import told
from gpla_assets.orchestration.steps import step_named
from gpla_assets.storage import Write
from tests.conftest import Ran

EIGENVALUES = pd.DataFrame(
    {"component": [1, 2, 3], "eigenvalue": [2.0, 0.7, 0.3], "random_95": [1.2, 1.0, float("nan")]}
)
LOADINGS = pd.DataFrame(
    {
        "factor": ["F1", "F2"] * 2,
        "value": ["Care", "Care", "$x_1$ Order", "$x_1$ Order"],
        "loading": [0.8, 0.1, -0.2, 0.7],
        "is_primary": [True, False, False, True],
    }
)
LONGEST_GROUP = 12
"""Letters that Dagster shows whole where the graph of all groups is seen."""


def made(**details: Any) -> Made:
    """A making of `factors` of two tables."""
    writes = [Write("eigenvalues", EIGENVALUES), Write("loadings", LOADINGS)]
    return Made(step_named("factors"), {}, {"": 4}, writes, 0, 1.23456, details)


def test_numbers_are_rounded_and_nothing_is_nan() -> None:
    shown = told(made(kmo=float("nan"), r=0.123456, all=[{"r": float("inf")}, 2 / 3]))
    assert "kmo" not in shown
    assert shown["r"] == 0.1235 and shown["seconds"] == 1.2
    assert shown["all"].data == [{"r": None}, 0.6667]  # type: ignore[union-attr]
    examples = shown["eigenvalues examples"].md_str  # type: ignore[union-attr]
    assert "nan" not in examples.lower()


def test_scree_and_loadings_are_pictures() -> None:
    shown = told(made())
    for name in ("scree", "loadings plot"):
        markdown = shown[name].md_str  # type: ignore[union-attr]
        assert "](data:image/png;base64,iVBOR" in markdown
        assert len(markdown) < 100_000  # it is stored with every run


def test_a_plot_of_loadings_keeps_to_what_can_be_read() -> None:
    many = pd.concat(
        [LOADINGS.assign(value=LOADINGS["value"] + str(one)) for one in range(200)],
        ignore_index=True,
    )
    assert plots.loadings(many).startswith("![Loadings](")


@pytest.mark.slow
def test_groups_have_short_names_and_the_papers_tables_their_own() -> None:
    import dagster as dg

    from gpla_assets.orchestration.dagster_assets import definitions

    graph = definitions("demo").resolve_asset_graph()
    groups: dict[str, set[str]] = {}
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        groups.setdefault(node.group_name, set()).add(key.path[-1])
        if key.path[-1] == "answers":
            continue
        (place,) = node.metadata["dagster/code_references"].code_references
        assert isinstance(place, dg.LocalFileCodeReference)
        assert Path(place.file_path).is_file() and (place.line_number or 0) >= 1
        if "report" in node.metadata:
            assert str(node.metadata["report"].value).endswith("demo.html")
    assert all(name and len(name) <= LONGEST_GROUP and name.isalpha() for name in groups)
    assert {"texts", "perceptions", "measurements", "factors", "paper"} <= set(groups)
    assert all(name.startswith("paper_") for name in groups["paper"])


def test_tables_that_dbt_built_have_their_rows_and_types(quick: Ran) -> None:
    import dagster as dg

    from gpla_assets.storage.writing import relation

    shown: dict[str, Any] = {}
    with dg.DagsterInstance.from_config(str(quick.folder / "dagster" / "quick")) as instance:
        for name in ("subject_values", "lexicon", "paper_loadings", "factors"):
            event = instance.get_latest_materialization_event(dg.AssetKey(name))
            assert event and event.asset_materialization
            shown[name] = event.asset_materialization.metadata
    with duckdb.connect(str(quick.folder / "quick.duckdb"), read_only=True) as connection:
        for name in ("subject_values", "lexicon"):
            (count,) = connection.execute(f"select count(*) from {relation(name)}").fetchone() or ()
            assert shown[name]["dagster/row_count"].value == count
    columns = shown["subject_values"]["dagster/column_schema"].schema.columns
    types = {one.name: one.type for one in columns}
    assert types["subject_id"] == "varchar" and types["score"] == "double"
    assert shown["paper_loadings"]["dagster/row_count"].value == 92
    assert "data:image/png" in shown["factors"]["scree"].value


PARENT = """
import os, subprocess, sys
from pathlib import Path
from gpla_assets.orchestration.ui import run_until_stopped
child = "import subprocess, sys; subprocess.run([sys.executable, '-c', '{deep}'])"
print("ready", flush=True)
sys.exit(run_until_stopped([sys.executable, "-c", child], os.environ, Path.cwd()))
"""
DEEP = "import time; print(1, flush=True); time.sleep(120)"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_the_ui_started_ends_with_it(number: signal.Signals, tmp_path: Path) -> None:
    def heard() -> None:  # some sandboxes start children with these ignored
        for one in (signal.SIGTERM, signal.SIGINT):
            signal.signal(one, signal.SIG_DFL)

    program = textwrap.dedent(PARENT).format(deep=DEEP)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=os.environ,
        stdout=subprocess.PIPE,
        preexec_fn=heard,
    )
    assert process.stdout is not None
    lines = [process.stdout.readline() for _ in range(2)]  # its own, and the grandchild's
    assert lines == [b"ready\n", b"1\n"]
    below = psutil.Process(process.pid).children(recursive=True)
    assert len(below) == 2
    process.send_signal(number)
    assert process.wait(30) == 128 + number
    ends = time.monotonic() + 5
    while any(one.is_running() for one in below) and time.monotonic() < ends:
        time.sleep(0.05)
    assert not any(one.is_running() for one in below)
