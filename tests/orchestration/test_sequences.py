"""A short random sequence of what users do; the whole ones are `python -m tests.sequences`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import Known
from tests.sequences import run_sequence


@pytest.mark.long
@pytest.mark.slow
def test_after_random_actions_the_tables_are_those_made_from_scratch(
    known: Known, tmp_path: Path
) -> None:
    folder = tmp_path / "sequence"
    known.begin(folder / "warehouse")
    sequence = run_sequence(folder, steps=4, seed=1, with_server=False)
    assert sequence.faults == []
    assert sum(sequence.counts.values()) == 4
