"""Resampling: what is firm stays, what is not is said, and LLMs count whole."""

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.congruence import factor_congruence
from gpla_assets.psychometrics.frozen import FrozenSystem
from gpla_assets.psychometrics.naming import centroid_names
from gpla_assets.psychometrics.pairwise import Pairwise
from gpla_assets.psychometrics.relations import nearest_values, relations
from gpla_assets.psychometrics.stability import bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.studies.structure import StructureSettings

SETTINGS = StructureSettings(n_factors=2, resamples=60, parallel_repeats=20)


def scores_of(n_llms: int = 20, profiles: int = 5, llm_sd: float = 1.0) -> pd.DataFrame:
    """Two factors of five values each; a LLM's profiles share most of their factor scores."""
    random = np.random.default_rng(4)
    llm = np.repeat(random.standard_normal((n_llms, 2)) * llm_sd, profiles, axis=0)
    latent = llm + random.standard_normal((n_llms * profiles, 2)) * 0.3
    loading = np.kron(np.eye(2), np.full((1, 5), 0.9))
    data = latent @ loading + random.standard_normal((len(latent), 10)) * 0.5
    index = [f"m{i:02d}|p{j}" for i in range(n_llms) for j in range(profiles)]
    return pd.DataFrame(data, index, [f"{name}{n}" for name in "ab" for n in range(5)])


@pytest.fixture(scope="module")
def scores() -> pd.DataFrame:
    return scores_of()


def llms_of(scores: pd.DataFrame) -> list[str]:
    return [subject.split("|")[0] for subject in scores.index]


def test_a_clear_structure_is_found_in_every_resample(scores: pd.DataFrame) -> None:
    system = value_system(scores, SETTINGS)
    found = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(scores))
    assert (found.factors.congruence > 0.98).all()
    primary = found.loadings[found.loadings.is_primary]
    assert (primary.primary_share == 1).all()
    assert ((primary.ci_low <= primary.loading) & (primary.loading <= primary.ci_high)).all()
    shares = found.retention.groupby("rule").share.sum()
    np.testing.assert_allclose(shares, 1)
    most = found.retention.set_index(["rule", "n_factors"]).share
    assert most["parallel", 2] > 0.8


def test_resampling_whole_llms_shows_that_profiles_are_not_independent() -> None:
    # alpha of LLM-driven scores: its interval over 20 LLMs is wider than over 100 subjects
    scores = scores_of()
    system = value_system(scores, SETTINGS)
    by_llm = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(scores)).factors
    by_subject = bootstrap(system.usable, system.pattern, SETTINGS).factors
    assert (by_llm.resampled == "llm").all() and (by_subject.resampled == "subject").all()
    width = lambda one: float((one.alpha_high - one.alpha_low).sum())  # noqa: E731
    assert width(by_llm) > 1.3 * width(by_subject)


def test_the_same_seed_gives_the_same_intervals(scores: pd.DataFrame) -> None:
    system = value_system(scores, SETTINGS)
    first = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(scores))
    second = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(scores))
    pd.testing.assert_frame_equal(first.loadings, second.loadings)
    pd.testing.assert_frame_equal(first.retention, second.retention)


def test_too_few_llms_give_no_interval_and_say_so() -> None:
    scores = scores_of(4)
    system = value_system(scores, SETTINGS)
    found = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(scores))
    assert found.factors.empty and found.loadings.empty
    assert found.caution is not None and "4 llms" in found.caution


def test_leaving_out_the_odd_llm_moves_the_structure_most(scores: pd.DataFrame) -> None:
    odd = scores.copy()
    # one LLM far out on a mixture of both factors bends them
    odd.loc[odd.index.str.startswith("m07")] = np.tile([9.0, -9.0], 5)
    system = value_system(odd, SETTINGS)
    found = leave_one_out(system.usable, system.pattern, SETTINGS, llms_of(odd))
    assert found.groupby("llm").congruence.min().idxmin() == "m07"
    assert len(found) == 20 * 2


def test_missing_cells_are_resampled_as_they_stand(scores: pd.DataFrame) -> None:
    random = np.random.default_rng(0)
    holes = scores.mask(random.random(scores.shape) < 0.15)
    system = value_system(holes, SETTINGS)
    found = bootstrap(system.usable, system.pattern, SETTINGS, llms_of(holes))
    assert (found.factors.congruence > 0.95).all()


def test_an_interrupt_leaves_what_was_resampled(scores: pd.DataFrame) -> None:
    settings = SETTINGS.model_copy(update={"resamples": 400})
    system = value_system(scores, settings)

    def stop(done: int, total: int) -> None:
        if done == 150:
            raise KeyboardInterrupt

    found = bootstrap(system.usable, system.pattern, settings, llms_of(scores), progress=stop)
    assert (found.factors["resamples"] == 150).all()
    assert found.caution == "Stopped after 150 of 400 resamples of llms."


def test_a_resample_of_weights_is_that_of_the_rows_drawn(scores: pd.DataFrame) -> None:
    random = np.random.default_rng(3)
    holes = scores.mask(random.random(scores.shape) < 0.1).to_numpy()
    rows = random.integers(0, len(holes), len(holes))
    weights = np.bincount(rows, minlength=len(holes)).astype(float)
    weighed, drawn = Pairwise(holes).moments(weights), Pairwise(holes[rows]).moments()
    np.testing.assert_allclose(weighed.correlation, drawn.correlation, atol=1e-12)
    np.testing.assert_allclose(weighed.covariance, drawn.covariance, atol=1e-12)
    np.testing.assert_array_equal(weighed.pairs, drawn.pairs)
    filled = np.where(np.isnan(holes[rows]), np.nanmean(holes[rows], axis=0), holes[rows])
    imputed = Pairwise(holes).moments(weights, imputed=True)
    np.testing.assert_allclose(imputed.correlation, np.corrcoef(filled, rowvar=False), atol=1e-12)
    np.testing.assert_allclose(imputed.covariance, np.cov(filled, rowvar=False), atol=1e-12)


def test_a_frozen_system_scores_new_subjects_with_its_own_numbers(scores: pd.DataFrame) -> None:
    system = value_system(scores, StructureSettings(n_factors=2, factor_score="regression"))
    alone = system.frozen.score(scores.head(1))
    within = system.scores[system.scores.subject_id == scores.index[0]]
    merged = alone.merge(within, on="factor", suffixes=("_alone", "_within"))
    np.testing.assert_allclose(merged.score_alone, merged.score_within, atol=1e-8)


def test_a_frozen_system_refuses_subjects_without_its_values(scores: pd.DataFrame) -> None:
    frozen = value_system(scores, SETTINGS).frozen
    with pytest.raises(ValueError, match="None of the 10 values of system"):
        frozen.score(pd.DataFrame({"other": [1.0]}, ["s"]))


def test_a_systems_key_is_that_of_its_loadings(scores: pd.DataFrame) -> None:
    first = value_system(scores, SETTINGS).frozen
    again = value_system(scores.sample(frac=1, random_state=1), SETTINGS).frozen
    other = value_system(scores.head(60), SETTINGS).frozen
    assert first.key == again.key != other.key
    compared = first.compared(other)
    assert (compared.congruence.abs() > 0.95).all()


def test_factors_are_matched_over_shared_values_whatever_their_order() -> None:
    values = ["Order", "Rules", "Joy", "Fun", "Play"]
    ours = pd.DataFrame({"F1": [0.1, 0.0, 0.8, 0.7, 0.6], "F2": [-0.9, -0.8, 0.1, 0, 0]}, values)
    theirs = pd.DataFrame(
        {"X": [0.7, 0.8, 0.0, 0.0], "Y": [0.0, 0.1, 0.9, 0.8]}, ["order", "rules", "joy", "fun"]
    )
    found = factor_congruence(ours, theirs).set_index("other_factor")
    assert found.factor.to_dict() == {"X": "F2", "Y": "F1"}
    assert found.congruence["X"] < -0.9
    assert (found.shared_values == 4).all() and (found.shared_primary == 2).all()


def test_a_factor_that_shares_one_value_has_no_match() -> None:
    ours = pd.DataFrame({"F1": [0.8, 0.1], "F2": [0.1, 0.8]}, ["Joy", "Order"])
    theirs = pd.DataFrame({"X": [0.7, 0.0], "Y": [0.0, 0.9]}, ["Joy", "Order"])
    assert factor_congruence(ours, theirs).empty


def test_no_shared_value_gives_no_match() -> None:
    ours = pd.DataFrame({"F1": [0.8]}, ["Joy"])
    assert factor_congruence(ours, pd.DataFrame({"X": [0.7]}, ["Order"])).empty


def test_names_come_from_the_centroid_and_none_is_given_twice() -> None:
    places = {"Joy": (1, 0), "Fun": (0.9, 0.1), "Order": (0, 1), "Rules": (0.8, 0.6)}
    encode = lambda texts: np.array(  # noqa: E731
        [np.array(places[t]) / np.linalg.norm(places[t]) for t in texts]
    )
    keys = pd.DataFrame(
        {
            "factor": ["F1", "F1", "F2", "F2"],
            "value": ["Joy", "Order", "Fun", "Rules"],
            "loading": [0.8, -0.7, 0.9, 0.1],
        }
    )
    found = centroid_names(keys, ["Joy", "Fun", "Order", "Rules"], encode).set_index("factor")
    assert found.name["F1"] == "Joy"
    assert found.name["F2"] == "Fun"


def test_relations_find_a_true_correlation_and_no_false_one() -> None:
    random = np.random.default_rng(2)
    factor = random.standard_normal(150)
    index = [f"m{n}" for n in range(150)]
    factors = pd.DataFrame({"F1": factor}, index)
    others = pd.DataFrame(
        {
            "Power": 0.6 * factor + random.standard_normal(150) * 0.8,
            "Tradition": random.standard_normal(150),
        },
        index,
    )
    found = relations(factors, others, index, resamples=300).set_index("other")
    assert found.r["Power"] == pytest.approx(np.corrcoef(factor, others.Power)[0, 1])
    assert found.p_adjusted["Power"] < 0.001 < 0.05 < found.p_adjusted["Tradition"]
    assert found.ci_low["Power"] < 0.6 < found.ci_high["Power"]
    assert (found.p_adjusted >= found.p).all()


def test_few_llms_give_no_p() -> None:
    frame = pd.DataFrame({"x": np.arange(18.0)}, [f"m{n // 2}|{n % 2}" for n in range(18)])
    llms = [subject.split("|")[0] for subject in frame.index]
    found = relations(frame, frame.rename(columns={"x": "y"}), llms)
    assert found.r.iloc[0] == pytest.approx(1)
    assert found.p.iloc[0] is None


def test_few_subjects_give_no_correlation() -> None:
    frame = pd.DataFrame({"x": np.arange(30.0)}, [f"m{n}" for n in range(30)])
    other = frame.rename(columns={"x": "y"}).where(
        frame.index.isin([f"m{n}" for n in range(9)]).reshape(-1, 1)
    )
    found = relations(frame, other, list(frame.index), resamples=50).iloc[0]
    assert found.n == 9
    assert np.isnan(found.r) and np.isnan(found.ci_low) and np.isnan(found.p_adjusted)


def test_each_value_goes_to_its_most_similar_with_the_runner_up() -> None:
    found = nearest_values(
        ["Fun"], np.array([[0.8, 0.6]]), ["Hedonism", "Power"], np.array([[1.0, 0], [0, 1.0]])
    ).iloc[0]
    assert (found.other, found.runner_up) == ("Hedonism", "Power")
    assert (found.cosine, found.runner_up_cosine) == (pytest.approx(0.8), pytest.approx(0.6))


def test_a_value_is_keyed_by_the_sign_of_its_largest_loading() -> None:
    loadings = pd.DataFrame({"F2": [0.1, -0.4, 0.3], "F1": [0.5, 0.3, -0.6]}, list("bac"))
    own = pd.Series(0.0, list("bac")), pd.Series(1.0, list("bac"))
    keys = FrozenSystem(loadings, loadings, *own, factor_score="keyed_mean").keys
    assert list(keys.itertuples(index=False, name=None)) == [
        ("F2", "a", -1),
        ("F1", "b", 1),
        ("F1", "c", -1),
    ]
