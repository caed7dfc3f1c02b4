"""What questions add to a score: it adds up, by every rule; deviations give the known intervals."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest

from gpla_assets.evaluator.contributions import PARTS, contributions
from gpla_assets.evaluator.estimates import compared, deviations, estimates
from gpla_assets.evaluator.expression import SUMS
from gpla_assets.studies.measurement import MeasurementRule


def sums() -> pd.DataFrame:
    """Three LLMs, the first of two profiles, on five questions (one without a key), two values."""
    random = np.random.default_rng(3)
    keys = product(["a|1", "a|2", "b|1", "c|1"], range(5), ["Care", "Order"])
    rows = pd.DataFrame(keys, columns=["subject_id", "question", "value"])
    rows["question_id"] = rows["question"].map(lambda q: None if q == 4 else f"q{q}")
    rows["response_id"] = "r" + rows["question"].astype(str)
    drawn = {name: random.integers(1, 9, len(rows)).astype(float) for name in SUMS}
    rows = rows.assign(**drawn | {"logit_sum": random.normal(-3, 1, len(rows))})
    # an answer whose relevance is not known
    rows.loc[2, "logit_sum"] = np.nan
    return rows


UNITS = pd.Series({"a|1": "a", "a|2": "a", "b|1": "b", "c|1": "c"})


@pytest.mark.parametrize("rule", PARTS)
def test_what_questions_add_is_what_a_score_lies_above_the_others(rule: MeasurementRule) -> None:
    known = estimates(sums(), UNITS, rule)
    levels = known.assign(level=known["score"] - known["difference"])
    found = contributions(sums(), UNITS, rule, levels[["unit", "value", "level"]])
    assert found["question_id"].nunique() == 5
    added = found.groupby(["unit", "value"])["contribution"].sum()
    expected = known.set_index(["unit", "value"])["difference"]
    np.testing.assert_allclose(added.to_numpy(), expected.reindex(added.index), atol=1e-9)


def test_a_unit_without_a_level_has_no_parts() -> None:
    levels = pd.DataFrame({"unit": ["a"], "value": ["Care"], "level": [0.1]})
    found = contributions(sums(), UNITS, "net", levels)
    assert set(zip(found["unit"], found["value"], strict=True)) == {("a", "Care")}


def test_deviations_make_the_intervals_of_pairs() -> None:
    from scipy.stats import t

    ((names, values, array),) = deviations(sums(), UNITS, "net")
    between = array[names.index("a")] - array[names.index("b")]
    k = 5
    half = t.ppf(0.975, k - 1) * np.sqrt((between**2).sum(axis=0) * (k - 1) / k)
    known = compared(sums(), UNITS, "net", "a", "b").set_index("value").loc[values]
    np.testing.assert_allclose(known["high"] - known["difference"], half)
