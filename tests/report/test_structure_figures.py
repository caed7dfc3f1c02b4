"""The pictures of the structure say what the tables say, whatever the names and however few."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import plotly.graph_objects as go
import pytest

from gpla_assets.report.figures import ACCENT, DIVERGING, WARM
from gpla_assets.report.stability_figures import (
    influence_figure,
    primary_share_figure,
    reliability_figure,
    stability_figure,
    subjects_on_factors_figure,
)
from gpla_assets.report.structure_figures import (
    factor_correlation_figure,
    label,
    loadings_figure,
    named,
    ordered,
    schwartz_figure,
    scree_figure,
    stated,
    value_system_figure,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "\"quoted\" & 'quoted' %{x} $y$",
    "<b>bold</b><br>\n\tbroken",
    "a name so long that no axis of any picture can show all of it",
    "2024",
]
NAMES = pd.Series({"F1": "Care", "F2": "Order"})
MARKUP = re.compile(r"</?b>|<br>")


def long_loadings(rows: list[tuple[str, str, float | None, bool]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["factor", "value", "loading", "is_primary"])
    return table.assign(keyed=[-1 if (loading or 0) < 0 else 1 for loading in table["loading"]])


SMALL = long_loadings(
    [
        ("F2", "Law", 0.4, True),
        ("F1", "Law", 0.1, False),
        ("F1", "Help", 0.6, True),
        ("F2", "Help", 0.2, False),
        ("F1", "Harm", -0.8, True),
        ("F2", "Harm", 0.0, False),
    ]
)


def table10() -> tuple[pd.DataFrame, pd.Series]:
    """The paper's loadings: only those of each value on its own factor are printed there."""
    rows = pd.read_csv(Path(__file__).parents[1] / "data" / "table10_loadings.csv")
    factors = list(dict.fromkeys(rows["factor"]))
    keys = {name: f"F{place + 1}" for place, name in enumerate(factors)}
    rows = rows.assign(factor=rows["factor"].map(keys), is_primary=True)
    return rows.assign(keyed=np.sign(rows["loading"])), pd.Series({v: k for k, v in keys.items()})


def many(number: int, null: bool = False) -> dict[str, pd.DataFrame]:
    """Tables of so many factors, all names hostile; with nulls wherever a null is allowed."""
    factors = [f"F{n + 1}" for n in range(number)]
    called = {factor: HOSTILE[n % len(HOSTILE)] for n, factor in enumerate(factors)}
    maybe = None if null else 0.5
    pairs = [(a, b) for a in factors for b in factors]
    llms = [f"{HOSTILE[n % len(HOSTILE)]} {n}" for n in range(15)]
    subjects = [(f"s{n}", llms[n % 15], None if null else HOSTILE[n % 5]) for n in range(30)]
    scored = [
        (subject, factor, None if null and n == 0 else n)
        for n, (subject, *_) in enumerate(subjects)
        for factor in factors
    ]
    return {
        "names": pd.DataFrame({"name": pd.Series(called)}),
        "loadings": long_loadings(
            [(f, f"{called[g]} of {g}", maybe, f == g) for g in factors for f in factors]
        ),
        "eigenvalues": pd.DataFrame(
            {"component": range(1, number + 1), "eigenvalue": 2.0, "random_95": maybe}
        ).assign(permuted_95=maybe, alpha=maybe, retained=True),
        "reliabilities": pd.DataFrame({"factor": factors}).assign(
            **dict.fromkeys(("alpha", "ci_low", "ci_high", "boot_low", "boot_high", "omega"), maybe)
        ),
        "correlations": pd.DataFrame(pairs, columns=["factor_a", "factor_b"]).assign(r=maybe),
        "relations": pd.DataFrame({"factor": factors, "schwartz": HOSTILE[0], "r": maybe}).assign(
            ci_low=maybe, ci_high=maybe, p_adjusted=maybe, paper_factor=HOSTILE[0], paper_r=maybe
        ),
        "scores": pd.DataFrame(scored, columns=["subject_id", "factor", "score"]),
        "subjects": pd.DataFrame(subjects, columns=["subject_id", "llm", "profile"]),
        "stability": pd.DataFrame({"resampled": "llm", "factor": factors}).assign(
            congruence=maybe, congruence_low=maybe, congruence_high=maybe, n_values=maybe
        ),
        "leave_one_out": pd.DataFrame({"llm": llms, "congruence": 0.9}),
    }


Tables = dict[str, pd.DataFrame]
FIGURES: dict[str, Callable[[Tables, pd.Series], go.Figure]] = {
    "value system": lambda t, names: value_system_figure(t["loadings"], names),
    "scree": lambda t, names: scree_figure(t["eigenvalues"]),
    "loadings": lambda t, names: loadings_figure(t["loadings"], names),
    "reliability": lambda t, names: reliability_figure(t["reliabilities"], names, 0.7),
    "correlations": lambda t, names: factor_correlation_figure(t["correlations"], names),
    "schwartz": lambda t, names: schwartz_figure(t["relations"], names),
    "subjects": lambda t, names: subjects_on_factors_figure(t["scores"], t["subjects"], names),
    "stability": lambda t, names: stability_figure(t["stability"], names),
    "primary share": lambda t, names: primary_share_figure(
        t["loadings"].assign(ci_low=t["loadings"]["loading"], ci_high=None, primary_share=None),
        names,
    ),
    "influence": lambda t, names: influence_figure(t["leave_one_out"]),
}


def texts(figure: go.Figure) -> list[str]:
    """All strings that a figure holds."""

    def walk(part: object) -> list[str]:
        if isinstance(part, dict):
            return [text for value in part.values() for text in walk(value)]
        if isinstance(part, list):
            return [text for value in part for text in walk(value)]
        return [part] if isinstance(part, str) else []

    parts = json.loads(figure.to_json())
    parts["layout"].pop("template")
    return walk(parts)


def ticks(figure: go.Figure, axis: str) -> list[str]:
    return list(figure.layout[axis].ticktext)


@pytest.mark.parametrize("null", [False, True])
@pytest.mark.parametrize("number", [1, 2, 40])
@pytest.mark.parametrize("name", FIGURES)
def test_no_name_becomes_markup_in_any_picture(name: str, number: int, null: bool) -> None:
    tables = many(number, null)
    figure = FIGURES[name](tables, tables["names"]["name"])
    for text in texts(figure):
        assert "<" not in MARKUP.sub("", text).replace("<extra></extra>", ""), text
    assert len(figure.data)
    figure.to_html(include_plotlyjs=False)


@pytest.mark.parametrize("name", FIGURES)
def test_an_empty_table_gives_a_picture_that_says_so(name: str) -> None:
    full = many(1)
    for tables in (
        {key: table.iloc[:0] for key, table in full.items()},
        {key: pd.DataFrame() for key in full} | {"loadings": full["loadings"].iloc[:0]},
    ):
        figure = FIGURES[name](tables, pd.Series(dtype=object))
        assert not figure.data
        assert [one.text for one in figure.layout.annotations] == ["nothing to show"]


def test_labels_are_cut_before_they_are_escaped() -> None:
    assert label("<script>alert(1)</script>") == "&lt;script&gt;alert(1)&lt;/script&gt;"
    assert label("Tom & 'Ann'\n\"Bo\"") == "Tom &amp; 'Ann' \"Bo\""
    assert label("x" * 40) == "x" * 40
    assert label("x" * 41) == "x" * 39 + "…"
    assert label("&" * 50) == "&amp;" * 39 + "…"
    assert label("Social Responsibility", width=15) == "Social<br>Responsibility"
    assert [label(null) for null in (None, np.nan, pd.NA, pd.NaT)] == [""] * 4


def test_a_factor_without_a_name_is_shown_by_its_key() -> None:
    names = pd.Series({"F1": "Care", "F2": None})
    assert [named(factor, names) for factor in ("F1", "F2", "F<3")] == ["Care", "F2", "F&lt;3"]


def test_factors_are_in_the_order_of_their_numbers() -> None:
    assert ordered(["F10", "F2", "F1", "F2", None]) == ["F1", "F2", "F10"]
    assert ordered(["Order", "Care", "Order"]) == ["Order", "Care"]


def test_numbers_are_stated_with_what_is_known_of_their_interval() -> None:
    assert stated(0.5, 0.25, 0.75) == "0.50 (0.25 to 0.75)"
    assert stated(np.nan, 0.25, 0.75) == "(0.25 to 0.75)"
    assert stated(-0.001) == "0.00"
    assert stated(np.nan) == "unknown"


def test_value_system_has_a_ring_of_factors_and_one_of_their_values() -> None:
    (rings,) = value_system_figure(SMALL, NAMES).data
    assert list(rings.labels) == ["value system", "Care", "Help", "−Harm", "Order", "Law"]
    assert list(rings.values) == [3, 2, 1, 1, 1, 1]
    parents = dict(zip(rings.ids, rings.parents, strict=True))
    ids = dict(zip(rings.labels, rings.ids, strict=True))
    assert [parents[ids[one]] for one in ("Help", "−Harm", "Law")] == [
        ids["Care"],
        ids["Care"],
        ids["Order"],
    ]
    colours = dict(zip(rings.labels, rings.marker.colors, strict=True))
    assert [colours[one] for one in ("Help", "−Harm", "Law")] == [0.6, -0.8, 0.4]
    assert isinstance(colours["Care"], str)
    assert [list(step) for step in rings.marker.colorscale] == DIVERGING
    assert (rings.marker.cmin, rings.marker.cmax) == (-1, 1)
    assert rings.hovertext[rings.labels.index("−Harm")] == "−Harm<br>Care: -0.80"


def test_value_system_of_the_paper_has_its_five_factors() -> None:
    loadings, names = table10()
    (rings,) = value_system_figure(loadings, names).data
    sizes = dict(zip(rings.labels, rings.values, strict=True)) | {"value system": rings.values[0]}
    assert sizes["value system"] == len(loadings) == 92
    assert [sizes[one] for one in ("Social<br>Responsibility", "Risk-Taking")] == [43, 24]
    reversed_values = {one for one in rings.labels if one.startswith("−")}
    assert reversed_values == {
        f"−{one}" for one in ("Stability", "Conformity", "Safety", "Comfort", "Tradition")
    }


def scree_table(n: int, retained: int) -> pd.DataFrame:
    component = np.arange(1, n + 1)
    return pd.DataFrame(
        {"component": component, "eigenvalue": 10 / component, "random_95": 1.5, "alpha": 0.8}
    ).assign(permuted_95=np.where(component < 3, 1.4, 1.6), retained=component <= retained)


def by_name(figure: go.Figure) -> dict[str, go.Scatter]:
    return {trace.name: trace for trace in figure.data}


@pytest.mark.parametrize(("retained", "shown"), [(5, 15), (9, 18), (40, 50)])
def test_scree_shows_twice_the_retained_components(retained: int, shown: int) -> None:
    observed = by_name(scree_figure(scree_table(50, retained)))["observed"]
    assert list(observed.x) == list(range(1, shown + 1))
    large = [size == max(observed.marker.size) for size in observed.marker.size]
    assert large == [component <= retained for component in observed.x]


def test_scree_shades_what_either_kind_of_random_data_reaches() -> None:
    figure = scree_figure(scree_table(4, 1).sample(frac=1, random_state=0))
    traces = by_name(figure)
    band = traces["no more than random"]
    assert list(band.y) == [1.5, 1.5, 1.6, 1.6]
    assert band.fill == "tozeroy"
    assert list(traces["normal data, 95th percentile"].y) == [1.5] * 4
    assert list(traces["permuted data, 95th percentile"].y) == [1.4, 1.4, 1.6, 1.6]
    assert traces["alpha (right)"].yaxis == "y2"
    assert tuple(figure.layout.yaxis2.range) == (0, 1)


def test_scree_leaves_out_what_was_not_computed() -> None:
    table = scree_table(4, 1).assign(permuted_95=None, alpha=None)
    figure = scree_figure(table)
    assert set(by_name(figure)) == {
        "no more than random",
        "normal data, 95th percentile",
        "observed",
    }
    assert "yaxis2" not in figure.layout


def test_loadings_are_sorted_within_factors_with_gaps_between_them() -> None:
    figure = loadings_figure(SMALL, NAMES)
    assert ticks(figure, "yaxis") == ["<b>Care</b>", "Harm", "Help", "<b>Order</b>", "Law"]
    assert figure.layout.yaxis.range[0] > figure.layout.yaxis.range[1], "row 0 is on top"
    assert ticks(figure, "xaxis") == ["Care", "Order"]
    (heat,) = figure.data
    blank, z = [np.nan, np.nan], np.array(heat.z)
    np.testing.assert_allclose(z, [blank, [-0.8, 0.0], [0.6, 0.2], blank, [0.1, 0.4]])
    assert [list(row) for row in heat.text] == [
        ["", ""],
        ["-0.80", "0.00"],
        ["0.60", "0.20"],
        ["", ""],
        ["0.10", "0.40"],
    ]
    assert heat.hovertext[1][0] == "Harm<br>Care<br>loading -0.80"


def test_a_value_called_like_a_factor_keeps_its_own_name() -> None:
    loadings = long_loadings([("Law", "Law", 0.5, True), ("Law", "2024", 0.4, True)])
    figure = loadings_figure(loadings, pd.Series({"Law": "Order"}))
    assert ticks(figure, "yaxis") == ["<b>Order</b>", "Law", "2024"]
    assert figure.data[0].hovertext[1][0] == "Law<br>Order<br>loading 0.50"


def test_names_alike_once_cut_stay_two_rows() -> None:
    values = ["x" * 50 + end for end in "ab"]
    loadings = long_loadings([("F1", value, 0.5, True) for value in values])
    assert len(loadings_figure(loadings, NAMES).data[0].z) == 3
    assert len(primary_share_figure(loadings, NAMES).data[1].y) == 2


def test_many_columns_have_their_numbers_in_the_hover() -> None:
    tables = many(40)
    figure = factor_correlation_figure(tables["correlations"], NAMES)
    assert figure.data[0].texttemplate is None
    assert figure.data[0].hovertext[39][0] == "F40<br>Care<br>r 0.50"
    assert figure.layout.xaxis.tickangle != 0
    few = factor_correlation_figure(many(2)["correlations"], NAMES)
    assert few.data[0].texttemplate == "%{text}"


def reliability_table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "factor": ["F10", "F2", "F1"],
            "alpha": [None, 0.6, 0.9],
            "ci_low": [None, 0.4, 0.85],
            "ci_high": [None, 0.7, 0.95],
            "boot_low": [None, None, 0.7],
            "boot_high": [None, None, 0.97],
            "omega": [None, None, 0.91],
        }
    )


def test_reliability_has_a_row_for_each_factor_and_says_where_alpha_is_missing() -> None:
    figure = reliability_figure(reliability_table(), NAMES, 0.7)
    assert ticks(figure, "yaxis") == ["Care", "Order", "F10"]
    traces = by_name(figure)
    assert list(traces["95% interval of alpha"].x) == [0.85, 0.95, None, 0.4, 0.7, None]
    assert list(traces["95% interval of alpha"].y) == [0, 0, None, 1, 1, None]
    assert list(traces["LLMs resampled"].x) == [0.7, 0.97, None]
    assert traces["LLMs resampled"].line.width < traces["95% interval of alpha"].line.width
    assert traces["LLMs resampled"].y[0] != 0, "both lines of a factor can be seen"
    assert traces["omega"].marker.symbol.startswith("diamond")
    (missing,) = figure.layout.annotations
    assert (missing.text, missing.y) == ("no alpha", 2)
    (line,) = figure.layout.shapes
    assert (line.x0, line.x1, line.line.dash) == (0.7, 0.7, "dash")
    assert traces["alpha"].hovertext[0] == (
        "Care<br>alpha 0.90 (0.85 to 0.95)<br>LLMs resampled (0.70 to 0.97)<br>omega 0.91"
    )


def test_reliability_keeps_its_scale_where_an_interval_is_without_sense() -> None:
    table = reliability_table().assign(ci_low=[None, -40.0, 0.85])
    assert reliability_figure(table, NAMES, 0.7).layout.xaxis.range[0] == pytest.approx(-1.05)
    low = reliability_table().assign(alpha=[None, -3.0, 0.9])
    assert reliability_figure(low, NAMES, 0.7).layout.xaxis.range[0] == pytest.approx(-3.05)


def relation(factor: str, schwartz: str, r: float, p: float, paper: float | None) -> dict:
    return {"factor": factor, "schwartz": schwartz, "r": r, "p_adjusted": p} | {
        "ci_low": r - 0.1,
        "ci_high": r + 0.1,
        "paper_factor": "Their care" if paper is not None else None,
        "paper_r": paper,
    }


RELATIONS = pd.DataFrame(
    [
        relation("F2", "Unknown", 0.1, 0.5, None),
        relation("F2", "universalism", 0.2, 0.05, None),
        relation("F1", "universalism", 0.7, 0.001, 0.6),
        relation("F1", "Self Direction", -0.3, 0.049, -0.2),
        relation("F1", "Power", 0.4, 0.2, None),
    ]
)


def test_schwartz_values_stand_in_the_order_of_the_circle() -> None:
    figure = schwartz_figure(RELATIONS, NAMES)
    assert ticks(figure, "yaxis") == ["Self Direction", "Power", "universalism", "Unknown"]
    assert [list(row) for row in figure.data[0].text] == [
        ["-0.30*", ""],
        ["0.40", ""],
        ["0.70*", "0.20"],
        ["", "0.10"],
    ]


def test_schwartz_figure_sets_the_paper_beside_the_study() -> None:
    figure = schwartz_figure(RELATIONS, NAMES)
    own, paper = figure.data
    assert paper.xaxis == "x2"
    assert ticks(figure, "xaxis") == ["Care", "Order"]
    assert ticks(figure, "xaxis2") == ["Their care"]
    assert [row[0] for row in paper.text] == ["-0.20", "", "0.60", ""]
    assert figure.layout.xaxis.domain[1] < figure.layout.xaxis2.domain[0]
    assert own.hovertext[2][0] == (
        "universalism<br>Care<br>r = 0.70 (0.60 to 0.80), adjusted p = 0.001"
        "<br>the paper's Their care: 0.60"
    )


def test_schwartz_figure_shows_all_factors_of_a_paper_given_whole() -> None:
    paper = pd.DataFrame(
        [
            ("Power", "<b>Theirs</b>", 0.3),
            ("universalism", "Other", -0.4),
            ("Power", "Other", None),
        ],
        columns=["schwartz", "paper_factor", "paper_r"],
    )
    figure = schwartz_figure(RELATIONS, NAMES, paper)
    assert ticks(figure, "xaxis2") == ["&lt;b&gt;Theirs&lt;/b&gt;", "Other"]
    assert [list(row) for row in figure.data[1].text] == [
        ["", ""],
        ["0.30", ""],
        ["", "-0.40"],
        ["", ""],
    ]


def test_schwartz_figure_has_one_panel_where_the_paper_has_nothing() -> None:
    figure = schwartz_figure(RELATIONS.assign(paper_factor=None, paper_r=None), NAMES)
    assert len(figure.data) == 1
    assert figure.layout.xaxis.domain is None


def scores_of(rows: list[tuple[str, str, str, float]]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scores on F1 and (negative) F2, and subjects, from (subject, llm, profile, score)."""
    table = pd.DataFrame(rows, columns=["subject_id", "llm", "profile", "score"])
    scores = [table.assign(factor="F1"), table.assign(factor="F2", score=-table["score"])]
    return pd.concat(scores)[["subject_id", "factor", "score"]], table[
        ["subject_id", "llm", "profile"]
    ]


def test_subjects_are_clouds_around_the_mean_of_their_llm() -> None:
    rows = [("a1", "a", "plain", 1.0), ("a2", "a", "kind", 3.0), ("b1", "b", "plain", 5.0)]
    cloud, means = subjects_on_factors_figure(*scores_of(rows), NAMES).data
    assert list(means.x) == [2.0, 5.0]
    assert list(means.y) == [-2.0, -5.0]
    assert list(cloud.x) == [1.0, 3.0], "a LLM with one profile has no cloud"
    assert set(cloud.marker.color) == {means.marker.color[0]}
    assert cloud.marker.size < means.marker.size
    assert cloud.marker.opacity < 1
    assert list(cloud.hovertext) == ["a<br>plain", "a<br>kind"]
    assert list(means.hovertext) == ["a<br>profiles: 2", "b<br>profiles: 1"]


def test_menus_put_any_factor_on_either_axis() -> None:
    rows = [("a1", "a", "plain", 1.0), ("a2", "a", "kind", 3.0), ("b1", "b", "plain", 5.0)]
    figure = subjects_on_factors_figure(*scores_of(rows), NAMES)
    x, y = figure.layout.updatemenus
    assert [button.label for button in x.buttons] == ["x: Care", "x: Order"]
    assert [button.label for button in y.buttons] == ["y: Care", "y: Order"]
    assert (x.active, y.active) == (0, 1), "at first the first two factors"
    data, layout, traces = y.buttons[0].args
    assert data["y"] == [[1.0, 3.0], [2.0, 5.0]]
    assert layout["yaxis.title.text"] == "Care"
    assert layout["yaxis.range"][0] < 1.0 < 5.0 < layout["yaxis.range"][1]
    assert list(traces) == [0, 1]


def test_the_twelve_llms_farthest_out_are_named() -> None:
    rows = [(f"s{n}", f"m{n:02d}", "plain", float(n)) for n in range(31)]
    _, means = subjects_on_factors_figure(*scores_of(rows), NAMES).data
    shown = [text for text in means.text if text]
    assert shown == [f"m{n:02d}" for n in (*range(6), *range(25, 31))]
    assert len(means.text) == len(means.x) == 31


def test_a_subject_of_no_known_llm_is_its_own() -> None:
    scores, subjects = scores_of([("a1", "a", "plain", 1.0), ("b1", "b", "plain", 5.0)])
    _, means = subjects_on_factors_figure(scores, subjects.iloc[:1], NAMES).data
    assert list(means.hovertext) == ["a<br>profiles: 1", "b1<br>profiles: 1"]


def test_a_subject_without_a_score_is_not_placed() -> None:
    scores, subjects = scores_of([("a1", "a", "plain", 1.0), ("b1", "b", "plain", 5.0)])
    scores = scores[~((scores["subject_id"] == "b1") & (scores["factor"] == "F2"))]
    _, means = subjects_on_factors_figure(scores, subjects, NAMES).data
    assert list(means.y) == [-1.0, None]


def test_stability_sets_llms_beside_subjects_and_says_what_is_fair() -> None:
    table = pd.DataFrame(
        {
            "resampled": ["subject", "llm", "llm"],
            "factor": ["F1", "F1", "F2"],
            "congruence": [0.97, 0.9, None],
            "congruence_low": [0.95, 0.6, None],
            "congruence_high": [0.99, 0.97, None],
            "n_values": [7, 7, None],
        }
    )
    figure = stability_figure(table, NAMES)
    assert ticks(figure, "yaxis") == ["Care (7 values)", "Order"]
    traces = {trace.name: trace for trace in figure.data if trace.mode == "markers"}
    llms, subjects = traces["LLMs resampled"], traces["subjects resampled"]
    assert (llms.marker.color, subjects.marker.color) == (ACCENT, WARM)
    assert llms.x[0] == 0.9
    assert llms.hovertext[0] == "Care<br>LLMs resampled: 0.90 (0.60 to 0.97)"
    assert round(llms.y[0]) == round(subjects.y[0]) == 0
    assert llms.y[0] != subjects.y[0]
    lines = [trace.x for trace in figure.data if trace.mode == "lines"]
    assert lines == [(0.6, 0.97, None), (0.95, 0.99, None)]
    said = {one.text: one.x for one in figure.layout.annotations}
    assert said == {"fair": 0.85, "equal": 0.95}
    assert figure.layout.xaxis.range[0] < 0.6
    assert ticks(stability_figure(table), "yaxis") == ["F1 (7 values)", "F2"]


def test_primary_share_colours_each_values_own_loading() -> None:
    table = SMALL.assign(ci_low=SMALL["loading"] - 0.1, ci_high=SMALL["loading"] + 0.1)
    table["primary_share"] = np.where(table["is_primary"], 0.8, 0.1)
    figure = primary_share_figure(table, NAMES)
    assert ticks(figure, "yaxis") == ["<b>Care</b>", "Harm", "Help", "<b>Order</b>", "Law"]
    lines, marks = figure.data
    assert list(marks.x) == [-0.8, 0.6, 0.4]
    assert list(marks.y) == [1, 2, 4]
    assert list(marks.marker.color) == [0.8] * 3
    assert (marks.marker.cmin, marks.marker.cmax) == (0, 1)
    assert lines.y == (1, 1, None, 2, 2, None, 4, 4, None)
    assert lines.x[:2] == pytest.approx((-0.9, -0.7))
    own = primary_share_figure(table[table["is_primary"]], NAMES)
    assert own.to_json() == figure.to_json()


def test_influence_shows_the_twenty_llms_of_smallest_congruence() -> None:
    rows = [
        (f"m{n:02d}", f, 1 - n / 1000 + 0.0001 * (f == "F2"))
        for n in range(30)
        for f in NAMES.index
    ]
    table = pd.DataFrame(rows, columns=["llm", "factor", "congruence"])
    figure = influence_figure(table)
    (bars,) = figure.data
    assert bars.x == pytest.approx([n / 1000 for n in range(29, 9, -1)])
    assert ticks(figure, "yaxis")[0] == "m29  <b>0.971</b>"
    assert list(bars.y) == list(range(20)), "the first row is on top"
    assert figure.layout.xaxis.range[0] == 0
    said = {one.text: one.x for one in figure.layout.annotations}
    assert said == {"equal": pytest.approx(0.05)}
    far = influence_figure(table.assign(congruence=table["congruence"] - 0.3))
    assert {one.text for one in far.layout.annotations} == {"fair", "equal"}
