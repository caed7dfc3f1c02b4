"""Draws and what is read off them: known answers, and the streams that stored tables rest on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gpla_assets.psychometrics.resampling import (
    drawn_counts,
    drawn_rows,
    drawn_signs,
    drawn_units,
    halves,
    percentile_interval,
    permutation_p,
    poisson_counts,
    units_of,
)


def random() -> np.random.Generator:
    return np.random.default_rng(7)


def test_a_units_rows_are_drawn_together() -> None:
    llms = ["b", "a", "b", "c", "a", "b"]
    units = units_of(llms)
    assert [list(rows) for rows in units] == [[1, 4], [0, 2, 5], [3]]
    stream = random()
    for _ in range(50):
        drawn = list(drawn_rows(units, stream))
        counts = [drawn.count(row) for row in range(6)]
        assert counts[1] == counts[4] and counts[0] == counts[2] == counts[5]
        assert counts[1] + counts[0] + counts[3] == 3  # as many units as there are


def test_draws_are_those_that_stored_tables_were_made_with() -> None:
    # numpy's PCG64 by the calls that stood in seven modules before
    assert (drawn_units(5, 9, random()) == random().integers(0, 5, (9, 5))).all()
    assert (drawn_counts(5, 9, random()) == random().multinomial(5, [0.2] * 5, size=9)).all()
    assert (poisson_counts(5, 9, random()) == random().poisson(1.0, (9, 5))).all()
    assert (drawn_signs(5, 9, random()) == random().choice([-1.0, 1.0], (9, 5))).all()
    units = units_of("abcab")
    at = random().integers(0, 3, 3)
    assert list(drawn_rows(units, random())) == [row for unit in at for row in units[unit]]


def test_counts_and_places_are_the_same_bootstrap() -> None:
    numbers = np.array([0.0, 1.0, 4.0, 9.0])
    by_place = numbers[drawn_units(4, 20_000, random())].mean(1)
    by_count = drawn_counts(4, 20_000, random()) @ numbers / 4
    weights = poisson_counts(4, 20_000, random())
    weights = weights[weights.sum(1) > 0]
    by_weight = weights @ numbers / weights.sum(1)
    error = numbers.std() / np.sqrt(4)  # of a mean of four drawn with replacement
    for means in (by_place, by_count):
        assert means.mean() == pytest.approx(3.5, abs=0.05)
        assert means.std() == pytest.approx(error, rel=0.03)
    assert by_weight.mean() == pytest.approx(3.5, abs=0.05)


def test_the_interval_is_scipys_percentile_interval() -> None:
    numbers = np.random.default_rng(1).normal(size=40)
    ours = percentile_interval(numbers[drawn_units(40, 9999, random())].mean(1))
    theirs = stats.bootstrap(
        (numbers,), np.mean, n_resamples=9999, method="percentile", rng=random()
    ).confidence_interval
    assert ours == pytest.approx([theirs.low, theirs.high], abs=0.02)


def test_an_interval_passes_over_what_has_no_number() -> None:
    draws = np.column_stack([np.arange(101.0), np.full(101, 5.0)])
    np.testing.assert_allclose(percentile_interval(draws), [[2.5, 5], [97.5, 5]])
    holed = draws.copy()
    holed[::2, 0] = np.nan  # 1, 3, ..., 99 are left
    np.testing.assert_allclose(
        percentile_interval(holed)[:, 0], np.quantile(draws[1::2, 0], [0.025, 0.975])
    )
    assert np.isnan(percentile_interval(np.zeros(0))).all()
    assert percentile_interval(np.zeros((0, 3))).shape == (2, 3)


def test_p_counts_the_order_found_among_those_that_chance_can_bring() -> None:
    assert permutation_p(0.8, np.array([0.5, 0.8, 0.9, 0.1])) == pytest.approx(3 / 5)
    assert permutation_p(0.3, [0.1 + 0.2 - 1e-16]) == 1  # equal but for the order of a sum
    assert permutation_p(9.0, np.zeros(99)) == pytest.approx(0.01)
    assert permutation_p(0.8, np.zeros(0)) is None


def test_p_of_no_difference_is_even() -> None:
    ps = []
    stream = random()
    for _ in range(300):
        changes = stream.normal(size=12)
        turned = (drawn_signs(12, 99, stream) * changes).mean(1)
        ps.append(permutation_p(abs(changes.mean()), np.abs(turned)) or 0.0)
    assert 0.01 < np.mean(np.array(ps) <= 0.05) < 0.09
    assert np.mean(ps) == pytest.approx(0.5, abs=0.05)


def test_halves_by_llm_keep_each_llm_on_one_side() -> None:
    llms = [f"m{n // 3}" for n in range(30)]
    first, second = halves(llms, random())
    assert sorted([*first, *second]) == list(range(30))
    assert not {llms[at] for at in first} & {llms[at] for at in second}
    assert len(first) == len(second) == 15
