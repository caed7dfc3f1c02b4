"""Criteria and their prediction as steps: names matched, controls set apart, rows as declared."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.assets.probes import criteria, probes
from gpla_assets.benchmarks.probe_designs import FAMILIES_OUT
from gpla_assets.chat import Budget
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step_named
from gpla_assets.storage.tables import TABLES
from gpla_assets.studies import Study, load_study
from gpla_assets.studies.places import sql_folder

LLMS = [f"llm-{at:02d}" for at in range(24)]
VALUES = list("abcdef")


class Rows:
    """A warehouse of a few tables in memory."""

    def __init__(self) -> None:
        self.connection = duckdb.connect()
        self.values = pd.DataFrame()
        for schema in ("evidence", "analysis", "marts"):
            self.connection.execute(f"create schema {schema}")

    def put(self, name: str, rows: pd.DataFrame) -> None:
        self.connection.register("given", rows)
        self.connection.execute(f"create or replace table {name} as select * from given")

    def read(self, sql: str, parameters: Any = ()) -> pd.DataFrame:
        return self.connection.execute(sql, list(parameters)).df()


@pytest.fixture
def measured() -> Rows:
    """24 LLMs of six families; the first value sets who is safe."""
    random, rows = np.random.default_rng(0), Rows()
    values = pd.DataFrame(random.standard_normal((24, 6)), index=LLMS, columns=VALUES)
    subjects = pd.DataFrame({"subject_id": [f"{llm}|Default" for llm in LLMS], "llm": LLMS})
    families = [f"family {at % 6}" for at in range(24)]
    rows.put("evidence.llms", pd.DataFrame({"llm": LLMS, "family": families}))
    rows.put("evidence.subjects", subjects)
    rows.put(
        "evidence.responses",
        subjects.assign(answer=["x" * int(random.integers(50, 500)) for _ in LLMS]),
    )
    long = values.rename_axis("llm").reset_index().melt("llm", var_name="value", value_name="score")
    rows.put("marts.llm_values", long)
    keys = {"F1": ["a", "b"], "F2": ["c", "d", "e"]}
    loadings = [(f, v, 1, True, True) for f, own in keys.items() for v in own]
    rows.put(
        "analysis.loadings",
        pd.DataFrame(loadings, columns=["factor", "value", "keyed", "is_primary", "kept"]),
    )
    scores = [
        (f"{llm}|Default", f, values.loc[llm, own].mean())
        for llm in LLMS
        for f, own in keys.items()
    ]
    rows.put(
        "analysis.factor_scores", pd.DataFrame(scores, columns=["subject_id", "factor", "score"])
    )
    schwartz = [
        (f"{llm}|Default", "mapped", "lower", "Power", float(values.loc[llm, "f"])) for llm in LLMS
    ]
    columns = ["subject_id", "reading", "level", "schwartz", "score"]
    rows.put("analysis.schwartz_scores", pd.DataFrame(schwartz, columns=columns))
    rows.values = values
    return rows


def study_of(folder: Path, values: pd.DataFrame) -> Study:
    safe = values["a"] + values["b"]
    safe.rename("score").rename_axis("llm").to_csv(folder / "safe.csv")
    (safe + values["c"] / 9)[:14].rename("score").rename_axis("llm").to_csv(folder / "also.csv")
    values["d"][:12].rename("score").rename_axis("llm").to_csv(folder / "refuses.csv")
    study = load_study("survey")
    own: dict[str, Any] = {"repeats": 10, "permutations": 19, "partitions": 3, "criteria": []}
    for name, kind in (("safe", "safety"), ("also", "safety"), ("refuses", "control")):
        source = {"source": "file", "file": str(folder / f"{name}.csv"), "name": name, "kind": kind}
        own["criteria"].append(source)
    return study.model_copy(update={"probe": type(study.probe).model_validate(own)})


def made(name: str, study: Study, rows: Rows) -> dict[str, pd.DataFrame]:
    making = Making(step_named(name), study, [], cast(Any, rows), Budget(study.calls))
    {"criteria": criteria, "probes": probes}[name](making)
    for write in making.writes:
        rows.put(f"analysis.{write.table}", write.rows)
    return {write.table: write.rows for write in making.writes}


def test_criteria_are_predicted_and_controls_stand_beside_them(
    measured: Rows, tmp_path: Path
) -> None:
    study = study_of(tmp_path, measured.values)
    found = made("criteria", study, measured)["criteria"].set_index("criterion")
    assert found["n_llms"].to_dict() == {"safe": 24, "also": 14, "refuses": 12}
    assert found["kind"].to_dict() == {"safe": "safety", "also": "safety", "refuses": "control"}
    tables = made("probes", study, measured)
    rows = tables["probe_accuracies"]
    assert set(rows["criterion"]) == {"safe", "also"}
    assert set(rows["controls"]) == {"", "response length", "response length, refuses"}
    ours = rows[(rows["features"] == "ours") & (rows["criterion"] == "safe")]
    by = ours.set_index(["controls", "design"])
    assert by.loc[("response length", "splits"), "n_llms"] == 24
    assert by.loc[("response length, refuses", "leave pairs out"), "n_llms"] == 12
    assert by.loc[("", FAMILIES_OUT), "accuracy"] > 0.9
    assert (ours["accuracy"] > 0.8).all()
    # the columns are those that the warehouse declares, and its key is one
    declared = list(TABLES["probe_accuracies"].model_fields)
    assert set(rows.columns) == set(declared)
    assert not rows.duplicated(["criterion", "features", "controls", "design"]).any()


def test_the_same_values_come_in_two_tables(measured: Rows, tmp_path: Path) -> None:
    study = study_of(tmp_path, measured.values)
    made("criteria", study, measured)
    single = measured.read((sql_folder() / "safety_values.sql").read_text("utf-8"))
    best = single[single["criterion"] == "safe"].iloc[0]
    assert best["value"] in ("a", "b")
    assert best["llms"] == 24
    values, scores = measured.values, measured.read("from analysis.criterion_scores")
    safe = scores[scores["criterion"] == "safe"].set_index("llm")["score"]
    expected = values[best["value"]].corr(safe, method="spearman")
    assert best["r"] == pytest.approx(expected, abs=0.001)
    rows = measured.read((sql_folder() / "safety_replication.sql").read_text("utf-8"))
    pair = rows[(rows["first"] == "also") & (rows["second"] == "safe")].set_index("apart")
    assert pair.loc[False, "r_of_values"] > 0.8
    assert pair.loc[False, "n_values"] == 6
    # ten LLMs have a score of `safe` alone: the other table's are left out of the first side
    other = rows[(rows["first"] == "safe") & (rows["second"] == "also")].set_index("apart")
    assert other.loc[True, "llms_first"] == 10
    assert other.loc[True, "llms_second"] == 14
    assert other.loc[True, "r_of_values"] > 0.5
