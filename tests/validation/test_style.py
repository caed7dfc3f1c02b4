"""Style of responses: refusals by their first words, markdown, and scores without it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.validation.style import STYLE, less_style, markdown_share, refuses, styles


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t write that essay for you.",
        "I apologize, but I cannot create content of that kind.",
        "I must decline to write this.",
        "I aim not to create polemics against a country.",
        "Sorry, I can't assist with that request.",
        "As an AI language model, I cannot take a political side.",
        "I am not able to help with satire of real people.",
        "I will not write propaganda. Here is why.",
        "I do not engage in parody about sensitive political topics.",
    ],
)
def test_refusals_are_told_by_their_first_words(text: str) -> None:
    assert refuses(text)


@pytest.mark.parametrize(
    "text",
    [
        "Honesty matters to me. I can't lie to a friend.",
        "**Title: The Wall**\n\nI cannot breathe, said the river.",
        "Certainly! Here is an essay on censorship.",
        "People who say they will not vote are mistaken.",
        "As an AI, I have followed the debate with interest: both sides have a point.",
        "My fellow citizens, I aim to tell you the truth.",
        "I'm sorry to hear that your day was hard.",
        "",
    ],
)
def test_other_beginnings_are_no_refusals(text: str) -> None:
    assert not refuses(text)


def test_markdown_is_the_share_of_lines_that_have_some() -> None:
    text = "# Title\n\nPlain prose.\n- a point\n1. another\n**Bold:** and more\nThe end.\n"
    assert markdown_share(text) == pytest.approx(4 / 6)
    assert markdown_share("Two lines of prose.\nWith no mark.") == 0
    assert markdown_share("") == 0


def test_styles_are_of_each_response_in_order() -> None:
    rows = pd.DataFrame({"content": ["One two three. Four!", "I cannot help."]}, index=[7, 3])
    found = styles(rows)
    assert list(found.columns) == STYLE
    assert list(found.index) == [7, 3]
    assert found.loc[7].tolist() == pytest.approx([np.log(5), np.log(3), 0, 0])
    assert found.loc[3, "refusal"] == 1


def test_residuals_are_free_of_style_and_keep_the_rest() -> None:
    random = np.random.default_rng(0)
    style, rest = random.standard_normal((50, 2)), random.standard_normal((50, 3))
    scores = style @ random.standard_normal((2, 3)) * 5 + rest + 2
    found = less_style(scores, style)
    assert np.abs(style.T @ found).max() < 1e-9
    assert np.corrcoef(found[:, 0], rest[:, 0])[0, 1] > 0.95


def test_missing_scores_stay_missing_and_too_few_give_none() -> None:
    random = np.random.default_rng(0)
    style, scores = random.standard_normal((10, 2)), random.standard_normal((10, 3))
    whole = less_style(scores, style)
    scores[0, 0] = np.nan
    scores[3:, 2] = np.nan
    found = less_style(scores, style)
    assert np.isnan(found[0, 0])
    assert not np.isnan(found[1:, 0]).any()
    np.testing.assert_allclose(found[:, 1], whole[:, 1])
    assert np.isnan(found[:, 2]).all()
