"""A value system of a known structure is found again; hostile matrices give stated results."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.correlation import correlations, nearest_psd
from gpla_assets.psychometrics.matrix import distinct_sentences
from gpla_assets.psychometrics.simulation import recovery, simulated_subjects
from gpla_assets.psychometrics.structure import ValueSystem, value_system
from gpla_assets.studies.structure import StructureSettings

TABLE10 = Path(__file__).parents[1] / "data" / "table10_loadings.csv"


def simulated(n_subjects: int = 693, n_weak: int = 31, seed: int = 1) -> pd.DataFrame:
    """Subjects with the paper's 92 loadings and values that load on nothing."""
    return simulated_subjects(pd.read_csv(TABLE10), seed, n_subjects, n_weak, 0.1)


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return simulated()


@pytest.fixture(scope="module")
def system(scores: pd.DataFrame) -> ValueSystem:
    return value_system(scores)


@pytest.mark.parametrize("correlation", [0.1, 0.2])
def test_the_papers_structure_is_found_again(correlation: float) -> None:
    table = pd.read_csv(TABLE10)
    found = recovery(table, simulated_subjects(table, 1, factor_correlation=correlation))
    assert (found.recommended == 5).all() and (found.found == 5).all()
    assert (found.congruence >= np.where(found.true_values >= 15, 0.95, 0.90)).all()
    assert (found.weak_removed >= 0.9).all() and (found.others_removed <= 0.05).all()
    assert (found.alpha - found.true_alpha).abs().max() <= 0.02


@pytest.mark.slow
def test_oblimin_finds_correlated_factors_better_than_varimax() -> None:
    table = pd.read_csv(TABLE10)
    scores = simulated_subjects(table, 2, factor_correlation=0.4)
    straight = recovery(table, scores, StructureSettings(n_factors=5))
    oblique = recovery(table, scores, StructureSettings(n_factors=5, rotation="oblimin"))
    large = straight.true_values >= 15
    assert (oblique.congruence > straight.congruence)[large].all()
    assert (oblique.congruence[large] > 0.95).all()


def test_oblique_factors_come_with_their_correlations() -> None:
    table = pd.read_csv(TABLE10)
    scores = simulated_subjects(table, 2, factor_correlation=0.4)
    found = value_system(scores, StructureSettings(n_factors=5, rotation="promax"))
    r = found.factor_correlations.pivot(index="factor_a", columns="factor_b", values="r")
    np.testing.assert_allclose(np.diag(r), 1)
    off = r.to_numpy()[np.triu_indices(5, 1)]
    assert ((off > 0.1) & (off < 0.6)).all()
    assert not np.allclose(found.loadings.loading, found.loadings.structure)


def test_reverse_keyed_values_keep_their_sign(scores: pd.DataFrame) -> None:
    loadings = value_system(scores).loadings
    own = loadings[loadings.is_primary].set_index("value").keyed
    assert own["Stability"] == -1 == own["Conformity"]
    assert own["Challenge"] == 1


def test_order_of_subjects_and_values_changes_nothing(scores: pd.DataFrame) -> None:
    first = value_system(scores)
    mixed = scores.sample(frac=1, random_state=3).sample(frac=1, axis=1, random_state=4)
    second = value_system(mixed)
    pd.testing.assert_frame_equal(first.loadings, second.loadings)
    pd.testing.assert_frame_equal(first.reliabilities, second.reliabilities)


def test_scaling_a_value_changes_no_loading(scores: pd.DataFrame) -> None:
    scaled = scores * np.linspace(0.5, 7, scores.shape[1])
    first, second = value_system(scores).loadings, value_system(scaled).loadings
    np.testing.assert_allclose(first.loading, second.loading, atol=1e-8)


def test_uncorrelated_values_give_one_factor_whose_alpha_is_said_to_be_low() -> None:
    random = np.random.default_rng(5)
    frame = pd.DataFrame(random.standard_normal((400, 10)), columns=[f"v{n}" for n in range(10)])
    system = value_system(frame)
    assert int(system.eigenvalues.retained.sum()) == 1
    assert system.suitability.bartlett_p.iloc[0] > 0.05
    (said,) = system.reliabilities.caution
    assert said.startswith("Bartlett's test does not show that values correlate at all (p = 0.16")
    assert said.endswith("Alpha of F1 is 0.29, below 0.70.")


def test_more_values_than_subjects_is_computed_and_flagged() -> None:
    system = value_system(simulated(n_subjects=21))
    assert not system.reliabilities.interpretable.any()
    assert "n = 21 subjects for p = 123 values, n/p = 0.17" in system.cautions[0]


def test_what_is_known_of_the_scores_stands_beside_it_in_every_factors_caution() -> None:
    told = "Not reliable: across 21 LLMs, 100 of 123 values have a reliability below 0.50."
    system = value_system(simulated(n_subjects=21), told=[told])
    assert system.cautions[1] == told
    assert system.reliabilities.caution.str.contains(told, regex=False).all()


def test_constant_and_sparse_values_are_removed_by_name(scores: pd.DataFrame) -> None:
    frame = scores.iloc[:, :40].copy()
    frame["Equity"] = 0.3
    frame.iloc[: len(frame) - 20, frame.columns.get_loc("Unity")] = np.nan
    removals = value_system(frame).removals.set_index("value")
    assert removals.reason["Equity"] == "constant over subjects"
    assert removals.reason["Unity"].startswith("measured in 3% of subjects")
    assert (removals["round"][["Equity", "Unity"]] == 0).all()


def test_too_few_subjects_is_an_error_that_says_so(scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="2 subjects and"):
        value_system(scores.head(2))


def test_scores_skip_missing_cells(scores: pd.DataFrame) -> None:
    frame = scores.copy()
    frame.iloc[0, 0] = np.nan
    result = value_system(frame, StructureSettings(n_factors=5)).scores
    assert result.score.notna().all()
    assert len(result) == 5 * len(frame)


def test_duplicated_names_are_refused_by_name(scores: pd.DataFrame) -> None:
    twice = pd.concat([scores, scores.head(1)])
    with pytest.raises(ValueError, match="subject 's0000' stands 2 times"):
        value_system(twice)
    with pytest.raises(ValueError, match="value 'Equity' stands 2 times"):
        value_system(pd.concat([scores, scores[["Equity"]]], axis=1))


def test_a_subject_with_the_scores_of_another_is_counted_and_said(scores: pd.DataFrame) -> None:
    copied = pd.concat([scores, scores.head(1).rename(index={"s0000": "copy"})])
    found = value_system(copied)
    assert any("1 subject has exactly the scores of another" in said for said in found.cautions)
    assert int(found.suitability.n_subjects.iloc[0]) == 694


@pytest.mark.parametrize(
    ("cell", "said"), [(np.inf, "has inf on value 'Equity'"), ("much", "has 'much' on value")]
)
def test_a_cell_that_is_no_number_is_named(scores: pd.DataFrame, cell: object, said: str) -> None:
    wrong = scores.astype(object)
    wrong.loc["s0003", "Equity"] = cell
    with pytest.raises(ValueError, match=f"subject 's0003' {said}"):
        value_system(wrong)


def test_a_value_without_any_measurement_is_removed_by_name(scores: pd.DataFrame) -> None:
    found = value_system(scores.iloc[:, :30].assign(Nothing=np.nan))
    removal = found.removals.set_index("value").loc["Nothing"]
    assert removal.reason == "not measured in any subject"
    assert removal["round"] == 0


def test_a_nearly_constant_value_is_removed_with_its_share(scores: pd.DataFrame) -> None:
    rare = np.zeros(len(scores))
    rare[:20] = 1.0
    found = value_system(scores.iloc[:, :30].assign(Rare=rare))
    reason = found.removals.set_index("value").reason["Rare"]
    assert reason.startswith("nearly constant: 97% of its subjects have the same score")


def test_all_cells_missing_is_an_error_with_its_reason(scores: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match=r"0 usable values \(of 123: 123 not measured in any"):
        value_system(scores * np.nan)


def test_thin_cells_count_as_missing(scores: pd.DataFrame) -> None:
    counts = pd.DataFrame(5, scores.index, scores.columns)
    counts.iloc[:10, 0] = 1
    settings = StructureSettings(n_factors=5, minimum_measurements=2)
    found = value_system(scores, settings, counts=counts)
    assert found.suitability.missing_cells.iloc[0] == 10
    assert any("10 cells rest on too few measurements" in said for said in found.cautions)


@pytest.mark.parametrize("missing", ["pairwise", "mean", "em"])
def test_missing_cells_are_counted_and_handled_by_the_named_method(
    scores: pd.DataFrame, missing: str
) -> None:
    random = np.random.default_rng(2)
    holes = scores.iloc[:, :40].mask(random.random((len(scores), 40)) < 0.1)
    settings = StructureSettings(n_factors=1, missing=missing)  # type: ignore[arg-type]
    found = value_system(holes, settings)
    row = found.suitability.iloc[0]
    assert row.missing_cells == int(holes.isna().to_numpy().sum())
    assert row.missing_method == missing
    full = value_system(scores.iloc[:, :40], StructureSettings(n_factors=1))
    both = full.pattern.join(found.pattern, rsuffix="_holes", how="inner")
    assert len(both) >= 36
    assert (both["F1"] - both["F1_holes"]).abs().max() < 0.08


def test_an_unreliable_factor_loses_the_value_that_lowers_its_alpha() -> None:
    random = np.random.default_rng(8)
    latent = random.standard_normal((500, 2))
    good = latent[:, [0]] * 0.8 + random.standard_normal((500, 5)) * 0.6
    poor = latent[:, [1]] * 0.42 + random.standard_normal((500, 4)) * 0.9
    frame = pd.DataFrame(
        np.hstack([good, poor]), columns=[f"good {n}" for n in range(5)] + list("abcd")
    )
    frame["d"] = latent[:, 1] * 0.15 + random.standard_normal(500)
    settings = StructureSettings(n_factors=2, minimum_loading=0.1, minimum_gap=0.0)
    removal = value_system(frame, settings).removals.set_index("value").loc["d"]
    assert removal.reason.startswith("alpha of its factor below 0.7")
    assert removal.alpha < removal.alpha_without


def test_without_purification_every_usable_value_stays(scores: pd.DataFrame) -> None:
    found = value_system(scores, StructureSettings(n_factors=5, purify=False))
    assert len(found.pattern) == 123
    assert found.removals.empty


def test_the_scores_of_all_methods_agree_on_a_clear_factor(system: ValueSystem) -> None:
    first = system.scores[system.scores.factor == "F1"]
    r = first[["keyed_mean", "regression", "bartlett"]].corr()
    assert r.to_numpy().min() > 0.95
    alpha = system.reliabilities.set_index("factor").alpha["F1"]
    expected = first.keyed_mean.std() * np.sqrt(1 - alpha)
    assert first.standard_error.iloc[0] == pytest.approx(expected)


def test_suitability_says_what_the_matrix_is(system: ValueSystem) -> None:
    row = system.suitability.iloc[0]
    assert (row.n_subjects, row.n_values, row.missing_cells) == (693, 123, 0)
    assert row.kmo > 0.9
    assert row.bartlett_df == 123 * 122 // 2 and row.bartlett_p < 1e-6
    weak = system.value_suitability.set_index("value").kmo
    assert (
        weak[[f"weak {n}" for n in range(31)]].mean()
        < weak.drop([f"weak {n}" for n in range(31)]).mean()
    )


def test_the_package_exposes_the_method(scores: pd.DataFrame) -> None:
    import gpla_assets

    settings = gpla_assets.StructureSettings(n_factors=2, parallel_repeats=20)
    found = gpla_assets.value_system(scores.iloc[:, :50], settings)
    assert found.pattern.shape[1] == 2
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        _ = gpla_assets.nothing


def test_em_is_the_maximum_likelihood_of_monotone_missing_cells() -> None:
    # one value complete, the other missing where the first is high: the likelihood factors into
    # the first's variance and the regression of the second on it (Little and Rubin, 2002, 7.2)
    random = np.random.default_rng(3)
    x = random.standard_normal(400)
    y = 0.6 * x + random.standard_normal(400) * 0.8
    y[x > 0.5] = np.nan
    there = ~np.isnan(y)
    slope, centre = np.polyfit(x[there], y[there], 1)
    error = ((y[there] - slope * x[there] - centre) ** 2).mean()
    variance_y = error + slope**2 * x.var()
    expected = slope * x.var() / np.sqrt(x.var() * variance_y)
    found = correlations(pd.DataFrame({"x": x, "y": y}), "em").matrix
    assert found.loc["x", "y"] == pytest.approx(expected, abs=2e-3)
    pairwise = correlations(pd.DataFrame({"x": x, "y": y})).matrix
    assert pairwise.loc["x", "y"] < expected - 0.05


def test_cautions_are_said_once() -> None:
    found = distinct_sentences(
        ["n/p = 0.53, below 5. KMO is low.", "KMO is low. Alpha of F1 is 0.4."]
    )
    assert found == ["n/p = 0.53, below 5.", "KMO is low.", "Alpha of F1 is 0.4."]


def test_a_matrix_that_no_scores_can_have_is_mended_as_rebonato_and_jaeckel_do() -> None:
    impossible = np.array([[1, 0.9, -0.9], [0.9, 1, 0.9], [-0.9, 0.9, 1]])
    found, mended = nearest_psd(impossible)
    eigenvalues, vectors = np.linalg.eigh(impossible)
    lifted = vectors @ np.diag(np.maximum(eigenvalues, 1e-6)) @ vectors.T
    scale = np.diag(1 / np.sqrt(np.diag(lifted)))
    assert mended and eigenvalues.min() < -0.7
    np.testing.assert_allclose(found, scale @ lifted @ scale, atol=1e-12)
    assert np.linalg.eigvalsh(found).min() > 0


def test_a_singular_matrix_needs_no_mending() -> None:
    singular = np.corrcoef(np.random.default_rng(0).normal(size=(4, 9)), rowvar=False)
    found, mended = nearest_psd(singular)
    assert not mended and (found == singular).all()


def test_correlations_of_a_database_are_taken_where_they_rest_on_the_same_subjects() -> None:
    rng = np.random.default_rng(3)
    scores = pd.DataFrame(rng.normal(size=(40, 3)), columns=["Care", "Order", "Play"])
    scores.loc[:4, "Play"] = np.nan
    known = pd.DataFrame(
        [("Care", "Order", 0.3, 40), ("Care", "Play", 0.2, 36), ("Order", "Play", None, 35)],
        columns=["value_a", "value_b", "r", "n"],
    )
    own, found = correlations(scores).matrix, correlations(scores, known=known).matrix
    assert found.loc["Care", "Order"] == found.loc["Order", "Care"] == 0.3
    # one subject more than is left here, and none at all: ours
    for value in ("Care", "Order"):
        assert found.loc[value, "Play"] == own.loc[value, "Play"]
