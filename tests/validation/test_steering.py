"""Steering: shares of pairs by hand, and what a classifier makes of texts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.validation.steering import classified, share_of_pairs, win_shares

ASKS = pd.DataFrame({"profile": ["fun", "rules", "law"], "value": ["Joy", "Order", "Order"]})


def subjects(
    llms: int = 1, profiles: tuple[str, ...] = ("none", "fun", "rules", "law")
) -> pd.DataFrame:
    rows = [(f"m{n}|{one}", f"m{n}", one) for n in range(llms) for one in profiles]
    return pd.DataFrame(rows, columns=["subject_id", "llm", "profile"])


def test_shares_are_of_the_llms_other_profiles_that_do_not_ask_for_the_value() -> None:
    scores = pd.DataFrame(
        {"Joy": [0.1, 0.5, 0.7, 0.5], "Order": [0.2, np.nan, 0.1, 0.9]},
        [f"m0|{one}" for one in ("none", "fun", "rules", "law")],
    )
    found = win_shares(scores, subjects(), ASKS).set_index("profile")
    # higher than none, lower than rules, as high as law
    assert found.loc["fun", ["share", "others"]].tolist() == [0.5, 3]
    # fun has no score, law asks for the same: none alone is left
    assert found.loc["rules", ["share", "others"]].tolist() == [0.0, 1]
    assert found.loc["law", ["share", "others"]].tolist() == [1.0, 1]


def test_profiles_and_values_that_are_not_there_have_no_row() -> None:
    scores = pd.DataFrame({"Joy": [1.0, 2.0]}, ["m0|none", "m0|fun"])
    found = win_shares(scores, subjects(profiles=("none", "fun")), ASKS)
    assert found[["profile", "value", "share"]].values.tolist() == [["fun", "Joy", 1.0]]


def test_subjects_are_compared_within_their_llm_alone() -> None:
    own = subjects(2)
    scores = pd.DataFrame({"Joy": [0, 1, 0, 0, 100, 101, 100, 100.0]}, list(own["subject_id"]))
    assert (win_shares(scores, own, ASKS)["share"] == 1).all()


def test_chance_is_a_half_and_lies_in_the_interval() -> None:
    random, own = np.random.default_rng(0), subjects(30)
    scores = pd.DataFrame(
        random.standard_normal((len(own), 2)), list(own["subject_id"]), ["Joy", "Order"]
    )
    number, low, high = share_of_pairs(win_shares(scores, own, ASKS))
    assert number == pytest.approx(0.5, abs=0.1)
    assert low < 0.5 < high


def test_steered_scores_are_above_chance() -> None:
    random, own = np.random.default_rng(0), subjects(30)
    scores = pd.DataFrame(
        random.standard_normal((len(own), 2)), list(own["subject_id"]), ["Joy", "Order"]
    )
    for profile, value in ASKS.itertuples(index=False):
        scores.loc[list(own["profile"] == profile), value] += 1.5
    number, low, _ = share_of_pairs(win_shares(scores, own, ASKS))
    assert number > 0.75
    assert low > 0.6


def responses(words: dict[str, str]) -> pd.DataFrame:
    random = np.random.default_rng(0)
    filler = ["table", "chair", "window", "garden", "river", "stone", "paper", "lamp"]
    rows = [
        (
            f"m0|{profile}",
            f"q{question}",
            profile,
            " ".join([*random.choice(filler, 6), words.get(profile, "")]),
        )
        for profile in ("none", "fun", "rules", "law")
        for question in range(20)
    ]
    return pd.DataFrame(rows, columns=["subject_id", "question_id", "profile", "content"])


def test_a_classifier_finds_groups_that_the_texts_tell_apart() -> None:
    words = {"fun": "party", "rules": "obey", "law": "obey"}
    found = classified(responses(words), ASKS)
    assert list(found.columns) == ["Joy", "Order"]
    assert (win_shares(found, subjects(), ASKS)["share"] == 1).all()


def test_a_classifier_has_not_seen_the_question_that_it_judges() -> None:
    # a word that gives the profile away, but another one for each question
    found = responses({})
    found["content"] = found["profile"] + found["question_id"] + " " + found["content"]
    scores = classified(found, ASKS)
    assert scores.abs().to_numpy().max() < 2


def test_one_group_is_nothing_to_tell_apart() -> None:
    own = responses({})
    assert classified(own[own["profile"] == "fun"], ASKS).empty
