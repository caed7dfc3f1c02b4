"""Pictures of aligned LLMs: how training went, what came nearer, what it cost."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from gpla_assets.report.figures import INK, WARM
from gpla_assets.report.structure_figures import finished, label, nothing, numbers, stated
from gpla_assets.report.target_figures import DASHES, PALETTE, dimension_lines

CURVES = {
    "reward": "reward (0: on the target)",
    "kl": "divergence, nats a response",
    "tokens": "tokens a response",
    "perceptions": "perceptions a response",
}
GAP = 0.09
AXES = ("helpfulness", "harmlessness")


def training_figure(steps: pd.DataFrame) -> go.Figure:
    """Reward, divergence, length and perceptions by update, means of ten; a line a run.

    `steps`: system, seed, update, and reward_10, kl_10, tokens_10, perceptions_10. A colour is a
    system, a dash a seed. A reward that rises while length runs away is no success.
    """
    columns = [f"{name}_10" for name in CURVES]
    rows = numbers(steps, "update", *columns) if len(steps) else steps
    if rows.empty:
        return nothing()
    figure = go.Figure()
    systems, seeds = sorted(rows["system"].unique()), sorted(rows["seed"].unique())
    for place, (name, title) in enumerate(CURVES.items()):
        axis, row, side = "" if place == 0 else str(place + 1), place // 2, place % 2
        for (system, seed), own in rows.groupby(["system", "seed"], sort=False):
            run = f"{label(system)}, seed {seed}"
            figure.add_scatter(
                x=own["update"] + 1,
                y=own[f"{name}_10"],
                name=run,
                legendgroup=run,
                showlegend=place == 0,
                xaxis=f"x{axis}",
                yaxis=f"y{axis}",
                mode="lines",
                line={
                    "color": PALETTE[systems.index(system) % len(PALETTE)],
                    "dash": DASHES[seeds.index(seed) % len(DASHES)],
                },
            )
        x = [0, 0.5 - GAP / 2] if side == 0 else [0.5 + GAP / 2, 1]
        y = [0.5 + GAP, 1] if row == 0 else [0, 0.5 - GAP]
        figure.update_layout({
            f"xaxis{axis}": {"domain": x, "anchor": f"y{axis}"},
            f"yaxis{axis}": {"domain": y, "anchor": f"x{axis}", "title": title},
        })  # fmt: skip
    figure.update_layout(xaxis3_title="update", xaxis4_title="update")
    return finished(figure, 560)


def distances_figure(distances: pd.DataFrame) -> go.Figure:
    """One system's distance to the target by dimension and update: which dimensions gave way?

    `distances`: dimension, update, distance (0 to 2).
    """
    rows = numbers(distances, "update", "distance") if len(distances) else distances
    rows = rows.dropna(subset=["distance"]) if len(rows) else rows
    if rows.empty:
        return nothing()
    figure = dimension_lines(rows.assign(at=rows["update"] + 1), "at", "distance", "lines")
    figure.update_xaxes(title="update")
    figure.update_yaxes(title="mean |target - measured|")
    return finished(figure, 380)


def pareto_figure(results: pd.DataFrame) -> go.Figure:
    """Helpfulness against harmlessness, before and after alignment to each system's target.

    `results`: system, measure (of a judge: "helpfulness, ..." or "harmlessness, ..."), before,
    after, low and high (95%, of the change). A policy that is right and above of another is better
    on both; a cross whose arms pass over the unaligned LLM has not moved for sure.
    """
    rows = numbers(results, "before", "after", "low", "high") if len(results) else results
    judged = {name: _judged(rows, name) for name in AXES}
    if any(found.empty for found in judged.values()):
        return nothing()
    x, y = judged.values()
    systems = [one for one in x.index if one in y.index]
    figure = go.Figure()
    for place, system in enumerate(systems):
        right, up = x.loc[system], y.loc[system]
        figure.add_scatter(
            x=[right["before"], right["after"]],
            y=[up["before"], up["after"]],
            mode="lines+markers",
            name=f"aligned to {label(system)}",
            line={"color": PALETTE[place % len(PALETTE)], "width": 1, "dash": "dot"},
            marker={"size": [0, 12], "symbol": "circle", "color": PALETTE[place % len(PALETTE)]},
            error_x=_arms(right, PALETTE[place % len(PALETTE)]),
            error_y=_arms(up, PALETTE[place % len(PALETTE)]),
            hovertext=[
                "",
                f"{label(system)}: {stated(right['after'])} and {stated(up['after'])}",
            ],
            hoverinfo="text",
        )
    figure.add_scatter(
        x=x.loc[systems, "before"],
        y=y.loc[systems, "before"],
        mode="markers",
        name="unaligned",
        marker={"size": 12, "symbol": "x", "color": INK},
        hoverinfo="x+y",
    )
    figure.update_xaxes(title=label(x["measure"].iloc[0], 80))
    figure.update_yaxes(title=label(y["measure"].iloc[0], 80))
    return finished(figure, 440)


def table_04_figure(table: pd.DataFrame) -> go.Figure:
    """The paper's Table 4 on axes of its own: its judges are Beaver's reward and cost models.

    `table`: value_system, harmlessness, helpfulness.
    """
    if table.empty:
        return nothing()
    rows = numbers(table, "harmlessness", "helpfulness")
    figure = go.Figure(
        go.Scatter(
            x=rows["helpfulness"],
            y=rows["harmlessness"],
            mode="markers+text",
            text=[label(one) for one in rows["value_system"]],
            textposition="top center",
            marker={"size": 12, "symbol": "diamond-open", "color": WARM, "line": {"width": 2}},
            hoverinfo="x+y",
            cliponaxis=False,
        )
    )
    figure.update_xaxes(title="helpfulness (Beaver's reward)")
    figure.update_yaxes(title="harmlessness (minus Beaver's cost)")
    return finished(figure, 300)


def _judged(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """The first judge's rows of a measure, by system."""
    if rows.empty:
        return rows
    own = rows[rows["measure"].str.startswith(name)]
    first = own[own["measure"] == own["measure"].min()]
    return first.drop_duplicates("system").set_index("system")


def _arms(row: pd.Series, colour: str) -> dict[str, object]:
    """Error bars of the later point: the interval of the change, around it."""
    return {
        "type": "data",
        "symmetric": False,
        "array": [0, row["before"] + row["high"] - row["after"]],
        "arrayminus": [0, row["after"] - row["before"] - row["low"]],
        "color": colour,
        "thickness": 1,
    }
