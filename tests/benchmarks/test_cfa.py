"""Confirmatory factor analysis: known models, semopy's optimum, lavaan's conventions, refusals."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from gpla_assets.benchmarks import cfa_comparison
from gpla_assets.benchmarks.cfa import confirm
from gpla_assets.benchmarks.cfa_comparison import compare, random_grouping
from gpla_assets.benchmarks.cfa_data import cfa_data
from gpla_assets.benchmarks.cfa_fit import _evaluated, fit
from gpla_assets.benchmarks.cfa_model import Measurement, Structure, implied, measurement
from gpla_assets.benchmarks.fit_definitions import indices
from gpla_assets.benchmarks.fit_indices import Fit, rmsea_interval
from gpla_assets.benchmarks.information import expected_of, observed_of
from gpla_assets.benchmarks.modification import omitted_paths
from gpla_assets.benchmarks.robust import inverted
from gpla_assets.benchmarks.sample import Sample, sample_of
from gpla_assets.benchmarks.semopy_fit import semopy_fit
from gpla_assets.benchmarks.standardised import estimates
from gpla_assets.benchmarks.systems import (
    System,
    UnfitSystem,
    read_system,
    system_of_loadings,
    system_of_mapping,
)
from gpla_assets.cli import app
from gpla_assets.psychometrics.simulation import simulated_subjects
from gpla_assets.studies import CfaSettings
from gpla_assets.studies.structure import StructureSettings

TABLE10 = Path(__file__).parents[1] / "data" / "table10_loadings.csv"
SYSTEM = System(
    "two", {"Care": {"a": 1, "b": 1, "c": -1, "d": 1}, "Risk": {"e": 1, "f": 1, "g": 1}}
)


def scores_of(n: int = 400, seed: int = 0, r: float = 0.4) -> pd.DataFrame:
    """The true model of SYSTEM, loadings .8 .7 -.6 .5 and .8 .7 .6."""
    random = np.random.default_rng(seed)
    latent = random.multivariate_normal([0, 0], [[1, r], [r, 1]], n)
    loadings = np.array([0.8, 0.7, -0.6, 0.5, 0.8, 0.7, 0.6])
    common = latent[:, [0, 0, 0, 0, 1, 1, 1]] * loadings
    noise = random.standard_normal((n, 7)) * np.sqrt(1 - loadings**2)
    return pd.DataFrame((common + noise) * [1, 2, 3, 1, 1, 5, 1], columns=list("abcdefg"))


ONE = System("one", {"F": dict.fromkeys("abcdefg", 1) | {"c": -1}})
WRONG = System("wrong", {"X": {"a": 1, "e": 1, "c": -1}, "Y": {"b": 1, "f": 1, "d": 1, "g": 1}})


@pytest.mark.parametrize(
    ("system", "n", "r"),
    [
        (SYSTEM, 400, 0.4),
        (SYSTEM, 60, 0.0),
        (WRONG, 693, 0.4),
        (ONE, 200, 0.9),
    ],
)
def test_the_set_paper_has_semopys_numbers(system: System, n: int, r: float) -> None:
    scores = scores_of(n, seed=n, r=r)
    fitted = confirm(scores, system, bounded=True)
    found, (discrepancy, theirs) = fitted.fit, semopy_fit(scores, system)
    if system is WRONG:  # semopy goes on to a correlation of factors above 1
        assert "Factors X and Y correlate 1" in " ".join(fitted.cautions)
        assert discrepancy < found.discrepancy < discrepancy + 0.01
    else:  # its optimiser stops a little above the optimum
        assert fitted.cautions == ()
        assert found.discrepancy == pytest.approx(discrepancy, abs=1e-5)
    assert found.baseline_chi2 == pytest.approx(theirs["chi2 Baseline"], rel=1e-5)
    assert (found.df, found.baseline_df) == (theirs["DoF"], theirs["DoF Baseline"])
    # at what it found, the formulas are the same
    there = replace(found, discrepancy=discrepancy, baseline=theirs["chi2 Baseline"] / n)
    ours = indices(there, "paper")
    assert set(ours) == {"chi2", "cfi", "tli", "gfi", "rmsea", "aic", "bic"}
    for name, number in ours.items():
        column = name if name == "chi2" else name.upper()
        assert number == pytest.approx(theirs[column], abs=1e-8), name


def test_the_optimum_is_semopys_on_the_papers_system() -> None:
    table = pd.read_csv(TABLE10)
    scores = simulated_subjects(table, 1, n_weak=0)
    signs = np.sign(table.loading).astype(int)
    rows = table.assign(keyed=signs, is_primary=True)
    found = confirm(scores, system_of_loadings("ours", rows))
    # k of the paper's Table 2: 87 free loadings, 92 residuals, 5 variances, 10 covariances
    assert (found.fit.k, found.fit.df) == (194, 4084)
    assert found.fit.discrepancy == pytest.approx(semopy_fit(scores, found.system)[0], abs=1e-5)
    assert found.converged and found.cautions == ()
    low, high = rmsea_interval(found.fit)
    assert low is not None and high is not None and high < 0.02
    assert abs(float(indices(found.fit, "standard")["cfi"] or 0) - 1) < 0.02


def test_ten_factors_over_123_values_are_fitted() -> None:
    table = pd.read_csv(TABLE10)
    scores = simulated_subjects(table, 1)
    factors = {f"S{n}": dict.fromkeys(scores.columns[n::10], 1) for n in range(10)}
    found = confirm(scores, System("wrong", factors))
    assert found.fit.k == 2 * 123 + 45
    assert float(indices(found.fit, "standard")["cfi"] or 1) < 0.7


def three_factors(structure: Structure, means: bool) -> Measurement:
    signs = np.zeros((7, 3), int)
    for at in range(7):
        signs[at, at % 3] = 1
    return measurement(signs, structure, means=means, residuals=[(0, 1)])


def samples_of(missing: float) -> Sample:
    scores = scores_of(120)
    standard = ((scores - scores.mean()) / scores.std(ddof=0)).to_numpy()
    gone = np.random.default_rng(7).random(standard.shape) < missing
    return sample_of(np.where(gone, np.nan, standard))


@pytest.mark.parametrize("structure", ["correlated", "orthogonal", "higher_order"])
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_gradients_and_second_derivatives_are_exact(structure: Structure, missing: float) -> None:
    model, sample = three_factors(structure, missing > 0), samples_of(missing)
    random = np.random.default_rng(1)
    point = model.start + random.standard_normal(model.n_parameters) * 0.05
    gradient = _evaluated(model, [sample], point)[1]
    by_value = slopes(lambda at: np.array([_evaluated(model, [sample], at)[0]]), point)[:, 0]
    np.testing.assert_allclose(gradient, by_value, atol=1e-6)
    by_gradient = slopes(lambda at: _evaluated(model, [sample], at)[1], point)
    observed = observed_of(model, [sample], point) * 2 / sample.n
    np.testing.assert_allclose(observed, by_gradient, atol=1e-5)


def test_a_true_model_is_found_again_with_honest_standard_errors() -> None:
    truth = np.array([0.8, 0.7, -0.6, 0.5, 0.8, 0.7, 0.6])
    found = [confirm(scores_of(seed=s), SYSTEM) for s in range(60)]
    estimates = np.stack([one.loadings.standardised for one in found])
    errors = np.stack([one.loadings.se for one in found])
    np.testing.assert_allclose(estimates.mean(axis=0), truth, atol=0.02)
    np.testing.assert_allclose(errors.mean(axis=0), estimates.std(axis=0), rtol=0.35)
    chi2 = np.array([one.fit.chi2 for one in found])
    assert found[0].fit.df == 13
    assert chi2.mean() == pytest.approx(13, abs=2)
    inside = np.abs(estimates - truth) < 1.96 * errors
    assert 0.9 < inside.mean() <= 1


def test_signs_scale_and_order_change_nothing() -> None:
    scores = scores_of()
    first = confirm(scores, SYSTEM)
    mixed = (scores * [2, 1, 1, 9, 1, 1, 4]).sample(frac=1, random_state=1)[list("gfedcba")]
    second = confirm(mixed, SYSTEM)
    assert second.fit.discrepancy == pytest.approx(first.fit.discrepancy, abs=1e-8)
    np.testing.assert_allclose(first.loadings.standardised, second.loadings.standardised, atol=1e-4)
    assert indices(first.fit, "standard")["cfi"] == pytest.approx(
        indices(second.fit, "standard")["cfi"]
    )


def test_estimates_have_the_first_value_as_their_unit() -> None:
    found = confirm(scores_of(), SYSTEM).loadings.set_index("value")
    assert found.estimate["a"] == found.estimate["e"] == 1
    # c was scaled by 3 and loads -.6 where a loads .8
    assert found.estimate["c"] == pytest.approx(-0.6 * 3 / 0.8, abs=0.25)


def test_rmsea_of_the_papers_table_2_follows_from_k_n_and_f() -> None:
    # ../shared/reference/README.md: BIC - AIC = 880 gives k = 194 at n = 693; F = 61.5
    assert round(880 / (math.log(693) - 2)) == 194
    one = Fit(693, 92, 194, 61.5, 100.0, 92 * 93 // 2, 0.0)
    assert one.df == 4084
    assert indices(one, "paper")["rmsea"] == pytest.approx(0.117, abs=5e-4)
    high = Fit(693, 123, 252, 0.0, 1.0, 123 * 124 // 2, 0.0)
    assert round(1144 / (math.log(693) - 2)) == high.k


def test_the_papers_criteria_reward_misfit_and_the_standard_ones_do_not() -> None:
    scores = scores_of(693)
    wrong = System("wrong", {"X": {"a": 1, "e": 1, "c": -1}, "Y": {"b": 1, "f": 1, "d": 1, "g": 1}})
    good, bad = (confirm(scores, one).fit for one in (SYSTEM, wrong))
    assert (indices(bad, "paper")["aic"] or 0) < (indices(good, "paper")["aic"] or 0)
    assert (indices(bad, "standard")["aic"] or 0) > (indices(good, "standard")["aic"] or 0) + 50


def test_indices_of_a_hand_computed_fit() -> None:
    # n = 101, p = 4, k = 8: df = 2; F = .1, chi2 = 10.1; baseline F = 1, chi2 101, df 6
    one = Fit(101, 4, 8, 0.1, 1.0, 10, log_likelihood=-500.0)
    found = indices(one, "standard")
    assert found["cfi"] == pytest.approx(1 - 8.1 / 95)
    assert found["tli"] == pytest.approx((101 / 6 - 10.1 / 2) / (101 / 6 - 1))
    assert found["rmsea"] == pytest.approx(math.sqrt(8.1 / (2 * 101)))
    assert found["nfi"] == pytest.approx(1 - 10.1 / 101)
    assert found["mfi"] == pytest.approx(math.exp(-8.1 / 202))
    assert found["aic"] == 16 + 1000
    assert found["bic"] == pytest.approx(8 * math.log(101) + 1000)
    assert found["bic_adjusted"] == pytest.approx(8 * math.log(103 / 24) + 1000)
    paper = indices(one, "paper")
    assert paper["gfi"] == pytest.approx(0.9)
    assert paper["rmsea"] == pytest.approx(math.sqrt((10.1 / 2 - 1) / 100))
    assert paper["aic"] == pytest.approx(2 * (8 - 0.1))


def test_the_rmsea_interval_holds_the_truth_as_often_as_it_says() -> None:
    # chi2 of a noncentral model: df 20, noncentrality 30, n 301
    random = np.random.default_rng(0)
    truth = math.sqrt(30 / (20 * 301))
    inside = 0
    for chi2 in random.noncentral_chisquare(20, 30, 400):
        one = Fit(301, 8, 16, chi2 / 301, 9.0, 36, 0.0)
        low, high = rmsea_interval(one)
        assert low is not None and high is not None
        inside += low <= truth <= high
    assert 0.86 < inside / 400 < 0.94


def test_the_largest_modification_index_is_the_path_that_was_left_out() -> None:
    scores = scores_of(1500)
    scores["d"] += 0.5 * scores["f"] / 5
    found = confirm(scores, SYSTEM)
    first = found.paths.iloc[0]
    assert {first.value, first.other} in ({"d", "Risk"}, {"d", "f"})
    # freeing it lowers chi2 by about the index
    freed = System("freed", {**SYSTEM.factors, "Risk": {**SYSTEM.factors["Risk"], "d": 1}})
    loading = found.paths[(found.paths.kind == "loading") & (found.paths.value == "d")].iloc[0]
    fall = found.fit.chi2 - confirm(scores, freed).fit.chi2
    assert loading.modification_index == pytest.approx(fall, rel=0.25)


def slopes(of: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> np.ndarray:
    """Central differences: row i holds what moving parameter i changes."""
    steps = 1e-5 * np.eye(len(at))
    return np.stack([(of(at + step) - of(at - step)) / 2e-5 for step in steps])


def test_standard_errors_and_score_tests_are_those_of_numerical_derivatives() -> None:
    n, data = 400, cfa_data(scores_of(), SYSTEM.values)
    signs = np.array([[1, 0]] * 4 + [[0, 1]] * 3)
    model = measurement(signs)
    fitted = fit(model, [data.sample])
    own = fitted.parameters
    information = expected_of(model, [data.sample], own)

    def standardised(at: np.ndarray) -> np.ndarray:
        now = implied(model.groups[0], at)
        return (now.loadings / np.sqrt(np.diag(now.sigma))[:, None])[signs != 0]

    by = slopes(standardised, own)
    expected = np.sqrt(np.diag(by.T @ np.linalg.inv(information) @ by))
    found = estimates(fitted, inverted(information), data.sds, [0, 4])
    np.testing.assert_allclose(found.loading_errors[signs != 0], expected, rtol=1e-5)
    assert np.isnan(found.loading_errors[signs == 0]).all()
    # a score test in the model with the path freed: its gradient, what the others leave of it
    paths = omitted_paths(fitted, data.sample)
    assert [path.kind for path in paths] == ["loading"] * 7 + ["residual"] * 21
    for path in paths[:7]:
        wider = signs.copy()
        wider[path.row, path.column] = 1
        freed = measurement(wider)
        old = {(e.part, e.row, e.column): own[e.at] for e in model.groups[0].elements}
        at = np.array([old.get((e.part, e.row, e.column), 0.0) for e in freed.groups[0].elements])
        place = next(
            e.at
            for e in freed.groups[0].elements
            if (e.part, e.row, e.column) == ("loading", path.row, path.column)
        )
        second = expected_of(freed, [data.sample], at)
        first = n / 2 * _evaluated(freed, [data.sample], at)[1][place]
        others = np.delete(np.arange(len(at)), place)
        across = second[place, others]
        left = second[place, place] - across @ np.linalg.solve(
            second[np.ix_(others, others)], across
        )
        assert path.index == pytest.approx(first**2 / left, rel=1e-4)
        scale = np.sqrt(fitted.groups[0].sigma[path.row, path.row])
        assert path.change == pytest.approx(-first / left / scale, rel=1e-4)


def test_the_standard_error_of_a_value_on_two_factors_is_lavaans(r_numbers: Path) -> None:
    # with loading and residual alone in the slope it was .0570
    scores = pd.read_csv(r_numbers / "data" / "hs.csv")
    found = confirm(scores, read_system(r_numbers / "systems" / "hs_cross.yaml")).loadings
    assert round(float(found.set_index(["factor", "value"]).loc[("s", "x9"), "se"]), 4) == 0.0606


def test_a_heywood_case_is_held_and_named() -> None:
    # r(ab) r(ac) / r(bc) = .9 * .9 / .7 is more than 1: so large a communality has a
    r = [[1, 0.9, 0.9, 0.3], [0.9, 1, 0.7, 0.25], [0.9, 0.7, 1, 0.25], [0.3, 0.25, 0.25, 1]]
    noise = np.random.default_rng(3).standard_normal((200, 4))
    white = np.linalg.qr(noise - noise.mean(axis=0))[0]
    frame = pd.DataFrame(white @ np.linalg.cholesky(r).T, columns=list("abcd"))
    system = System("one", {"F": dict.fromkeys("abcd", 1)})
    found = confirm(frame, system, bounded=True)
    assert any("Heywood case: no residual variance left in a" in said for said in found.cautions)
    assert found.loadings.standardised.notna().all()
    # as lavaan: where the likelihood is largest, improper and named
    free = confirm(frame, system)
    assert free.fit.discrepancy < found.fit.discrepancy
    assert any("negative residual variance of a (-" in said for said in free.cautions)


def test_small_factors_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    small = System(
        "small", {"Care": {"a": 1, "b": 1, "d": 1}, "Risk": {"e": 1}, "Rest": {"f": 1, "g": 1}}
    )
    cautions = " ".join(confirm(scores_of(), small).cautions)
    assert "Factor Risk has one value: its residual variance was set to 0" in cautions
    assert "Factor Rest has two values" in cautions


def test_a_higher_order_factor_and_a_bifactor_model_fit_their_own_data() -> None:
    random = np.random.default_rng(5)
    general = random.standard_normal((1000, 1))
    factors = 0.8 * general + 0.6 * random.standard_normal((1000, 3))
    data = np.repeat(factors, 3, axis=1) * 0.8 + 0.6 * random.standard_normal((1000, 9))
    frame = pd.DataFrame(data, columns=list("abcdefghi"))
    groups = {f"F{n}": dict.fromkeys("abcdefghi"[3 * n : 3 * n + 3], 1) for n in range(3)}
    higher = confirm(frame, System("higher", groups), "higher_order")
    # with three factors a second-order factor is just identified: the same fit, as many parameters
    plain = confirm(frame, System("plain", groups))
    assert higher.fit.k == plain.fit.k
    assert higher.fit.discrepancy == pytest.approx(plain.fit.discrepancy, abs=1e-4)
    both = {**groups, "general": dict.fromkeys("abcdefghi", 1)}
    bifactor = confirm(frame, System("bifactor", both), "orthogonal")
    assert bifactor.fit.k == 9 + 9 + 9
    assert bifactor.fit.discrepancy <= plain.fit.discrepancy + 1e-6


@pytest.mark.parametrize("missing", ["fiml", "two-stage"])
def test_cells_missing_at_random_are_made_up_for_and_said(
    missing: Literal["fiml", "two-stage"],
) -> None:
    scores = scores_of(800)
    holes = scores.mask(np.random.default_rng(0).random(scores.shape) < 0.1)
    holes.iloc[:5] = np.nan
    found = confirm(holes, SYSTEM, missing=missing)
    assert found.data.n == 795
    assert "5 subjects have no score on any value of the system" in found.cautions[0]
    assert f"{int(holes.iloc[5:].isna().to_numpy().sum())} cells are missing" in found.cautions[1]
    full = confirm(scores, SYSTEM)
    np.testing.assert_allclose(found.loadings.standardised, full.loadings.standardised, atol=0.06)
    # what is not known makes intervals wider
    assert (found.loadings.se > full.loadings.se).mean() > 0.7
    patterns = found.data.patterns()
    assert patterns.n.sum() == 795 and patterns.missing[0] == ()


def test_two_stages_and_full_information_agree_on_a_true_model() -> None:
    # Savalei and Bentler (2009): chi2 of both has the mean of its df where the model holds
    found = []
    for seed in range(20):
        scores = scores_of(300, seed=seed)
        holes = scores.mask(np.random.default_rng(seed).random(scores.shape) < 0.15)
        one, other = (confirm(holes, SYSTEM, missing=way) for way in ("fiml", "two-stage"))
        assert other.errors == "two-stage" and other.fit.scaling is not None
        found.append((one.fit.chi2, other.fit.scaled_chi2, other.fit.chi2))
        np.testing.assert_allclose(one.loadings.se, other.loadings.se, rtol=0.15)
    full, corrected, plain = np.mean(found, axis=0)
    assert corrected == pytest.approx(full, rel=0.06)
    # as if complete, too large
    assert plain > corrected + 1


@pytest.mark.parametrize(
    ("system", "said"),
    [
        (System("s", {"F": {"x": 1}}), "1 of its 1 values were not measured: 'x'"),
        (System("s", {"F": {"a": 1, "b": 1}}), "4 parameters for 3 variances and covariances"),
    ],
)
def test_a_system_that_cannot_be_tested_is_refused(system: System, said: str) -> None:
    with pytest.raises(UnfitSystem, match=said):
        confirm(scores_of(), system)


def test_a_value_that_was_not_measured_is_refused_with_the_nearest_names() -> None:
    scores = scores_of().rename(columns={"a": "Honesty", "b": "Care"})
    system = System("s", {"F": {"Honesti": 1, "Care": 1, "c": -1, "zzz": 1}})
    with pytest.raises(UnfitSystem) as caught:
        confirm(scores, system)
    assert "2 of its 4 values were not measured: 'Honesti' (nearest: Honesty); 'zzz';" in str(
        caught.value
    )


def test_a_just_identified_model_is_fitted_and_said() -> None:
    found = confirm(scores_of(), System("s", {"F": {"a": 1, "b": 1, "d": 1}}))
    assert (found.fit.df, found.fit.p_value) == (0, None)
    assert found.fit.chi2 == pytest.approx(0, abs=1e-8)
    assert any(said.startswith("Just identified") for said in found.cautions)
    # one factor's loadings are the roots of r_ab r_ac / r_bc
    r = scores_of()[["a", "b", "d"]].corr()
    assert found.loadings.standardised[0] == pytest.approx(
        math.sqrt(r.a.b * r.a.d / r.b.d), abs=1e-6
    )


def test_a_sign_that_comes_out_the_other_way_is_said() -> None:
    wrong = System("s", {"Care": {"a": 1, "b": 1, "c": 1, "d": 1}})
    (said,) = confirm(scores_of(), wrong).cautions
    assert "sign is not the keyed one: c on Care (keyed 1, -0.6" in said
    assert confirm(scores_of(), replace(wrong, keyed=False)).cautions == ()


def test_constant_values_and_singular_matrices_are_refused() -> None:
    with pytest.raises(UnfitSystem, match="Value 'b' is constant"):
        confirm(scores_of().assign(b=1.0), SYSTEM)
    twice = scores_of().assign(b=lambda frame: frame["a"])
    with pytest.raises(ValueError, match="is singular"):
        confirm(twice, SYSTEM)
    with pytest.raises(ValueError, match="is singular"):
        confirm(scores_of().head(6), SYSTEM)


def test_a_mapping_makes_a_system_and_the_floor_leaves_values_out() -> None:
    rows = pd.DataFrame(
        {
            "value": ["a", "b", "c"],
            "schwartz": ["Power", "Power", "Security"],
            "cosine": [0.9, 0.2, 0.5],
        }
    )
    assert system_of_mapping("s", rows, -1).factors == {
        "Power": {"a": 1, "b": 1},
        "Security": {"c": 1},
    }
    assert system_of_mapping("s", rows, 0.4).factors["Power"] == {"a": 1}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a: [", "cannot be read as YAML"),
        ("factors: 3", "expected `factors:"),
        ("factors: {F: {}}", "factor 'F' has no values"),
        ("factors: {F: {a: 2}}", "has sign 2; expected 1 or -1"),
    ],
)
def test_a_file_that_is_no_system_is_refused(tmp_path: Path, content: str, said: str) -> None:
    path = tmp_path / "s.yaml"
    path.write_text(content, "utf-8")
    with pytest.raises(UnfitSystem) as caught:
        read_system(path)
    assert said in str(caught.value)


def test_the_command_writes_the_fit_as_json(tmp_path: Path) -> None:
    scores_of().to_csv(tmp_path / "m.csv", index=False)
    path = tmp_path / "two.yaml"
    path.write_text("factors: {Care: {a: 1, b: 1, c: -1, d: 1}, Risk: [e, f, g]}", "utf-8")
    out = tmp_path / "fit.json"
    arguments = ["cfa", str(tmp_path / "m.csv"), "--system", str(path), "--json", str(out)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    found = json.loads(out.read_text("utf-8"))
    assert (found["n"], found["k"], found["df"], found["converged"]) == (400, 15, 13, True)
    theirs, _ = semopy_fit(scores_of(), SYSTEM)
    assert found["discrepancy"] == pytest.approx(theirs, abs=1e-5)
    assert set(found["fit"]["standard"]) == {
        *("chi2", "p", "cfi", "tli", "gfi", "rmsea", "rmsea_ci", "srmr", "aic", "bic"),
        *("bic_adjusted", "nfi", "mfi", "log_likelihood", "baseline_chi2"),
    }
    assert len(found["loadings"]) == 7 and found["cautions"] == []
    second = " ".join(CliRunner().invoke(app, [*arguments, "--semopy"]).output.split())
    assert f"semopy: F {theirs:.5f} (ours {found['discrepancy']:.5f})" in second
    path.write_text("factors: {Care: {a: 1, b: 1, nothing: 1}}", "utf-8")
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "1 of its 3 values were not measured: 'nothing'" in " ".join(result.output.split())


def test_a_random_grouping_keeps_sizes_and_values() -> None:
    dealt = random_grouping(SYSTEM, np.random.default_rng(0), "random")
    assert [len(own) for own in dealt.factors.values()] == [4, 3]
    assert sorted(dealt.values) == sorted(SYSTEM.values)


def test_the_true_system_beats_others_and_random_groupings_on_held_out_llms() -> None:
    scores = scores_of(400)
    scores.index = pd.Index([f"m{n // 2}|p{n % 2}" for n in range(400)])
    llms = [subject.split("|")[0] for subject in scores.index]
    wrong = System("wrong", {"X": {"a": 1, "e": 1, "c": -1}, "Y": {"b": 1, "f": 1, "d": 1, "g": 1}})
    settings = StructureSettings(n_factors=2, parallel_repeats=20)
    found = compare(scores, llms, [wrong], settings, CfaSettings(splits=3, nulls=4))
    cfi = found.indices[found.indices.definition == "cfi.standard"]
    mean = cfi.groupby(["comparison", "system", "structure"]).number.mean()
    assert mean["fair", "ours", "correlated"] > 0.95 > mean["fair", "wrong", "correlated"] + 0.1
    assert (found.nulls.cfi < 0.95).mean() > 0.7
    assert set(found.fits.comparison) == {"paper", "fair"}
    paper = found.fits[found.fits.comparison == "paper"].set_index("system")
    assert paper.n["ours"] == 400 and paper.engine["ours"] == "exact gradients"
    fair = found.fits[(found.fits.comparison == "fair") & (found.fits.split == 0)]
    assert fair.p.nunique() == 1 and (fair.n == 200).all()
    assert set(found.loadings.system) == {"ours", "wrong"} and len(found.paths) > 0


@pytest.mark.parametrize(("units", "whole"), [("llm", True), ("subject", False)])
def test_the_papers_halves_are_of_llms_or_of_subjects(
    monkeypatch: pytest.MonkeyPatch, units: Literal["llm", "subject"], whole: bool
) -> None:
    scores = scores_of(120)
    llms = [f"m{n // 4}" for n in range(120)]
    built: list[list[str]] = []
    monkeypatch.setattr(
        cfa_comparison, "_built", lambda scores, llms, settings, seed: built.append(llms) or None
    )
    compare(scores, llms, [], StructureSettings(), CfaSettings(halves=units, splits=1))
    counts = pd.Series(built[0]).value_counts()
    assert len(built[0]) == 60
    assert (counts == 4).all() == whole


def test_few_llms_are_not_split_and_a_system_without_a_fit_has_its_reason() -> None:
    scores = scores_of(12)
    scores.index = pd.Index([f"m|p{n}" for n in range(12)])
    found = compare(scores, ["m"] * 12, [SYSTEM], StructureSettings(n_factors=2), CfaSettings())
    assert set(found.fits.comparison) == {"paper"}
    empty = compare(
        scores.assign(b=scores.a), ["m"] * 12, [SYSTEM], StructureSettings(), CfaSettings()
    )
    reason = empty.fits.set_index("system").caution["two"]
    assert "is singular" in reason
