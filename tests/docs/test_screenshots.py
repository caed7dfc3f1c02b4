"""Pictures of the pages: each is shown, and shows the explorer as it is."""

from __future__ import annotations

import re

from gpla_assets.docs.screenshots import PICTURES, TAKEN, front_end, shown_by

PAGES = PICTURES.parent


def test_no_picture_is_stale() -> None:
    files = sorted(PICTURES.glob("*.png"))
    assert {one.stem for one in files} == set(TAKEN)
    stale = [one.name for one in files if shown_by(one) != front_end()]
    assert stale == [], "python -m gpla_assets.docs.screenshots takes them anew"


def test_every_picture_is_on_a_page() -> None:
    texts = [
        one.read_text("utf-8") for one in (*PAGES.rglob("*.md"), PAGES.parents[1] / "README.md")
    ]
    named = {name for text in texts for name in re.findall(r"pictures/(\w+)\.png", text)}
    assert named == set(TAKEN)
