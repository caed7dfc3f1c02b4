"""Pictures of the structure: the value system, how many factors, what they load on and mean.

Rows and columns of the pictures stand at numbered places and carry their names as tick texts:
names come from models, may be alike once cut, and may look like numbers or like markup.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Hashable, Iterable, Sequence
from typing import Any, TypeVar

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from gpla_assets.report.figures import ACCENT, DIVERGING, ROW_HEIGHT, SOFT, WARM, _styled

LONGEST, LONGEST_IN_HOVER = 40, 160
MOST_WRAPPED, WRAPPED_AT, MOST_NUMBERED = 7, 15, 20
FEWEST_COMPONENTS = 15
SIGNIFICANT = 0.05
# the height that a heat map's colour bar needs
LOWEST = 340
BAR = {"len": 220, "lenmode": "pixels", "y": 1, "yanchor": "top", "thickness": 16}
CENTRE, RING, BAND = "#ffffff", "#dde6ee", "rgba(200, 85, 61, 0.12)"
CIRCLE = (
    "selfdirection stimulation hedonism achievement power "
    "security conformity tradition benevolence universalism"
)

Name = TypeVar("Name", bound=Hashable)


def label(text: object, longest: int = LONGEST, width: int = 0) -> str:
    """A name as plotly may show it: cut with an ellipsis, wrapped at `width`, no markup left."""
    plain = "" if pd.isna(text) else " ".join(str(text).split())
    cut = plain if len(plain) <= longest else plain[: longest - 1].rstrip() + "…"
    lines = (textwrap.wrap(cut, width) if width else []) or [cut]
    return "<br>".join(html.escape(line, quote=False) for line in lines)


def named(factor: object, names: pd.Series | None, longest: int = LONGEST, width: int = 0) -> str:
    """The label of a factor's name; of the factor itself where it has no name."""
    found = None if names is None else names.to_dict().get(factor)
    return label(found, longest, width) or label(factor, longest, width)


def ordered(factors: Iterable[Name]) -> list[Name]:
    """The different factors by the number they end in (F2 before F10), the others as they come."""

    def number(factor: object) -> float:
        found = re.search(r"(\d+)$", str(factor))
        return int(found[1]) if found else np.inf

    return sorted((one for one in dict.fromkeys(factors) if not pd.isna(one)), key=number)


def numbers(rows: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """The rows with these columns as floats; a null, and a column that is missing, as NaN."""
    missing = pd.Series(np.nan, index=rows.index)
    found = {name: pd.to_numeric(rows.get(name, missing), errors="coerce") for name in columns}
    return rows.assign(**{name: column.astype(float) for name, column in found.items()})


def two_decimals(number: float) -> str:
    """A number as cells and hovers show it; nothing for a null."""
    return "" if pd.isna(number) else f"{number:z.2f}"


def stated(number: float, low: float = np.nan, high: float = np.nan) -> str:
    """A number with its interval as hovers show it; what is null is left out."""
    interval = "" if pd.isna(low) or pd.isna(high) else f"({low:.2f} to {high:.2f})"
    return " ".join(filter(None, (two_decimals(number), interval))) or "unknown"


def nothing() -> go.Figure:
    """An empty figure that says so."""
    figure = go.Figure()
    figure.add_annotation(text="nothing to show", showarrow=False, font={"size": 14})
    figure.update_layout(xaxis_visible=False, yaxis_visible=False)
    return _styled(figure, 160)


def finished(figure: go.Figure, height: int) -> go.Figure:
    """The figure in the report's look, its legend above it however many lines that takes."""
    legend = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom"}
    return _styled(figure, height).update_layout(legend=legend)


def row_axis(figure: go.Figure, labels: Sequence[str], above: float = 0) -> None:
    """Put labels on the vertical axis, row 0 on top, with so many rows' room above."""
    places, bounds = list(range(len(labels))), [len(labels) - 0.5, -0.5 - above]
    figure.update_yaxes(tickvals=places, ticktext=labels, range=bounds)
    figure.update_yaxes(showgrid=False, zeroline=False)


def own_rows(loadings: pd.DataFrame) -> pd.DataFrame:
    """One row a value: that of the factor it belongs to."""
    if loadings.empty:
        return loadings
    rows = numbers(loadings, "loading", "keyed").dropna(subset=["factor", "value"])
    return rows[rows["is_primary"].eq(True)].drop_duplicates("value")


def blocks(own: pd.DataFrame, names: pd.Series | None) -> list[tuple[str, Hashable]]:
    """Labels and values of rows: a factor's name (value None), then its values, largest first."""
    rows: list[tuple[str, Hashable]] = []
    for factor in ordered(own["factor"]):
        block = own[own["factor"] == factor]
        block = block.sort_values("loading", key=abs, ascending=False, kind="stable")
        rows.append((f"<b>{named(factor, names)}</b>", None))
        rows += [(label(value), value) for value in block["value"]]
    return rows


def value_system_figure(loadings: pd.DataFrame, names: pd.Series) -> go.Figure:
    """Sunburst of the value system: which values make each factor, how much, in which direction.

    `loadings`: factor, value, loading, is_primary, keyed. A value that counts reversed (keyed
    below 0) has a minus sign before its name; the larger a factor, the more values it has.
    """
    own = own_rows(loadings)
    if own.empty:
        return nothing()
    centre = ("all", "", "value system", len(own), f"value system: {len(own)} values", CENTRE)
    parts: list[tuple[str, str, str, int, str, str | float]] = [centre]
    for place, factor in enumerate(ordered(own["factor"])):
        block = own[own["factor"] == factor].sort_values("loading", ascending=False)
        text = named(factor, names, width=WRAPPED_AT)
        name = named(factor, names, LONGEST_IN_HOVER)
        parts.append((f"{place}", "all", text, len(block), f"{name}: {len(block)} values", RING))
        for at, row in enumerate(block.itertuples()):
            sign = "\N{MINUS SIGN}" if row.keyed < 0 else ""
            colour = RING if pd.isna(row.loading) else float(row.loading)
            said = f"{sign}{label(row.value, LONGEST_IN_HOVER)}<br>{name}: {stated(row.loading)}"
            parts.append((f"{place}.{at}", f"{place}", sign + label(row.value), 1, said, colour))
    *columns, colours = (list(column) for column in zip(*parts, strict=True))
    named_columns = zip(("ids", "parents", "labels", "values", "hovertext"), columns, strict=True)
    sunburst = go.Sunburst(dict(named_columns), hoverinfo="text", insidetextorientation="radial")
    sunburst.update(branchvalues="total", sort=False)
    sunburst.marker.update(colors=colours, colorscale=DIVERGING, cmin=-1, cmax=1, showscale=True)
    sunburst.marker.update(line={"color": SOFT, "width": 0.5}, colorbar=BAR | {"title": "loading"})
    return finished(go.Figure(sunburst), 760)


def scree_figure(eigenvalues: pd.DataFrame) -> go.Figure:
    """Eigenvalues against those of random data, and alpha: how many factors are to be kept.

    `eigenvalues`: component, eigenvalue, random_95 (normal data), permuted_95 (permuted scores),
    alpha (of the factor that the component adds; these three may be null), retained.
    """
    if eigenvalues.empty:
        return nothing()
    columns = ("component", "eigenvalue", "random_95", "permuted_95", "alpha")
    rows = numbers(eigenvalues, *columns).sort_values("component")
    rows = rows.head(max(FEWEST_COMPONENTS, 2 * int(rows["retained"].eq(True).sum())))
    x, random = rows["component"], rows[["random_95", "permuted_95"]].max(axis=1)
    figure = go.Figure()
    figure.add_scatter(x=x, y=random, name="no more than random", mode="none", hoverinfo="skip")
    figure.update_traces(fill="tozeroy", fillcolor=BAND)
    for column, name, dash in (("random_95", "normal", "dash"), ("permuted_95", "permuted", "dot")):
        if rows[column].notna().any():
            line = {"color": WARM, "dash": dash}
            name = f"{name} data, 95th percentile"
            figure.add_scatter(x=x, y=rows[column], name=name, mode="lines", line=line)
    if rows["alpha"].notna().any():
        _add_alpha(figure, rows)
    figure.add_scatter(
        x=x,
        y=rows["eigenvalue"],
        name="observed",
        mode="lines+markers",
        line_color=ACCENT,
        marker={"size": np.where(rows["retained"].eq(True), 13, 6).tolist(), "opacity": 1},
    )
    figure.update_xaxes(title="component (large marks: retained)", zeroline=False)
    figure.update_xaxes(tickmode="linear", tick0=1, dtick=1 + len(rows) // 30)
    figure.update_layout(yaxis={"title": "eigenvalue", "rangemode": "tozero"}, hovermode="x")
    return finished(figure, 400)


def _add_alpha(figure: go.Figure, rows: pd.DataFrame) -> None:
    figure.add_scatter(
        x=rows["component"],
        y=rows["alpha"],
        name="alpha (right)",
        yaxis="y2",
        mode="lines+markers",
        line={"color": SOFT, "width": 1.5},
        marker={"symbol": "square", "size": 6},
    )
    bounds = [min(0.0, float(rows["alpha"].min())), 1]
    axis = {"overlaying": "y", "side": "right", "range": bounds, "zeroline": False}
    axis |= {"showgrid": False, "tickmode": "linear", "dtick": 0.2}
    figure.update_layout(yaxis2=axis | {"title": "Cronbach's alpha"})


def loadings_figure(loadings: pd.DataFrame, names: pd.Series) -> go.Figure:
    """Heat map of all loadings: does each value load on one factor, and little on the others.

    `loadings`: factor, value, loading, is_primary. Values stand under the factor they belong to,
    the largest loading first.
    """
    own = own_rows(loadings)
    if own.empty:
        return nothing()
    cells = loadings.rename(columns={"value": "down", "factor": "across"})
    cells = _cells(cells, "loading", None, names)
    rows, across = blocks(own, names), ordered(loadings["factor"])
    figure = go.Figure(_heat(cells, [value for _, value in rows], across, "loading"))
    row_axis(figure, [text for text, _ in rows])
    figure.update_layout(xaxis=_column_axis(across, names, len(across)) | {"side": "top"})
    return finished(figure, max(LOWEST, ROW_HEIGHT * len(rows) + 150))


def factor_correlation_figure(correlations: pd.DataFrame, names: pd.Series) -> go.Figure:
    """Heat map of the factors' correlations: are they different things, or one thing said twice.

    `correlations`: factor_a, factor_b, r; every ordered pair, the diagonal too.
    """
    if correlations.empty:
        return nothing()
    cells = correlations.rename(columns={"factor_a": "down", "factor_b": "across"})
    cells = _cells(cells, "r", names, names)
    factors = ordered([*cells["down"], *cells["across"]])
    figure = go.Figure(_heat(cells, factors, factors, "r"))
    row_axis(figure, [named(factor, names) for factor in factors])
    figure.update_layout(xaxis=_column_axis(factors, names, len(factors)))
    height = max(22, 56 - 2 * len(factors)) * len(factors) + 150
    return finished(figure, max(LOWEST, height))


def schwartz_figure(
    relations: pd.DataFrame, names: pd.Series, paper: pd.DataFrame | None = None
) -> go.Figure:
    """Heat map of factors and Schwartz's values in circular order, beside the paper's numbers.

    Lets one judge what a factor means in a known system (neighbours on the circle should relate
    to it alike) and whether the paper found the same. `relations`: factor, schwartz, r, ci_low,
    ci_high, p_adjusted (* where below .05), paper_factor and paper_r (null where it has none).
    `paper`: schwartz, paper_factor, paper_r of all of the paper's factors, for the panel beside.
    """
    if relations.empty:
        return nothing()
    cells = numbers(relations, "r", "ci_low", "ci_high", "p_adjusted", "paper_r")
    cells = cells.rename(columns={"schwartz": "down", "factor": "across"})
    stars = np.where(cells["p_adjusted"] < SIGNIFICANT, "*", "")
    cells["number"], cells["cell"] = cells["r"], cells["r"].map(two_decimals) + stars
    cells["said"] = [_said_of_relation(one, named(one.across, names)) for one in cells.itertuples()]
    down, across = circular(cells["down"]), ordered(cells["across"])
    figure = go.Figure(_heat(cells, down, across, "r"))
    theirs = cells if paper is None else _papers(paper)
    theirs = theirs.dropna(subset=["paper_r"])
    known = ordered(theirs["across"])
    total = len(across) + len(known)
    own = _column_axis(across, names, total) | {"title": "here (*: p &lt; .05, adjusted)"}
    if known:
        called = theirs.drop_duplicates("across").set_index("across")["paper_factor"]
        shown = theirs.assign(number=theirs["paper_r"], cell=theirs["paper_r"].map(two_decimals))
        figure.add_trace(_heat(shown, down, known, "r").update(xaxis="x2", showscale=False))
        share = 0.98 * len(across) / total
        own["domain"] = [0, share]
        paper = {"domain": [share + 0.02, 1], "title": "in the paper", "anchor": "y"}
        figure.update_layout(xaxis2=_column_axis(known, called, total) | paper)
    figure.update_layout(xaxis=own)
    row_axis(figure, [label(value) for value in down])
    return finished(figure, max(LOWEST, 32 * len(down) + 190))


def _papers(paper: pd.DataFrame) -> pd.DataFrame:
    rows = numbers(paper, "paper_r").rename(columns={"schwartz": "down"})
    said = [f"{label(one.down)}<br>{label(one.paper_factor)}" for one in rows.itertuples()]
    return rows.assign(across=rows["paper_factor"], said=said)


def circular(values: Iterable[Name]) -> list[Name]:
    """Schwartz's values in the order of his circle, however they are written; others after."""
    places = {name: place for place, name in enumerate(CIRCLE.split())}
    plain = {one: re.sub("[^a-z]", "", str(one).lower()) for one in values if not pd.isna(one)}
    return sorted(plain, key=lambda one: places.get(plain[one], len(places)))


def _said_of_relation(one: Any, factor: str) -> str:
    said = f"{label(one.down)}<br>{factor}<br>r = {stated(one.r, one.ci_low, one.ci_high)}"
    if not pd.isna(one.p_adjusted):
        said += f", adjusted p = {one.p_adjusted:.3f}"
    if not pd.isna(one.paper_r):
        said += f"<br>the paper's {label(one.paper_factor) or 'factor'}: {one.paper_r:.2f}"
    return said


def _cells(rows: pd.DataFrame, number: str, *names: pd.Series | None) -> pd.DataFrame:
    """Rows (down, across) with number, cell (its text) and said (its hover); names of each."""
    cells = numbers(rows, number)
    cells = cells.assign(number=cells[number], cell=cells[number].map(two_decimals))
    cells["said"] = [
        "<br>".join(
            named(key, known, LONGEST_IN_HOVER)
            for key, known in zip((one.down, one.across), names, strict=True)
        )
        + f"<br>{number} {stated(one.number)}"
        for one in cells.itertuples()
    ]
    return cells


def _heat(
    cells: pd.DataFrame, down: Sequence[object], across: Sequence[object], title: str
) -> go.Heatmap:
    """Heat map of cells (down, across, number, cell, said); a row that is None stays empty.

    Of many columns the numbers could not be read: they are in the hovers only.
    """
    cells = cells.dropna(subset=["down", "across"]).drop_duplicates(["down", "across"])
    cells = cells.pivot(index="down", columns="across", values=["number", "cell", "said"])
    z, texts, hovers = (
        cells[part].reindex(index=down, columns=across).astype(object)
        for part in ("number", "cell", "said")
    )
    return go.Heatmap(
        z=z.astype(float).to_numpy(),
        x=list(range(len(across))),
        y=list(range(len(down))),
        text=texts.fillna("").to_numpy().tolist(),
        texttemplate="%{text}" if len(across) <= MOST_NUMBERED else None,
        hovertext=hovers.fillna("").to_numpy().tolist(),
        hoverinfo="text",
        hoverongaps=False,
        colorbar=BAR | {"title": title},
    ).update(zmin=-1, zmax=1, colorscale=DIVERGING, xgap=1, ygap=1)


def _column_axis(
    factors: Sequence[object], names: pd.Series | None, total: int
) -> dict[str, object]:
    """Names of columns: few in the whole picture stand level and wrapped, more aslant."""
    few = total <= MOST_WRAPPED
    texts = [named(factor, names, width=WRAPPED_AT if few else 0) for factor in factors]
    axis: dict[str, object] = {
        "tickvals": list(range(len(factors))),
        "ticktext": texts,
        "showgrid": False,
    }
    return axis | {"zeroline": False, "automargin": True, "tickangle": 0 if few else -60}
