"""Reliability coefficients equal hand-computed and published ones."""

import numpy as np
import pandas as pd
import pingouin
import pytest

from gpla_assets.psychometrics.congruence import tucker_congruence
from gpla_assets.psychometrics.pairwise import pairwise_covariance
from gpla_assets.psychometrics.reliability import (
    feldt_interval,
    full_length,
    omega_totals,
    reliability,
    split_halves,
)
from gpla_assets.psychometrics.reliability import value_reliabilities as of_covariance
from gpla_assets.psychometrics.variance import variance_components
from gpla_assets.studies.structure import Extraction


def value_reliabilities(scores: pd.DataFrame, keys: pd.Series) -> pd.DataFrame:
    covariance = pairwise_covariance(scores.to_numpy(float))[0]
    return of_covariance(pd.DataFrame(covariance, scores.columns, scores.columns), keys)


def omega_of(correlations: np.ndarray, extraction: Extraction = "minres") -> float:
    found = omega_totals(correlations, extraction)
    assert found is not None
    return found[0]


def test_alpha_equals_the_formula_by_hand() -> None:
    # items (1,2,3,4) and (2,2,4,4): variances 5/3 and 4/3, total (3,4,7,8) has variance 17/3,
    # so alpha = 2 (1 - (5/3 + 4/3) / (17/3)) = 2 (1 - 9/17) = 16/17
    scores = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 2, 4, 4]})
    found = reliability(scores, pd.Series({"a": 1, "b": 1}))
    assert found is not None
    assert found.alpha == pytest.approx(16 / 17)


def test_a_reversed_value_is_keyed_before_alpha() -> None:
    scores = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [-2.0, -2, -4, -4]})
    found = reliability(scores, pd.Series({"a": 1, "b": -1}))
    assert found is not None
    assert found.alpha == pytest.approx(16 / 17, abs=1e-6)


def test_feldts_interval_is_the_papers() -> None:
    # Table 1: Self-Competence, alpha .761 of six values, n = 693: .732 to .787
    low, high = feldt_interval(0.761, 693, 6)
    assert (low, high) == pytest.approx((0.732, 0.787), abs=0.001)


def test_alpha_of_incomplete_data_uses_pairs() -> None:
    random = np.random.default_rng(0)
    common = random.standard_normal((40, 1))
    scores = pd.DataFrame(common + random.standard_normal((40, 4)), columns=list("abcd"))
    for n in range(40):
        scores.iat[n, n % 4] = np.nan
    found = reliability(scores, pd.Series(1, index=list("abcd")))
    assert found is not None
    assert found.missing == "pairwise"
    assert 0.5 < found.alpha < 0.95


# Chatterjee and Price (1977), R's data set `attitude`: rating, complaints, privileges, learning,
# raises, critical, advance of 30 departments
ATTITUDE = """
43 51 30 39 61 92 45  63 64 51 54 63 73 47  71 70 68 69 76 86 48  61 63 45 47 54 84 35
81 78 56 66 71 83 47  43 55 49 44 54 49 34  58 67 42 56 66 68 35  71 75 50 55 70 66 41
72 82 72 67 71 83 31  67 61 45 47 62 80 41  64 53 53 58 58 67 34  67 60 47 39 59 74 41
69 62 57 42 55 63 25  68 83 83 45 59 77 35  77 77 54 72 79 77 46  81 90 50 72 60 54 36
74 85 64 69 79 79 63  65 60 65 75 55 80 60  65 70 46 57 75 85 46  50 58 68 54 64 78 52
50 40 33 34 43 64 33  64 61 52 62 66 80 41  53 66 52 50 63 80 37  40 37 42 58 50 57 49
63 54 42 48 66 75 33  66 77 66 63 88 76 72  78 75 58 74 80 78 49  48 57 44 45 51 83 38
85 85 71 71 77 74 55  82 82 39 59 64 78 39
"""


def test_alpha_and_its_values_are_those_of_psych() -> None:
    # printed by psych::alpha(attitude) to two digits
    scores = pd.DataFrame(np.array(ATTITUDE.split(), float).reshape(30, 7), columns=list("abcdefg"))
    keys = pd.Series(1, index=list("abcdefg"))
    found, each = reliability(scores, keys), value_reliabilities(scores, keys)
    assert found is not None
    assert round(found.alpha, 2) == round(found.alpha_standardised, 2) == 0.84
    assert round(found.mean_r, 2) == 0.43
    assert list(each.alpha_without.round(2)) == [0.81, 0.80, 0.83, 0.80, 0.80, 0.86, 0.84]
    assert list(each.r_rest.round(2)) == [0.67, 0.74, 0.56, 0.71, 0.79, 0.27, 0.46]


def test_pairwise_alpha_is_that_of_r() -> None:
    # pingouin's documentation: psych::alpha(data, use = "pairwise") of its own example
    scores = pingouin.read_dataset("cronbach_wide_missing")
    found = reliability(scores, pd.Series(1, index=scores.columns))
    assert found is not None and found.missing == "pairwise"
    assert found.alpha == pytest.approx(0.732660835214447)


def test_equal_correlations_have_every_coefficient_in_closed_form() -> None:
    # four parallel values with r = .5: alpha = omega = split-half = 4 (.5) / (1 + 3 (.5)) = .8
    matrix = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    assert omega_of(matrix) == pytest.approx(0.8, abs=1e-6)
    assert split_halves(matrix) == pytest.approx(0.8)


def test_halves_of_an_odd_number_of_values_are_corrected_for_their_lengths() -> None:
    # five parallel values with r = .5: every coefficient is 5 (.5) / (1 + 4 (.5)) = 5 / 6; plain
    # Spearman-Brown on halves of 2 and 3 values would give .8284, below alpha
    matrix = np.full((5, 5), 0.5) + 0.5 * np.eye(5)
    assert split_halves(matrix) == pytest.approx(5 / 6)
    assert len(split_halves(matrix)) == 10
    # Horst's formula with halves of one length is Spearman and Brown's
    assert full_length(np.array([0.6]), 0.5)[0] == pytest.approx(2 * 0.6 / 1.6)


def test_all_halves_are_looked_at_where_they_can_be_counted() -> None:
    # four values have three halves: their mean here is by hand of a matrix with r12 = r34 = .8 and
    # others .2: halves 12|34 have r = .8 / 3.6, 13|24 and 14|23 have r = 2 / 2.4
    matrix = np.full((4, 4), 0.2) + 0.8 * np.eye(4)
    matrix[0, 1] = matrix[1, 0] = matrix[2, 3] = matrix[3, 2] = 0.8
    r = np.array([0.8 / 3.6, 2 / 2.4, 2 / 2.4])
    assert sorted(split_halves(matrix)) == pytest.approx(sorted(2 * r / (1 + r)))
    assert len(split_halves(np.eye(16) + 0.3)) == 5000


def test_both_omegas_part_where_one_factor_does_not_fit() -> None:
    loadings = np.array([0.9, 0.8, 0.7, 0.6])
    matrix = np.outer(loadings, loadings)
    np.fill_diagonal(matrix, 1.0)
    # where it fits, the variance that it implies is the variance there is
    implied, observed = omega_totals(matrix) or (0.0, 0.0)
    assert implied == pytest.approx(observed, abs=1e-5)
    # two pairs: one factor's loadings leave residuals that add up
    pairs = np.full((4, 4), 0.1) + 0.9 * np.eye(4)
    pairs[0, 1] = pairs[1, 0] = 0.8
    pairs[2, 3] = pairs[3, 2] = 0.4
    implied, observed = omega_totals(pairs) or (0.0, 0.0)
    assert observed - implied > 0.01


# jaspReliability's test data asrm.csv: answers of 78 people to four items of a mania scale
ASRM = """
3221 3323 4343 3311 4322 2212 3332 4343 4413 4422 4332 5525 1111 3213 2211 2322 2312 3222 3323
3212 3323 3323 3333 1111 4323 2212 2334 3313 1113 3422 4322 2133 4313 3333 3331 3323 3243 2213
2222 2222 2212 2222 1111 3332 2323 3333 3333 2222 2334 4223 3313 2211 3333 2424 2222 1212 3333
2222 2212 3323 3322 3232 3333 2311 3412 2243 1122 2212 4334 4424 3213 4333 3312 3212 1113 2212
2413 2222
"""


def test_omega_is_that_of_jasp() -> None:
    # its unit test "standardized coefficients work": .743458875550109, by maximum likelihood
    scores = np.array([[int(digit) for digit in row] for row in ASRM.split()], float)
    correlations = np.corrcoef(scores, rowvar=False)
    assert omega_of(correlations, "ml") == pytest.approx(0.743458875550109, abs=1e-6)
    assert omega_of(correlations) == pytest.approx(0.7435, abs=0.01)


def test_omega_of_unequal_loadings_is_mcdonalds_formula() -> None:
    # loadings .9 .8 .7 .6: (3.0)^2 / ((3.0)^2 + (.19 + .36 + .51 + .64)) = 9 / 10.7
    loadings = np.array([0.9, 0.8, 0.7, 0.6])
    matrix = np.outer(loadings, loadings)
    np.fill_diagonal(matrix, 1.0)
    assert omega_of(matrix) == pytest.approx(9 / 10.7, abs=1e-5)


def test_two_values_have_no_omega_and_one_has_no_reliability() -> None:
    scores = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [2.0, 2, 4, 4]})
    found = reliability(scores, pd.Series({"a": 1, "b": 1}))
    assert found is not None and found.omega is None
    # r = .8944: Spearman-Brown 2 r / (1 + r)
    r = float(scores.corr().iat[0, 1])
    assert found.split_half == pytest.approx(2 * r / (1 + r))
    assert reliability(scores[["a"]], pd.Series({"a": 1})) is None


def test_alpha_without_a_value_is_the_alpha_of_the_others() -> None:
    random = np.random.default_rng(1)
    common = random.standard_normal((60, 1))
    scores = pd.DataFrame(common + random.standard_normal((60, 5)), columns=list("abcde"))
    scores["e"] *= -1
    keys = pd.Series([1, 1, 1, 1, -1], index=list("abcde"))
    found = value_reliabilities(scores, keys).set_index("value")
    for value in "abcde":
        others = keys.drop(value)
        alone = reliability(scores, others)
        assert alone is not None
        assert found.alpha_without[value] == pytest.approx(alone.alpha, abs=1e-5)
        rest = (scores[others.index] * others).sum(axis=1)
        expected = np.corrcoef(scores[value] * keys[value], rest)[0, 1]
        assert found.r_rest[value] == pytest.approx(expected)


def test_the_order_of_values_changes_no_coefficient() -> None:
    random = np.random.default_rng(1)
    scores = pd.DataFrame(
        random.standard_normal((60, 1)) + random.standard_normal((60, 5)), columns=list("abcde")
    )
    keys = pd.Series(1, index=list("abcde"))
    assert reliability(scores, keys) == reliability(scores[list("ecabd")], keys[list("ecabd")])


def test_congruence_of_equal_opposite_and_unrelated_columns() -> None:
    a = np.array([[1.0, 0], [1, 0], [0, 1]])
    b = np.array([[2.0, 0], [2, 0], [0, -3]])
    np.testing.assert_allclose(tucker_congruence(a, b), [[1, 0], [0, -1]])


def test_variance_components_of_a_balanced_table_are_its_mean_squares() -> None:
    # rows 1 2 / 3 4 / 5 9: mean squares by hand: LLMs (SS 2 * sum (1.5 3.5 7 - 4)^2 = 31) / 2,
    # profiles SS 3 * 2 * 1^2 = 6 / 1, total SS 40, residual (40 - 31 - 6) / 2 = 1.5;
    # components (15.5 - 1.5) / 2 = 7, (6 - 1.5) / 3 = 1.5 and 1.5
    cells = [
        ("a", "p", 1),
        ("a", "q", 2),
        ("b", "p", 3),
        ("b", "q", 4),
        ("c", "p", 5),
        ("c", "q", 9),
    ]
    found = variance_components(pd.DataFrame(cells, columns=["llm", "profile", "score"]))
    assert found["between_llms"] == pytest.approx(7)
    assert found["between_profiles"] == pytest.approx(1.5)
    assert found["residual"] == pytest.approx(1.5)


def test_variance_components_of_an_unbalanced_table_are_near_the_truth() -> None:
    random = np.random.default_rng(3)
    llms, profiles = random.normal(0, 2, 80), random.normal(0, 1, 60)
    rows = [
        (f"l{i}", f"p{j}", llms[i] + profiles[j] + random.normal(0, 0.5))
        for i in range(80)
        for j in range(60)
        if random.random() < 0.6
    ]
    found = variance_components(pd.DataFrame(rows, columns=["llm", "profile", "score"]))
    assert found["between_llms"] == pytest.approx(llms.var(ddof=1), rel=0.05)
    assert found["between_profiles"] == pytest.approx(profiles.var(ddof=1), rel=0.1)
    assert found["residual"] == pytest.approx(0.25, rel=0.1)


def test_one_profile_cannot_be_told_from_the_residual() -> None:
    rows = pd.DataFrame({"llm": list("abc"), "profile": "p", "score": [1.0, 2, 3]})
    found = variance_components(rows)
    assert found["between_llms"] is None
    assert "3 LLMs x 1 profiles" in str(found["caution"])
