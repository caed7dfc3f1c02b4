"""What the explorer holds: columns that fit one another, verdicts that intervals carry."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from gpla_assets.report.columns import columns, packed, unpacked
from gpla_assets.report.payload import payload
from gpla_assets.report.sentences import GAP, WHOLE, excerpt, in_browser, most_relevant
from gpla_assets.report.verdict import beyond_chance, verdict
from tests.looking.looked_at import BEFORE, LLMS, QUESTIONS, SENTENCE, VALUES
from tests.report.explored import known


@pytest.fixture(scope="module")
def tables() -> dict[str, pd.DataFrame]:
    """What is read of the study of known numbers."""
    return known()


def test_every_score_stands_at_its_llm_and_value(tables: dict[str, pd.DataFrame]) -> None:
    core = payload(tables, "salience")["core"]
    cells = pd.DataFrame(core["cells"])
    named = cells.assign(
        llm=[core["llms"]["llm"][one] for one in cells["unit"]],
        value=[core["values"]["name"][one] for one in cells["value"]],
    ).set_index(["llm", "value"])
    known = tables["llm_values"].set_index(["llm", "value"])
    assert len(named) == len(known) == len(LLMS) * len(VALUES)
    for name in ("score", "difference", "difference_low", "share"):
        np.testing.assert_allclose(named[name], known[name].reindex(named.index), atol=5e-4)
    assert core["level"] == "llm"


def test_the_verdict_names_what_was_planted(tables: dict[str, pd.DataFrame]) -> None:
    said = payload(tables, "salience")["core"]["verdict"]
    assert said[0] == "3 LLMs differ clearly on 1 of 3 values: Care."
    assert said[1].startswith("Farthest from the others is beta/2:free, ")


def test_a_sentence_is_found_in_its_answer_again(tables: dict[str, pd.DataFrame]) -> None:
    why = payload(tables, "salience")["why"]
    sentences, answers = why["sentences"], why["answers"]
    assert why["n"] == len(sentences["start"]) == len(LLMS) * QUESTIONS
    at = sentences["answer"][0]
    text = answers["text"][at]
    assert text[sentences["start"][0] : sentences["end"][0]] == SENTENCE
    assert text == BEFORE + SENTENCE
    assert why["questions"]["content"][answers["question"][at]].startswith("What of q")


def test_parts_of_a_score_add_up(tables: dict[str, pd.DataFrame]) -> None:
    found = payload(tables, "salience")
    why, cells = found["why"], found["core"]["cells"]
    parts = pd.DataFrame(why["parts"])
    assert parts.groupby("cell").size().max() == 8
    numbers = np.array(why["deviations"]["numbers"]).reshape(len(cells["unit"]), -1)
    assert numbers.shape[1] == QUESTIONS == why["deviations"]["n_questions"]
    # the interval of a score itself, from the same deviations
    row = cells["n_questions"].index(QUESTIONS)
    own = numbers[row] * why["deviations"]["scale"]
    variance = (own**2).sum() * (QUESTIONS - 1) / QUESTIONS
    assert variance > 0


def test_data_come_back_from_letters_that_html_ignores() -> None:
    data = {"text": ["</script><b>", "\u202e", "\ud800", None], "n": [1, 2.5]}
    text = packed(data)
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    assert packed(data) == text
    assert unpacked(text)["text"] == ["</script><b>", "\u202e", "?", None]


def test_columns_are_rounded_and_hold_no_nan() -> None:
    frame = pd.DataFrame(
        {"a": [0.12345, np.nan, -1e-9], "n": [1.0, np.nan, 3.0], "b": [True, False, True],
         "c": ["x", None, "y"], "i": pd.array([1, None, 2], "Int64"),
         "d": pd.array([True, None, False], "boolean")}
    )  # fmt: skip
    found = columns(frame)
    assert found == {
        "a": [0.123, None, 0.0], "n": [1, None, 3], "b": [True, False, True],
        "c": ["x", None, "y"], "i": [1, None, 2], "d": [True, None, False],
    }  # fmt: skip
    assert "-0.0" not in json.dumps(found)


def test_a_long_answer_is_cut_to_what_is_marked_in_it() -> None:
    text = "".join(chr(97 + place % 26) for place in range(5000))
    spans = [(3000, 3050), (10, 20), (3100, 3120)]
    short, moved = excerpt(text, spans)
    assert [short[start:end] for start, end in moved] == [text[start:end] for start, end in spans]
    assert short.count(GAP) == 2 and not short.startswith(GAP) and short.endswith(GAP)
    assert len(short) < WHOLE


def test_places_are_counted_as_a_browser_counts() -> None:
    assert in_browser("a🙂b", 3) == 4
    assert in_browser("\ud800b", 1) == 1


def test_of_too_many_sentences_each_cell_keeps_its_most_relevant() -> None:
    rows = pd.DataFrame(
        {
            "llm": ["a"] * 6 + ["b"] * 2,
            "value": "v",
            "relevance": [0.1, 0.9, 0.8, 0.2, 0.3, 0.4, 0.5, 0.6],
        }
    )
    assert sorted(most_relevant(rows, 4)["relevance"]) == [0.5, 0.6, 0.8, 0.9]
    assert len(most_relevant(rows, 8)) == 8
    assert len(most_relevant(rows, 1)) == 0


def cells(**changed: object) -> pd.DataFrame:
    """Two LLMs on two values, ten questions each; the first value apart."""
    rows = pd.DataFrame(
        {"unit": ["a", "b", "a", "b"], "value": ["v", "v", "w", "w"], "n_questions": 10.0,
         "difference": [1.0, -1.0, 0.1, -0.1], "difference_low": [0.8, -1.2, -0.4, -0.6],
         "difference_high": [1.2, -0.8, 0.6, 0.4], "few": False}
    )  # fmt: skip
    return rows.assign(**changed)


def test_clear_is_what_many_comparisons_do_not_bring_about() -> None:
    assert beyond_chance(cells()).tolist() == [True, True, False, False]
    # one interval that hardly leaves out 0, among forty
    many = pd.concat([cells(difference=0.0, difference_low=-0.5, difference_high=0.5)] * 10)
    many = many.reset_index(drop=True)
    many.loc[0, ["difference", "difference_low", "difference_high"]] = [0.51, 0.01, 1.01]
    assert not beyond_chance(many).any()
    assert beyond_chance(many.head(1)).all()
    assert not beyond_chance(cells(n_questions=9.0)).any()
    assert not beyond_chance(cells(difference_high=np.nan)).any()


def test_a_verdict_says_what_holds_and_what_cannot_be_said() -> None:
    rows = cells()
    said = verdict(rows.assign(clear=beyond_chance(rows)), "LLMs")
    assert said == [
        "2 LLMs differ clearly on 1 of 2 values: v.",
        "Farthest from the others is a, 1.00 above their mean on v (95% interval +0.80 to +1.20).",
        "On 1 no difference is beyond chance.",
    ]
    thin = rows.assign(clear=False, few=True)
    assert verdict(thin, "LLMs") == [
        "2 LLMs differ clearly on none of 2 values.",
        "2 of 4 intervals leave out 0, where chance alone brings about 0.",
        "On 2 there are too few questions to rank them.",
    ]
    assert verdict(rows.assign(unit="a", clear=False), "LLMs") == [
        "One LLM was measured on 2 values; there is no other to differ from."
    ]
    assert verdict(rows.head(0).assign(clear=False), "LLMs") == ["Nothing was measured yet."]
