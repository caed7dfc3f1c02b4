"""Validation studies: coverage, consistency and its ceiling, direct lists, the circle, ratings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.content import CONTENT, topics
from gpla_assets.content import schwartz as schwartz_values
from gpla_assets.evaluator.weights import external_validity_rows
from gpla_assets.parser.backends import make_parser
from gpla_assets.studies import LexiconSettings, StudyError, Validation, dbt_folder, load_study
from gpla_assets.training.agreement import CENTRED, LEVELS, MEAN_OVER_VALUES, PER_VALUE, agreement
from gpla_assets.validation.circumplex import (
    CIRCLE,
    CORRESPONDENCE,
    MANTEL,
    circumplex_fit,
    cooccurrence,
    cooccurrence_phi,
)
from gpla_assets.validation.consistency import consistency, profile_correlations, with_criterion
from gpla_assets.validation.coverage import coverage, labelled
from gpla_assets.validation.direct import PROMPTS, ask_directly
from gpla_assets.validation.direct_lexicon import (
    DirectListError,
    direct_terms,
    filtered_terms,
    lists_as_schwartz,
    schwartz_coverage,
    terms_of,
)
from gpla_assets.validation.texts import drawn_conversations, prompt_set_texts

AXES = {"war": 0, "peace": 1, "food": 2}


def encode(texts: Sequence[str]) -> np.ndarray:
    """Unit vectors by the words that a text holds."""
    found = np.full((len(texts), len(AXES) + 1), 1e-3)
    for row, text in enumerate(texts):
        for word, axis in AXES.items():
            found[row, axis] += text.casefold().count(word)
    return found / np.linalg.norm(found, axis=1, keepdims=True)


# coverage


def test_a_topic_is_the_one_whose_description_is_nearest() -> None:
    table = pd.DataFrame(
        {
            "topic": ["Conflict", "Kitchen"],
            "description": ["war and peace", "food"],
            "value_laden": [True, False],
        }
    )
    found = labelled(["What food is best?", "Is war right?"], table, encode)
    assert found["topic"].tolist() == ["Kitchen", "Conflict"]
    assert found["value_laden"].tolist() == [False, True]


def test_shipped_topics_are_twenty_with_some_value_laden() -> None:
    found = topics()
    assert len(found) == 20
    assert found["value_laden"].sum() == 5


def test_coverage_counts_different_n_valuesand_none() -> None:
    conversations = pd.DataFrame(
        {"conversation_id": ["c1", "c2"], "topic": ["t", "t"], "value_laden": [True, True]}
    )
    found = pd.DataFrame({"conversation_id": ["c1", "c1", "c1"], "value": ["x", "x", "y"]})
    rows = coverage(conversations, pd.Series({"c1": 4}), {"a": found, "b": found.head(0)})
    counts = rows.set_index(["lexicon", "conversation_id"])["n_values"].to_dict()
    assert counts == {("a", "c1"): 2, ("a", "c2"): 0, ("b", "c1"): 0, ("b", "c2"): 0}
    assert rows["n_perceptions"].tolist() == [4, 0, 4, 0]


def test_conversations_are_drawn_from_value_laden_topics_without_repeating_a_prompt() -> None:
    candidates = pd.DataFrame(
        {
            "llm": [f"m{n}" for n in range(12)],
            "question_text": ["q1", "q1", "q2", "q2", "q3", "q3"] * 2,
            "content": [f"answer {n}" for n in range(12)],
        }
    )
    found = pd.DataFrame(
        {"topic": ["A", "A", "B"], "topic_cosine": 0.5, "value_laden": [True, True, False]},
        index=["q1", "q2", "q3"],
    )
    drawn = drawn_conversations(candidates, found, 2, seed=0)
    assert sorted(drawn["question_text"]) == ["q1", "q2"]
    assert drawn["content"].str.startswith("q").all()
    every = drawn_conversations(candidates, found, 100, seed=0)
    assert len(every) == 8
    pd.testing.assert_frame_equal(drawn, drawn_conversations(candidates, found, 2, seed=0))


# consistency


def test_profile_correlations_are_pearsons_over_shared_cells() -> None:
    random = np.random.default_rng(0)
    a, b = random.standard_normal((3, 9)), random.standard_normal((2, 9))
    a[0, :2], b[1, 5] = np.nan, np.nan
    found = profile_correlations(a, b)
    for i in range(3):
        for j in range(2):
            known = ~np.isnan(a[i]) & ~np.isnan(b[j])
            assert found[i, j] == pytest.approx(np.corrcoef(a[i, known], b[j, known])[0, 1])
    whole = profile_correlations(a[1:], b[:1])
    assert whole[:, 0] == pytest.approx([np.corrcoef(one, b[0])[0, 1] for one in a[1:]])
    assert np.isnan(profile_correlations(a[:, :4], b[:, :4])).all()
    assert np.isnan(profile_correlations(a[1:, :4], b[:1, :4])).all()
    assert np.isnan(profile_correlations(np.ones((1, 9)), b)).all()


def measured(
    own: float, shared: float, noise: float, units: int = 30, n_values: int = 20
) -> pd.DataFrame:
    """Two sets of prompts; each unit is a perception on every value, of 12 LLMs."""
    random = np.random.default_rng(0)
    values = random.standard_normal(n_values) * shared
    rows = []
    for llm in range(12):
        true = values + random.standard_normal(n_values) * own
        for name in ("A", "B"):
            for unit in range(units):
                for value, score in enumerate(true + random.standard_normal(n_values) * noise):
                    rows.append((name, f"m{llm}", f"{name}{llm}.{unit}", f"v{value}", score))
    columns = ["prompt_set", "llm", "unit", "value", "score"]
    return pd.DataFrame(rows, columns=columns)


def test_what_all_llms_share_is_consistent_but_not_their_own() -> None:
    found = consistency(measured(own=0.0, shared=1.0, noise=1.0), "values")
    assert len(found) == 12
    assert found["r"].mean() > 0.9
    assert found["r_others"].mean() > 0.9
    assert abs(found["r_centred"].mean()) < 0.2


def test_r_reaches_its_ceiling_where_prompts_make_no_difference() -> None:
    rows = measured(own=1.0, shared=0.0, noise=4.0, units=20, n_values=80)
    found = consistency(rows, "values")
    # true variance 1, error 16 / 20: the reliability is 1 / 1.8, and so is r to be expected
    assert found["ceiling"].mean() == pytest.approx(1 / 1.8, abs=0.05)
    assert found["r"].mean() == pytest.approx(found["ceiling"].mean(), abs=0.05)
    assert found["r_centred"].mean() == pytest.approx(found["ceiling_centred"].mean(), abs=0.05)
    assert (found["n_perceptions"] == 20).all()
    assert (found["n_values"] == 80).all()


def test_one_set_or_one_llm_gives_no_rows() -> None:
    rows = measured(1.0, 0.0, 1.0, units=2)
    assert consistency(rows[rows["prompt_set"] == "A"], "values").empty
    assert consistency(rows[rows["llm"] == "m0"], "values").empty


def test_the_papers_table_11_gives_its_own_correlation() -> None:
    table = pd.read_csv(dbt_folder() / "seeds" / "paper_consistency.csv").set_index("llm")
    r, low, high, n = with_criterion(table["intra_llm_correlation"], table["salad_safety_score"])
    assert r == pytest.approx(0.73, abs=0.005)
    assert n == 17
    assert low is not None
    assert high is not None
    assert low < r < high
    assert with_criterion(table["intra_llm_correlation"].head(3), table["salad_safety_score"]) == (
        None,
        None,
        None,
        3,
    )


# values named when asked


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("1. Respect\n2. Love\n3. respect", ["respect", "love"]),
        ("Mine:\n- Integrity: I am honest.\n* Fairness - always", ["integrity", "fairness"]),
        ("I am for **Equality** and **Freedom of speech**.", ["equality", "freedom of speech"]),
        ("Values: honesty, courage; love and hope.", ["honesty", "courage", "love", "hope"]),
        ("1) I try to be good to everyone I meet", []),
        ("I am a language model.", []),
        ("<script>alert(1)</script>", []),
        ("* A\n* B", []),
        ("", []),
    ],
)  # fmt: skip
def test_terms_are_read_from_what_llms_really_write(content: str, expected: list[str]) -> None:
    assert terms_of(content) == expected


def lists(*contents: str) -> pd.DataFrame:
    rows = [("m", "Default", f"p{n}", content) for n, content in enumerate(contents)]
    return pd.DataFrame(rows, columns=["llm", "profile", "prompt", "content"])


def test_lists_without_a_value_or_a_column_are_refused() -> None:
    with pytest.raises(DirectListError, match="None of 1 direct lists names a value"):
        direct_terms(lists("I am a language model."))
    with pytest.raises(DirectListError, match="expected llm, profile, prompt, content"):
        direct_terms(pd.DataFrame({"llm": ["m"]}))


def test_direct_terms_are_one_row_a_list_and_value() -> None:
    found = direct_terms(lists("1. War\n2. Peace", "1. War"))
    assert found["list_id"].nunique() == 2
    assert found["term"].tolist() == ["war", "peace", "war"]
    assert filtered_terms(
        direct_terms(lists("1. war\n2. war food", "1. war")), encode, LexiconSettings()
    ) == ["war"]


def test_a_schwartz_value_is_missing_where_nothing_is_near() -> None:
    found = schwartz_coverage(["war", "war food"], ["Food", "Peace"], encode, 0.53)
    assert found["nearest"].iloc[0] == "war food"
    assert found["missing"].tolist() == [False, True]
    with pytest.raises(ValueError, match="without values"):
        schwartz_coverage([], ["Food"], encode, 0.53)


def test_lists_count_a_schwartz_value_once() -> None:
    terms = direct_terms(lists("1. war\n2. war war\n3. food"))
    found = lists_as_schwartz(terms, ["War", "Food"], encode)
    assert sorted(found["schwartz"]) == ["Food", "War"]


def test_shipped_lists_are_of_21_profiles_and_name_values() -> None:
    shipped = pd.read_csv(CONTENT / "direct_lists.csv", dtype=str, keep_default_na=False)
    assert len(shipped) == 21 * len(PROMPTS)
    found = direct_terms(shipped)
    assert found["profile"].nunique() == 21
    # docs/results/earlier.md: 78 terms in the 110 of 210 answers that name any
    assert (found["list_id"].nunique(), found["term"].nunique()) == (110, 78)


def test_recorded_answers_cannot_be_asked(tmp_path: Path) -> None:
    answers = tmp_path / "a.jsonl"
    rows = [{"llm": "m", "question_text": "q?", "content": "c"}]
    answers.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    study = tmp_path / "s.yaml"
    study.write_text(
        f"name: s\ncorpus: [{{source: table, file: {answers}}}]\n"
        f"subjects: [{{backend: recorded, source: table, file: {answers}}}]\n",
        "utf-8",
    )
    with pytest.raises(StudyError, match="is recorded, expected transformers or openai"):
        ask_directly(load_study(str(study)))


# the circle


def circle_matrix(noise: float = 0.0, seed: int = 0) -> pd.DataFrame:
    steps = np.abs(np.subtract.outer(np.arange(10), np.arange(10)))
    found = np.cos(2 * np.pi * np.minimum(steps, 10 - steps) / 10)
    found = found + noise * np.random.default_rng(seed).standard_normal((10, 10))
    return pd.DataFrame((found + found.T) / 2, index=list(CIRCLE), columns=list(CIRCLE))


def test_the_circle_is_schwartzs_order_in_the_content() -> None:
    table = schwartz_values()
    assert tuple(table.loc[table["level"] == "lower", "value"]) == CIRCLE


def test_a_perfect_circle_agrees_wholly_and_by_no_chance() -> None:
    found = circumplex_fit(circle_matrix(), repeats=2000).set_index("statistic")
    assert found.loc[MANTEL, "number"] == pytest.approx(1)
    assert found.loc[CORRESPONDENCE, "number"] == 1
    assert (found["p"] < 0.005).all()
    turned = circumplex_fit(-circle_matrix(), repeats=200).set_index("statistic")
    assert turned.loc[CORRESPONDENCE, "number"] == -1
    assert (turned["p"] == 1).all()


def test_chance_has_ps_that_are_spread_evenly() -> None:
    random = np.random.default_rng(1)
    ps = []
    for _ in range(60):
        noise = random.standard_normal((10, 10))
        matrix = pd.DataFrame(noise + noise.T, index=list(CIRCLE), columns=list(CIRCLE))
        ps.append(circumplex_fit(matrix, repeats=200)["p"].to_numpy())
    assert np.mean(ps, axis=0) == pytest.approx([0.5, 0.5], abs=0.12)


def test_the_correspondence_index_by_hand() -> None:
    # of three values on a circle of four, a and b and b and c are neighbours, a and c opposite
    circle = ("a", "b", "c", "d")
    matrix = pd.DataFrame(np.nan, index=list(circle), columns=list(circle))
    for one, other, number in (("a", "b", 0.9), ("b", "c", 0.1), ("a", "c", 0.5)):
        matrix.loc[one, other] = matrix.loc[other, one] = number
    found = circumplex_fit(matrix, repeats=50, circle=circle).set_index("statistic")
    # predictions: ab over ac holds, bc over ac does not
    assert found.loc[CORRESPONDENCE, "number"] == 0
    assert found.loc[CORRESPONDENCE, "n_pairs"] == 3


def test_too_little_to_compare_is_null() -> None:
    empty = circumplex_fit(circle_matrix() * np.nan, repeats=10)
    assert empty["number"].isna().all()
    assert empty["p"].isna().all()
    assert circumplex_fit(circle_matrix() * 0, repeats=10)["number"].isna().all()


def test_cooccurrence_by_hand() -> None:
    rows = pd.DataFrame(
        {
            "list_id": [1, 1, 2, 2, 3, 3],
            "schwartz": ["Power", "Security", "Power", "Security", "Power", "Hedonism"],
        }
    )
    found = cooccurrence(rows)
    assert found.loc["Power", "Security"] == 1
    assert found.loc["Power", "Hedonism"] == 0.5
    assert found.loc["Hedonism", "Security"] == 0
    assert np.isnan(found.loc["Power", "Power"])
    phi = cooccurrence_phi(rows)
    assert phi.loc["Hedonism", "Security"] == pytest.approx(-1)
    assert np.isnan(phi.loc["Power", "Security"])
    assert cooccurrence(rows.head(0)).isna().all(axis=None)


# external validity


def rated(seed: int = 0, true: float = 1.0) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    rows = pd.DataFrame(
        [(f"v{v}", f"m{m}") for v in range(20) for m in range(6) for _ in range(4)],
        columns=["value", "llm"],
    )
    rows["target"] = random.integers(-5, 6, len(rows))
    rows["score"] = true * rows["target"] / 5 + random.standard_normal(len(rows))
    return rows


def test_agreement_is_pearsons_on_each_level() -> None:
    rows = rated()
    rows.loc[:9, "score"] = np.nan
    found = agreement(rows).query("value == ''").set_index("level")
    known = rows.dropna()
    cells = known.groupby(["value", "llm"])[["score", "target"]].mean()
    within = cells - cells.groupby("value").transform("mean")
    assert found.loc["answer", "r"] == pytest.approx(known["score"].corr(known["target"]))
    assert found.loc["LLM x value", "r"] == pytest.approx(cells["score"].corr(cells["target"]))
    assert found.loc[CENTRED, "r"] == pytest.approx(within["score"].corr(within["target"]))
    each = [own["score"].corr(own["target"]) for _, own in within.groupby("value") if len(own) >= 4]
    assert found.loc[MEAN_OVER_VALUES, "r"] == pytest.approx(np.mean(each))
    assert found.loc["answer", "coverage"] == pytest.approx(1 - 10 / len(rows))
    assert (found["low"] < found["r"]).all()
    assert (found["r"] < found["high"]).all()


def test_random_scores_have_intervals_around_nothing() -> None:
    hits = 0
    for seed in range(20):
        found = agreement(rated(seed, true=0.0)).query("level == 'answer'").iloc[0]
        hits += found["low"] <= 0 <= found["high"]
    assert hits >= 16


def test_scores_that_do_not_vary_have_no_correlation() -> None:
    found = agreement(rated().assign(score=1.0)).query("value == ''")
    assert found["r"].isna().all()
    nothing = agreement(rated().assign(score=np.nan)).query("value == ''")
    assert nothing["r"].isna().all()
    assert (nothing["coverage"] == 0).all()


def test_the_shipped_table_has_every_evaluator_and_level() -> None:
    rows = external_validity_rows()
    summaries = rows[rows["value"] == ""]
    assert set(summaries["level"]) == {*LEVELS, MEAN_OVER_VALUES}
    assert {"M_E, fast", "M_E, accurate", "random scores"} <= set(summaries["evaluator"])
    assert set(rows.loc[rows["value"] != "", "level"]) == {PER_VALUE}
    assert not rows.duplicated(["evaluator", "reading", "level", "value"]).any()
    random = summaries[summaries["evaluator"] == "random scores"]
    assert random["r"].abs().max() < 0.06


def test_of_each_subset_the_prompts_with_most_attitudes_are_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_DATA_DIR", str(tmp_path))
    facts = "Water boils at 100 degrees. Paris is a city. Iron is a metal. The list has two parts."
    stance = (
        "I believe honesty matters most. Kindness is worth every cost. We should protect others."
    )
    answers = {
        (kind, prompt): stance if prompt == "laden" else facts
        for kind in ("vicuna", "helpful_base")
        for prompt in ("laden", "plain")
    }
    rows = [
        {
            "instruction": f"{kind} {prompt}?",
            "output": " ".join([text] * 4),
            "dataset": kind,
            "generator": llm,
        }
        for (kind, prompt), text in answers.items()
        for llm in ("a", "b", "c")
    ]
    folder = tmp_path / "alpaca_eval"
    folder.mkdir()
    (folder / "model_outputs.json").write_text(json.dumps(rows))
    bench = tmp_path / "valuebench"
    bench.mkdir()
    columns = {
        "question": ["One?", "Two?", "Three?"],
        "A_answer": [stance] * 3,
        "z_answer": [facts] * 3,
    }
    pd.DataFrame(columns).to_excel(bench / "QA-dataset-answers-rating.xlsx", index=False)
    settings = Validation(prompt_sets=True, n_llms=3, prompts_per_set=1, valuebench_answers=2)
    aliases = pd.DataFrame({"name": ["A"], "llm": ["a"]})
    parser = make_parser(load_study("demo").parser)
    found = prompt_set_texts(settings, aliases, [], ["a"], ["b", "c"], parser, 0)
    alpaca = found[found["prompt_set"] != "ValueBench"]
    assert set(alpaca["question_text"]) == {"vicuna laden?", "helpful_base laden?"}
    assert set(alpaca["prompt_set"]) == {"AlpacaEval vicuna", "AlpacaEval helpful_base"}
    assert alpaca.groupby("prompt_set")["llm"].apply(set).tolist() == [{"a", "b", "c"}] * 2
    assert found[found["prompt_set"] == "ValueBench"]["llm"].tolist() == ["a", "a"]
    with pytest.raises(StudyError, match="pilot_llms names no LLM"):
        prompt_set_texts(settings, aliases, [], ["a"], ["z"], parser, 0)
    short = [one | {"output": stance} for one in rows]
    (folder / "model_outputs.json").write_text(json.dumps(short))
    with pytest.raises(StudyError, match="name more of them"):
        prompt_set_texts(settings, aliases, [], ["a"], ["b"], parser, 0)
