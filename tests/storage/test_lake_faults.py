"""A short campaign of faults on a lake; the whole one is `python -m tests.lake_campaign kills`."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lake_campaign import FAULTS, growth, kills
from tests.postgres import lacking, postgres

LACKING = lacking()


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
def test_after_each_fault_a_partition_is_old_or_new_and_can_be_replaced(tmp_path: Path) -> None:
    with postgres() as server:
        campaign = kills(server, tmp_path, len(FAULTS), seed=1)
    assert campaign.faults == []
    assert dict(campaign.done) == dict.fromkeys(FAULTS, 1)
    assert sum(campaign.outcomes.values()) == len(FAULTS)


def test_growth_is_of_the_end_over_the_beginning() -> None:
    assert growth([9.0, 1.0, 1.0, 1.0, 1.0]) == 0
    assert growth([1.0, 2.0, 3.0, 4.0, 5.0]) == 3
