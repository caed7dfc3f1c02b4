"""The report: self-contained, escaped, and drawn without an error in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.own_matrix import Structured
from gpla_assets.psychometrics.stability import bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.report.page import QUERIES, render
from gpla_assets.report.structure_page import structured_tables, write_structure_page
from gpla_assets.studies import load_study
from gpla_assets.studies.structure import StructureSettings
from tests.conftest import Ran
from tests.report.test_benchmark_figures import benchmark_tables

CHROMIUM = shutil.which("chromium")
DRIVER = shutil.which("chromedriver")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1200,4200",
)
LOCAL = ("file:", "data:", "blob:", "chrome:", "chrome-untrusted:", "about:")
SECTIONS = (
    *("lexicon", "system", "suitability", "scree", "loadings", "reliabilities", "stability"),
    *("subjects", "schwartz", "cfa", "prediction", "validation", "coverage", "consistency"),
    *("direct", "circle", "external", "targets", "alignment"),
)


HOSTILE = "<script>alert('v')</script>"


@lru_cache
def structured() -> Structured:
    """A small value system with a value whose name is hostile."""
    random = np.random.default_rng(0)
    latent = np.repeat(random.standard_normal((40, 2)), 4, axis=1)
    names = ["Care", "Help", HOSTILE, "Unity", "Risk", "Thrill", "Dare", "Play"]
    index = [f"m{n // 2}|p{n % 2}" for n in range(40)]
    scores = pd.DataFrame(latent + random.standard_normal((40, 8)) * 0.5, index, names)
    settings = StructureSettings(n_factors=2, resamples=50, parallel_repeats=20)
    llms = [subject.split("|")[0] for subject in index]
    system = value_system(scores, settings, llms)
    stability = bootstrap(system.usable, system.pattern, settings, llms)
    influence = leave_one_out(system.usable, system.pattern, settings, llms)
    labels = pd.Series({"F1": HOSTILE, "F2": "Daring"})
    clusters = pd.Series(llms, index)
    return Structured(
        *(system, stability, system.communities, influence, labels, clusters, settings, 0)
    )


def tables(perception: str) -> dict[str, pd.DataFrame]:
    """The smallest tables that a page can be made of."""
    relation = {"reading": "direct", "level": "lower", "factor": "F1", "schwartz": "Power"}
    numbers = {"r": 0.2, "ci_low": 0.1, "ci_high": 0.3, "p_adjusted": 0.01}
    found = structured_tables(structured())
    found |= benchmark_tables(HOSTILE, found["names"])
    found["reliabilities"] = found["reliabilities"].assign(caution="Too few <subjects>.")
    return found | {
        "lexicon": pd.DataFrame({"value": ["Care"], "frequency": [3], "rank": [1]}),
        "dropped": pd.DataFrame(columns=["value", "frequency", "winner", "rule", "similarity"]),
        "examples": pd.DataFrame(
            {"subject_id": ["a"], "content": [perception], "value": ["Care"], "relevance": [0.9]}
        ).assign(score=0.1),
        "counts": pd.DataFrame({"texts": [1]}),
        "relations": pd.DataFrame([relation | numbers | {"paper_factor": None, "paper_r": None}]),
    }


def test_text_from_models_cannot_become_markup() -> None:
    assert set(tables("x")) == set(QUERIES)
    page = render(load_study("demo"), tables("<script>alert('x')</script>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "Too few &lt;subjects&gt;." in page


def test_a_users_own_matrix_gets_the_same_sections(tmp_path: Path) -> None:
    out = tmp_path / "own.html"
    write_structure_page(out, "<b>mine</b>.csv", structured())
    page = out.read_text("utf-8")
    for section in ("system", "suitability", "scree", "loadings", "reliabilities", "stability"):
        assert f'id="{section}"' in page
    assert "<script>alert" not in page and "<b>mine" not in page
    assert list(tmp_path.iterdir()) == [out]


def test_the_page_loads_nothing_from_elsewhere(demo: Ran) -> None:
    page = (demo.folder / "report" / "demo.html").read_text("utf-8")
    without_scripts = re.sub(r"<script.*?</script>", "", page, flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=[\"'](?:https?:)?//", without_scripts)
    assert not re.search(r"<script[^>]+src=", page)
    for section in SECTIONS:
        assert f'id="{section}"' in page


@pytest.mark.skipif(
    not (CHROMIUM and DRIVER), reason="Chromium and its driver are not installed: no browser test"
)
def test_the_page_draws_in_chromium_without_requests_or_errors(demo: Ran, tmp_path: Path) -> None:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.support.ui import WebDriverWait

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        browser.get((demo.folder / "report" / "demo.html").as_uri())
        # on a busy machine the page is there before its charts are
        WebDriverWait(browser, 60).until(
            lambda page: (
                page.execute_script(
                    "return document.querySelectorAll('.js-plotly-plot .main-svg').length"
                )
                >= len(SECTIONS)
            )
        )
        errors = [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"]
        events = [
            json.loads(entry["message"])["message"] for entry in browser.get_log("performance")
        ]
        requests = [
            event["params"]["request"]["url"]
            for event in events
            if event["method"] == "Network.requestWillBeSent"
        ]
        browser.save_screenshot(str(tmp_path / "report.png"))
        notes = browser.find_elements("css selector", ".caution")
        assert "Not interpretable" in notes[0].text
    finally:
        browser.quit()
    assert errors == []
    assert any(url.startswith("file:") for url in requests)
    assert [url for url in requests if not url.startswith(LOCAL)] == []
    assert (tmp_path / "report.png").stat().st_size > 20_000
