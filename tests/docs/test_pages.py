"""Pages: what they tell one to type is taken, and they say what their numbers are of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gpla_assets.docs.filling import pages_with_results
from gpla_assets.docs.measured import AGENT_NAME, BLOCK, SHIPPED_AGENTS, agent_results, fill
from gpla_assets.docs.pages import BESIDE, on_the_site, page_name, reference_pages, written_pages
from gpla_assets.looking.published import LookingError
from tests.docs.lines import COMMANDS, DOCS, PAGES, ROOT, blocks, gpla_lines, parsed
from tests.looking.looked_at import NAME

README = ROOT / "README.md"
RESULTS = DOCS / "results"
WRITTEN = [
    page
    for page in PAGES
    if page.name != "CHANGELOG.md" and "decisions" not in page.parts
    and page.name != "MODEL_CARD.md"
]  # fmt: skip
"""Pages of the present; records of decisions and the model cards tell of each version by itself."""
INTERVAL = re.compile(r"\[-?\.?\d[\d.]*%?, -?\.?\d")
NO_AGENT = re.compile(r"\bno agent", re.IGNORECASE)
MOST_BYTES = 12_000


def sections(text: str) -> list[str]:
    """A page by its headings, without what stands in fences."""
    return re.split(r"(?m)^#+ ", re.sub(r"```.*?```", "", text, flags=re.DOTALL))


def undeclared(text: str) -> list[str]:
    """Headings of sections with measured numbers that do not say what they were measured with."""
    whole = NO_AGENT.search(text.split("\n## ")[0]) or "Measured with" in text.split("\n## ")[0]
    return [
        section.partition("\n")[0]
        for section in sections(text)
        if (INTERVAL.search(section) or BLOCK.search(section))
        and "Measured with" not in section
        and not NO_AGENT.search(section)
        and not whole
    ]


def outdated(text: str) -> list[str]:
    """Headings of sections that speak of agents that do not ship, and do not say so."""
    return [
        section.partition("\n")[0]
        for section in sections(text)
        if set(AGENT_NAME.findall(section)) - set(SHIPPED_AGENTS)
        and "no longer ship" not in section
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_the_lines_of_a_page_are_taken(page: Path) -> None:
    queries = {"list", *(path.stem for path in (ROOT / "sql").glob("*.sql"))}
    text = page.read_text("utf-8")
    for line in gpla_lines(text):
        given = parsed(line)
        if line.split()[1] == "query":
            assert given["name"] in queries, line
    for block in blocks(text):
        if block.language == "python":
            compile(block.text, str(page), "exec")


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("gpla run demo --nothing", "NoSuchOption"),
        ("gpla target", "MissingParameter"),
        ("gpla query factors --set", "BadOptionUsage"),
        ("gpla made", "KeyError"),
    ],
)
def test_a_line_that_a_command_does_not_take_would_be_found(line: str, fault: str) -> None:
    with pytest.raises(Exception) as refused:
        parsed(line)
    assert type(refused.value).__name__ == fault


def test_commands_in_a_sentence_exist() -> None:
    for page in WRITTEN:
        for name in re.findall(r"`gpla ([a-z][\w-]+)", page.read_text("utf-8")):
            assert name in COMMANDS, (page.name, name)


def test_the_readme_is_short_and_names_what_a_newcomer_needs() -> None:
    text = README.read_text("utf-8")
    assert len(text.encode()) <= MOST_BYTES
    for part in ("arxiv.org/abs/2502.02444", "$ make run", "$ make test", "gpla measure"):
        assert part in text.partition("## What is known")[0]
    for word in ("perception", "value", "M_P", "M_G", "M_E"):
        assert re.search(rf"(?m)^\| {word}\b", text), word


def test_every_room_stands_in_the_map() -> None:
    rooms = {path.parent.name for path in (ROOT / "gpla_assets").glob("*/__init__.py")}
    assert set(re.findall(r"\| `gpla_assets/(\w+)/` \|", README.read_text("utf-8"))) == rooms


@pytest.mark.parametrize("page", WRITTEN, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_says_which_agents_its_numbers_are_of(page: Path) -> None:
    text = page.read_text("utf-8")
    assert undeclared(text) == []
    assert outdated(text) == []


def test_a_page_that_does_not_say_would_be_found() -> None:
    number = "# P\n\n## A\nr is .55 [.50, .60].\n"
    assert undeclared(number) == ["A"]
    assert undeclared(number + "Measured with `gpla-minilm-1`.") == []
    assert outdated(number + "Measured with `gpla-minilm-1`.") == ["A"]
    assert outdated(number + "Measured with `gpla-minilm-1`, which no longer ships.") == []
    assert outdated(f"## A\n.5 [.4, .6] `{SHIPPED_AGENTS[0]}`") == []


def test_blocks_of_results_are_what_the_results_say() -> None:
    pages = pages_with_results()
    assert README in pages
    for page in pages:
        text = page.read_text("utf-8")
        assert fill(text, RESULTS) == text, f"{page}: `gpla results` fills it anew"
        for found in BLOCK.finditer(text):
            source = (RESULTS / f"{found[2]}.md").read_text("utf-8")
            named = set(AGENT_NAME.findall(source.partition("\n## ")[0]))
            assert named & set(AGENT_NAME.findall(text)), (page, found[2])


def test_the_page_of_the_agents_is_of_those_that_ship() -> None:
    page = RESULTS / SHIPPED_AGENTS[0] / "agents.csv"
    assert page.exists(), "`gpla results` writes it"
    rows = agent_results()
    assert page.read_text("utf-8") == rows.to_csv(index=False, float_format="%.6g")
    assert not rows["name"].duplicated().any() and len(rows) > 50


def test_pages_are_named_as_one_would_type_them() -> None:
    names = {page_name(path) for path in written_pages()}
    assert {"start", "tutorials", "tutorials/analyst", "charts", "agents/model_card"} <= names


def test_links_out_of_the_pages_become_names_and_those_to_cards_stay_links() -> None:
    every = dict.fromkeys(["a/b.md", *BESIDE.values()])
    text = "[code](../../parser/chunks.py) [card](../../evaluator/MODEL_CARD.md) [b](b.md)"
    assert on_the_site("a/c.md", text, every) == (
        "code (`chunks.py`) [card](../agents/model_card.md) [b](b.md)"
    )


def test_the_reference_holds_what_the_code_has() -> None:
    import typer

    from gpla_assets.cli import app
    from gpla_assets.storage.tables import TABLES
    from gpla_assets.studies import Study

    pages = reference_pages(typer.main.get_group(app))
    for name in Study.model_fields:
        assert (
            f"`{name}" in pages["reference/settings.md"]
            or f"## {name}" in pages["reference/settings.md"]
        )
    for name in ("`measurement.rule`", "`alignment.ppo.batch`", "`calls.prices`"):
        assert name in pages["reference/settings.md"]
    for table in TABLES:
        assert f".{table}\n" in pages["reference/tables.md"], table
    for command in COMMANDS:
        assert f"### gpla {command}\n" in pages["reference/commands.md"], command
    for query in (ROOT / "sql").glob("*.sql"):
        assert f"| `{query.stem}` |" in pages["reference/queries.md"]
    for method in ("profile", "compare", "why", "sql"):
        assert f"### study.{method}\n" in pages["reference/python.md"]


def test_results_of_a_study_are_written_with_what_they_are_of(
    looked: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from gpla_assets.docs.measured import study_results, study_source, write_results
    from gpla_assets.looking import open_study

    monkeypatch.setenv("GPLA_WAREHOUSE_DIR", str(looked.parent))
    study = open_study(NAME)
    rows = study_results(study).set_index("name")
    assert rows.loc["differences.clear", "n"] == 9
    assert "Factors" not in set(rows["section"])  # it found none
    source = study_source(study, "abc1234")
    page = write_results(study_results(study), source, NAME, tmp_path)
    assert page == tmp_path / "gpla-test-1" / f"{NAME}.md"
    assert "Measured with `gpla-test-1`. Commit abc1234, 20" in page.read_text("utf-8")
    with pytest.raises(LookingError):  # a study that was not run has no results
        open_study("demo")


def test_the_site_is_built_and_a_link_that_leads_nowhere_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("mkdocs")
    import typer

    from gpla_assets.cli import app
    from gpla_assets.docs import site

    program = typer.main.get_group(app)
    pages = written_pages()
    monkeypatch.setattr(site, "reference_pages", lambda _: {})
    monkeypatch.setattr(site, "written_pages", lambda: pages | {"charts.md": "[x](gone.md)"})
    with pytest.raises(site.DocsError):
        site.build(program, tmp_path / "broken")
    monkeypatch.setattr(site, "written_pages", lambda: pages)
    assert site.build(program, tmp_path / "site") >= len(pages)
    shown = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert 'src="http' not in shown  # no request leaves the machine
    assert (tmp_path / "site" / "search" / "search_index.json").exists()
