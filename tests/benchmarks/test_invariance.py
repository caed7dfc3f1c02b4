"""Measurement invariance: known differences between groups, permutation over clusters, refusals."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gpla_assets.benchmarks.cfa import system_model
from gpla_assets.benchmarks.cfa_data import cfa_data
from gpla_assets.benchmarks.cfa_fit import fit
from gpla_assets.benchmarks.cfa_model import Element, invariant
from gpla_assets.benchmarks.grouped import parted_by
from gpla_assets.benchmarks.invariance import levels_of
from gpla_assets.benchmarks.systems import System, UnfitSystem
from gpla_assets.cli import app

SYSTEM = System("one", {"F": dict.fromkeys("abcde", 1)})


def two_groups(
    n: int = 300, loading: float = 0.7, intercept: float = 0.0, seed: int = 0
) -> tuple[pd.DataFrame, pd.Series]:
    """Loadings .7; in the second group `loading` and `intercept` of value c, mean .5 of F."""
    random = np.random.default_rng(seed)
    groups = np.arange(n) % 2
    loadings = np.where(np.arange(5) == 2, np.where(groups[:, None] == 1, loading, 0.7), 0.7)
    factor = random.standard_normal(n) + 0.5 * groups
    scores = factor[:, None] * loadings + random.standard_normal((n, 5)) * 0.7
    scores[:, 2] += intercept * groups
    index = pd.Index([f"s{at:03d}" for at in range(n)])
    return pd.DataFrame(scores, index, list("abcde")), pd.Series(
        np.where(groups == 1, "two", "one"), index
    )


def test_equal_groups_are_invariant_and_unequal_ones_break_at_their_level() -> None:
    equal = levels_of(*_given(two_groups()), permutations=0).levels.set_index("level")
    assert (equal["delta_p"].dropna() > 0.05).all()
    assert list(equal["delta_df"].dropna()) == [4, 4, 5]
    loading = levels_of(*_given(two_groups(loading=0.1)), permutations=0)
    assert loading.levels["delta_p"][1] < 0.001
    first = loading.score_tests.query("level == 'metric'").iloc[0]
    assert (first["part"], first["value"], first["factor"]) == ("loading", "c", "F")
    shifted = levels_of(*_given(two_groups(intercept=0.6)), permutations=0)
    assert shifted.levels["delta_p"][1] > 0.05 and shifted.levels["delta_p"][2] < 0.001
    assert shifted.score_tests.query("level == 'scalar'").iloc[0]["value"] == "c"


def _given(made: tuple[pd.DataFrame, pd.Series]) -> tuple[pd.DataFrame, System, pd.Series]:
    return made[0], SYSTEM, made[1]


def test_a_score_test_foretells_what_freeing_gains() -> None:
    scores, groups = two_groups(loading=0.4, intercept=0.2)
    found = levels_of(scores, SYSTEM, groups, permutations=0)
    data = cfa_data(scores, SYSTEM.values)
    codes = (groups.reindex(data.subjects) == "two").to_numpy().astype(int)
    samples = parted_by(data, codes, 2).samples
    base = system_model(SYSTEM, data, means=True)
    held = fit(invariant(base, 2, "scalar"), samples).discrepancy
    tests = found.score_tests.query("level == 'scalar'").set_index(["part", "value"])["chi2"]
    for part, column in (("loading", 0), ("intercept", 0)):
        for row, value in enumerate(data.values):
            free = [Element(part, row, column, 0)]  # type: ignore[arg-type]
            fall = data.n * (held - fit(invariant(base, 2, "scalar", free), samples).discrepancy)
            assert tests[part, value] == pytest.approx(fall, rel=0.2, abs=0.3)


def test_permutation_is_over_whole_clusters_or_within_them() -> None:
    scores, groups = two_groups(120)
    apart = pd.Series([f"{g}{n % 10}" for n, g in enumerate(groups)], groups.index)
    mixed = pd.Series([f"m{n // 6}" for n in range(120)], groups.index)
    whole = levels_of(scores, SYSTEM, groups, clusters=apart, permutations=9)
    assert whole.permuted == "9 permutations of whole clusters"
    within = levels_of(scores, SYSTEM, groups, clusters=mixed, permutations=9)
    assert within.permuted == "9 permutations of subjects within clusters"
    for one in (whole, within):
        p = one.levels["permutation_p"].astype(float)
        assert ((p >= 0.1) & (p <= 1)).all()
        assert one.fits["metric"].scaling is not None
    broken = levels_of(*_given(two_groups(loading=0.0)), permutations=19)
    assert broken.levels["permutation_p"][1] == 0.05


def test_missing_cells_and_groups_are_counted() -> None:
    scores, groups = two_groups()
    holes = scores.mask(np.random.default_rng(1).random(scores.shape) < 0.1)
    found = levels_of(holes, SYSTEM, groups.where(groups.index != "s000"), permutations=0)
    assert found.data.n == 299 and found.groups == {"one": 149, "two": 150}
    assert "1 subjects have no group: left out." in found.cautions
    assert any("full information" in said for said in found.cautions)
    assert (found.levels["delta_p"].dropna() > 0.01).all()


def test_too_few_or_too_small_groups_are_refused() -> None:
    scores, groups = two_groups(40)
    with pytest.raises(UnfitSystem, match="All 40 subjects are in group 'same'"):
        levels_of(scores, SYSTEM, groups.map(lambda _: "same"), permutations=0)
    few = groups.where(groups.index > "s003", "few")
    with pytest.raises(UnfitSystem, match="Group 'few' has 4 subjects, too few for the 5 values"):
        levels_of(scores, SYSTEM, few, permutations=0)


def test_the_command_prints_and_writes_all_levels(tmp_path: Path) -> None:
    scores, groups = two_groups(200, intercept=0.8)
    scores.assign(family=groups).to_csv(tmp_path / "m.csv", index_label="subject")
    (tmp_path / "s.yaml").write_text("factors: {F: [a, b, c, d, e]}", "utf-8")
    arguments = [
        *("invariance", str(tmp_path / "m.csv"), "--system", str(tmp_path / "s.yaml")),
        *("--group", "family", "--permutations", "5", "--json", str(tmp_path / "o.json")),
        *("--r-script", str(tmp_path / "o.R")),
    ]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    for said in ("configural", "strict", "one (n = 100), two (n = 100)", "intercept"):
        assert said in result.output
    found = json.loads((tmp_path / "o.json").read_text("utf-8"))
    assert [one["level"] for one in found["levels"]] == ["configural", "metric", "scalar", "strict"]
    assert found["permuted"] == "5 permutations of subjects"
    assert found["levels"][0]["delta_chi2"] is None
    script = (tmp_path / "o.R").read_text("utf-8")
    assert 'scalar = c("loadings", "intercepts")' in script
    assert set(pd.read_csv(tmp_path / "o.csv")["group"]) == {"one", "two"}
    none = CliRunner().invoke(app, arguments[:4])
    assert none.exit_code == 1 and "No column says which group" in " ".join(none.output.split())


def test_small_groups_are_left_out_and_named(tmp_path: Path) -> None:
    scores, groups = two_groups(200)
    groups.iloc[:3] = "few"
    scores.assign(family=groups).to_csv(tmp_path / "m.csv", index_label="subject")
    (tmp_path / "s.yaml").write_text("factors: {F: [a, b, c, d, e]}", "utf-8")
    arguments = [
        *("invariance", str(tmp_path / "m.csv"), "--system", str(tmp_path / "s.yaml")),
        *("--group", "family", "--permutations", "0", "--smallest", "20"),
    ]
    result = CliRunner().invoke(app, arguments, env={"COLUMNS": "160"})
    assert result.exit_code == 0, result.output
    assert "left out: 3 subjects in 1 groups of fewer than 20 (few)" in result.output
    assert "one (n = 98), two (n = 99)" in result.output
