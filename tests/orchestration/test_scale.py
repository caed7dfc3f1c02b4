"""What `gpla benchmark scale` runs: models by themselves, on tables of any size."""

from __future__ import annotations

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.evaluator.expression import less_questions, subject_scores
from gpla_assets.orchestration.scale import CORRELATIONS, MATRIX, Measured, exponents, model_sql
from gpla_assets.orchestration.scale_data import VALUES, embeddings, filled, value_names
from gpla_assets.psychometrics.pairwise import pairwise_correlation


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    warehouse = filled(tmp_path_factory.mktemp("scale") / "scale.duckdb", 5000, subjects=10)
    return warehouse.table("expressions")


def test_a_filled_warehouse_has_a_row_a_subject_question_and_value(stored: pd.DataFrame) -> None:
    assert len(stored) == 10 * 4 * VALUES
    assert not stored.duplicated(["response_id", "lexicon", "value"]).any()


def test_the_matrix_in_sql_is_the_readings_and_hangs_on_no_order(stored: pd.DataFrame) -> None:
    def matrix(rows: pd.DataFrame) -> pd.DataFrame:
        connection = duckdb.connect()
        connection.register("stored", rows)
        found = connection.execute(model_sql(MATRIX, {"stg_expressions": "stored"})).df()
        return found.set_index(["subject_id", "value"])[["score", "direction", "n"]].sort_index()

    sums = less_questions(stored).rename(columns={"subject_id": "subject"})
    expected = subject_scores(sums, "salience").set_index(["subject", "value"]).sort_index()
    found = matrix(stored)
    for name in ("score", "direction", "n"):
        np.testing.assert_allclose(found[name], expected[name], atol=1e-9)
    # bit by bit, which sums of floats are not
    pd.testing.assert_frame_equal(
        found, matrix(stored.sample(frac=1, random_state=3)), rtol=0, atol=0
    )


def test_correlations_in_sql_are_those_of_the_pairs_and_hang_on_no_order() -> None:
    rng = np.random.default_rng(4)
    wide = rng.normal(-6, 0.4, size=(60, 5))
    wide[rng.random(wide.shape) < 0.1] = np.nan
    wide[:, 4] = 5.1  # a constant
    names = list("abcde")
    long = (
        pd.DataFrame(wide, columns=names)
        .rename_axis("subject_id")
        .reset_index()
        .melt("subject_id", var_name="value", value_name="score")
    )

    def correlations(rows: pd.DataFrame) -> pd.DataFrame:
        connection = duckdb.connect()
        connection.register("scores", rows)
        found = connection.execute(model_sql(CORRELATIONS, {"subject_values": "scores"})).df()
        return found.sort_values(["value_a", "value_b"], ignore_index=True)

    found = correlations(long)
    assert len(found) == 10 and found.loc[found["value_b"] == "e", "r"].isna().all()
    expected = pairwise_correlation(wide[:, :4])
    known = found.dropna()
    for row in known.itertuples():
        here = expected[names.index(row.value_a), names.index(row.value_b)]
        assert row.r == pytest.approx(here, abs=1e-10)
    assert len(known) == 6
    again = correlations(long.sample(frac=1, random_state=1))
    pd.testing.assert_frame_equal(found, again, rtol=0, atol=0)


def test_names_and_embeddings_are_what_the_filter_takes() -> None:
    values, vectors = value_names(300), embeddings(300)
    assert values["value"].is_unique and (values["frequency"] >= 1).all()
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors.shape == (300, 384)


def test_growth_is_an_exponent_of_cpu_seconds() -> None:
    found = [Measured("x", "ours", size, 9.0, 2e-6 * size**1.5, 1.0) for size in (10**4, 10**5)]
    grown = exponents([*found, Measured("y", "ours", 10, 1.0, 1.0, 1.0)])
    assert grown == {("x", "ours"): pytest.approx(1.5)}
