"""`gpla structure` on a user's own file: what is read, refused and written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import gpla_assets
from gpla_assets.cli import app

PACKAGE = Path(gpla_assets.__file__).parent
KEYS = {"n", "p", "kmo", "bartlett", "suggested", "eigenvalues", "factors", "removed", "cautions"}


@pytest.fixture
def matrix(tmp_path: Path) -> Path:
    random = np.random.default_rng(0)
    latent = np.repeat(random.standard_normal((120, 2)), 4, axis=1)
    data = latent + random.standard_normal((120, 8)) * 0.6
    data[:, 3] *= -1
    names = ["Care", "Help", "Kindness", "Cruelty", "Risk", "Thrill", "Daring", "Play"]
    frame = pd.DataFrame(data, columns=names)
    frame.insert(0, "subject", [f"m{n // 4}|p{n % 4}" for n in range(120)])
    frame.to_csv(tmp_path / "scores.csv", index=False)
    return tmp_path / "scores.csv"


def run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["structure", *map(str, arguments), "--resamples", "50"])
    return result.exit_code, result.output


@pytest.mark.slow
def test_the_json_says_what_the_matrix_holds(matrix: Path, tmp_path: Path) -> None:
    out, page = tmp_path / "out.json", tmp_path / "out.html"
    code, printed = run(matrix, "--json", out, "--html", page)
    assert code == 0, printed
    found = json.loads(out.read_text("utf-8"))
    assert set(found) >= KEYS
    assert (found["n"], found["p"], len(found["eigenvalues"])) == (120, 8, 8)
    assert found["suggested"]["parallel"] == found["suggested"]["map"] == 2
    assert found["bartlett"]["df"] == 28
    first, second = found["factors"]
    assert {len(first["values"]), len(second["values"])} == {4}
    care = next(one for one in found["factors"] if "Care" in {v["value"] for v in one["values"]})
    keyed = {one["value"]: one["keyed"] for one in care["values"]}
    assert keyed == {"Care": 1, "Help": 1, "Kindness": 1, "Cruelty": -1}
    assert 0.8 < care["alpha"] < 1 and care["alpha_ci"][0] < care["alpha"] < care["alpha_ci"][1]
    assert care["omega"] == pytest.approx(care["alpha"], abs=0.02)
    assert all(one["primary_share"] == 1 for one in care["values"])
    assert any("30 LLMs under several profiles" in caution for caution in found["cautions"])
    assert "Value system of <bdi>scores.csv</bdi>" in page.read_text("utf-8")


def test_every_field_of_the_json_is_documented_and_scores_and_script_are_written(
    matrix: Path, tmp_path: Path
) -> None:
    out, scores, script = tmp_path / "out.json", tmp_path / "scores.csv", tmp_path / "check.R"
    rotated = ("--rotation", "oblimin", "--extraction", "minres", "--factors", "2")
    code, printed = run(matrix, *rotated, "--json", out, "--scores", scores, "--r-script", script)
    assert code == 0, printed
    found = json.loads(out.read_text("utf-8"))
    said = (PACKAGE / "docs" / "structure_json.md").read_text("utf-8")
    first = {name: found[name] for name in ("settings", "bartlett", "missing", "fit")}
    rows = [found[name][0] for name in ("loadings", "variance", "factors", "communities")]
    rows += [*first.values(), found["response_bias"], found["factors"][0]["values"][0], found]
    assert sorted({name for row in rows for name in row if f"`{name}`" not in said}) == []
    table = pd.read_csv(scores)
    assert list(table.columns) == ["subject", "llm", "F1", "F2"] and len(table) == 120
    assert [row["F1"] for row in found["scores"]] == pytest.approx(list(table["F1"]))
    # psych's order: by factor, then by size
    sizes = [(row["factor"], -abs(row["loadings"][row["factor"]])) for row in found["loadings"]]
    assert sizes == sorted(sizes)
    assert "chi2(13) = " in printed and "factor correlations" in printed
    lines = script.read_text("utf-8")
    assert "GPArotation::oblimin(unrotated, normalize = TRUE, eps = 1e-06" in lines
    assert "fm = 'minres'" in lines and str(matrix) in lines


def test_a_number_of_factors_is_taken_as_it_is(matrix: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    assert run(matrix, "--factors", "1", "--json", out)[0] == 0
    assert len(json.loads(out.read_text("utf-8"))["factors"]) == 1


def test_a_constant_value_stands_among_the_removed(matrix: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(matrix).assign(Flat=0.5)
    frame.to_csv(matrix, index=False)
    assert run(matrix, "--json", tmp_path / "out.json")[0] == 0
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert found["removed"] == [{"value": "Flat", "round": 0, "reason": "constant over subjects"}]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--factors", "many"), "expected auto, a number, or one of"),
        (("--factors", "99"), "n_factors = 99, but there are 8 usable values"),
    ],
)
def test_a_wrong_number_of_factors_is_refused(
    matrix: Path, arguments: tuple[str, ...], said: str
) -> None:
    code, printed = run(matrix, *arguments)
    assert code == 1
    assert said in " ".join(printed.split())


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("x,1,2,3\ny,2,3,4\n", "2 subjects and"),
        ("x,1,2,3\nx,2,3,4\nz,1,1,1\n", "subject 'x' stands 2 times"),
        ("x,1,inf,3\ny,2,3,4\nz,1,1,1\n", "column 'b' has 'inf' on line 2"),
    ],
)
def test_a_matrix_that_cannot_be_factored_is_an_error_in_words(
    tmp_path: Path, rows: str, said: str
) -> None:
    path = tmp_path / "m.csv"
    path.write_text("subject,a,b,c\n" + rows, "utf-8")
    code, printed = run(path, "--json", tmp_path / "out.json")
    assert code == 1
    assert said in " ".join(printed.split())
    assert not (tmp_path / "out.json").exists()


def test_more_values_than_subjects_is_computed_with_a_caution(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    frame = pd.DataFrame(random.standard_normal((12, 20)), columns=[f"v{n}" for n in range(20)])
    frame.to_csv(tmp_path / "m.csv", index=False)
    code, printed = run(tmp_path / "m.csv", "--json", tmp_path / "out.json")
    assert code == 0, printed
    found = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert found["kmo"] is None and found["bartlett"]["p"] is None
    assert any("n/p = 0.60" in caution for caution in found["cautions"])


def test_the_simulation_prints_how_well_factors_are_found() -> None:
    result = CliRunner().invoke(app, ["simulate-structure", "--seeds", "1"])
    assert result.exit_code == 0
    assert "factors recommended 5 to 5" in result.output


def test_what_was_read_is_printed_and_in_the_json(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    frame = pd.DataFrame(random.integers(1, 6, (60, 6)), columns=[f"v[{n}]" for n in range(6)])
    frame.iloc[3, 2] = -999
    path, out = tmp_path / "m.csv", tmp_path / "out.json"
    frame.assign(id=range(60), note="x").to_csv(path, sep=";", index=False)
    code, printed = run(path, "--json", out, "--factors", "1", "--no-purify")
    assert code == 0, printed
    read = "read: 60 rows, 6 values, 0 cells missing (semicolons)"
    assert read in printed and "ids of subjects: column 'id'" in printed
    assert "left out: note (no numbers)" in printed
    assert "-999 in 1 cell ('v[2]', line 5)" in printed
    found = json.loads(out.read_text("utf-8"))
    assert found["read"][0] == read.removeprefix("read: ")
    assert "--missing-codes=-999" in found["cautions"][0]
    coded = run(path, "--missing-codes", "-999,-99", "--factors", "1", "--no-purify")[1]
    assert "1 cell missing" in coded and "--missing-codes -99: no cell has it" in coded


def test_correlations_stand_in_for_subjects(matrix: Path, tmp_path: Path) -> None:
    frame = pd.read_csv(matrix, index_col=0)
    frame.corr().to_csv(tmp_path / "r.csv")
    ours, theirs = tmp_path / "ours.json", tmp_path / "theirs.json"
    assert run(matrix, "--json", ours)[0] == 0
    code, printed = run("--correlations", tmp_path / "r.csv", "--n", "120", "--json", theirs)
    assert code == 0, printed
    of_file, of_matrix = (json.loads(one.read_text("utf-8")) for one in (ours, theirs))
    for key in ("n", "p", "kmo", "eigenvalues"):
        assert of_matrix[key] == pytest.approx(of_file[key], abs=1e-9)
    assert of_matrix["bartlett"]["chi2"] == pytest.approx(of_file["bartlett"]["chi2"])


@pytest.mark.parametrize("arguments", [(), ("--n", "50"), ("m.csv", "--n", "50")])
def test_either_a_file_or_correlations_with_their_n_are_needed(arguments: tuple[str, ...]) -> None:
    code, printed = run(*arguments)
    assert code == 1
    assert "Expected either FILE, one row a subject, or --correlations FILE" in printed
