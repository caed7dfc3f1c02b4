"""The report's look, and the pictures of the lexicon and of two studies."""

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


def agreement_figure(cells: pd.DataFrame) -> go.Figure:
    """LLMs' differences on each value in two studies (llm, value, difference_a, difference_b)."""
    figure = go.Figure(
        go.Scattergl(
            x=cells["difference_a"],
            y=cells["difference_b"],
            text=cells["llm"] + ", " + cells["value"],
            mode="markers",
            marker={"color": ACCENT, "size": 6, "opacity": 0.6},
            hovertemplate="%{text}<br>%{x:.2f}, %{y:.2f}<extra></extra>",
        )
    )
    figure.update_xaxes(title="difference in this study (a)")
    figure.update_yaxes(title="difference in the other (b)")
    return _styled(figure, 420)


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
