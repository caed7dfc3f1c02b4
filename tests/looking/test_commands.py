"""Commands of looking: numbers with what they rest on, on screens and in pipes; safe SQL."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from gpla_assets.cli import app
from gpla_assets.cli.commands import console
from gpla_assets.cli.completion import complete_queries, complete_studies
from gpla_assets.cli.showing import bar
from gpla_assets.common.visible import visible
from gpla_assets.looking import open_study
from tests.looking.looked_at import AGAIN, LLMS, NAME, QUESTIONS, VALUES, logits

runner = CliRunner()
ON_SCREEN = {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm"}


def gpla(*line: str, code: int = 0, screen: bool = False, given: str | None = None) -> str:
    env = ON_SCREEN if screen else {"FORCE_COLOR": ""}
    found: Result = runner.invoke(app, list(line), env=env, input=given)
    assert found.exit_code == code, found.output
    if code:
        assert "Traceback" not in found.output
        assert len(found.stderr.strip().splitlines()) == 1
    return found.output


def tsv(text: str) -> list[dict[str, str]]:
    rows = csv.DictReader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)
    return list(rows)


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(console, "width", 150)


def test_a_profile_on_a_screen_has_bars_intervals_and_what_they_rest_on(
    folder: Path, wide: None
) -> None:
    said = gpla("show", "beta/2:free", "-s", NAME, screen=True)
    care, *_ = [line for line in said.splitlines() if line.startswith("Care")]
    assert "├" in care and "●" in care and f"{QUESTIONS}/{QUESTIONS}" in care
    assert "100%" in care and "+0.50" in care and "[+0.62, +1.25]" in care
    assert "1 of 3 values; by chance alone in about 1" in said


def test_on_a_narrow_screen_no_line_of_a_profile_is_folded(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "width", 80)
    said = gpla("show", "gamma", "-s", NAME, screen=True)
    (order,) = [line for line in said.splitlines() if line.startswith("Order")]
    assert len(order) <= 80 and "…" not in order and order.split()[-1] == str(QUESTIONS)


def test_in_a_pipe_a_profile_is_tsv_and_with_json_a_list(folder: Path, tmp_path: Path) -> None:
    rows = tsv(gpla("show", "gamma", "-s", NAME))
    assert {row["value"] for row in rows} == set(VALUES)
    assert float(rows[0]["difference_low"]) < float(rows[0]["difference"])
    out = tmp_path / "p.json"
    gpla("show", "gamma", "-s", NAME, "--json", str(out))
    assert [row["value"] for row in json.loads(out.read_text())] == [row["value"] for row in rows]
    assert json.loads(gpla("show", "gamma", "-s", NAME, "--json", "-"))[0]["few"] is False


def test_two_llms_are_compared_by_the_size_of_their_difference(folder: Path, wide: None) -> None:
    said = gpla("compare", "alpha-1", "beta/2:free", "-s", NAME, screen=True)
    first = next(line for line in said.splitlines() if line.split()[0] in VALUES)
    assert first.startswith("Care") and "-0.8" in first
    rows = tsv(gpla("compare", "alpha-1", "beta/2:free", "-s", NAME))
    assert abs(float(rows[0]["difference"])) >= abs(float(rows[-1]["difference"]))


@pytest.mark.parametrize("screen", [True, False])
def test_why_shows_sentences_and_nothing_that_an_llm_wrote_acts_on_the_terminal(
    folder: Path, wide: None, screen: bool
) -> None:
    said = gpla("why", "gamma", "Care", "-s", NAME, screen=screen)
    assert "What of q" in said and "gpla-test-1" in said
    plain = said.replace("\n", "").replace("\t", "")
    for style in ("\x1b[1m", "\x1b[2m", "\x1b[3m", "\x1b[1;7m", "\x1b[0m"):
        plain = plain.replace(style, "")  # the program's own
    assert visible(plain) == plain
    assert r"\x1b[2J" in said and r"\u202e" in said  # shown, as what they are


def test_json_for_the_screen_holds_no_controls_and_still_is_json(folder: Path) -> None:
    said = gpla("why", "gamma", "Care", "-s", NAME, "--json", "-")
    assert visible(said, "\n") == said
    assert "\x1b[2J" in json.loads(said)[0]["answer"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("show gama -s looked", "No LLM 'gama': nearest: gamma."),
        ("compare gamma alpha -s looked", "No LLM 'alpha': nearest: alpha-1."),
        ("why gamma Caring -s looked", "No value 'Caring': nearest: Care."),
        ("show gamma -s loked", "No study 'loked': nearest: looked."),
        ("query subject_profil -s looked", "nearest: subject_profile"),
        ("show gamma -s survey", "was not run yet"),
        ("explore survey", "was not run yet"),
        ("show gamma -s looked --json none/here.json", "the folder none does not exist"),
        ("show gamma -s looked --json .", "is a folder"),
        ("compare gamma gamma -s looked", "expected two different LLMs"),
    ],
)
def test_what_does_not_exist_is_one_line_with_the_nearest_names(
    folder: Path, line: str, said: str
) -> None:
    assert said in gpla(*line.split(), code=1)


def test_sql_answers_in_tsv_with_nothing_cut_or_folded(folder: Path) -> None:
    rows = tsv(gpla("sql", "from marts.measured_sentences", "-s", NAME))
    assert len(rows) == len(LLMS) * QUESTIONS
    assert rows[0]["answer"] == r"Well.\nBe kind \x1b[2J to \u202eall."
    piped = gpla("sql", "-", "-s", NAME, given="select 1 as one, null as none, 'a\tb' as tab")
    assert piped == "one\tnone\ttab\n1\t\ta\\tb\n"


def test_a_table_too_wide_for_the_screen_comes_a_line_a_cell(folder: Path) -> None:
    said = gpla("sql", "from marts.llm_profiles limit 2", "-s", NAME, screen=True)
    lines = [line for line in said.splitlines() if line.startswith("difference_low")]
    assert len(lines) == 2
    short = gpla("sql", "select 1 as one, 'x' as two", "-s", NAME, screen=True)
    assert len(short.splitlines()) == 3 and "│" in short


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("copy (select 1) to '{folder}/out.csv'", "reads the study's file alone"),
        ("from read_text('/etc/hostname')", "reads the study's file alone"),
        ("attach '{folder}/other.duckdb'", "reads the study's file alone"),
        ("install httpfs", "reads the study's file alone"),
        ("set enable_external_access = true", "gpla sql"),
        ("set memory_limit = '90GB'", "configuration has been locked"),
        ("delete from evidence.subjects", "writes nothing"),
        ("create table evidence.x as select 1", "writes nothing"),
        ("selct 1", "syntax error"),
        ("from marts.nothing", "does not exist"),
        ("select count(*) from range(1000000000) a, range(1000000) b", "took more than 0.5 s"),
    ],
)
def test_sql_reads_one_file_writes_none_and_comes_to_an_end(
    folder: Path, query: str, said: str
) -> None:
    filled = query.format(folder=folder)
    line = ("sql", filled, "-s", NAME, "--timeout", "0.5")
    found = runner.invoke(app, list(line))
    assert (found.exit_code, "Traceback" in found.output) == (1, False)
    assert said in found.output or "locked" in found.output
    assert not (folder / "out.csv").exists() and not (folder / "other.duckdb").exists()


def test_sql_keeps_to_its_memory(folder: Path) -> None:
    query = "select list(a order by random()) from range(30000000) t(a)"
    said = gpla("sql", query, "-s", NAME, "--memory", "50MB", code=1)
    assert "needs more memory" in said
    assert "expected a size" in gpla("sql", "select 1", "-s", NAME, "--memory", "much", code=1)


def test_views_are_listed_with_what_a_row_is(folder: Path) -> None:
    rows = {row["name"]: row["row"] for row in tsv(gpla("sql", "--views", "-s", NAME))}
    assert rows["marts.llm_values"].startswith("One row per LLM and value")
    assert "marts.llm_profiles" in rows


def test_a_query_in_a_pipe_is_tsv(folder: Path) -> None:
    rows = tsv(gpla("query", "llm_profile", "-s", NAME, "--set", "llm=gamma"))
    assert {"low", "high", "questions", "few"} <= set(rows[0]) and len(rows) == len(VALUES)


def completed(*words: str, folder: Path) -> list[str]:
    """What bash would offer for the last word of a line."""
    env = {
        "_GPLA_COMPLETE": "complete_bash",
        "COMP_WORDS": " ".join(("gpla", *words)),
        "COMP_CWORD": str(len(words)),
        "GPLA_WAREHOUSE_DIR": str(folder),
    }
    return runner.invoke(app, [], prog_name="gpla", env=env).output.split()


def test_the_shell_completes_llms_values_studies_and_queries(folder: Path) -> None:
    assert completed("show", "-s", NAME, "al", folder=folder) == ["alpha-1"]
    assert completed("why", "-s", NAME, "gamma", "Ca", folder=folder) == ["Care"]
    assert NAME in complete_studies("loo") and "survey" in complete_studies("")
    assert complete_queries("llm_pro") == ["llm_profile"]
    assert completed("show", "-s", "nothing", "", folder=folder) == []


@pytest.mark.parametrize(
    ("numbers", "drawn"),
    [
        ((0.0, 0.5, 1.0), "    ├─●─┤"),
        ((-9.0, -0.5, -0.25), "├─●┤│    "),  # an end beyond the axis stands at its edge
        ((float("nan"), 0.5, float("nan")), "    │ ○  "),
        ((0.0, float("nan"), 1.0), " " * 9),
    ],
)
def test_a_bar_is_where_its_numbers_are(numbers: tuple[float, float, float], drawn: str) -> None:
    assert bar(*numbers, (-1.0, 1.0), 9) == drawn


def test_the_version_is_that_of_the_package() -> None:
    from importlib.metadata import version

    assert gpla("--version").strip() == f"gpla {version('gpla')}"


def test_help_groups_the_commands_in_their_order() -> None:
    said = gpla("--help")
    panels = ["Start", "Look", "Own data", "Research", "Training"]
    places = [said.index(f"─ {panel} ─") for panel in panels]
    assert places == sorted(places)


def test_a_file_that_another_program_writes_is_one_line_that_names_it(
    folder: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "held.duckdb"
    shutil.copy(folder / f"{NAME}.duckdb", copy)
    code = f"import duckdb, sys; c = duckdb.connect({str(copy)!r}); print('open', flush=True); "
    command = [sys.executable, "-c", code + "sys.stdin.read()"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == "open\n"
        said = gpla("show", "gamma", "-s", str(copy), code=1)
        other.communicate("")
    assert f"is held open by process {other.pid}" in said
    gpla("show", "gamma", "-s", str(copy))


def test_two_studies_side_by_side_on_a_screen_and_in_a_pipe(
    folder: Path, again: Path, wide: None
) -> None:
    said = gpla("compare", "-s", NAME, "--with", AGAIN, screen=True)
    assert "A looked (salience), B again (salience)" in said and "What changed most" in said
    rows = tsv(gpla("compare", "-s", NAME, "--with", AGAIN))
    assert {one["value"] for one in rows} == set(VALUES)
    one_llm = tsv(gpla("compare", "GAMMA", "-s", NAME, "--with", AGAIN))
    assert [one["llm"] for one in one_llm] == ["gamma"] * len(VALUES)
    assert "nearest: gamma" in gpla("compare", "gama", "-s", NAME, "--with", AGAIN, code=1)
    assert "another study" in gpla("compare", "gamma", "-s", NAME, code=1)


def test_commands_on_a_matrix_take_a_study_for_their_file(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    matrix = open_study(NAME).matrix("profile")
    assert list(matrix) == ["subject", "llm", "profile", *VALUES]
    known = logits().mean(axis=1)
    assert matrix["Care"].to_numpy() == pytest.approx(known[:, 0])
    system = tmp_path / "s.yaml"
    system.write_text("factors: {F: [Care, Order, Play]}", "utf-8")
    said = gpla("cfa", "-s", NAME, "--system", str(system), code=1)
    assert "3 subjects" in said or "expected at least" in said
    assert "found no factors" in gpla("invariance", "-s", NAME, "--group", "family", code=1)
    assert "nearest: profile" in gpla("structure", "-s", NAME, "--group", "profil", code=1)
    assert "or --study NAME" in gpla("structure", "m.csv", "-s", NAME, code=1)
