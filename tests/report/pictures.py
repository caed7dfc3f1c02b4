"""A picture of the explorer: `python -m tests.report.pictures STUDY.duckdb OUT.png [#/VIEW]`."""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from selenium.webdriver.support.ui import WebDriverWait

from gpla_assets.report import write_explorer
from tests.screenshots import browsing

SIZE = (1400, 1060)
READY = "return document.getElementById('main').dataset.ready"


def main() -> None:
    """Write the explorer of a published file, and take its picture."""
    file, out, view = Path(sys.argv[1]), Path(sys.argv[2]), (*sys.argv[3:], "#/map")[0]
    with TemporaryDirectory() as folder, browsing(*SIZE) as browser:
        page = write_explorer(file, Path(folder) / "explorer.html")
        # a window is higher than the page in it
        screen = {"width": SIZE[0], "height": SIZE[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
        browser.get(page.as_uri() + view)
        WebDriverWait(browser, 90).until(lambda one: one.execute_script(READY))
        out.parent.mkdir(parents=True, exist_ok=True)
        browser.save_screenshot(str(out))


if __name__ == "__main__":
    main()
