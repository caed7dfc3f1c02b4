"""A picture for each judgement: lexicon, scree, loadings, reliabilities, subjects on factors."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

INK, SOFT, ACCENT, WARM = "#22313f", "#9fb3c8", "#2a6f97", "#c8553d"
DIVERGING = [[0.0, WARM], [0.5, "#ffffff"], [1.0, ACCENT]]
MOST_BARS = 40
ROW_HEIGHT = 20


def lexicon_figure(lexicon: pd.DataFrame) -> go.Figure:
    """Frequencies of the most frequent values (value, frequency)."""
    rows = lexicon.head(MOST_BARS).iloc[::-1]
    figure = go.Figure(
        go.Bar(x=rows["frequency"], y=rows["value"], orientation="h", marker_color=ACCENT)
    )
    figure.update_xaxes(title="perceptions")
    return _styled(figure, ROW_HEIGHT * len(rows) + 90)


def scree_figure(eigenvalues: pd.DataFrame) -> go.Figure:
    """Eigenvalues and the 95th percentile of random data (component, eigenvalue, random_95)."""
    figure = go.Figure()
    figure.add_scatter(
        x=eigenvalues["component"],
        y=eigenvalues["eigenvalue"],
        name="observed",
        mode="lines+markers",
        line_color=ACCENT,
        marker_size=[10 if kept else 5 for kept in eigenvalues["retained"]],
    )
    figure.add_scatter(
        x=eigenvalues["component"],
        y=eigenvalues["random_95"],
        name="random data, 95th percentile",
        mode="lines",
        line={"color": WARM, "dash": "dash"},
    )
    figure.update_xaxes(title="component (large marks: retained)")
    figure.update_yaxes(title="eigenvalue")
    return _styled(figure, 360)


def loadings_figure(loadings: pd.DataFrame) -> go.Figure:
    """Heat map of the kept values' loadings (factor, value, loading, is_primary, kept)."""
    kept = loadings[loadings["kept"]]
    primary = kept[kept["is_primary"]].copy()
    primary["size"] = primary["loading"].abs()
    order = list(primary.sort_values(["factor", "size"], ascending=[True, False])["value"])
    table = kept.pivot(index="value", columns="factor", values="loading").loc[order[::-1]]
    figure = go.Figure(
        go.Heatmap(
            z=table.to_numpy(),
            x=list(table.columns),
            y=list(table.index),
            zmin=-1,
            zmax=1,
            colorscale=DIVERGING,
            text=table.round(2).to_numpy(),
            texttemplate="%{text}",
            colorbar={"title": "loading"},
        )
    )
    return _styled(figure, ROW_HEIGHT * len(table) + 110)


def reliability_figure(reliabilities: pd.DataFrame) -> go.Figure:
    """Cronbach's alpha with its 95% interval (factor, alpha, ci_low, ci_high)."""
    rows = reliabilities.dropna(subset=["alpha"])
    figure = go.Figure(
        go.Scatter(
            x=rows["factor"],
            y=rows["alpha"],
            mode="markers",
            marker={"color": ACCENT, "size": 11},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": rows["ci_high"] - rows["alpha"],
                "arrayminus": rows["alpha"] - rows["ci_low"],
            },
        )
    )
    figure.add_hline(y=0.7, line={"color": WARM, "dash": "dash"}, annotation_text="0.70")
    figure.update_yaxes(title="Cronbach's alpha", range=[min(0, float(rows["ci_low"].min())), 1])
    return _styled(figure, 340)


def subjects_figure(scores: pd.DataFrame) -> go.Figure:
    """Heat map of the subjects' factor scores (subject, factor, score), standardised by factor."""
    table = scores.pivot(index="subject", columns="factor", values="score")
    standard = (table - table.mean()) / table.std(ddof=1)
    standard = standard.sort_values(next(iter(standard.columns)))
    figure = go.Figure(
        go.Heatmap(
            z=standard.to_numpy(),
            x=list(standard.columns),
            y=list(standard.index),
            zmid=0,
            colorscale=DIVERGING,
            colorbar={"title": "SD"},
        )
    )
    figure.update_yaxes(tickfont={"size": 10}, dtick=1)
    return _styled(figure, max(360, 14 * len(standard) + 110))


def _styled(figure: go.Figure, height: int) -> go.Figure:
    figure.update_layout(
        template="plotly_white",
        height=height,
        margin={"l": 10, "r": 10, "t": 20, "b": 40},
        font={"family": "system-ui, sans-serif", "color": INK, "size": 12},
        legend={"orientation": "h", "y": 1.08},
    )
    figure.update_yaxes(automargin=True)
    return figure
