"""A short random sequence of what users do; the whole ones are `python -m tests.sequences`."""

from __future__ import annotations

import shutil
from pathlib import Path

from tests.conftest import Ran
from tests.sequences import run_sequence


def test_after_random_actions_the_tables_are_those_made_from_scratch(
    demo: Ran, tmp_path: Path
) -> None:
    folder = tmp_path / "sequence"
    (folder / "warehouse").mkdir(parents=True)
    # the quick study's texts are the demo's: nothing is embedded anew
    shutil.copy(demo.folder / "embeddings.sqlite", folder / "warehouse")
    sequence = run_sequence(folder, steps=5, seed=1, with_server=False)
    assert sequence.faults == []
    assert sum(sequence.counts.values()) == 5
