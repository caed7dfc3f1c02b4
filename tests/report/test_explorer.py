"""The explorer in a real browser: no request, no error, nothing that shuts anybody out."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import pytest

from gpla_assets.docs.screenshots import DEVICES, chromium, show_as, wait_for
from gpla_assets.evaluator.estimates import compared
from gpla_assets.report.page import render
from tests.report.explored import MARKUP, NAMES, hostile, known

pytest.importorskip("selenium")
from selenium import webdriver
from selenium.webdriver.common.keys import Keys

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
AXE = find_spec("axe_core_python")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not (CHROMIUM and DRIVER),
        reason="Chromium and its driver are not installed: no browser test",
    ),
]
LOCAL = ("file:", "data:", "blob:", "chrome:", "chrome-untrusted:", "about:")
LLMS = [NAMES["alpha-1"], NAMES["beta/2:free"], NAMES["gamma"]]
CARE = NAMES["Care"]
VIEWS = {
    "map": "#/map",
    "cell": f"#/map/{quote(LLMS[1], safe='')}/{quote(CARE, safe='')}",
    "llm": f"#/llm/{quote(LLMS[1], safe='')}?with={quote(LLMS[0], safe='')}",
    "compare": f"#/compare/{quote(LLMS[0], safe='')}/{quote(LLMS[1], safe='')}",
    "structure": "#/structure",
    "benchmarks": "#/benchmarks",
    "alignment": "#/alignment",
    "method": "#/method",
}
AXE_RUN = """
const done = arguments[arguments.length - 1];
axe.run({resultTypes: ['violations']}).then((found) => done(found.violations.map((one) =>
    `${one.id}: ${one.nodes.slice(0, 3).map((node) => node.html.slice(0, 160)).join(' | ')}`)));
"""
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"


class Page:
    """A browser with a page in it."""

    def __init__(self, browser: webdriver.Chrome, file: Path) -> None:
        self.browser, self.file = browser, file

    def device(self, name: str) -> None:
        """Show pages as on a device."""
        show_as(self.browser, name)

    def open(self, view: str) -> None:
        """Load the page at a view, and wait for it."""
        self.browser.get("about:blank")
        self.browser.get(self.file.as_uri() + VIEWS[view])
        self.wait("return document.getElementById('main').dataset.ready")
        if view == "cell":
            self.wait("return document.querySelector('.beside .sentences li')")

    def wait(self, script: str) -> object:
        return wait_for(self.browser, script)

    def ask(self, script: str, *arguments: object) -> object:
        return self.browser.execute_script(script, *arguments)

    def faults(self) -> list[str]:
        """What the browser calls an error, since it was asked last."""
        log = self.browser.get_log("browser")
        return [one["message"] for one in log if one["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that were asked, since it was asked last."""
        log = [json.loads(one["message"])["message"] for one in self.browser.get_log("performance")]
        sent = [one for one in log if one["method"] == "Network.requestWillBeSent"]
        return [one["params"]["request"]["url"] for one in sent]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page of hostile names in a browser."""
    folder = tmp_path_factory.mktemp("explorer")
    file = folder / "hostile.html"
    file.write_text(render("hostile", hostile(), MARKUP), "utf-8")
    with chromium(folder, browser="ALL", performance="ALL") as browser:
        yield Page(browser, file)


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_draws_without_a_request_or_an_error(page: Page, view: str) -> None:
    page.device("wide")
    page.open(view)
    if view == "structure":
        page.wait("return document.querySelector('.plot[data-drawn] .main-svg')")
    assert page.faults() == []
    asked = page.requests()
    assert any(url.startswith("file:") for url in asked)
    assert [url for url in asked if not url.startswith(LOCAL)] == []
    assert page.ask("return window.hacked") is None
    assert (
        page.ask("return document.querySelectorAll('main img, main script, main iframe').length")
        == 0
    )
    # no name that turns lines around is shown as it is
    assert (
        page.ask("return /[\\u202a-\\u202e\\u2066-\\u2069]/.test(document.body.innerText)") is False
    )


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.skipif(AXE is None, reason="axe-core-python is not installed")
def test_nobody_is_shut_out(page: Page, device: str) -> None:
    assert AXE is not None and AXE.origin is not None
    axe = Path(AXE.origin).with_name("axe.min.js").read_text("utf-8")
    page.device(device)
    for view in VIEWS:
        page.open(view)
        page.ask(axe)
        assert (view, page.browser.execute_async_script(AXE_RUN)) == (view, [])


@pytest.mark.parametrize("view", VIEWS)
def test_on_a_phone_no_view_is_wider_than_the_screen(page: Page, view: str) -> None:
    page.device("phone")
    page.open(view)
    assert page.ask("return document.documentElement.scrollWidth <= window.innerWidth") is True


def test_names_are_shown_as_text(page: Page) -> None:
    page.device("wide")
    page.open("cell")
    rows = page.ask(
        "return [...document.querySelectorAll('.heat tbody th')].map((one) => one.textContent)"
    )
    assert isinstance(rows, list) and CARE in rows
    marked = page.ask(TEXTS, "mark")
    assert isinstance(marked, list) and set(marked) == {"I 🙂 care."}
    question = page.ask("return document.querySelector('.question').textContent")
    assert question == MARKUP
    title = page.ask("return document.title")
    assert title == "Overview: hostile"


def test_the_map_is_walked_and_opened_by_keys(page: Page) -> None:
    page.device("wide")
    page.open("map")
    page.ask("document.querySelector('.heat td[tabindex=\"0\"]').focus()")
    where = "const one = document.activeElement; return [one.dataset.row, one.dataset.column]"
    assert page.ask(where) == ["0", "0"]
    for key, place in (
        (Keys.ARROW_RIGHT, ["0", "1"]),
        (Keys.ARROW_DOWN, ["1", "1"]),
        (Keys.END, ["1", "2"]),
        (Keys.ARROW_DOWN, ["2", "2"]),
        (Keys.ARROW_DOWN, ["2", "2"]),
        (Keys.HOME, ["2", "0"]),
    ):
        page.browser.switch_to.active_element.send_keys(key)
        assert page.ask(where) == place
    page.browser.switch_to.active_element.send_keys(Keys.ENTER)
    page.wait("return document.querySelector('.beside h2') === document.activeElement")
    assert str(page.ask("return location.hash")).startswith("#/map/org%2F")
    page.ask("document.querySelector('.close').click()")
    assert page.ask(where) == ["2", "0"]
    assert page.ask("return location.hash") == "#/map"


def test_values_are_found_and_ordered(page: Page) -> None:
    page.device("wide")
    page.open("map")
    first = page.ask(TEXTS, ".heat tbody th")
    assert isinstance(first, list) and first[0] == CARE and len(first) == 3
    find = page.browser.find_element("css selector", "input[type=search]")
    find.send_keys("hyperlink")
    assert page.ask(TEXTS, ".heat tbody th") == ["=HYPERLINK(1)"]
    assert page.ask("return location.hash") == "#/map?value=hyperlink"


def test_a_pair_has_the_interval_of_gpla_compare(page: Page) -> None:
    page.device("wide")
    page.open("compare")
    tables = known()
    own = tables["subjects"].set_index("subject_id")["llm"]
    expected = compared(tables["expressions"], own, "salience", "alpha-1", "beta/2:free")
    row = expected[expected["value"] == "Care"].iloc[0]
    shown = page.ask(
        "return [...document.querySelectorAll('.intervals tbody tr')]"
        ".find((one) => one.querySelector('th').textContent.includes('Care')).textContent"
    )
    numbers = f"{row['difference']:+.2f} [{row['low']:+.2f}, {row['high']:+.2f}]"
    assert numbers.replace("-", "−") in str(shown)


def test_a_csv_runs_nothing_in_a_spreadsheet(page: Page) -> None:
    page.device("wide")
    page.open("map")
    text = page.browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "import('gpla/panel.js').then(({csv}) => done(csv("
        "[['a', ['=1', 'x\"y', null]], ['b', [-1, 2.5, true]]])))"
    )
    assert text == 'a,b\r\n\'=1,-1\r\n"x""y",2.5\r\n,true\r\n'


def test_numbers_are_rounded_to_what_they_mean(page: Page) -> None:
    page.open("map")
    shown = page.browser.execute_async_script(
        "const done = arguments[arguments.length - 1];"
        "import('gpla/numbers.js').then(({signed, percent, general}) => done(["
        "signed(-0.004), signed(1.266), signed(null), percent(0.0123), percent(0.5), percent(0),"
        "general(0.00001), general(1234.5), general(25000), general(0.1234), general(2020)]))"
    )
    assert shown == [
        "0.00",
        "+1.27",
        "–",
        "1.2%",
        "50%",
        "0%",
        "< 0.001",
        "1235",
        "25,000",
        "0.12",
        "2020",
    ]
