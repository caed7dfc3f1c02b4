"""The report: self-contained, escaped, and drawn without an error in a real browser."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.report.page import QUERIES, render
from gpla_assets.studies import load_study
from tests.conftest import Ran

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
LOCAL = ("file:", "data:", "blob:", "chrome:", "about:")
SECTIONS = ("lexicon", "scree", "loadings", "reliabilities", "subjects")


def tables(perception: str) -> dict[str, pd.DataFrame]:
    """The smallest tables that a page can be made of."""
    return {
        "lexicon": pd.DataFrame({"value": ["Care"], "frequency": [3], "rank": [1]}),
        "dropped": pd.DataFrame(columns=["value", "frequency", "winner", "rule", "similarity"]),
        "eigenvalues": pd.DataFrame(
            {"component": [1], "eigenvalue": [2.0], "random_95": [1.0], "retained": [True]}
        ),
        "loadings": pd.DataFrame(
            {"factor": ["F1"], "value": ["Care"], "loading": [0.8], "is_primary": [True]}
        ).assign(kept=True),
        "removals": pd.DataFrame(columns=["value", "round", "reason", "loading", "gap"]),
        "reliabilities": pd.DataFrame(
            {"factor": ["F1"], "name": ["Care"], "n_values": [1], "alpha": [0.7]}
        ).assign(ci_low=0.5, ci_high=0.8, interpretable=False, caution="Too few <subjects>."),
        "scores": pd.DataFrame({"subject": ["a", "b"], "factor": "F1", "score": [0.1, 0.2]}),
        "examples": pd.DataFrame(
            {"subject": ["a"], "content": [perception], "value": ["Care"], "relevance": [0.9]}
        ).assign(score=0.1),
        "counts": pd.DataFrame({"texts": [1]}),
    }


def test_text_from_models_cannot_become_markup() -> None:
    assert set(tables("x")) == set(QUERIES)
    page = render(load_study("demo"), tables("<script>alert('x')</script>"))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page
    assert "Too few &lt;subjects&gt;." in page


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

    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = str(CHROMIUM)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options=options, service=Service(str(DRIVER)))
    try:
        browser.get((demo.folder / "report" / "demo.html").as_uri())
        drawn = browser.execute_script(
            "return [...document.querySelectorAll('.js-plotly-plot .main-svg')].length"
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
    assert drawn >= len(SECTIONS)
    assert errors == []
    assert any(url.startswith("file:") for url in requests)
    assert [url for url in requests if not url.startswith(LOCAL)] == []
    assert (tmp_path / "report.png").stat().st_size > 20_000
