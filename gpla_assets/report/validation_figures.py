"""Pictures of the validation studies: coverage, consistency, the circle of values, ratings."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gpla_assets.report.benchmark_figures import forest
from gpla_assets.report.figures import ACCENT, DIVERGING, INK, WARM
from gpla_assets.report.structure_figures import (
    BAR,
    finished,
    label,
    nothing,
    numbers,
    row_axis,
    stated,
    two_decimals,
)
from gpla_assets.validation.circumplex import CIRCLE
from gpla_assets.validation.question_halves import R_OF_HALVES
from gpla_assets.validation.study_validity import SHARE

COLOURS = (ACCENT, WARM, INK)
MOST_VALUES = 25
PANEL = 0.44
SHOWN_MEASURES = (SHARE, R_OF_HALVES)


def coverage_figure(coverage: pd.DataFrame) -> go.Figure:
    """How many values conversations hold by each list: is a list too short to see them?

    `coverage`: lexicon, n_values, one row a conversation and list.
    """
    if coverage.empty:
        return nothing()
    figure = go.Figure()
    for (name, own), colour in zip(coverage.groupby("lexicon"), COLOURS, strict=False):
        counts = own["n_values"].clip(upper=MOST_VALUES).value_counts(normalize=True).sort_index()
        figure.add_bar(
            x=counts.index,
            y=counts,
            name=f"{label(name)} (mean {own['n_values'].mean():.1f})",
            marker_color=colour,
            hovertemplate="%{x} values: %{y:.0%}",
        )
    figure.update_xaxes(title=f"values in a conversation ({MOST_VALUES} and more as one)")
    figure.update_yaxes(title="share of conversations", tickformat=".0%")
    return finished(figure, 320)


def consistency_figure(consistency: pd.DataFrame) -> go.Figure:
    """Mean likeness of LLMs' profiles in two sets of prompts: all of it, and what tells LLMs apart.

    `consistency` of one level, means over LLMs: set_a, set_b, mean_r, mean_r_centred,
    mean_ceiling, mean_ceiling_centred, mean_r_others, llms.
    """
    if consistency.empty:
        return nothing()
    columns = ["mean_r", "mean_r_centred", "mean_ceiling", "mean_ceiling_centred", "mean_r_others"]
    rows = numbers(consistency, *columns)
    sets = sorted({*rows["set_a"], *rows["set_b"]})
    figure = go.Figure()
    for place, (number, ceiling, title) in enumerate(
        (
            ("mean_r", "mean_ceiling", "profiles as they are"),
            ("mean_r_centred", "mean_ceiling_centred", "less what all LLMs share"),
        )
    ):
        cells = pd.DataFrame(np.nan, index=sets, columns=sets)
        said = pd.DataFrame("", index=sets, columns=sets)
        for one in rows.to_dict("records"):
            text = (
                f"{label(one['set_a'])}<br>{label(one['set_b'])}<br>r {stated(one[number])}, "
                f"ceiling {stated(one[ceiling])}, {one['llms']} LLMs"
            )
            for a, b in ((one["set_a"], one["set_b"]), (one["set_b"], one["set_a"])):
                cells.loc[a, b], said.loc[a, b] = one[number], text
        figure.add_trace(_heat(cells, said, place))
        start = place * (1 - PANEL)
        figure.update_layout(
            {
                f"xaxis{'' if place == 0 else 2}": _across(
                    [label(one) for one in sets], [start, start + PANEL], title
                )
            }
        )
    row_axis(figure, [label(one) for one in sets])
    return finished(figure, 40 * len(sets) + 220)


def _heat(cells: pd.DataFrame, said: pd.DataFrame, place: int, **options: object) -> go.Heatmap:
    settings: dict[str, object] = {"zmin": -1, "zmax": 1, "showscale": place == 0} | options
    return go.Heatmap(
        z=cells.to_numpy(float),
        x=np.arange(cells.shape[1]),
        y=np.arange(cells.shape[0]),
        text=cells.map(two_decimals).to_numpy(),
        texttemplate="%{text}",
        hovertext=said.to_numpy(),
        hoverinfo="text",
        xaxis="x" if place == 0 else f"x{place + 1}",
        colorscale=DIVERGING,
        colorbar=BAR,
        **settings,
    )


def _across(labels: list[str], domain: list[float], title: str) -> dict[str, object]:
    return {
        "tickvals": list(range(len(labels))),
        "ticktext": labels,
        "tickangle": -60,
        "domain": domain,
        "title": title,
        "anchor": "y",
        "showgrid": False,
    }


def circle_figure(relations: pd.DataFrame) -> go.Figure:
    """Relations of Schwartz's ten values in circular order, from lists named and from measurements.

    If the theory holds, numbers are large near the diagonal and in the corners, and small between.
    `relations`: reading, schwartz_a, schwartz_b, number. Co-occurrence lies between 0 and 1.
    """
    readings = (
        [one for one in ("co-occurrence", "measurements") if (relations["reading"] == one).any()]
        if len(relations)
        else []
    )
    if not readings:
        return nothing()
    figure = go.Figure()
    for place, reading in enumerate(readings):
        own = numbers(relations[relations["reading"] == reading], "number")
        cells = own.pivot(index="schwartz_a", columns="schwartz_b", values="number")
        cells = cells.reindex(index=list(CIRCLE), columns=list(CIRCLE))
        said = pd.DataFrame(
            [[f"{a}, {b}: {stated(cells.loc[a, b])}" for b in CIRCLE] for a in CIRCLE],
            index=list(CIRCLE), columns=list(CIRCLE),
        )  # fmt: skip
        # both in colours of their own range: what counts is the pattern
        spread = np.nanmax(np.abs(cells.to_numpy())) if cells.notna().any().any() else 1.0
        ends = {"zmin": -float(spread), "zmax": float(spread)}
        figure.add_trace(_heat(cells, said, place, showscale=False, **ends))
        start = place * (1 - PANEL)
        figure.update_layout(
            {
                f"xaxis{'' if place == 0 else place + 1}": _across(
                    list(CIRCLE), [start, start + PANEL], reading
                )
            }
        )
    row_axis(figure, list(CIRCLE))
    return finished(figure, 540)


def external_validity_figure(rows: pd.DataFrame) -> go.Figure:
    """Agreement of evaluators with others' ratings of the same answers, with 95% intervals.

    `rows`: evaluator, reading, level, r, low, high. Lets one judge how much of what M_E says
    psychologists' keys and a rater would confirm, and how much mere sentiment would.
    """
    if rows.empty:
        return nothing()
    shown = numbers(rows, "r").rename(columns={"r": "number"})
    shown = shown.sort_values(["level", "number"], ascending=[True, False], kind="stable")
    labels = [
        f"{label(one.level)}: {label(one.evaluator)} ({label(one.reading, 60)})"
        for one in shown.itertuples()
    ]
    ours = shown["evaluator"].str.startswith("M_E")
    figure = forest(shown, labels, "r with ratings", list(np.where(ours, ACCENT, INK)))
    figure.add_vline(x=0, line={"color": WARM, "dash": "dash"})
    return figure


def validity_figure(rows: pd.DataFrame) -> go.Figure:
    """What known groups and halves of the questions say of each rule, with 95% intervals.

    `rows` of the query validity: check, data, rule, measure, number, low, high; only measures
    between -1 and 1 that have an interval. Dotted: chance of a share of pairs; of an r it is 0.
    """
    shown = rows[rows["low"].notna() & rows["measure"].isin(SHOWN_MEASURES)]
    if shown.empty:
        return nothing()
    shown = shown.sort_values(["check", "data", "number"], ascending=[False, True, False])
    labels = [
        f"{label(one.check)}, {label(one.data)}: {label(one.rule or 'classifier of the texts')}"
        for one in shown.itertuples()
    ]
    colours = [ACCENT if one.rule else INK for one in shown.itertuples()]
    figure = forest(shown, labels, "share of pairs, or r between halves of the questions", colours)
    figure.add_vline(x=0, line={"color": WARM, "dash": "dash"})
    figure.add_vline(x=0.5, line={"color": WARM, "dash": "dot"})
    return figure
