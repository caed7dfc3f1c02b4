"""Plots that stand in an asset's metadata, as PNG: how many factors, and what loads on them."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COMPONENTS, MOST_VALUES = 20, 60
"""More would not be read at the size at which Dagster shows a picture."""


def scree(eigenvalues: pd.DataFrame) -> str:
    """Eigenvalues beside those of random data, as Markdown; rows of the table eigenvalues."""
    rows = eigenvalues.sort_values("component").head(MOST_COMPONENTS)
    figure = _figure(6, 3)
    axes = figure.subplots()
    axes.plot(rows["component"], rows["eigenvalue"], marker="o", markersize=4, label="observed")
    random = rows["random_95"].astype(float)
    if random.notna().any():
        axes.plot(rows["component"], random, linestyle="--", label="random data, 95th percentile")
    axes.set(xlabel="component", ylabel="eigenvalue")
    axes.legend(frameon=False)
    return _markdown(figure, "Scree")


def loadings(rows: pd.DataFrame) -> str:
    """Values by factor as Markdown; rows of the table loadings. Values stand by their factor."""
    primary = rows[rows["is_primary"]].assign(size=lambda own: own["loading"].abs())
    order = primary.sort_values(["factor", "size"], ascending=[True, False])["value"]
    factors = sorted(rows["factor"].unique(), key=lambda name: (len(name), name))
    cells = rows.pivot(index="value", columns="factor", values="loading")
    cells = cells.reindex(index=order.head(MOST_VALUES), columns=factors)
    figure = _figure(2 + 0.7 * len(factors), 1 + 0.2 * len(cells))
    axes = figure.subplots()
    shown = axes.imshow(cells.to_numpy(float), cmap="PuOr", vmin=-1, vmax=1, aspect="auto")
    axes.set_xticks(np.arange(len(factors)), factors)
    # what a model wrote is no formula, whatever signs it holds
    axes.set_yticks(np.arange(len(cells)), list(cells.index), parse_math=False)
    figure.colorbar(shown, label="loading")
    return _markdown(figure, "Loadings")


def _figure(width: float, height: float) -> Figure:
    """An empty figure, of no window and no state of pyplot's."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=90, layout="constrained")


def _markdown(figure: Figure, name: str) -> str:
    out = io.BytesIO()
    figure.savefig(out, format="png")
    return f"![{name}](data:image/png;base64,{base64.b64encode(out.getvalue()).decode()})"
