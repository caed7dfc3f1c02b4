"""Fit, rules and cautions of a structure: printed by psych, by hand, or by simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.bias import response_bias
from gpla_assets.psychometrics.correlation import correlations
from gpla_assets.psychometrics.extraction import STARTS, extract
from gpla_assets.psychometrics.fit import factor_fit
from gpla_assets.psychometrics.retention import empirical_kaiser, hull
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.studies.structure import StructureSettings
from tests.psychometrics.shared import FOLDER, data, needs_psychometrics

QUICK = StructureSettings(parallel_repeats=20, purify=False)


@needs_psychometrics
def test_fit_of_five_factors_of_bfi_is_what_psych_prints() -> None:
    # psych::fa(bfi[1:25], 5), in many tutorials: chi2 1808.94 (p 4.3e-264), null 20163.79, RMSR .03
    # (.04), empirical chi2 1392.16, TLI .867, RMSEA .056 [.054, .058], BIC 340.53, off diagonal .98
    found = correlations(data("bfi"))
    matrix, pairs = found.matrix.to_numpy(), found.pairs.to_numpy(float)
    loadings = extract(matrix, 5, "minres").loadings
    fit = factor_fit(matrix, loadings @ loadings.T, 5, 2800, pairs)
    assert (fit.df, fit.null_df) == (185, 300)
    assert fit.chi2 == pytest.approx(1808.94, abs=0.005)
    assert fit.null_chi2 == pytest.approx(20163.79, abs=0.005)
    assert fit.bic == pytest.approx(340.53, abs=0.005)
    assert fit.chi2_residuals == pytest.approx(1392.16, rel=1e-4)
    assert fit.p == pytest.approx(4.3e-264, rel=0.02)
    printed = (fit.rmsr, fit.rmsr_corrected, fit.tli, fit.rmsea, fit.rmsea_low, fit.rmsea_high)
    assert printed == pytest.approx((0.03, 0.04, 0.867, 0.056, 0.054, 0.058), abs=0.004)
    assert (round(fit.rmsea or 0, 3), round(fit.tli or 0, 3)) == (0.056, 0.867)
    assert round(fit.off_diagonal, 2) == 0.98
    # fm = "ml": 1749.88, BIC 281.47, TLI .872
    loadings = extract(matrix, 5, "ml").loadings
    fit = factor_fit(matrix, loadings @ loadings.T, 5, 2800, pairs)
    assert fit.chi2 == pytest.approx(1749.88, abs=0.005)
    assert fit.bic == pytest.approx(281.47, abs=0.005)
    assert fit.tli == pytest.approx(0.872, abs=5e-4)


def test_principal_components_have_residuals_and_no_chi2() -> None:
    matrix = np.full((4, 4), 0.5) + 0.5 * np.eye(4)
    fit = factor_fit(matrix, np.full((4, 4), 0.5), 1, 100, np.full((4, 4), 100.0), is_model=False)
    assert fit.chi2 is None and fit.rmsea is None
    assert fit.rmsr == pytest.approx(0.0)


@needs_psychometrics
def test_maximum_likelihood_takes_the_best_of_its_minima() -> None:
    # R's factanal ends at 1.5041 on epi_bfi, from its first start
    matrix = correlations(data("epi_bfi")).matrix.to_numpy()
    assert extract(matrix, 3, "ml").discrepancy == pytest.approx(1.5041, abs=1e-4)
    found = extract(matrix, 3, "ml", STARTS)
    assert found.discrepancy == pytest.approx(1.4865, abs=1e-4)
    assert found.other_minima == pytest.approx((1.5041,), abs=1e-4)
    system = value_system(
        data("epi_bfi"), QUICK.model_copy(update={"n_factors": 3, "extraction": "ml"})
    )
    assert any("several minima" in one and "1.5041" in one for one in system.cautions)
    assert any("uniqueness at its floor of 0.005" in one for one in system.cautions)


def test_the_empirical_kaiser_criterion_is_the_papers_by_hand() -> None:
    # p = 4, n = 100: (1 + sqrt(.04))^2 = 1.44; then 1.44 (4 - 2) / 3 = .96, lifted to 1
    observed = np.array([2.0, 1.1, 0.6, 0.3])
    assert empirical_kaiser(observed, 100) == pytest.approx([1.44, 1, 1, 1])


def test_the_hull_bends_where_fit_stops_to_grow() -> None:
    # ten values: parameters 0, 10, 19, 27, 34; gains .05, .0333, .0025, .0014 a parameter, of which
    # the second exceeds the next most (13.3 times)
    assert hull({0: 0.0, 1: 0.5, 2: 0.8, 3: 0.82, 4: 0.83}, 10) == 2
    # a solution that fits no better than a smaller one is none
    assert hull({0: 0.0, 1: 0.5, 2: 0.49, 3: 0.82, 4: 0.83}, 10) == 3
    # no larger solution fits better than the second
    assert hull({0: 0.0, 1: 0.3, 2: 0.8, 3: 0.79}, 10) == 2


def test_three_factors_are_three_by_every_rule() -> None:
    # EFAtools' `test_models$baseline`: 18 values, three factors of loadings .6 that correlate .3,
    # n = 500; its Hull and EKC say three
    random = np.random.default_rng(3)
    phi = np.full((3, 3), 0.3) + 0.7 * np.eye(3)
    loadings = np.kron(np.eye(3), np.full((6, 1), 0.6))
    matrix = loadings @ phi @ loadings.T
    np.fill_diagonal(matrix, 1.0)
    scores = pd.DataFrame(random.multivariate_normal(np.zeros(18), matrix, 500))
    suggested = value_system(scores, QUICK).retention.set_index("rule")["n_factors"]
    for rule in ("parallel", "permutation", "map", "ekc", "hull", "ega"):
        assert suggested[rule] == 3, rule


def frame(n: int = 120, p: int = 6, seed: int = 0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    data = random.standard_normal((n, 1)) + random.standard_normal((n, p))
    return pd.DataFrame(data, [f"s{k:03d}" for k in range(n)], [f"v{k}" for k in range(p)])


def test_subjects_without_any_cell_are_no_subjects() -> None:
    scores = frame()
    empty = pd.DataFrame(np.nan, [f"t{k}" for k in range(80)], scores.columns)
    alone, more = value_system(scores, QUICK), value_system(pd.concat([scores, empty]), QUICK)
    assert any("80 of 200 subjects have no cell" in caution for caution in more.cautions)
    pd.testing.assert_frame_equal(alone.suitability, more.suitability)
    pd.testing.assert_frame_equal(alone.eigenvalues, more.eigenvalues)
    assert (more.reliabilities["n_subjects"] == 120).all()


def test_listwise_is_what_complete_cases_alone_give() -> None:
    scores = frame()
    holes = scores.copy()
    holes.iloc[:40, 2] = np.nan
    listwise = value_system(holes, QUICK.model_copy(update={"missing": "listwise"}))
    alone = value_system(scores.iloc[40:], QUICK)
    pd.testing.assert_frame_equal(listwise.loadings, alone.loadings)
    assert any("40 of 120 subjects have missing cells" in one for one in listwise.cautions)
    assert set(listwise.reliabilities["subjects_used"]) == {"complete cases"}


def test_alpha_and_loadings_are_of_one_sample() -> None:
    holes = frame()
    holes.iloc[:60, 1] = np.nan
    system = value_system(holes, QUICK.model_copy(update={"n_factors": 1}))
    row = system.reliabilities.iloc[0]
    assert (row.subjects_used, row.n_subjects) == ("pairwise", 120)
    k, covariance = 6, system.found.covariance.to_numpy()
    assert row.alpha == pytest.approx(k / (k - 1) * (1 - np.trace(covariance) / covariance.sum()))


def test_centring_by_subject_takes_a_general_level_off() -> None:
    scores = frame(p=8).add(np.linspace(-3, 3, 120), axis=0)
    raw = value_system(scores, QUICK)
    centred = value_system(scores, QUICK.model_copy(update={"centre": "subject"}))
    assert raw.eigenvalues["explained"].iloc[0] > 0.6
    assert centred.eigenvalues["explained"].iloc[0] < 0.3
    assert centred.usable.mean(axis=1).abs().max() < 1e-12


def test_one_general_direction_between_llms_is_told() -> None:
    random = np.random.default_rng(5)
    level = np.repeat(random.standard_normal(30), 4)[:, None]
    llms = [f"m{k // 4:02d}" for k in range(120)]
    biased = pd.DataFrame(level + 0.3 * random.standard_normal((120, 6)))
    found = response_bias(biased, llms, resamples=200).iloc[0]
    # LLMs' means: variance 1 and .0225 of noise in each of six values: (1 + .0225 / 6) / 1.0225
    assert found.general_share == pytest.approx(0.98, abs=0.01)
    assert found.ci_low < found.general_share < found.ci_high + 1e-9
    assert found.same_sign == 1.0
    assert "One general direction takes 98%" in str(found.caution)
    even = pd.DataFrame(random.standard_normal((120, 6)))
    assert response_bias(even, llms, resamples=200).iloc[0].caution is None
    few = response_bias(even, [f"m{k % 4}" for k in range(120)]).iloc[0]
    assert np.isnan(few.general_share) and "at least 5" in few.caution


def case(name: str) -> pd.DataFrame:
    return pd.read_csv(FOLDER.parent / "cases" / name)


def test_values_that_do_not_correlate_are_told() -> None:
    noise = pd.DataFrame(np.random.default_rng(2).standard_normal((200, 6)))
    cautions = value_system(noise, QUICK).cautions
    assert any("Bartlett's test does not show" in caution for caution in cautions)


@needs_psychometrics
def test_scores_that_sum_to_a_constant_have_a_negative_alpha_that_is_told() -> None:
    system = value_system(
        case("18-negative-alpha/ipsative.csv"), QUICK.model_copy(update={"n_factors": 1})
    )
    said = " ".join(str(one) for one in system.reliabilities["caution"])
    low = system.reliabilities["alpha"].iloc[0]
    assert low < 0.7 and ("below 0:" in said or "below 0.70" in said)


@needs_psychometrics
def test_a_heywood_case_names_its_value_and_the_floor() -> None:
    scores = case("19-heywood/heywood.csv")
    scores = scores.select_dtypes("number")
    system = value_system(scores, QUICK.model_copy(update={"extraction": "minres", "n_factors": 2}))
    assert any("Heywood case (uniqueness at its floor" in one for one in system.cautions)


@needs_psychometrics
def test_collinear_values_are_factored_without_a_test() -> None:
    scores = case("16-collinear/sum_and_copy.csv").select_dtypes("number")
    system = value_system(scores, QUICK)
    assert any("singular" in caution for caution in system.cautions)
    assert system.fit["chi2"].isna().all()
