"""Pictures of Dagster's UI of a study with something stale: `python -m tests.screenshots OUT`.

With `--made FOLDER`, of a quick study that was made before; else it is made first.
"""

from __future__ import annotations

import argparse
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import quote

from selenium import webdriver

from gpla_assets.docs.screenshots import chromium
from tests.conftest import gpla
from tests.dagster_ui import REPOSITORY, Ui, quick_study, serving

PLACE = f"{REPOSITORY['repositoryName']}@{REPOSITORY['repositoryLocationName']}"
PARTITION = "llm-03|Default"


@contextmanager
def browsing(width: int, height: int) -> Iterator[webdriver.Chrome]:
    """A browser of a size."""
    with TemporaryDirectory() as folder, chromium(Path(folder)) as browser:
        browser.set_window_size(width, height)
        yield browser


def pages(ui: Ui) -> dict[str, tuple[str, str, str]]:
    """What is shown, by the picture's name: the page, a text to click on, a text to scroll to."""
    runs = {run["jobName"]: run["runId"] for run in ui.runs()}
    scope = "view=lineage&lineageScope=downstream&lineageDepth=3"
    return {
        "lineage": (f"assets/factors?{scope}", "", ""),
        "asset": ("assets/factors?view=overview", "", "settings changed"),
        "run": (f"runs/{runs['add_llm']}", "View tags and config", ""),
        "runs": ("runs", "", ""),
        "partition": (
            f"assets/measurements?view=partitions&partition={quote(PARTITION)}",
            *("Show tags", "Show tags"),
        ),
    }


def picture(
    browser: webdriver.Chrome, ui: Ui, page: tuple[str, str, str], out: Path, seconds: float
) -> None:
    """One page, after what it loads has come."""
    path, click, scroll = page
    browser.get(f"http://127.0.0.1:{ui.port}/{path}")
    time.sleep(seconds)
    holding = "//*[contains(normalize-space(text()), '{}')]"
    if scroll:
        own = browser.find_elements("xpath", holding.format(scroll))
        for one in own[-1:]:
            browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", one)
    if click:
        for one in browser.find_elements("xpath", holding.format(click))[:1]:
            browser.execute_script("arguments[0].click()", one)
    time.sleep(2)
    browser.save_screenshot(str(out))


def main() -> None:
    """Make the pictures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--made", type=Path)
    parser.add_argument("--seconds", type=float, default=12)
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        folder = Path(temporary)
        if asked.made:
            shutil.copytree(asked.made, folder, dirs_exist_ok=True)
        else:
            gpla("run", quick_study(folder), folder=folder)
        study = folder / "quick.yaml"
        study.write_text(study.read_text("utf-8").replace("n_factors: 2", "n_factors: 3"), "utf-8")
        print(gpla("status", str(study), folder=folder))
        with serving(str(study), folder) as ui, browsing(1500, 950) as browser:
            for name, page in pages(ui).items():
                # a wide window, so that the graph is drawn large enough to say what is stale
                browser.set_window_size(*((2300, 1500) if name == "lineage" else (1500, 950)))
                picture(browser, ui, page, asked.out / f"{name}.png", asked.seconds)


if __name__ == "__main__":
    main()
