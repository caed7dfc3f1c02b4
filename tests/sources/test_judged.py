"""Readers of what people judged: labels come out as they were given."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import (
    definitions_of,
    plain_statements,
    proposition_values,
    touche_categories,
    vocabulary,
)
from gpla_assets.sources import SOURCES, SourceError, locate, read
from gpla_assets.sources.judged import (
    read_agreement,
    read_portrait_correlations,
    read_portrait_ratings,
    read_touche,
)

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(not DATA, reason="needs GPLA_DATA_DIR")


def test_agreement_is_what_two_people_say_or_the_third(tmp_path: Path) -> None:
    columns = ["pct_id", "pct_prompt", "model", "completion"]
    rows = pd.DataFrame([("p1", " Tax the rich. ", "a", f"text {n}") for n in range(4)])
    rows.columns = columns
    labels = [
        ("2_agree", "2_agree", ""),
        ("1_disagree", "2_agree", "disagree"),
        ("3_other", "3_other", ""),
        ("1_disagree", "1_disagree", ""),
    ]
    rows[["annot1_label", "annot2_label", "decision"]] = labels
    path = tmp_path / "labels.csv"
    rows.to_csv(path, index=False)
    found = read_agreement(path, {})
    assert found.rows["agrees"].tolist() == [1, -1, -1]
    assert found.rows["content"].tolist() == ["text 0", "text 1", "text 3"]
    assert found.rows["statement"].unique().tolist() == ["Tax the rich."]
    assert found.skipped == {"neither agrees nor disagrees": 1}


def test_touche_has_a_column_a_category(tmp_path: Path) -> None:
    names = list(touche_categories()["value"])
    rows = pd.DataFrame([[0] * 19 + [1]], columns=names)
    rows = rows.assign(Conclusion="c", Premise="we should think", **{"Argument ID": "A1"})
    path = tmp_path / "arguments.csv"
    rows.to_csv(path, index=False)
    found = read_touche(path, {}).rows
    assert found.loc[0, names].tolist() == [0] * 19 + [1]
    assert found.loc[0, "content"] == "we should think"
    rows.drop(columns=names[3]).to_csv(path, index=False)
    with pytest.raises(SourceError, match=names[3]):
        read_touche(path, {})


def test_portraits_are_joined_with_what_their_raters_value(tmp_path: Path) -> None:
    labels = pd.DataFrame(
        {
            "portrait_id": [7, 7, 7],
            "option_id": [1, 1, 2],
            "response": ["a", "a", "b"],
            "family": ["schwartz10", "bfi5", "schwartz10"],
            "value": ["Self_Direction", "Openness", "Self_Direction"],
            "spearman": [0.2, 0.5, -0.1],
        }
    )
    labels.to_csv(tmp_path / "labels.csv", index=False)
    found = read_portrait_correlations(tmp_path / "labels.csv", {}).rows
    assert found.to_dict("list") == {
        "item": ["7|1", "7|2"],
        "content": ["a", "b"],
        "value": ["Self-Direction"] * 2,
        "r": [0.2, -0.1],
    }
    people = [
        ("x", "pvq", "Self_Direction", 1.5),
        ("x", "bfi", "Openness", 4),
        ("y", "pvq", "Self_Direction", -2),
    ]
    pd.DataFrame(people, columns=["participant", "family", "value", "score"]).to_csv(
        tmp_path / "participant_values.csv", index=False
    )
    ratings = [(7, 1, "x", 6), (7, 1, "y", 1), (7, 2, "nobody", 3)]
    columns = ["portrait_id", "option_id", "participant", "similarity_1_6"]
    pd.DataFrame(ratings, columns=columns).to_csv(tmp_path / "ratings.csv", index=False)
    rows = read_portrait_ratings(tmp_path / "ratings.csv", {}).rows
    assert rows[["item", "participant", "similarity", "Self-Direction"]].to_numpy().tolist() == [
        ["7|1", "x", 6, 1.5],
        ["7|1", "y", 1, -2.0],
    ]


def test_what_is_tested_names_values_that_have_definitions() -> None:
    for rows in (plain_statements(), proposition_values()):
        assert all(definitions_of(rows["value"], vocabulary()))
    plain = plain_statements()
    assert plain["stance"].value_counts().to_dict() == {"support": 100, "oppose": 100}
    assert not plain["statement"].duplicated().any()
    assert len(touche_categories()) == 20


@real_data
def test_propositions_and_categories_are_those_of_the_data() -> None:
    assert DATA is not None
    folder = Path(DATA)
    found = {
        name: read(name, locate(SOURCES[name], folder)).rows
        for name in ("llm_values_pct_agreement", "touche", "value_portrait_correlations")
    }
    propositions = set(found["llm_values_pct_agreement"]["proposition"])
    assert set(proposition_values()["proposition"]) <= propositions
    assert len(found["touche"]) == 7389
    assert found["value_portrait_correlations"].groupby("item").size().unique().tolist() == [10]
