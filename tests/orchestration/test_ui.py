"""`gpla ui` and `gpla status` say the same; what is made from the UI is published.

One server on one study; the tests follow one another.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest

from gpla_assets.orchestration.asset_keys import asset_keys
from tests.conftest import Ran, gpla
from tests.dagster_ui import PATIENCE_S, Ui, serving

ROW = re.compile(r"^ *(\w+) +│ *(\d*) *│ (.+?) *$", re.MULTILINE)
Stale = dict[str, tuple[str, str]]


@dataclass(frozen=True)
class Open:
    """A study whose UI is open."""

    ui: Ui
    folder: Path

    @property
    def study(self) -> str:
        """The study's file."""
        return str(self.folder / "quick.yaml")

    def edit(self, old: str, new: str) -> None:
        """Change the study's file, as its user does."""
        text = Path(self.study).read_text("utf-8")
        assert old in text
        Path(self.study).write_text(text.replace(old, new), "utf-8")

    def status(self) -> Stale:
        """What `gpla status` prints: by step the number of partitions ("" for none) and why."""
        output = gpla("status", self.study, folder=self.folder, COLUMNS="400")
        return {step: (count, why) for step, count, why in ROW.findall(output) if step != "step"}

    def agree(self, stale: Stale) -> bool:
        """Whether the UI shows what `gpla status` says: which assets, and why."""
        assets = {key.path[-1]: step for step in stale for key in asset_keys(step)}
        texts = {
            name: f"{stale[step][0]} subjects: {stale[step][1]}" * bool(stale[step][0])
            or stale[step][1]
            for name, step in assets.items()
        }
        told = {name: text for name, text in self.ui.reasons().items() if text != "fresh"}
        return told == texts and {name for name, _ in self.ui.stale()} == set(assets)

    def agreed(self, wanted: Callable[[Stale], bool]) -> Stale:
        """What both say, once the UI has followed the files."""
        stale = self.status()
        assert wanted(stale), stale
        self.ui.wait(lambda: self.agree(stale), PATIENCE_S)
        return stale

    def published(self, sql: str) -> list[tuple[object, ...]]:
        """Rows of the published file."""
        with duckdb.connect(str(self.folder / "quick.duckdb"), read_only=True) as connection:
            return connection.execute(sql).fetchall()


@pytest.fixture(scope="module")
def opened(quick: Ran, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Open]:
    """The quick study with its UI open."""
    folder = tmp_path_factory.mktemp("ui")
    shutil.copytree(quick.folder, folder, dirs_exist_ok=True)
    with serving(str(folder / "quick.yaml"), folder) as ui:
        yield Open(ui, folder)


def test_a_study_is_made_by_few_runs_that_say_what_they_are_for(opened: Open) -> None:
    runs = opened.ui.runs()
    assert len(runs) <= 3
    assert {run["jobName"] for run in runs} <= {"all", "add_llm", "aggregates"}
    assert {run["tags"]["gpla/study"] for run in runs} == {"quick"}
    assert all("never made" in run["tags"]["gpla/reason"] for run in runs)


def test_after_a_run_nothing_is_stale_in_the_ui_either(opened: Open) -> None:
    assert opened.agreed(lambda stale: not stale) == {}
    shown = {name: node["staleStatus"] for name, node in opened.ui.assets().items()}
    assert set(shown.values()) == {"FRESH"}


def test_a_changed_setting_is_stale_in_both_and_back_again(opened: Open) -> None:
    opened.edit("{size: 12}", "{size: 10}")
    stale = opened.agreed(lambda stale: len(stale) > 10)
    assert stale["measurements"] == ("8", "settings changed: lexicon.size")
    assert stale["value_correlations"] == ("", "upstream changed: measurements, value_estimates")
    opened.edit("{size: 10}", "{size: 12}")
    opened.agreed(lambda stale: not stale)


def test_factors_made_alone_rest_on_old_rows_and_stay_stale(opened: Open) -> None:
    opened.edit("{size: 12}", "{size: 10}")
    made = "select finished_at from internal.runs where asset = 'factors'"
    before, earlier = opened.published(made), opened.status()
    run = opened.ui.launch("aggregates", ["factors"])
    assert opened.ui.ended(run) == "SUCCESS"
    assert opened.published(made) != before
    stale = opened.agreed(lambda stale: stale == earlier)
    assert stale["factors"] == ("", "upstream changed: measurements, value_correlations")
    gpla("run", opened.study, folder=opened.folder)
    opened.agreed(lambda stale: not stale)


def test_what_the_ui_makes_is_published_with_its_report(opened: Open) -> None:
    opened.edit("n_factors: 2", "n_factors: 1")
    stale = opened.agreed(lambda stale: "factors" in stale)
    assert stale["factors"] == ("", "settings changed: structure.n_factors")
    report = opened.folder / "report" / "quick.html"
    before = report.stat().st_mtime_ns
    run = opened.ui.launch("aggregates", [])
    assert opened.ui.ended(run) == "SUCCESS"
    opened.agreed(lambda stale: not stale)
    assert opened.published("select count(distinct factor) from analysis.loadings") == [(1,)]
    assert report.stat().st_mtime_ns > before


def test_one_of_dbts_models_can_be_made_alone(opened: Open) -> None:
    run = opened.ui.launch("aggregates", ["value_coverage"])
    assert opened.ui.ended(run) == "SUCCESS"
    opened.agreed(lambda stale: not stale)
