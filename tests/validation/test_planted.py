"""Planted structure: found where it is, not where it is not, and lost where M_E confuses values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.evaluator.expression import Cuts, Reading
from gpla_assets.parser.protocol import Perception, Utterance
from gpla_assets.validation.planted import (
    Side,
    latent_scores,
    planted_counts,
    planted_loadings,
    random_factors,
    recovered,
    retained,
    similar_factors,
)
from gpla_assets.validation.planted_check import (
    CASES,
    LABELS,
    NULL,
    PLANTED,
    Case,
    Planting,
    known_reading,
    planted_findings,
    relevance_findings,
)
from gpla_assets.validation.planted_texts import as_prose, as_statements, plantable

VALUES, SIDE = 20, 6


@pytest.fixture
def statements() -> pd.DataFrame:
    """Six statements for and against each of twenty values, and one that takes no side."""
    stances = ["support"] * SIDE + ["oppose"] * SIDE + ["either"]
    rows = [
        (f"v{value:02d}", f"what {value} means", stance, f"{stance} {number} of v{value:02d}.")
        for value in range(VALUES)
        for number, stance in enumerate(stances)
    ]
    return pd.DataFrame(rows, columns=["value", "definition", "stance", "statement"])


@pytest.fixture
def planting(statements: pd.DataFrame) -> Planting:
    drawn = plantable(statements, VALUES, np.random.default_rng(0), fewest=SIDE)
    vectors = np.random.default_rng(1).standard_normal((VALUES, 8))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return Planting("test", as_statements(drawn), vectors)


def confused(planting: Planting) -> Reading:
    """An M_E that takes every text to be about the next value as much as about its own."""
    known = known_reading(planting.planted)
    return Reading(
        known.relevance + np.roll(known.relevance, 1, axis=1),
        known.lean + np.roll(known.lean, 1, axis=1),
        known.undecided,
    )


def test_only_values_with_enough_statements_are_planted(statements: pd.DataFrame) -> None:
    few = statements[~((statements["value"] == "v00") & (statements["stance"] == "oppose"))]
    drawn = plantable(few, VALUES, np.random.default_rng(0), fewest=SIDE)
    assert sorted(drawn["value"].unique()) == [f"v{value:02d}" for value in range(1, VALUES)]
    assert set(drawn["stance"]) == {"support", "oppose"}


def test_statements_stand_under_their_value_and_side(planting: Planting) -> None:
    planted = planting.planted
    for place in (0, 57, 143):
        stance = "support" if planted.truth[place] > 0 else "oppose"
        value = planted.values["value"][planted.own[place]]
        assert value in planted.perceptions[place]
        assert planted.perceptions[place].startswith(stance)
        side = planted.sides[planted.own[place]]
        assert (place in side.support) == (planted.truth[place] > 0)


def test_factors_are_of_equal_size_and_similar_values_share_one() -> None:
    random = np.random.default_rng(0)
    assert (np.bincount(random_factors(50, random)) == 10).all()
    centres = np.eye(5)[np.arange(20) % 5] + random.normal(0, 0.05, (20, 5))
    found = similar_factors(centres / np.linalg.norm(centres, axis=1, keepdims=True), random)
    assert (np.bincount(found) == 4).all()
    assert all(len(set(found[np.arange(20) % 5 == k])) == 1 for k in range(5))


def test_latent_scores_correlate_as_their_loadings_say() -> None:
    random = np.random.default_rng(0)
    loadings = planted_loadings(np.array([0, 0, 1, 1]), factors=2)
    r = np.corrcoef(latent_scores(loadings, 20_000, random), rowvar=False)
    assert r[0, 1] == pytest.approx(0.64, abs=0.03)
    assert r[0, 2] == pytest.approx(0, abs=0.03)


def test_direction_is_in_sides_and_salience_in_numbers() -> None:
    random = np.random.default_rng(0)
    latent = np.array([[2.0], [-2.0]]).repeat(2000, axis=0)
    sides = [Side(np.arange(0, 40), np.arange(40, 80))]
    direction = planted_counts(latent, sides, 80, 3, "direction", random)
    assert (direction.sum(1) == 3).all() and direction.max() == 1
    assert direction[:2000, 40:].sum() == 0 and direction[2000:, :40].sum() == 0
    salience = planted_counts(latent, sides, 80, 3, "salience", random)
    assert salience[:, 40:].sum() == 0
    # twice SPREAD apart on either side of the middle
    assert salience[:2000].sum() / salience[2000:].sum() == pytest.approx(np.exp(2.8), rel=0.1)


def test_texts_are_repeated_only_once_all_were_drawn() -> None:
    latent = np.ones((1, 1))
    counts = planted_counts(
        latent, [Side(np.arange(3), np.arange(0))], 3, 5, "direction", np.random.default_rng(0)
    )
    assert sorted(counts[0]) == [1, 2, 2]


def test_planted_factors_are_found_and_none_in_independent_scores() -> None:
    random = np.random.default_rng(0)
    loadings = planted_loadings(random_factors(30, random))
    scores = pd.DataFrame(latent_scores(loadings, 400, random))
    assert recovered(scores, loadings) > 0.98
    assert retained(scores) == 5
    independent = pd.DataFrame(latent_scores(0 * loadings, 400, random))
    assert retained(independent) <= 1
    assert recovered(independent, loadings) < 0.7


def test_scores_without_variance_hold_nothing() -> None:
    scores = pd.DataFrame(np.full((50, 10), 0.1))
    assert recovered(scores, planted_loadings(np.arange(10) % 5)) == 0
    assert retained(scores) == 0


def test_findings_tell_a_knowing_evaluator_from_a_confused_one(planting: Planting) -> None:
    cases = (Case("direction", 2), Case("direction", 2, null="independent values"))
    readings = {LABELS: known_reading(planting.planted), "confused": confused(planting)}
    found = list(planted_findings(planting, readings, ["net"], Cuts(), 2, cases))
    numbers = {(one.check, one.agent): one for one in found}
    assert numbers[PLANTED, LABELS].number > 0.95
    assert numbers[PLANTED, "confused"].number < numbers[PLANTED, LABELS].number - 0.1
    assert numbers[NULL, LABELS].number <= 1 < numbers[NULL, "confused"].number
    assert numbers[PLANTED, LABELS].low <= numbers[PLANTED, LABELS].number
    assert found == list(planted_findings(planting, readings, ["net"], Cuts(), 2, cases))


def test_relevance_of_own_values(planting: Planting) -> None:
    def numbers(reading: Reading) -> dict[str, float]:
        found = relevance_findings(planting.planted, reading, "test", "M_E", 0.5)
        return {one.measure: one.number for one in found}

    known = numbers(known_reading(planting.planted))
    assert known["AUC of relevance"] == 1 and known["recall above 0.5"] == 1
    shared = numbers(confused(planting))
    assert shared["share of own among pairs above 0.5"] == 0.5
    assert shared["AUC of relevance"] == pytest.approx(1 - 0.5 / (VALUES - 1))


class Splitter:
    """A parser that keeps every sentence but those on water."""

    name = model = "splitter"
    revision = None
    inferences = 0

    def parse(self, batch: list[Utterance], progress: object = None) -> list[Perception]:
        found = []
        for said in batch:
            start = 0
            for sentence in said.content.split(". "):
                if "water" not in sentence:
                    end = start + len(sentence)
                    found.append(Perception(said.key, 0, start, end, sentence, sentence, 1.0))
                start += len(sentence) + 2
        return found


def test_prose_holds_statements_among_neutral_sentences(statements: pd.DataFrame) -> None:
    drawn = plantable(statements, 3, np.random.default_rng(0), fewest=SIDE)
    fillers = ["It rained.", "All water is wet.", "Here is a list.", "Some water boils."]
    questions = pd.DataFrame({"value": ["v00"], "question": ["Is v00 right?"]})
    prose = as_prose(drawn, questions, fillers, Splitter(), np.random.default_rng(0))
    about = np.array(prose.perceptions)[prose.own >= 0]
    assert all(" of v" in content for content in about)
    assert set(np.array(prose.perceptions)[prose.own < 0]) <= {
        *("It rained", "It rained.", "Here is a list", "Here is a list."),
    }
    own = prose.units[:, prose.own >= 0]
    assert (own.sum(1) == 2).all()
    for value, side in enumerate(prose.sides):
        held = prose.units[side.oppose].sum(0) > 0
        assert set(prose.own[held & (prose.own >= 0)]) == {value}
        assert set(prose.truth[held & (prose.own >= 0)]) == {-1}


def test_the_cases_hold_what_the_issue_asks() -> None:
    planted = {(case.kind, case.per_value, case.similar) for case in CASES if not case.null}
    for texts in (2, 5, 10):
        assert {("direction", texts, False), ("direction", texts, True)} <= planted
    assert {"salience", "both"} <= {kind for kind, _, _ in planted}
    assert {case.null for case in CASES if case.null} == {"independent values", "scores shuffled"}
