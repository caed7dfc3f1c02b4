"""`gpla target`: measured pairs in, targets out as plain JSON, faults by their row."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gpla_assets.alignment import PairsError, read_measured_pairs, target_json
from gpla_assets.cli import app
from gpla_assets.studies import TargetSettings

HEADER = "pair,dimension,winning,losing\n"


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_targets_of_a_file_are_written_as_json(tmp_path: Path) -> None:
    # Care: f(0.2) = (0.6 - 0) + (0.7 - 0.3), f(0.8) = (0 - 0.6) + (0.1 - 0.3), f(0.9) as f(0.8)
    # but for the second winner: (0.1 - 0.7) + (0 - 0.4); least at 0.9
    file = written(
        tmp_path / "p.csv",
        HEADER + "1,Care,0.8,0.2\n1,Silence,,0.1\n2,Care,0.9,0.5\n2,Same,0.4,0.4\n",
    )
    out = tmp_path / "t.json"
    done = CliRunner().invoke(app, ["target", str(file), "--json", str(out), "--bootstrap", "50"])
    assert done.exit_code == 0, done.output
    found = json.loads(out.read_text("utf-8"))
    assert found["targets"] == {"Care": 0.9, "Silence": None, "Same": 0.4}
    assert found["objective"]["Care"] == pytest.approx(-1.0)
    assert found["objective"]["Silence"] is None
    assert found["pairs"] == {"Care": 2, "Silence": 0, "Same": 1}
    assert found["excluded"] == {"Care": 0, "Silence": 2, "Same": 1}
    assert found["flat"] == {"Care": None, "Silence": "nothing measured", "Same": "constant"}
    assert found["intervals"]["Care"][1] == 0.9
    assert "nothing measured" in found["cautions"]["Silence"]
    assert "0.900" in done.output


def test_a_mask_leaves_out_what_is_near_zero(tmp_path: Path) -> None:
    file = written(tmp_path / "p.csv", HEADER + "1,Care,0.8,0.2\n2,Care,0.5,-0.6\n")
    winning, losing = read_measured_pairs(file)
    settings = TargetSettings(mask_below=0.3, resamples=0)
    assert target_json(winning, losing, settings)["pairs"] == {"Care": 1}
    assert "intervals" not in target_json(winning, losing, settings)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pair,dimension,winning\n1,Care,1\n", "'losing' is missing, expected"),
        (HEADER + "1,Care,high,0\n", "line 2 has 'high' as winning of dimension 'Care'"),
        (HEADER + "1,Care,1,0\n2,Care,0,inf\n", "line 3 has 'inf' as losing"),
        (HEADER + "1,Care,1,0\n1,Care,1,0\n", "line 3 has pair '1' and dimension 'Care' again"),
        (HEADER + "1,,1,0\n", "line 2 has no pair or no dimension"),
        (HEADER + "1,Care,1\n", "line 2 has 3 cells, expected 4"),
        (HEADER, "has 1 line with content"),
        ("", "has 0 lines with content"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_with_its_row(
    tmp_path: Path, text: str, message: str
) -> None:
    file = written(tmp_path / "p.csv", text)
    with pytest.raises(PairsError, match=message):
        read_measured_pairs(file)
    done = CliRunner().invoke(app, ["target", str(file)])
    assert done.exit_code == 1


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PairsError, match=r"none\.csv cannot be opened"):
        read_measured_pairs(tmp_path / "none.csv")


def test_semicolons_and_decimal_commas_are_read(tmp_path: Path) -> None:
    text = "pair;dimension;winning;losing\n0;Care;0,274;-0,460\n1;Care;;-0,5\n"
    winning, losing = read_measured_pairs(written(tmp_path / "p.csv", text))
    assert winning.to_numpy().tolist()[0] == [0.274] and losing.to_numpy().tolist() == [
        [-0.46],
        [-0.5],
    ]
    assert bool(winning.isna().to_numpy()[1, 0])
