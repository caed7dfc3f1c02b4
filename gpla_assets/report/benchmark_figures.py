"""Pictures of the benchmarks: how well systems fit, and what they predict of LLMs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gpla_assets.report.figures import ACCENT, INK, ROW_HEIGHT, SOFT, WARM
from gpla_assets.report.stability_figures import DOTTED, intervals
from gpla_assets.report.structure_figures import (
    LONGEST_IN_HOVER,
    finished,
    label,
    named,
    nothing,
    numbers,
    ordered,
    row_axis,
    stated,
)

CHANCE = 0.5
RANDOM = "random groupings"
FIT_INDICES = {"cfi": "CFI (more is better)", "rmsea": "RMSEA (less is better)"}
THINNEST, THICKEST = 0.5, 4.0


def cfa_fit_figure(fits: pd.DataFrame) -> go.Figure:
    """How well systems fit on the same values and held-out LLMs, over random splits.

    `fits`: name (the system with its structure, or RANDOM), index (cfi, rmsea), number; one row a
    split. Lets one judge whether a system is better than others, and than chance groupings.
    """
    known = numbers(fits, "number").dropna(subset=["number"]) if len(fits) else fits
    known = known[known["index"].isin(FIT_INDICES)] if len(known) else known
    if known.empty:
        return nothing()
    cfi = known[known["index"] == "cfi"].groupby("name")["number"].median()
    names = sorted(known["name"].unique(), key=lambda one: -cfi.get(one, -np.inf))
    figure = go.Figure()
    for place, (index, title) in enumerate(FIT_INDICES.items()):
        axis = "x" if place == 0 else "x2"
        for row, name in enumerate(names):
            own = known[(known["index"] == index) & (known["name"] == name)]["number"]
            figure.add_trace(
                go.Box(
                    x=own,
                    y=[row] * len(own),
                    orientation="h",
                    xaxis=axis,
                    marker_color=WARM if name == RANDOM else ACCENT,
                    boxpoints="outliers",
                    hoverinfo="x",
                    showlegend=False,
                )
            )
        domain = [0, 0.48] if place == 0 else [0.52, 1]
        figure.update_layout(
            {f"xaxis{'' if place == 0 else 2}": {"title": title, "domain": domain}}
        )
    row_axis(figure, [label(name) for name in names])
    return finished(figure, 34 * len(names) + 110)


def path_diagram_figure(
    loadings: pd.DataFrame, correlations: pd.DataFrame, names: pd.Series
) -> go.Figure:
    """Path diagram of a fitted system: factors, what they load on, how they correlate.

    `loadings`: factor, value, standardised, se; `correlations`: factor_a, factor_b, r. Lines are as
    thick as loadings are large; a negative one is dashed.
    """
    rows = numbers(loadings, "standardised") if len(loadings) else loadings
    if rows.empty:
        return nothing()
    factors = ordered(rows["factor"])
    rows = rows.assign(at=rows["factor"].map(factors.index))
    rows = rows.sort_values(["at", "standardised"], ascending=[True, False], kind="stable")
    rows = rows.assign(row=np.arange(len(rows)) + rows["at"])
    heights = rows.groupby("factor")["row"].mean()
    figure = go.Figure()
    for one in rows.itertuples():
        size = 0.0 if pd.isna(one.standardised) else abs(one.standardised)
        width = THINNEST + (THICKEST - THINNEST) * min(size, 1)
        dash = "dash" if one.standardised < 0 else "solid"
        figure.add_scatter(
            x=[1, 2],
            y=[heights[one.factor], one.row],
            mode="lines",
            line={"color": WARM if one.standardised < 0 else ACCENT, "width": width, "dash": dash},
            hoverinfo="skip",
            showlegend=False,
        )
    _correlations(figure, correlations, heights, names)
    figure.add_scatter(
        x=[1] * len(factors),
        y=[heights[factor] for factor in factors],
        mode="markers",
        marker={"size": 16, "color": "white", "line": {"color": INK, "width": 2}},
        hovertext=[named(factor, names, LONGEST_IN_HOVER) for factor in factors],
        hoverinfo="text",
        showlegend=False,
    )
    for factor in factors:
        text = named(factor, names, width=18)
        place = {"x": 1, "y": heights[factor], "xanchor": "right", "xshift": -14}
        figure.add_annotation(text=text, showarrow=False, bgcolor="white", **place)
    texts = [f"{label(one.value)} {stated(one.standardised)}" for one in rows.itertuples()]
    figure.add_scatter(
        x=[2] * len(rows),
        y=rows["row"],
        mode="markers+text",
        text=texts,
        textposition="middle right",
        marker={"symbol": "square", "size": 8, "color": INK},
        hoverinfo="skip",
        showlegend=False,
    )
    last = float(rows["row"].max())
    figure.update_yaxes(visible=False, range=[last + 1, -1])
    figure.update_xaxes(visible=False, range=[-0.2, 3])
    return finished(figure, int(ROW_HEIGHT * (last + 3) + 40))


def _correlations(
    figure: go.Figure, correlations: pd.DataFrame, heights: pd.Series, names: pd.Series
) -> None:
    """Arcs between factors, left of them, each with its r at its middle."""
    if correlations.empty:
        return
    known = numbers(correlations, "r").dropna(subset=["r"])
    places = list(heights.sort_values().index)
    for one in known.itertuples():
        if one.factor_a not in places or one.factor_b not in places:
            continue
        a, b = places.index(one.factor_a), places.index(one.factor_b)
        if a >= b:
            continue
        top, bottom = heights[one.factor_a], heights[one.factor_b]
        reach = 0.45 + 0.6 * (b - a) / len(places)
        turn = np.linspace(0, np.pi, 25)
        middle, half = (top + bottom) / 2, (bottom - top) / 2
        x, y = 1 - reach * np.sin(turn), middle - half * np.cos(turn)
        pair = f"{named(one.factor_a, names)} and {named(one.factor_b, names)}"
        figure.add_scatter(
            x=x,
            y=y,
            mode="lines",
            line={"color": SOFT, "width": THINNEST + (THICKEST - THINNEST) * min(abs(one.r), 1)},
            hovertext=f"{pair}: {stated(one.r)}",
            hoverinfo="text",
            showlegend=False,
        )
        figure.add_annotation(
            x=1 - reach, y=middle, text=stated(one.r), showarrow=False,
            bgcolor="white", font={"size": 10},
        )  # fmt: skip


def forest(
    rows: pd.DataFrame, labels: Sequence[str], title: str, colours: Sequence[str] | None = None
) -> go.Figure:
    """Numbers with their intervals, a row each, first on top: `number`, `low`, `high`."""
    rows = numbers(rows, "number", "low", "high").reset_index(drop=True)
    at = rows.index.to_numpy(float)
    figure = go.Figure()
    line = {"color": SOFT, "width": 5}
    figure.add_trace(intervals(rows["low"], rows["high"], at, line=line, showlegend=False))
    figure.add_scatter(
        x=rows["number"],
        y=at,
        mode="markers",
        marker={"size": 10, "color": list(colours) if colours else ACCENT},
        hovertext=[
            f"{text}: {stated(one.number, one.low, one.high)}"
            for text, one in zip(labels, rows.itertuples(), strict=True)
        ],
        hoverinfo="text",
        showlegend=False,
    )
    row_axis(figure, list(labels), above=0.3)
    figure.update_xaxes(title=title)
    return finished(figure, 26 * len(rows) + 110)


def probe_accuracy_figure(accuracies: pd.DataFrame) -> go.Figure:
    """How often each value system, and each baseline, tells the better of two unseen LLMs.

    `accuracies` of one criterion: features, role (system or baseline), accuracy, low, high (95%),
    paper (an open diamond; null where it has none). Dashed: chance.
    """
    if accuracies.empty:
        return nothing()
    rows = numbers(accuracies, "accuracy", "paper").rename(columns={"accuracy": "number"})
    rows["order"] = rows["role"].ne("system")
    rows = rows.sort_values(["order", "number"], ascending=[True, False], kind="stable")
    colours = [ACCENT if role == "system" else INK for role in rows["role"]]
    figure = forest(
        rows, [label(one) for one in rows["features"]],
        "pairs of unseen LLMs told apart rightly (dashed: chance)", colours,
    )  # fmt: skip
    papers = rows.reset_index(drop=True).dropna(subset=["paper"])
    if len(papers):
        figure.add_scatter(
            x=papers["paper"],
            y=papers.index,
            mode="markers",
            name="the paper's Table 3 (other LLMs)",
            marker={"symbol": "diamond-open", "size": 11, "color": WARM, "line": {"width": 2}},
            hoverinfo="x",
        )
    figure.add_vline(x=CHANCE, line={"color": WARM, "dash": "dash"})
    return figure.update_xaxes(range=[-0.03, 1.03])


def probe_parameters_figure(parameters: pd.DataFrame, names: pd.Series) -> go.Figure:
    """Which factors speak for a LLM that stands higher on the criterion, and which against it.

    `parameters` of one criterion and system: factor, weight, low, high (95%, LLMs resampled).
    """
    if parameters.empty:
        return nothing()
    rows = numbers(parameters, "weight").rename(columns={"weight": "number"})
    rows = rows.sort_values("number", ascending=False, kind="stable")
    figure = forest(rows, [named(one, names) for one in rows["factor"]], "weight per sd of factor")
    figure.add_vline(x=0, line={"color": WARM, "dash": "dash"})
    return figure


def probe_chance_figure(nulls: pd.DataFrame) -> go.Figure:
    """What chance reaches on a criterion: permuted labels, and random partitions of our values.

    `nulls` of one criterion and system: null, draw (-1 is what was observed), accuracy.
    """
    known = numbers(nulls, "accuracy", "draw") if len(nulls) else nulls
    if known.empty:
        return nothing()
    figure = go.Figure()
    colours: dict[str, str] = {"permuted labels": SOFT, "random partition": WARM}
    for null, own in known[known["draw"] >= 0].groupby("null"):
        figure.add_histogram(
            x=own["accuracy"], name=label(null), opacity=0.7, marker_color=colours.get(null, INK),
            xbins={"start": 0, "end": 1, "size": 0.02},
        )  # fmt: skip
    observed = known.loc[(known["draw"] == -1) & (known["null"] == "random partition"), "accuracy"]
    for accuracy in observed:
        figure.add_vline(x=accuracy, line=DOTTED, annotation_text="ours, scored alike")
    figure.update_layout(barmode="overlay")
    figure.update_xaxes(title="pairs told apart rightly")
    figure.update_yaxes(title="draws")
    return finished(figure, 300)
