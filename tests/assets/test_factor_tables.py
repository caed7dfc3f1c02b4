"""What the factors step writes fits its tables; shared perceptions by hand."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.assets.factors import SHARED
from gpla_assets.psychometrics.structure import ValueSystem, value_system
from gpla_assets.storage.structure_tables import STRUCTURE_TABLES
from gpla_assets.studies.structure import StructureSettings

COLUMNS = {
    str(table.__tablename__): set(table.__table__.columns.keys())  # type: ignore[attr-defined]
    for table in STRUCTURE_TABLES
}


@pytest.fixture(scope="module")
def system() -> ValueSystem:
    random = np.random.default_rng(0)
    latent = np.repeat(random.standard_normal((60, 2)), 4, axis=1)
    scores = pd.DataFrame(latent + 0.5 * random.standard_normal((60, 8)), columns=list("abcdefgh"))
    llms = [f"m{n // 4}" for n in range(60)]
    return value_system(scores, StructureSettings(parallel_repeats=20), llms)


def test_rows_have_the_columns_of_their_tables(system: ValueSystem) -> None:
    assert system.bias is not None
    frames = {
        "communities": system.communities,
        "redundant_values": system.redundancy.assign(shared_perceptions=0.0),
        "response_bias": system.bias.assign(matrix=""),
        "factor_fit": system.fit.assign(matrix=""),
        "suitability": system.suitability.assign(matrix=""),
        "reliabilities": system.reliabilities,
        "value_reliabilities": system.value_reliabilities,
        "eigenvalues": system.eigenvalues,
        "factor_retention": system.retention,
    }
    assert {name: set(frame.columns) ^ COLUMNS[name] for name, frame in frames.items()} == {
        name: set() for name in frames
    }


def test_perceptions_in_common_are_counted_by_hand() -> None:
    # of the perceptions that bear on a (1, 2, 3) or b (2, 3, 4), two of four bear on both
    rows = [(1, "a"), (2, "a"), (3, "a"), (2, "b"), (3, "b"), (4, "b"), (5, "c")]
    with duckdb.connect() as con:
        con.execute("create schema evidence")
        con.execute(
            "create table evidence.measurements "
            "(perception_id int, lexicon text, value text, relevance double)"
        )
        for number, value in rows:
            con.execute(
                "insert into evidence.measurements values (?, 'lexicon', ?, 0.9)", [number, value]
            )
        con.execute("insert into evidence.measurements values (1, 'lexicon', 'b', 0.1)")
        found = con.execute(SHARED, [0.5, ["a", "b"]]).fetchall()
    assert sorted(found) == [("a", "b", 0.5), ("b", "a", 0.5)]
