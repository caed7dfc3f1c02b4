"""`gpla structure` on a user's own file: what is read, refused and written."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gpla_assets.cli import app
from gpla_assets.psychometrics.own_matrix import MatrixError, read_matrix

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
    assert "Value system of scores.csv" in page.read_text("utf-8")


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
    ("content", "said"),
    [
        (b"", "has 0 lines with content"),
        (b"a,b,c\n", "has 1 lines with content"),
        (b"a,a,b\n1,2,3\n", "column 'a' stands more than once"),
        (b"subject,a,b\nx,1,2\ny,1\n", "row 3 has 2 cells, expected 3"),
        (b"subject,a,b\nx,1,2\ny,much,3\n", "subject 'y' has 'much' on value 'a'"),
        (b"\xff\xfe\x00", "cannot be read as CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_matrix_is_refused_by_its_place(
    tmp_path: Path, content: bytes, said: str
) -> None:
    path = tmp_path / "m.csv"
    path.write_bytes(content)
    with pytest.raises(MatrixError) as caught:
        read_matrix(path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("x,1,2,3\ny,2,3,4\n", "2 subjects and"),
        ("x,1,2,3\nx,2,3,4\nz,1,1,1\n", "subject 'x' stands 2 times"),
        ("x,1,inf,3\ny,2,3,4\nz,1,1,1\n", "has inf on value 'b'"),
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


def test_empty_cells_and_na_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "m.csv"
    path.write_text("a,b,llm\n1,,x\nNA,2,y\n", "utf-8")
    scores, llms = read_matrix(path)
    assert scores.isna().to_numpy().tolist() == [[False, True], [True, False]]
    assert llms is not None and list(llms) == ["x", "y"]
    assert list(scores.index) == ["row 2", "row 3"]


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
