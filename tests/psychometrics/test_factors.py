"""Number of factors, extraction and rotation against published examples and known answers."""

import numpy as np
import pytest
from statsmodels.multivariate.factor import Factor

from gpla_assets.psychometrics.correlation import pairwise_correlation
from gpla_assets.psychometrics.extraction import extract, principal_loadings
from gpla_assets.psychometrics.retention import (
    average_partials,
    eigenvalues,
    leading_above,
    minimum_average_partial,
    n_factors,
    parallel_analysis,
    permutation_analysis,
    scree_elbow,
)
from gpla_assets.psychometrics.rotation import oblimin, promax, rotate, varimax
from gpla_assets.psychometrics.suitability import bartlett, kmo

# Harman (1976), five socio-economic variables of twelve census tracts, as printed with the results
# below in SAS/STAT's documentation of PROC FACTOR, examples 1 and 2: population, school,
# employment, services, house value
SOCIOECONOMIC = np.array(
    [
        [5700, 12.8, 2500, 270, 25000],
        [1000, 10.9, 600, 10, 10000],
        [3400, 8.8, 1000, 10, 9000],
        [3800, 13.6, 1700, 140, 25000],
        [4000, 12.8, 1600, 140, 25000],
        [8200, 8.3, 2600, 60, 12000],
        [1200, 11.4, 400, 10, 16000],
        [9100, 11.5, 3300, 60, 14000],
        [9900, 12.5, 3400, 180, 18000],
        [9600, 13.7, 3600, 390, 25000],
        [9600, 9.6, 3300, 80, 12000],
        [9400, 11.4, 4000, 100, 13000],
    ]
)
# Harman (1967, p. 80), eight physical variables of 305 girls
PHYSICAL = """
1.000
.846 1.000
.805 .881 1.000
.859 .826 .801 1.000
.473 .376 .380 .436 1.000
.398 .326 .319 .329 .762 1.000
.301 .277 .237 .327 .730 .583 1.000
.382 .415 .345 .365 .629 .577 .539 1.000
"""


# R's data set ability.cov (112 people, six tests), its factanal solution with two factors, and what
# GPArotation's tests/rotations.R prints of the latter under oblimin without normalisation
ABILITY = """
24.641  5.991  33.520  6.023 20.755  29.701
 5.991  6.700  18.137  1.782  4.936   7.204
33.520 18.137 149.831 19.424 31.430  50.753
 6.023  1.782  19.424 12.711  4.757   9.075
20.755  4.936  31.430  4.757 52.604  66.762
29.701  7.204  50.753  9.075 66.762 135.292
"""
FACTANAL = [
    *([0.515867, 0.527879], [0.175055, 0.616460], [0.232058, 0.853212]),
    *([0.122822, 0.464213], [0.961376, 0.152690], [0.791293, 0.200653]),
]
GPAROTATION = [
    *([0.386362, 0.474513], [-0.011006, 0.645872], [-0.026293, 0.896114]),
    *([-0.018020, 0.488293], [0.990094, -0.037072], [0.790566, 0.052611]),
]


@pytest.fixture
def socioeconomic() -> np.ndarray:
    return np.corrcoef(SOCIOECONOMIC, rowvar=False)


@pytest.fixture
def physical() -> np.ndarray:
    lower = np.zeros((8, 8))
    for at, line in enumerate(PHYSICAL.split("\n")[1:-1]):
        lower[at, : at + 1] = [float(cell) for cell in line.split()]
    return lower + lower.T - np.eye(8)


@pytest.fixture
def principal_factors(socioeconomic: np.ndarray) -> np.ndarray:
    """SAS's example 2 takes squared multiple correlations as communalities and stops there."""
    uniqueness = 1 / np.diag(np.linalg.inv(socioeconomic))
    loadings = principal_loadings(socioeconomic - np.diag(uniqueness), 2)
    return loadings * np.sign(loadings[0])


def test_kmo_is_that_of_sas(socioeconomic: np.ndarray) -> None:
    overall, each = kmo(socioeconomic)
    assert overall == pytest.approx(0.57536759, abs=5e-9)
    expected = [0.47207897, 0.55158839, 0.48851137, 0.80664365, 0.61281377]
    np.testing.assert_allclose(each, expected, atol=5e-9)


def test_eigenvalues_and_components_are_those_of_sas(socioeconomic: np.ndarray) -> None:
    expected = [2.8733136, 1.7966601, 0.2148369, 0.0999340, 0.0152555]
    np.testing.assert_allclose(eigenvalues(socioeconomic), expected, atol=5e-5)
    loadings = principal_loadings(socioeconomic, 2)
    loadings = loadings * np.sign(loadings[0])
    printed = [
        [0.58096, 0.80642],
        [0.76704, -0.54476],
        [0.67243, 0.72605],
        [0.93239, -0.10431],
        [0.79116, -0.55818],
    ]
    np.testing.assert_allclose(loadings, printed, atol=6e-6)


def test_varimax_is_that_of_sas(principal_factors: np.ndarray) -> None:
    printed = [
        [0.02255, 0.98874],
        [0.90419, 0.00055],
        [0.14625, 0.97499],
        [0.79085, 0.41509],
        [0.94072, -0.00004],
    ]
    np.testing.assert_allclose(np.abs(varimax(principal_factors)), np.abs(printed), atol=6e-6)


def test_promax_is_that_of_sas(principal_factors: np.ndarray) -> None:
    # SAS: power 3 and a row-normalised target, printed r between the factors .20188
    pattern, phi = promax(principal_factors, power=3, normalise_target=True)
    printed = [
        [-0.07908, 1.00192],
        [0.91842, -0.09352],
        [0.04799, 0.97509],
        [0.76053, 0.33932],
        [0.95558, -0.09792],
    ]
    signed = pattern * np.sign(pattern[[4, 0], [0, 1]])
    np.testing.assert_allclose(signed, printed, atol=6e-6)
    assert abs(phi[0, 1]) == pytest.approx(0.20188, abs=6e-6)


def test_average_partials_are_those_of_oconnor(physical: np.ndarray) -> None:
    # O'Connor (2000), output of the MAP programs for Harman's correlations
    printed = [0.3125, 0.2451, 0.0664, 0.1276, 0.2042, 0.2718, 0.4346, 1.0]
    np.testing.assert_allclose(average_partials(physical), printed, atol=6e-5)
    assert minimum_average_partial(physical) == 2


def test_bartletts_statistic_is_its_formula(physical: np.ndarray) -> None:
    found = bartlett(physical, 305)
    assert found is not None
    expected = -(304 - 21 / 6) * np.log(np.linalg.det(physical))
    assert (found.chi2, found.df) == (pytest.approx(expected), 28)
    assert found.p < 1e-10


def test_a_singular_matrix_has_no_kmo_and_no_bartlett() -> None:
    matrix = np.ones((3, 3))
    assert kmo(matrix)[0] is None
    assert bartlett(matrix, 100) is None


def test_maximum_likelihood_is_that_of_statsmodels(physical: np.ndarray) -> None:
    found = extract(physical, 2, "ml")
    other = Factor(corr=physical, n_factor=2, method="ml", nobs=305).fit()
    implied = found.loadings @ found.loadings.T
    np.testing.assert_allclose(implied, other.loadings @ other.loadings.T, atol=1e-5)
    assert found.converged and not found.heywood.any()


def test_maximum_likelihood_is_that_of_factanal() -> None:
    covariance = np.array(ABILITY.split(), float).reshape(6, 6)
    scale = np.sqrt(np.diag(covariance))
    found = extract(covariance / np.outer(scale, scale), 2, "ml").loadings
    printed = np.array(FACTANAL)
    # the common part does not depend on the rotation
    np.testing.assert_allclose(found @ found.T, printed @ printed.T, atol=3e-5)


def test_oblimin_is_that_of_gparotation() -> None:
    pattern, _ = oblimin(np.array(FACTANAL), kaiser=False)
    np.testing.assert_allclose(pattern, GPAROTATION, atol=3e-6)


def test_minimum_residuals_are_smaller_than_any_neighbours(physical: np.ndarray) -> None:
    loadings = extract(physical, 2, "minres").loadings
    off = ~np.eye(8, dtype=bool)
    residual: float = (((physical - loadings @ loadings.T) ** 2)[off]).sum()
    random = np.random.default_rng(0)
    for _ in range(200):
        moved = loadings + random.standard_normal(loadings.shape) * 1e-3
        assert (((physical - moved @ moved.T) ** 2)[off]).sum() > residual


def test_a_heywood_case_is_named(socioeconomic: np.ndarray) -> None:
    assert extract(socioeconomic, 2, "minres").heywood.tolist() == [True] + [False] * 4


def test_maximum_likelihood_of_a_singular_matrix_is_refused() -> None:
    with pytest.raises(ValueError, match="this one of 3 values is singular"):
        extract(np.ones((3, 3)), 1, "ml")


@pytest.mark.parametrize("method", ["minres", "ml"])
def test_a_factor_model_finds_its_own_loadings_again(method: str) -> None:
    truth = np.array([[0.8, 0], [0.7, 0], [0.6, 0], [0, 0.7], [0, 0.6], [0, 0.5]])
    matrix = truth @ truth.T
    np.fill_diagonal(matrix, 1.0)
    found = rotate(extract(matrix, 2, method).loadings, "varimax").pattern  # type: ignore[arg-type]
    np.testing.assert_allclose(found, truth, atol=1e-4)


@pytest.mark.parametrize("rotation", ["oblimin", "promax"])
def test_oblique_rotations_find_correlated_simple_structure(rotation: str) -> None:
    simple = np.array([[0.8, 0], [0.7, 0], [0.6, 0], [0, 0.7], [0, 0.6], [0, 0.5]])
    phi = np.array([[1, 0.4], [0.4, 1]])
    common = simple @ phi @ simple.T
    found = rotate(principal_loadings(common, 2), rotation)  # type: ignore[arg-type]
    exact = 1e-4 if rotation == "oblimin" else 0.03
    np.testing.assert_allclose(found.pattern, simple, atol=exact)
    assert found.phi[0, 1] == pytest.approx(0.4, abs=0.06)
    np.testing.assert_allclose(found.communalities, np.diag(common), atol=1e-8)


def test_quartimin_is_that_of_bernaards_and_jennrich() -> None:
    # their example for the gradient projection algorithm (2005; www.stat.ucla.edu/research/gpa):
    # loadings of Harman's physical variables, and what quartimin makes of them
    loadings = [
        *([0.830, -0.396], [0.818, -0.469], [0.777, -0.470], [0.798, -0.401]),
        *([0.786, 0.500], [0.672, 0.458], [0.594, 0.444], [0.647, 0.333]),
    ]
    printed = [
        *([0.891822, 0.056015], [0.953680, -0.023246], [0.929150, -0.046503]),
        *([0.876683, 0.033658], [0.013701, 0.925000], [-0.017265, 0.821253]),
        *([-0.052445, 0.764953], [0.085890, 0.683115]),
    ]
    pattern, phi = oblimin(np.array(loadings), kaiser=False)
    # they stop at a gradient of 1e-5, which leaves the last printed digit open
    np.testing.assert_allclose(pattern, printed, atol=3e-6)
    np.testing.assert_allclose(np.diag(phi), 1)


def test_oblimin_is_at_its_minimum(physical: np.ndarray) -> None:
    loadings = principal_loadings(physical, 2)
    pattern, phi = oblimin(loadings, kaiser=False)
    best = float((pattern[:, 0] ** 2 * pattern[:, 1] ** 2).sum())
    np.testing.assert_allclose(pattern @ phi @ pattern.T, loadings @ loadings.T, atol=1e-8)
    turn = np.linalg.lstsq(loadings, pattern, rcond=None)[0]
    axes = np.linalg.inv(turn).T
    random = np.random.default_rng(0)
    for _ in range(200):
        moved = axes + random.standard_normal((2, 2)) * 1e-3
        moved /= np.linalg.norm(moved, axis=0)
        other = loadings @ np.linalg.inv(moved).T
        assert (other[:, 0] ** 2 * other[:, 1] ** 2).sum() >= best - 1e-12


def test_varimax_keeps_communalities_and_finds_simple_structure() -> None:
    simple = np.array([[0.8, 0], [0.7, 0], [0.6, 0], [0, 0.8], [0, 0.7], [0, 0.6]])
    angle = np.pi / 5
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    rotated = varimax(simple @ turn)
    np.testing.assert_allclose((rotated**2).sum(axis=1), (simple**2).sum(axis=1), atol=1e-12)
    np.testing.assert_allclose(np.sort(np.abs(rotated), axis=1), np.sort(simple, axis=1), atol=1e-6)


def test_complexity_counts_the_factors_of_a_value() -> None:
    found = rotate(np.array([[0.7, 0.0], [0.5, 0.5], [0.0, 0.6]]), "none")
    assert sorted(found.complexity.round(6)) == [1, 1, 2]


def test_signs_and_order_do_not_depend_on_those_of_the_extraction(physical: np.ndarray) -> None:
    loadings = principal_loadings(physical, 2)
    mirrored = loadings[:, ::-1] * np.array([-1.0, 1.0])
    for rotation in ("none", "varimax", "oblimin", "promax"):
        first, second = rotate(loadings, rotation), rotate(mirrored, rotation)  # type: ignore[arg-type]
        np.testing.assert_allclose(first.pattern, second.pattern, atol=1e-5)
        np.testing.assert_allclose(first.phi, second.phi, atol=1e-5)
        assert first.variance[0] >= first.variance[1]
        assert (first.pattern[np.abs(first.pattern).argmax(axis=0), [0, 1]] > 0).all()


def test_parallel_analysis_matches_the_law_of_large_matrices() -> None:
    # Marchenko and Pastur (1967): the largest eigenvalue tends to (1 + sqrt(p / n))^2
    found = parallel_analysis(2000, 100, seed=0, repeats=20)
    assert found[0] == pytest.approx((1 + np.sqrt(100 / 2000)) ** 2, rel=0.03)


def test_parallel_analysis_is_that_of_oconnor() -> None:
    # mean eigenvalues of 305 x 8 random normal scores in statsample's test of O'Connor's example
    found = parallel_analysis(305, 8, seed=0, repeats=1000, percentile=50)
    np.testing.assert_allclose(found[:3], [1.2454, 1.1542, 1.0836], atol=0.01)


def test_permutation_and_normal_analysis_agree_on_normal_data() -> None:
    data = np.random.default_rng(0).standard_normal((300, 12))
    normal, permuted = parallel_analysis(300, 12, 0, 100), permutation_analysis(data, 0, 100)
    np.testing.assert_allclose(normal, permuted, atol=0.05)


@pytest.mark.parametrize("share", [0.3, 0.6])
def test_noise_with_missing_cells_is_no_factor(share: float) -> None:
    random = np.random.default_rng(1)
    data = random.standard_normal((400, 51))
    missing = random.random(data.shape) < share
    data[missing] = np.nan
    observed = eigenvalues(pairwise_correlation(data))
    alike = parallel_analysis(400, 51, 0, 20, missing=missing)
    complete = parallel_analysis(400, 51, 0, 20)
    assert leading_above(observed, alike) <= 1
    # what complete data would let pass
    assert leading_above(observed, complete) > 15


def test_permutation_keeps_missing_cells() -> None:
    data = np.random.default_rng(0).standard_normal((300, 12))
    holes = np.where(np.random.default_rng(1).random(data.shape) < 0.5, np.nan, data)
    # half the cells leave a quarter of the pairs: random eigenvalues spread further
    assert permutation_analysis(holes, 0, 50)[0] > permutation_analysis(data, 0, 50)[0] + 0.2


def test_counting_stops_at_the_first_eigenvalue_below() -> None:
    assert leading_above(np.array([2.0, 0.9, 1.2]), np.ones(3)) == 1
    assert leading_above(np.array([2.0, 1.9]), 1.0) == 2


def test_the_elbow_lies_before_the_even_tail() -> None:
    assert scree_elbow(np.array([5.0, 3, 1.6, 0.5, 0.45, 0.4, 0.35, 0.3])) == 3
    assert scree_elbow(np.linspace(1.5, 0.5, 12)) == 0


def test_a_fixed_number_of_factors_outside_the_values_is_refused() -> None:
    with pytest.raises(ValueError, match="n_factors = 9, but there are 3 usable values"):
        n_factors({}, 9, 3)


def test_at_least_one_factor_is_kept() -> None:
    assert n_factors({"parallel": 0}, "parallel", 5) == 1
