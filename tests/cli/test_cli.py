"""The command line: help with examples, readiness, readable errors."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pandas as pd
import pytest
from typer.testing import CliRunner

from gpla_assets.cli import app
from gpla_assets.cli.queries import QueryError, run_query
from tests.docs.lines import COMMANDS, parsed

runner = CliRunner()


def examples(command: str) -> list[str]:
    """The examples in a command's help."""
    lines = COMMANDS[command].epilog.partition(":")[2].split(";")
    return [line.strip() for line in lines]


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_of_a_commands_help_are_lines_that_it_takes(command: str) -> None:
    shown = runner.invoke(app, [command, "--help"], env={"COLUMNS": "300"})
    assert shown.exit_code == 0
    assert examples(command)
    for line in examples(command):
        assert line in shown.output
        assert line.split()[:2] == ["gpla", command]
        parsed(line)


def test_the_demo_is_ready_everywhere() -> None:
    result = runner.invoke(app, ["check", "demo"])
    assert result.exit_code == 0
    assert "missing" not in result.output
    assert "source demo" in result.output


def test_the_papers_study_lists_what_is_missing_and_exits_1(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GPLA_DATA_DIR", raising=False)
    result = runner.invoke(app, ["check", "paper"])
    assert result.exit_code == 1
    lines = [line for line in result.output.splitlines() if line.startswith("missing")]
    for need in (
        *("source gpv", "generator kaleido", "evaluator valuellama", "LLM Yi-6B-Chat"),
        *("preferences hh_rlhf", "policy PKU-Alignment/alpaca-7b", "prompts pku_saferlhf"),
        *("judge beaver_reward", "judge beaver_cost"),
    ):
        assert any(need in line for line in lines), need
    assert len(lines) == 4 + 3 + 33 + 5


def test_an_unknown_study_is_an_error_not_a_traceback() -> None:
    result = runner.invoke(app, ["status", "nothing"])
    assert result.exit_code == 1
    assert "expected one of demo" in result.output
    assert "Traceback" not in result.output


def test_the_lexicon_tool_writes_every_decision(tmp_path: Path) -> None:
    file, out = tmp_path / "values.csv", tmp_path / "lexicon.csv"
    file.write_text("value,frequency\nhonesty,9\nhonesty and truth,5\nsailing,1\n")
    sizes = tmp_path / "sweep.csv"
    result = runner.invoke(app, ["lexicon", str(file), "--out", str(out), "--sweep", str(sizes)])
    assert result.exit_code == 0, result.output
    rows = pd.read_csv(out)
    assert list(rows.columns) == ["value", "frequency", "kept", "winner", "rule", "similarity"]
    assert rows.loc[rows["value"] == "honesty and truth", "winner"].item() == "honesty"
    assert "2 of 3 values kept" in result.output
    sweep = pd.read_csv(sizes)
    assert sweep["size"].between(1, 3).all()
    strictest = sweep[sweep["rouge_threshold"].eq(1) & sweep["cosine_threshold"].eq(1)]
    assert strictest["size"].item() == 2  # "honesty" is found whole in the longer name: recall 1


def test_sources_are_listed_with_address_and_licence_and_an_unknown_one_is_named() -> None:
    listed = runner.invoke(app, ["download", "list"])
    assert "beavertails" in listed.output
    assert "CC BY-NC 4.0" in listed.output
    wrong = runner.invoke(app, ["download", "nothing"])
    assert wrong.exit_code == 1
    assert "expected one of valuebench" in wrong.output


def test_validity_by_folds_needs_no_agent_and_names_a_wrong_choice(tmp_path: Path) -> None:
    out = tmp_path / "validity.csv"
    found = runner.invoke(app, ["validity", "--checks", "held_out", "--out", str(out)])
    assert found.exit_code == 0, found.output
    rows = pd.read_csv(out)
    assert set(rows["check"]) == {"direction", "external validity"}
    assert "share right" in found.output
    wrong = runner.invoke(app, ["validity", "--rules", "best"])
    assert wrong.exit_code == 1 and "--rules best: expected some of gpv" in wrong.output


def test_a_variable_may_be_named_as_sql_names_something(tmp_path: Path) -> None:
    file = tmp_path / "empty.duckdb"
    duckdb.connect(str(file)).close()
    with pytest.raises(QueryError, match="has no table"):  # it gets as far as the query itself
        run_query("validity", file, ["check=steering"])
