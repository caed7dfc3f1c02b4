"""Pictures of targets: where preferences point, whether they have settled, what they predict."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from gpla_assets.report.benchmark_figures import CHANCE, forest
from gpla_assets.report.figures import ACCENT, INK, WARM
from gpla_assets.report.structure_figures import finished, label, nothing, numbers, stated

PALETTE = (ACCENT, WARM, "#6a994e", "#7b5ea7", "#bc8a00", "#3d8b8b", "#a23b72", INK)
DASHES = ("solid", "dot", "dash")


def targets_figure(targets: pd.DataFrame) -> go.Figure:
    """Targets with 95% intervals over resampled prompts; diamonds are the paper's.

    `targets`: system, dimension, target, low, high, paper, stable. Pale where not settled: the
    place of such a target is not to be read.
    """
    rows = numbers(targets, "target", "low", "high", "paper") if len(targets) else targets
    rows = rows.dropna(subset=["target"]).reset_index(drop=True) if len(rows) else rows
    if rows.empty:
        return nothing()
    labels = [f"{label(one.system)}: {label(one.dimension)}" for one in rows.itertuples()]
    colours = [ACCENT if stable else "#c3ccd5" for stable in rows["stable"]]
    figure = forest(rows.assign(number=rows["target"]), labels, "target", colours)
    paper = rows[rows["paper"].notna()]
    figure.add_scatter(
        x=paper["paper"],
        y=paper.index,
        mode="markers",
        marker={"size": 9, "symbol": "diamond-open", "color": WARM, "line": {"width": 2}},
        hovertext=[f"the paper's: {stated(x)}" for x in paper["paper"]],
        hoverinfo="text",
        name="the paper's",
        showlegend=bool(len(paper)),
    )
    figure.add_vline(x=0, line={"color": INK, "dash": "dot", "width": 1})
    figure.update_xaxes(range=[-1.08, 1.08])
    return figure


def convergence_figure(steps: pd.DataFrame) -> go.Figure:
    """One system's targets as pairs come in: has a line stopped moving, or does it still jump?

    `steps`: dimension, seen, target, low, high.
    """
    rows = numbers(steps, "seen", "target", "low", "high") if len(steps) else steps
    rows = rows.dropna(subset=["target"]) if len(rows) else rows
    if rows.empty:
        return nothing()
    hovers = [
        f"{label(one.dimension)}, {one.seen:,.0f}: {stated(one.target, one.low, one.high)}"
        for one in rows.itertuples()
    ]
    figure = dimension_lines(rows.assign(hover=hovers), "seen", "target", "lines+markers")
    figure.update_xaxes(title="pairs so far")
    figure.update_yaxes(title="target", range=[-1.08, 1.08])
    return finished(figure, 380)


def dimension_lines(rows: pd.DataFrame, across: str, up: str, mode: str) -> go.Figure:
    """One line a `dimension`, from column `across` to column `up`, each of its own look.

    Column `hover`, where there is one, is what points say.
    """
    figure = go.Figure()
    for place, (dimension, own) in enumerate(rows.groupby("dimension", sort=False)):
        figure.add_scatter(
            x=own[across],
            y=own[up],
            mode=mode,
            name=label(dimension),
            line={
                "color": PALETTE[place % len(PALETTE)],
                "dash": DASHES[place // len(PALETTE) % len(DASHES)],
            },
            hovertext=own.get("hover"),
            hoverinfo="text" if "hover" in own else None,
        )
    return figure


def target_checks_figure(checks: pd.DataFrame) -> go.Figure:
    """Accuracy on held-out prompts by system and predictor: does knowing the target help at all?

    `checks`: system, predictor, accuracy, low, high. Intervals of random and shuffled targets are
    the range of their draws.
    """
    rows = numbers(checks, "accuracy", "low", "high") if len(checks) else checks
    if rows.empty:
        return nothing()
    labels = [f"{label(one.system)}: {label(one.predictor)}" for one in rows.itertuples()]
    colours = [ACCENT if one == "target" else INK for one in rows["predictor"]]
    figure = forest(rows.assign(number=rows["accuracy"]), labels, "accuracy", colours)
    figure.add_vline(x=CHANCE, line={"color": WARM, "dash": "dash"})
    return figure
