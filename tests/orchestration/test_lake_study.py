"""A study on a lake gives the tables that it gives in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from gpla_assets.looking.published import reading
from gpla_assets.studies.stores import lake_of
from tests.commands import forked
from tests.conftest import Known
from tests.postgres import lacking, postgres
from tests.quick_study import differences, quick_study, tables_in, tables_of

LACKING = lacking()


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
def test_a_study_on_a_lake_has_the_tables_of_one_in_a_file(known: Known, tmp_path: Path) -> None:
    in_file, on_lake = quick_study(tmp_path / "file"), quick_study(tmp_path / "lake")
    for one in (in_file, on_lake):
        known.begin(one.warehouses)
    in_file.run()
    with postgres() as server:
        address = server.address(tmp_path / "data")
        for command in ("run", "status"):
            done = forked(
                [command, str(on_lake.file)],
                on_lake.environment | {"GPLA_WAREHOUSE": address},
                on_lake.folder,
            )
            assert done.code == 0, done.output[-4000:]
        assert "Nothing is stale" in done.output
        assert not on_lake.published.exists()
        lake = lake_of(address, "quick")
        assert lake is not None
        with reading(lake) as connection:
            assert differences(tables_of(in_file.published), tables_in(connection)) == []
