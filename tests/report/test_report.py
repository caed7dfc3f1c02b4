"""The explorer's page: self-contained, whatever it holds; panels of what there is, no others."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd

from gpla_assets.report.html import FRONT_END, modules
from gpla_assets.report.page import NO_OTHER, QUERIES, beside_tables, parts, render, write_explorer
from gpla_assets.report.panels import declared
from gpla_assets.report.structure_page import write_structure_page
from gpla_assets.validation.two_studies import study_agreement
from tests.conftest import Ran
from tests.report.explored import (
    MARKUP,
    as_json,
    explored_file,
    hostile,
    known,
    parts_of,
    structured,
)


def test_no_text_of_a_study_stands_in_the_page_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "x.html"
    page.write_text(render("<i>study", hostile(), MARKUP), "utf-8")
    text = page.read_text("utf-8")
    assert "hacked" not in text and "onerror" not in text and "<i>study" not in text
    assert "&lt;i&gt;study" in text
    core = parts_of(page)["core"]
    assert core["description"] == MARKUP
    assert core["cautions"] == [f"Too few {MARKUP}."]


def test_a_page_has_panels_of_what_there_is_alone() -> None:
    full = parts("x", hostile())["panels"]
    every = {(view, one.id) for view, panels in declared().items() for one in panels}
    shown = {(one["view"], re.sub(r"_\d+$", "_{place}", one["id"])) for one in full}
    assert shown - {("method", "settings")} == every - {
        ("structure", "congruence"),
        ("compare", "beside"),
    }
    found = parts("x", known())
    assert found["core"]["views"] == ["method"]
    assert "nothing to show" not in as_json(full) and "nothing to show" not in as_json(found)


def test_every_panel_says_by_what_sql_its_rows_come() -> None:
    tables = hostile()
    assert set(tables) >= set(QUERIES)
    for panel in parts("x", tables)["panels"]:
        assert panel["sql"] or not panel["tables"]
        assert panel["sql"] is None or not panel["sql"].startswith((" ", "--"))


def test_a_study_beside_another_has_a_panel_of_both() -> None:
    values = known()["llm_values"]
    found = study_agreement(values, values.assign(difference=-values["difference"]))
    beside = beside_tables("again", found)
    assert tuple(beside) == NO_OTHER
    panels = [one for one in parts("x", known() | beside)["panels"] if one["view"] == "compare"]
    assert [one["title"] for one in panels] == ["Beside study again"]
    titles = {one["title"].split(":")[0] for one in panels[0]["tables"]}
    assert titles == {"By value", "By LLM", "What changed"}
    assert panels[0]["figure"] is not None


def test_tables_that_panels_name_are_read() -> None:
    named = {rows.table for panels in declared().values() for one in panels for rows in one.tables}
    assert named - {"counted", *NO_OTHER} <= set(QUERIES)


def test_a_users_own_matrix_gets_the_same_panels(tmp_path: Path) -> None:
    out = tmp_path / "own.html"
    write_structure_page(out, "<b>mine</b>.csv", structured())
    found = parts_of(out)
    assert {"system", "suitability", "scree", "loadings", "reliabilities", "stability"} <= {
        one["id"] for one in found["panels"]
    }
    assert found["core"]["name"] == "<b>mine</b>.csv"
    assert "hacked" not in out.read_text("utf-8")
    assert list(tmp_path.iterdir()) == [out]


def test_a_page_names_no_other_place(tmp_path: Path) -> None:
    text = render("x", known())
    without_data = re.sub(r"<script.*?</script>", "", text, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", without_data)
    assert not re.search(r"<script[^>]+src=", text)
    assert "default-src 'none'" in text
    assert "connect-src" not in text


def test_modules_import_one_another_by_names_that_the_page_gives() -> None:
    found = modules()
    code = {
        file.name: file.read_text("utf-8")
        for file in FRONT_END.iterdir()
        if file.name.endswith("js")
    }
    assert set(found) == {f"gpla/{name}" for name in code}
    for text in code.values():
        for name in re.findall(r'from "([^"]+)"', text):
            assert name.removeprefix("./") in code


def test_a_page_is_made_anew_whole(tmp_path: Path) -> None:
    out = write_explorer(explored_file(), tmp_path / "new" / "it.html", "Said of it.")
    found = parts_of(out)
    assert [one.name for one in out.parent.iterdir()] == ["it.html"]
    assert found["core"]["name"] == "looked" and found["core"]["description"] == "Said of it."
    assert len(pd.DataFrame(found["core"]["cells"])) == 9


def test_the_demo_has_its_panels(demo: Ran) -> None:
    found = parts_of(demo.folder / "report" / "demo.html")
    assert found["core"]["level"] == "subject"
    assert "Not interpretable" in as_json(found["core"]["cautions"])
    pictures = {one["id"] for one in found["panels"] if one["figure"]}
    assert {"system", "scree", "loadings", "reliabilities", "stability", "lexicon"} <= pictures
    assert {"coverage", "circle", "external", "validity"} <= pictures
    assert found["why"]["n"] > 1000
