"""Pictures of the explorer for the pages: `python -m gpla_assets.docs.screenshots [STUDY]`.

Taken in Chromium of a study that ran. Each says in its file which front end it shows, so that a
test finds the one that is stale.
"""

from __future__ import annotations

import hashlib
import io
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from gpla_assets.report.html import FRONT_END

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PICTURES = Path(__file__).parent / "pictures"
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--hide-scrollbars",
)
DEVICES = {"wide": (1400, 900, "light"), "dark": (1400, 900, "dark"), "phone": (420, 800, "light")}
"""Width and height in pixels, and the scheme of colours."""
WAIT_S = 90
SHOWS = "front end"
"""Name under which a picture's file says what it shows."""
FIRST_CELL = "document.querySelector('.heat td[tabindex=\"0\"]').click()"
TAKEN = {
    "explorer": ("wide", "#/map", ""),
    "cell": ("wide", "#/map", FIRST_CELL),
    "llm": ("wide", "#/llm", ""),
    "compare": ("wide", "#/compare", ""),
    "structure": ("wide", "#/structure", ""),
    "dark": ("dark", "#/map", ""),
    "phone": ("phone", "#/map", ""),
}
"""Pictures by name: device, view, and what is done there before."""


def front_end() -> str:
    """What the page's code and look are: another hash, another look."""
    found = hashlib.sha256()
    for file in sorted(FRONT_END.iterdir(), key=lambda one: one.name):
        if file.is_file():
            found.update(file.read_bytes())
    return found.hexdigest()[:16]


@contextmanager
def chromium(folder: Path, **logged: str) -> Iterator[Chrome]:
    """A browser with a profile of its own; `logged` are the logs that it keeps, with their level.

    Raises RuntimeError where Chromium or its driver is not installed.
    """
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        raise RuntimeError("Chromium and its driver are not installed (chromium, chromedriver).")
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.binary_location = binary
    if logged:
        options.set_capability("goog:loggingPrefs", logged)
    browser = webdriver.Chrome(options=options, service=Service(driver))
    browser.set_script_timeout(WAIT_S)
    try:
        yield browser
    finally:
        browser.quit()


def show_as(browser: Chrome, device: str) -> None:
    """Show pages as on a device."""
    width, height, scheme = DEVICES[device]
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)


def wait_for(browser: Chrome, script: str) -> object:
    """What a script returns, once that is anything."""
    from selenium.webdriver.support.ui import WebDriverWait

    return WebDriverWait(browser, WAIT_S).until(lambda one: one.execute_script(script))


def take(page: Path, folder: Path) -> list[Path]:
    """Take every picture of a page into a folder; their files."""
    taken = []
    with TemporaryDirectory() as temporary, chromium(Path(temporary)) as browser:
        for name, (device, view, before) in TAKEN.items():
            show_as(browser, device)
            browser.get("about:blank")
            browser.get(page.resolve().as_uri() + view)
            wait_for(browser, "return document.getElementById('main').dataset.ready")
            if view == "#/structure":
                wait_for(browser, "return document.querySelector('.plot[data-drawn] .main-svg')")
            if before:
                browser.execute_script(before)
                wait_for(browser, "return document.querySelector('.beside .sentences li')")
            taken.append(_kept(browser.get_screenshot_as_png(), folder / f"{name}.png"))
    return taken


def _kept(picture: bytes, file: Path) -> Path:
    info = PngInfo()
    info.add_text(SHOWS, front_end())
    # few colours: a third of the size, and no difference to be seen
    small = Image.open(io.BytesIO(picture)).convert("RGB").quantize(128, dither=Image.Dither.NONE)
    small.save(file, optimize=True, pnginfo=info)
    return file


def shown_by(file: Path) -> str:
    """The front end that a picture shows, as its file says."""
    with Image.open(file) as picture:
        return str(picture.info.get(SHOWS, ""))


if __name__ == "__main__":
    from gpla_assets.looking.published import published_store
    from gpla_assets.report import write_explorer

    with TemporaryDirectory() as made:
        study = sys.argv[1] if len(sys.argv) > 1 else "demo"
        own = write_explorer(published_store(study), Path(made) / "page.html")
        for one in take(own, PICTURES):
            print(one)
