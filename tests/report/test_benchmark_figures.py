"""Pictures of benchmarks and validation studies: what they show, and no name becomes markup."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from gpla_assets.report.benchmark_figures import RANDOM, cfa_fit_figure, path_diagram_figure
from gpla_assets.report.benchmark_page import BENCHMARK_QUERIES, benchmark_pictures
from gpla_assets.validation.circumplex import CIRCLE
from gpla_assets.validation.question_halves import R_OF_HALVES
from gpla_assets.validation.study_validity import SHARE

MARKUP = re.compile(r"</?(?:b|br|i)>")
NUMBERS = {"low": 0.1, "high": 0.9, "n": 3}


def benchmark_tables(name: str = "x", names: pd.DataFrame | None = None) -> dict[str, pd.DataFrame]:
    """A row or two of every table that the benchmarks' part of a report reads; texts are `name`."""
    random = np.random.default_rng(0)
    one = lambda **row: pd.DataFrame([row])  # noqa: E731
    systems = [(label, index) for label in (name, RANDOM) for index in ("cfi", "rmsea")]
    found = {
        "names": one(factor="F1", name=name) if names is None else names,
        "cfa_splits": pd.DataFrame(
            [(*system, number) for system in systems for number in random.random(5)],
            columns=["name", "index", "number"],
        ),
        "cfa_cautions": one(
            comparison="fair", system=name, structure="bifactor", caution=name, fits=2
        ),
        "cfa_loadings": pd.DataFrame(
            {"factor": ["F1", "F1", "F2"], "value": [name, "b", "c"],
             "standardised": [0.8, -0.5, np.nan], "se": 0.1}
        ),
        "cfa_correlations": one(factor_a="F1", factor_b="F2", r=0.4),
        "cfa_omitted": one(
            kind="loading", value=name, other="F2", modification_index=9.5, expected_change=0.2
        ),
        "nulls": pd.DataFrame(
            {"criterion": name, "features": "ours", "null": "random partition",
             "draw": [-1, 0, 1], "accuracy": [0.6, 0.5, 0.7]}
        ),
        "coverage": pd.DataFrame({"lexicon": [name, name, "b"], "n_values": [0, 30, 2]}),
        "circumplex": pd.DataFrame(
            [(reading, a, b, random.random())
             for reading in ("co-occurrence", "measurements")
             for a in CIRCLE for b in CIRCLE if a != b],
            columns=["reading", "schwartz_a", "schwartz_b", "number"],
        ),
        "named_most": one(term=name, lists=4),
        "q_cfa": one(
            comparison="fair", system=name, structure="correlated", set="standard", index="cfi",
            splits=5, mean=0.5, sd=0.1, paper=None,
        ),
        "q_criteria": one(
            criterion=name, kind="safety", unit="%", n_names=17, n_llms=8, caution=name,
            source=name,
        ),
        "q_safety": pd.DataFrame(
            {"criterion": name, "features": ["ours", name], "role": ["system", "baseline"],
             "controls": ["", name], "design": "splits", "n_llms": 8, "gain": 0.1,
             "p_permuted": 0.5, "accuracy": [0.7, 0.5], "paper": [0.87, None], **NUMBERS}
        ),
        "q_safety_parameters": one(
            criterion=name, features="ours", factor="F1", name=name, weight=0.4,
            paper_factor=name, paper=0.8, **NUMBERS,
        ),
        "q_safety_chance": one(
            criterion=name, features="ours", null="permuted labels", draws=3, own=0.6, mean=0.5,
            upper_95=0.7, share_as_good=0.33,
        ),
        "q_safety_replication": one(
            first=name, second=name, apart=True, llms_first=8, llms_second=6, n_values=30,
            r_of_values=0.4, same_sign=0.6,
        ),
        "q_conversation_coverage": one(
            lexicon=name, topic=name, conversations=3, mean_values=2.0, fewest=0, median_values=2.0,
            most=4, share_with_any=0.5, perceptions=3.0,
        ),
        "q_consistency": one(
            level="values", set_a=name, set_b="B", llms=4, mean_r=0.8, mean_r_others=0.7,
            mean_r_centred=0.2, mean_ceiling=0.9, mean_ceiling_centred=None, perceptions=30,
        ),
        "q_consistency_criteria": one(basis=name, criterion=name, r=0.5, low=0.1, high=0.9, llms=3),
        "q_direct_lexicon": one(
            lexicon=name, schwartz="Power", nearest=name, cosine=0.4, missing=True
        ),
        "target_systems": one(system=name),
        "q_targets": pd.DataFrame(
            {"system": name, "dimension": [name, "Risk", "Silence"], "target": [0.9, -0.1, None],
             "low": [0.8, -1.0, None], "high": [1.0, 1.0, None], "paper": [1.0, None, None],
             "sign_agrees": [True, None, None], "winners_higher_by": 0.1, "pairs": 9, "excluded": 1,
             "stable": [True, False, False], "caution": name}
        ),
        "q_target_convergence": pd.DataFrame(
            {"system": name, "dimension": name, "seen": [1000, 2000], "target": [0.2, 0.9],
             "low": 0.1, "high": 0.9}
        ),
        "q_target_checks": pd.DataFrame(
            {"system": name, "predictor": ["target", name], "accuracy": [0.6, 0.5], "low": 0.4,
             "high": 0.7, "decided": 0.9, "accuracy_decided": 0.6, "accuracy_longer_won": 0.7,
             "accuracy_shorter_won": 0.4, "p": [None, 0.01]}
        ),
        "alignment_systems": one(system=name),
        "table_04": one(value_system=name, harmlessness=-1.26, helpfulness=2.16),
        "q_alignment_table": one(
            system=name, stage="aligned", harmlessness="0.97 [0.95, 0.98]", helpfulness=None,
            distance_to_target="0.5", kl="3", tokens="32", paper_harmlessness=None,
            paper_helpfulness=2.1,
        ),
        "q_alignment": pd.DataFrame(
            {"system": name, "measure": [f"helpfulness, {name}", f"harmlessness, {name}", "reward"],
             "before": [0.1, 0.9, -0.8], "after": [0.3, 0.8, -0.6], "change": [0.2, -0.1, 0.2],
             "low": [0.1, -0.2, 0.1], "high": [0.3, 0.05, None], "p": [0.01, 0.2, None],
             "n_prompts": 9, "n_seeds": 2}
        ),
        "q_alignment_runs": one(
            run_id=name, updates=150, stopped=name, parameters=1000, seconds=90.0, peak_gib=2.5,
            reward_first_20=-0.8, reward_last_20=-0.6, kl_last_20=8.0,
            reward_before=-0.8, reward_after=-0.6, kl_after=8.0, repetition_before=None,
            repetition_after=0.1,
        ),
        "q_alignment_steps": pd.DataFrame(
            {"run_id": name, "system": name, "seed": [0, 0, 1, 1], "update": [0, 1, 0, 1],
             "reward_10": [-0.8, -0.7, -0.8, -0.6], "kl_10": [0.0, 1.0, 0.0, 2.0],
             "tokens_10": 32.0, "perceptions_10": 2.0}
        ),
        "q_alignment_distances": pd.DataFrame(
            {"system": name, "dimension": name, "update": [0, 1], "distance": [0.9, 0.7]}
        ),
        "q_alignment_samples": one(
            run_id=name, prompt=name, before=name, after=name, reward_before=-0.8, reward_after=None
        ),
        "q_circumplex": one(reading="measurements", statistic="r", number=0.2, p=0.1, n_pairs=45),
        "q_external_validity": pd.DataFrame(
            {"evaluator": ["M_E, fast", name], "reading": name, "level": "answer", "r": [0.4, None],
             **NUMBERS}
        ),
        "q_validity": pd.DataFrame(
            {"check": ["steering", "steering", "reliability"], "data": name, "agent": name,
             "rule": [name, "", name], "measure": [SHARE, SHARE, R_OF_HALVES],
             "number": [0.7, 0.8, 0.1], "low": [0.6, 0.7, None], "high": [0.8, 0.9, None], "n": 9,
             "known": name}
        ),
    }  # fmt: skip
    assert set(found) == {"names", *BENCHMARK_QUERIES}
    return found


def strings(part: object) -> list[str]:
    """All strings within a figure's JSON."""
    if isinstance(part, dict):
        return [text for value in part.values() for text in strings(value)]
    if isinstance(part, list):
        return [text for value in part for text in strings(value)]
    return [part] if isinstance(part, str) else []


def texts(figure: go.Figure) -> list[str]:
    parts = json.loads(figure.to_json())
    parts["layout"].pop("template")
    return strings(parts)


def test_every_picture_is_drawn_and_no_name_becomes_markup() -> None:
    pictures = benchmark_pictures(benchmark_tables("<script>alert('x')</script>"))
    assert {"accuracy_0", "parameters_0", "chance_0", "cfa", "paths"} <= set(pictures)
    for name, figure in pictures.items():
        assert len(figure.data), name
        for text in texts(figure):
            assert "<" not in MARKUP.sub("", text).replace("<extra></extra>", ""), (name, text)
        figure.to_html(include_plotlyjs=False)


def test_empty_tables_give_pictures_that_say_so() -> None:
    full = benchmark_tables()
    empty = {key: table.iloc[:0] for key, table in full.items()} | {"names": full["names"]}
    for name, figure in benchmark_pictures(empty).items():
        assert [one.text for one in figure.layout.annotations] == ["nothing to show"], name
        assert not figure.data


def test_systems_are_ordered_by_fit_with_chance_among_them() -> None:
    rows = pd.DataFrame(
        [("good", "cfi", 0.9), (RANDOM, "cfi", 0.4), ("bad", "cfi", 0.2), ("bad", "rmsea", None)],
        columns=["name", "index", "number"],
    )
    figure = cfa_fit_figure(rows)
    assert list(figure.layout.yaxis.ticktext) == ["good", RANDOM, "bad"]


def test_the_path_diagram_dashes_what_is_negative_and_names_loadings() -> None:
    found = benchmark_tables("Care")
    names = pd.Series({"F1": "Empathy", "F2": "Risk"})
    figure = path_diagram_figure(found["cfa_loadings"], found["cfa_correlations"], names)
    dashes = [one.line.dash for one in figure.data if one.mode == "lines" and one.line.dash]
    assert sorted(dashes) == ["dash", "solid", "solid"]
    said = texts(figure)
    assert "Care 0.80" in said
    assert any("Empathy and Risk: 0.40" in text for text in said)


def test_factors_of_a_half_are_called_after_their_leading_value() -> None:
    found = benchmark_tables("Care", pd.DataFrame({"factor": ["F1"], "name": ["Empathy"]}))
    said = texts(benchmark_pictures(found)["paths"])
    assert "with Care" in said
    assert "Empathy" not in said


def test_consistency_is_symmetric_and_ceilings_stand_in_the_hover() -> None:
    figure = benchmark_pictures(benchmark_tables("A"))["consistency"]
    first = np.array(figure.data[0].z, float)
    np.testing.assert_array_equal(first, first.T)
    assert any("ceiling 0.90" in text for text in texts(figure))


def test_validity_shows_what_has_an_interval_with_the_classifier_in_another_colour() -> None:
    figure = benchmark_pictures(benchmark_tables())["validity"]
    points = figure.data[1]
    assert list(points.x) == [0.8, 0.7]
    assert points.marker.color[0] != points.marker.color[1]


@pytest.mark.parametrize("place", [0, 1])
def test_the_circle_is_in_schwartzs_order(place: int) -> None:
    figure = benchmark_pictures(benchmark_tables())["circle"]
    assert list(figure.layout["xaxis" if place == 0 else "xaxis2"].ticktext) == list(CIRCLE)
    assert np.isnan(np.diag(np.array(figure.data[place].z, float))).all()
