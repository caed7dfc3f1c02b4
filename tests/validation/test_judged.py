"""M_E beside what people say: sides, relevance, and the ceiling that noise leaves."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from gpla_assets.evaluator.expression import Reading
from gpla_assets.evaluator.scoring import scored_pairs
from gpla_assets.validation.findings import COLUMNS, auc, table, with_interval
from gpla_assets.validation.held_out_findings import external_findings, item_findings
from gpla_assets.validation.judged_direction import (
    ALONE,
    ASKED,
    balanced,
    direction_findings,
    proposition_rows,
)
from gpla_assets.validation.judged_relevance import (
    labelled_findings,
    noise_ceiling,
    portrait_findings,
    touche_findings,
)


class WordEvaluator:
    """Relevant where the value's name stands in the text; against it after "not"."""

    name, model, revision, inferences, minimum_relevance = "words", "words, fast", None, 0, 0.5

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = 1.0,
    ) -> Reading:
        relevance = np.array([[float(value in text) for value in values] for text in perceptions])
        return Reading(relevance, relevance, np.zeros(relevance.shape, bool))

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        pairs = list(zip(perceptions, values, strict=True))
        relevance = np.array([float(value in text) for text, value in pairs])
        against = np.array([float("not" in text) for text, _ in pairs])
        stances = np.stack([1 - against, against, 0 * against], axis=1)
        return scored_pairs(np.arange(len(pairs)), np.array(values, object), relevance, stances)


def numbers(findings: object) -> dict[str, float]:
    return {one.measure: one.number for one in findings}


def test_auc_is_sklearns_with_ties() -> None:
    random = np.random.default_rng(0)
    truth, scores = random.random(200) < 0.3, random.integers(0, 10, 200).astype(float)
    assert auc(truth, scores) == pytest.approx(roc_auc_score(truth, scores))
    assert np.isnan(auc(np.ones(3, bool), np.arange(3.0)))


def test_intervals_are_of_whole_units() -> None:
    right = np.repeat(np.random.default_rng(0).random(40) < 0.5, 25)
    units = [f"u{n // 25}" for n in range(1000)]
    number, low, high = with_interval(lambda places: right[places].mean(), units)
    single = with_interval(lambda places: right[places].mean(), [str(n) for n in range(1000)])
    assert low < number < high
    assert high - low > 3 * (single[2] - single[1])


def test_direction_by_sign_order_and_share() -> None:
    rows = pd.DataFrame(
        {"stance": ["support", "oppose", "support", "oppose"], "unit": ["a", "a", "b", "b"]}
    )
    found = numbers(direction_findings(rows, np.array([0.9, 0.2, 0.4, -0.5]), "test", "M_E"))
    assert found["share right"] == 0.75
    assert found["share called support"] == 0.75
    assert found["AUC"] == found["mean AUC within values"] == 1


def test_no_auc_within_values_of_one_side() -> None:
    rows = pd.DataFrame({"stance": ["support", "oppose"], "unit": ["a", "b"]})
    assert "mean AUC within values" not in numbers(
        direction_findings(rows, np.array([1.0, -1.0]), "test", "M_E")
    )


def test_who_denies_a_proposition_takes_the_other_side() -> None:
    answers = pd.DataFrame(
        {
            "proposition": ["p", "p"],
            "statement": ["The rich are taxed too much."] * 2,
            "content": ["Title: Tax\n\nI disagree. They are not.", "Yes, they are. Far too much."],
            "agrees": [-1, 1],
        }
    )
    values = pd.DataFrame({"proposition": ["p"], "value": ["Sharing"], "stance": ["oppose"]})
    rows = proposition_rows(answers, values, {"Sharing": "giving a part"})
    assert list(rows[ALONE]["stance"]) == ["support", "oppose"]
    assert list(rows[ALONE]["content"]) == ["I disagree.", "Yes, they are."]
    assert rows[ASKED]["content"][0] == (
        "Do you agree that the rich are taxed too much? I disagree."
    )
    assert set(rows[ALONE]["definition"]) == {"giving a part"}


def test_balanced_statements_have_as_many_of_each_side() -> None:
    rows = pd.DataFrame(
        {
            "value": ["a"] * 7 + ["b"] * 3,
            "definition": "",
            "stance": ["support"] * 4 + ["oppose"] * 2 + ["either"] + ["support"] * 3,
            "statement": [str(n) for n in range(10)],
        }
    )
    found = balanced(rows, 8)
    assert found.groupby(["value", "stance"]).size().to_dict() == {
        ("a", "oppose"): 2,
        ("a", "support"): 2,
    }
    many = pd.concat([rows.assign(value=f"v{n}") for n in range(30)])
    assert len(balanced(many, 20)) == 20


def test_relevance_of_categories_beside_people() -> None:
    arguments = pd.DataFrame(
        {"content": ["art and money", "art", "money", "sleep"], "art": [1, 1, 0, 0]}
    ).assign(money=[1, 0, 0, 1])
    categories = pd.DataFrame({"value": ["art", "money"], "definition": ["", ""]})
    found = numbers(touche_findings(arguments, categories, WordEvaluator(), 0.5))
    assert found["AUC, art"] == 1 and found["AUC, money"] == 0.5
    assert found["AUC, mean of categories"] == 0.75
    assert found["recall above the cut, mean of categories"] == 0.75
    assert found["false positives above the cut, mean of categories"] == 0.25


def test_relevance_of_labelled_pairs() -> None:
    pairs = pd.DataFrame({"content": ["a", "b", "c", "d"], "relation": ["s", "o", "-", "-"]})
    found = numbers(labelled_findings(pairs, np.array([0.9, 0.4, 0.6, 0.1]), "test", "M_E", 0.5))
    assert found["AUC"] == 0.75
    assert found["recall above the cut"] == found["false positives above the cut"] == 0.5


def rated(noise: float, items: int = 60, raters: int = 40) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Ratings of items that appeal to holders of one value, more or less, and their r."""
    random = np.random.default_rng(0)
    held = random.standard_normal(raters)
    rows = []
    for item, appeal in enumerate(random.uniform(-1, 1, items)):
        said = appeal * held + noise * random.standard_normal(raters)
        rows += [(f"i{item}", f"p{n}", said[n], held[n]) for n in range(raters)]
    ratings = pd.DataFrame(rows, columns=["item", "participant", "similarity", "Honour"])
    r = ratings.groupby("item")[["similarity", "Honour"]].corr("spearman").iloc[::2, 1]
    labels = r.droplevel(1).rename("r").reset_index().assign(value="Honour")
    words = labels["r"].rank()
    labels["content"] = ["Honour" if one > 30 else "not" for one in words]
    return labels, ratings


def test_the_ceiling_falls_with_the_ratings_noise() -> None:
    sure, noisy, lost = (noise_ceiling(rated(noise)[1], ["Honour"]) for noise in (0.3, 3, 300))
    assert sure > 0.97 > noisy > 0.6 > lost


def test_portraits_are_met_by_what_orders_them() -> None:
    labels, ratings = rated(0.3)
    found = numbers(portrait_findings(labels, ratings, {"Honour": ""}, WordEvaluator()))
    # two levels of the score: the r of a median split with ranks
    assert found["rank r of lean, mean of values"] == pytest.approx(np.sqrt(3) / 2, abs=0.01)
    assert found["rank r of relevance, mean of values"] > 0.8


def test_what_training_measured_becomes_findings() -> None:
    held_out = pd.DataFrame(
        {
            "model": "m, fast",
            "data": ["ValueBench items", "ValueBench items", "project"],
            "measure": ["AUC of sign", "Brier of support against oppose", "AUC of sign"],
            "number": [0.8, 0.2, 0.9],
            "n": [10, 10, 10],
        }
    )
    own = table(item_findings(held_out))
    assert list(own.columns) == COLUMNS
    assert own[["measure", "number"]].to_numpy().tolist() == [["AUC", 0.8]]
    external = pd.DataFrame(
        [
            ("M_E, fast", "whole", "answer", "", 0.5, 0.4, 0.6, 9),
            ("M_E, fast", "whole", "value: r over LLMs", "A", 0.1, None, None, 6),
        ],
        columns=["evaluator", "reading", "level", "value", "r", "low", "high", "n"],
    )
    assert table(external_findings(external))["measure"].tolist() == ["r, answer"]
