"""Pictures of how far the structure can be trusted, and of where the LLMs stand on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from plotly.colors import qualitative

from gpla_assets.psychometrics.congruence import EQUAL, FAIR
from gpla_assets.report.figures import ACCENT, INK, ROW_HEIGHT, SOFT, WARM
from gpla_assets.report.structure_figures import (
    BAR,
    LONGEST_IN_HOVER,
    blocks,
    finished,
    label,
    named,
    nothing,
    numbers,
    ordered,
    row_axis,
    stated,
)

MOST_NAMED, MOST_LLMS = 12, 20
# letters and lines that fit into the part of the scatter where the means are
SIZE = (75, 18)
DOTTED = {"color": INK, "dash": "dot", "width": 1}
SHARES = [[0.0, WARM], [0.5, SOFT], [1.0, ACCENT]]
UNITS = {"llm": ("LLMs resampled", ACCENT), "subject": ("subjects resampled", WARM)}


def intervals(
    low: Iterable[float],
    high: Iterable[float],
    rows: Iterable[float],
    line: Mapping[str, object],
    name: str | None = None,
    legendgroup: str | None = None,
    showlegend: bool | None = None,
) -> go.Scatter:
    """A line from low to high at each row's height; rows with a null have none."""
    x: list[float | None] = []
    y: list[float | None] = []
    for left, right, row in zip(low, high, rows, strict=True):
        if not (pd.isna(left) or pd.isna(right)):
            x += [float(left), float(right), None]
            y += [float(row), float(row), None]
    shown = {"name": name, "legendgroup": legendgroup, "showlegend": showlegend}
    return go.Scatter(x=x, y=y, mode="lines", hoverinfo="skip", line=line, **shown)


def reliability_figure(
    reliabilities: pd.DataFrame, names: pd.Series, minimum_alpha: float
) -> go.Figure:
    """Forest plot of the factors' reliability: which reach what the study asks of alpha.

    `reliabilities`: factor, alpha, ci_low, ci_high (95%), boot_low, boot_high (95%, LLMs
    resampled), omega; all numbers may be null. A mark is never out of the picture; an interval
    of very few subjects may be, below -1.
    """
    if reliabilities.empty:
        return nothing()
    columns = ["alpha", "ci_low", "ci_high", "boot_low", "boot_high", "omega"]
    rows = numbers(reliabilities, *columns).drop_duplicates("factor").set_index("factor")
    rows = rows.loc[ordered(rows.index), columns]
    at = np.arange(len(rows), dtype=float)
    thick, thin = {"color": SOFT, "width": 6}, {"color": WARM, "width": 2}
    said = [
        f"{named(one.Index, names, LONGEST_IN_HOVER)}"
        f"<br>alpha {stated(one.alpha, one.ci_low, one.ci_high)}"
        f"<br>LLMs resampled {stated(np.nan, one.boot_low, one.boot_high)}"
        f"<br>omega {stated(one.omega)}"
        for one in rows.itertuples()
    ]
    figure = go.Figure()
    figure.add_trace(
        intervals(rows["ci_low"], rows["ci_high"], at, name="95% interval of alpha", line=thick)
    )
    figure.add_trace(
        intervals(rows["boot_low"], rows["boot_high"], at + 0.25, name="LLMs resampled", line=thin)
    )
    for name, symbol, colour in (("alpha", "circle", ACCENT), ("omega", "diamond-open", INK)):
        figure.add_scatter(
            x=rows[name],
            y=at,
            name=name,
            mode="markers",
            marker={"symbol": symbol, "color": colour, "size": 11, "line": {"width": 2}},
            hovertext=said,
            hoverinfo="text",
        )
    for place in at[rows["alpha"].isna()]:
        figure.add_annotation(x=minimum_alpha, y=place, text="no alpha", showarrow=False)
    figure.add_vline(x=minimum_alpha, line={"color": WARM, "dash": "dash"})
    row_axis(figure, [named(factor, names) for factor in rows.index])
    marks, lowest = rows[["alpha", "omega"]].min().min(), rows.min().min()
    left = np.nanmin([0.5, marks, max(lowest, -1)])
    figure.update_xaxes(
        title=f"reliability (dashed: {minimum_alpha:.2f})", range=[left - 0.05, 1.02]
    )
    return finished(figure, 36 * len(rows) + 130)


def subjects_on_factors_figure(
    scores: pd.DataFrame, subjects: pd.DataFrame, names: pd.Series
) -> go.Figure:
    """LLMs on two factors, to be chosen: do factors tell LLMs apart, or the profiles of one LLM.

    `scores`: subject, factor, score; `subjects`: subject, llm, profile (a subject without a LLM
    is its own). A large mark is the mean of a LLM's profiles; the small faint ones are these.
    Named are the 12 LLMs farthest out: on both factors at first, then on the one chosen last.
    """
    known = scores if scores.empty else numbers(scores, "score").dropna(subset=["score", "factor"])
    if known.empty:
        return nothing()
    table = known.pivot_table(index="subject_id", columns="factor", values="score")
    factors = ordered(known["factor"])
    who = subjects.reindex(columns=["subject_id", "llm", "profile"]).drop_duplicates("subject_id")
    who = who.set_index("subject_id").astype(object).reindex(table.index)
    llm = who["llm"].where(who["llm"].notna(), table.index.to_series())
    several = llm.duplicated(keep=False)
    means, cloud = table.groupby(llm).mean(), table[several]
    colours = dict(zip(means.index, cycle(qualitative.Dark24)))
    chosen = {"x": factors[0], "y": factors[min(1, len(factors) - 1)]}
    figure = go.Figure()
    figure.add_scatter(
        mode="markers",
        marker={"size": 5, "opacity": 0.3, "color": [colours[one] for one in llm[several]]},
        hovertext=[
            f"{label(one, LONGEST_IN_HOVER)}<br>{label(profile) or 'no profile'}"
            for one, profile in zip(llm[several], who["profile"][several], strict=True)
        ],
    )
    counts, labels = llm.value_counts(), _labels(means[chosen["x"]], means[chosen["y"]])
    figure.add_scatter(
        mode="markers+text",
        marker={"size": 11, "color": list(colours.values()), "line": {"color": "white"}},
        text=labels["text"][1],
        textposition=labels["textposition"][1],
        hovertext=[f"{label(one, LONGEST_IN_HOVER)}<br>profiles: {counts[one]}" for one in colours],
    )
    template = "%{hovertext}<br>%{x:.2f}, %{y:.2f}<extra></extra>"
    figure.update_traces(hovertemplate=template, showlegend=False, cliponaxis=False)
    _choose(figure, cloud, means, factors, chosen, names)
    return finished(figure, 640).update_layout(margin_t=60)


def _choose(
    figure: go.Figure,
    cloud: pd.DataFrame,
    means: pd.DataFrame,
    factors: Sequence[object],
    chosen: Mapping[str, object],
    names: pd.Series,
) -> None:
    """Show the chosen factors, and menus that put another factor on an axis."""
    menus = []
    for axis, place in (("x", 0.0), ("y", 0.5)):
        buttons = []
        for factor in factors:
            name, places = named(factor, names), [_places(cloud[factor]), _places(means[factor])]
            known = pd.concat([cloud[factor], means[factor]])
            room = 0.12 * (known.max() - known.min()) or 1.0
            bounds = [float(known.min() - room), float(known.max() + room)]
            data = {axis: places, **_labels(means[factor], means[factor])}
            layout = {f"{axis}axis.title.text": name, f"{axis}axis.range": bounds}
            arguments = [data, layout, [0, 1]]
            buttons.append({"label": f"{axis}: {name}", "method": "update", "args": arguments})
            if factor == chosen[axis]:
                for trace, found in zip(figure.data, places, strict=True):
                    trace[axis] = found
                figure.update_layout({f"{axis}axis": {"title": {"text": name}, "range": bounds}})
        menu = {"buttons": buttons, "active": factors.index(chosen[axis]), "x": place, "y": 1.02}
        menus.append(menu | {"xanchor": "left", "yanchor": "bottom"})
    figure.update_layout(updatemenus=menus)


def _places(scores: pd.Series) -> list[float | None]:
    return [None if pd.isna(score) else round(float(score), 4) for score in scores]


def _labels(x: pd.Series, y: pd.Series) -> dict[str, list[list[str]]]:
    """Texts and their sides (none for the profiles) of the LLMs farthest out on two factors.

    Each takes the side on which it covers fewest marks and texts, all measured in letters.
    """
    spread = [(one - one.mean()) / (one.std(ddof=0) or 1) for one in (x, y)]
    far = set((spread[0] ** 2 + spread[1] ** 2).nlargest(MOST_NAMED).index)
    across, up = (SIZE[at] * one / (np.ptp(one) or 1) for at, one in enumerate(spread))
    taken = [(column, row, 1.0) for column, row in zip(across, up, strict=True)]
    texts, sides = [], []
    for llm, column, row in zip(x.index, across, up, strict=True):
        text = label(llm) if llm in far else ""
        half = len(text) / 2
        places = {
            "top center": (column, row + 1.1),
            "bottom center": (column, row - 1.1),
            "middle right": (column + half + 1.5, row),
            "middle left": (column - half - 1.5, row),
        }
        covered = {
            side: sum(abs(c - a) < half + room and abs(r - b) < 1 for c, r, room in taken)
            for side, (a, b) in places.items()
        }
        sides.append(min(covered, key=lambda side: covered[side]))
        texts.append(text)
        if text:
            taken.append((*places[sides[-1]], half))
    return {"text": [[], texts], "textposition": [[], sides]}


def stability_figure(stability: pd.DataFrame, names: pd.Series | None = None) -> go.Figure:
    """Tucker's congruence of each factor over resamples: would other LLMs give the same factor.

    `stability`: resampled ("llm" or "subject"), factor, congruence, congruence_low,
    congruence_high (95%), n_values. From FAIR on factors are fairly alike, from EQUAL on the same.
    """
    if stability.empty:
        return nothing()
    columns = ("congruence", "congruence_low", "congruence_high", "n_values")
    rows = numbers(stability, *columns).dropna(subset=["factor"])
    factors = ordered(rows["factor"])
    figure = go.Figure()
    for shift, (unit, (name, colour)) in zip((-0.14, 0.14), UNITS.items(), strict=True):
        own = rows[rows["resampled"] == unit]
        at = [factors.index(factor) + shift for factor in own["factor"]]
        line = {"color": colour, "width": 2}
        low, high = own["congruence_low"], own["congruence_high"]
        figure.add_trace(intervals(low, high, at, line=line, legendgroup=unit, showlegend=False))
        figure.add_scatter(
            x=own["congruence"],
            y=at,
            mode="markers",
            name=name,
            legendgroup=unit,
            showlegend=not own.empty,
            marker={"color": colour, "size": 10},
            hovertext=[
                f"{named(one.factor, names, LONGEST_IN_HOVER)}<br>{name}: "
                f"{stated(one.congruence, one.congruence_low, one.congruence_high)}"
                for one in own.itertuples()
            ],
            hoverinfo="text",
        )
    for bound, said in ((FAIR, "fair"), (EQUAL, "equal")):
        figure.add_vline(x=bound, line=DOTTED, annotation_text=said)
    sizes = rows.groupby("factor")["n_values"].max().map(" ({:.0f} values)".format, "ignore")
    texts = [named(factor, names) + sizes.fillna("")[factor] for factor in factors]
    row_axis(figure, texts, above=0.4)
    left = np.nanmin([0.8, rows["congruence"].min(), rows["congruence_low"].min()])
    figure.update_xaxes(title="congruence with the full solution", range=[left - 0.02, 1.01])
    return finished(figure, 34 * len(factors) + 150)


def primary_share_figure(
    stability_loadings: pd.DataFrame, names: pd.Series | None = None
) -> go.Figure:
    """Each value's loading with its interval: which values would stay with their factor.

    `stability_loadings`: factor, value, loading, ci_low, ci_high (95%), primary_share (share of
    resamples in which the value loads most on this factor), all of one kind of resample. Of
    several rows of a value that with the largest loading is taken.
    """
    if stability_loadings.empty:
        return nothing()
    columns = ("loading", "ci_low", "ci_high", "primary_share")
    rows = numbers(stability_loadings, *columns).dropna(subset=["factor", "value"])
    rows = rows.sort_values("loading", key=abs, ascending=False).drop_duplicates("value")
    places = blocks(rows, names)
    at = {value: place for place, (_, value) in enumerate(places) if value is not None}
    rows = rows.assign(at=rows["value"].map(at)).sort_values("at")
    line = {"color": SOFT, "width": 3}
    figure = go.Figure(
        intervals(rows["ci_low"], rows["ci_high"], rows["at"], line=line, showlegend=False)
    )
    bar = BAR | {"title": "share of<br>resamples"}
    figure.add_scatter(
        x=rows["loading"],
        y=rows["at"],
        mode="markers",
        marker={"color": rows["primary_share"], "size": 10, "colorbar": bar},
        showlegend=False,
        hovertext=[
            f"{label(one.value, LONGEST_IN_HOVER)}<br>"
            f"{named(one.factor, names, LONGEST_IN_HOVER)}: "
            f"{stated(one.loading, one.ci_low, one.ci_high)}"
            f"<br>share of resamples on this factor: {stated(one.primary_share)}"
            for one in rows.itertuples()
        ],
        hoverinfo="text",
    )
    figure.data[-1].marker.update(colorscale=SHARES, cmin=0, cmax=1)
    row_axis(figure, [text for text, _ in places])
    figure.update_yaxes(showgrid=True)
    shown = [*rows["loading"], *rows["ci_low"], *rows["ci_high"], 0]
    bounds = [np.nanmin(shown) - 0.05, np.nanmax(shown) + 0.05]
    figure.update_xaxes(title="loading on its factor", zerolinecolor=INK, range=bounds)
    return finished(figure, ROW_HEIGHT * len(places) + 110)


def influence_figure(leave_one_out: pd.DataFrame) -> go.Figure:
    """The 20 LLMs without which the structure changes most: does it hang on a single one.

    `leave_one_out`: llm, congruence of the structure without it; of several rows of a LLM, one a
    factor, the lowest. It stands beside the name; bars show how far it falls short of 1.
    """
    if leave_one_out.empty:
        return nothing()
    lowest = numbers(leave_one_out, "congruence").groupby("llm")["congruence"].min().dropna()
    lowest = lowest.sort_values(kind="stable").head(MOST_LLMS)
    if lowest.empty:
        return nothing()
    figure = go.Figure(
        go.Bar(
            x=1 - lowest.to_numpy(),
            y=list(range(len(lowest))),
            orientation="h",
            marker_color=ACCENT,
            hovertext=[label(llm, LONGEST_IN_HOVER) for llm in lowest.index],
            hoverinfo="text",
        )
    )
    farthest = max(1 - EQUAL, float(1 - lowest.min()))
    for bound, said in ((FAIR, "fair"), (EQUAL, "equal")):
        if 1 - bound <= farthest:
            figure.add_vline(x=1 - bound, line=DOTTED, annotation_text=said)
    texts = [f"{label(llm)}  <b>{congruence:.3f}</b>" for llm, congruence in lowest.items()]
    row_axis(figure, texts, above=0.6)
    title = "1 - congruence of the factor that changes most without the LLM"
    figure.update_xaxes(title=title, range=[0, 1.12 * farthest])
    return finished(figure, 24 * len(lowest) + 110)
