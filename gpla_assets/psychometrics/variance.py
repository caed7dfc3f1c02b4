"""Variance of scores between LLMs, between profiles, and the rest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.structure import ValueSystem

COLUMNS = ["llms", "profiles", "cells", "between_llms", "between_profiles", "residual", "caution"]


def variance_components(scores: pd.DataFrame) -> dict[str, object]:
    """Components of a crossed LLM x profile table by Henderson's (1953) method III.

    `scores` with columns llm, profile, score, at most one row a cell; missing scores are left
    out, so the table need not be balanced (balanced, it is the two-way analysis of variance).
    Components are in squared units of the score; a negative estimate is set to 0 and said. With
    one profile, or one LLM, its component and the residual cannot be told apart: null, and said.
    """
    rows = scores.dropna(subset=["score"])
    llms, profiles = rows["llm"].nunique(), rows["profile"].nunique()
    sizes = (llms, profiles, len(rows))
    if llms < 2 or profiles < 2 or len(rows) <= llms + profiles - 1:
        caution = (
            f"{llms} LLMs x {profiles} profiles in {len(rows)} cells: components need at least "
            "two of each and more cells than both together."
        )
        return dict(zip(COLUMNS, (*sizes, None, None, None, caution), strict=True))
    between_llms, between_profiles, residual = crossed_components(
        rows["score"].to_numpy(float), rows["llm"], rows["profile"]
    )
    negative = [
        name
        for name, found in (("LLMs", between_llms), ("profiles", between_profiles))
        if found < 0
    ]
    said = f"Negative estimate between {' and '.join(negative)} set to 0." if negative else None
    found = (max(between_llms, 0.0), max(between_profiles, 0.0), max(residual, 0.0))
    return dict(zip(COLUMNS, (*sizes, *found, said), strict=True))


def system_variances(system: ValueSystem, subjects: pd.DataFrame) -> pd.DataFrame:
    """Components of each usable value and of each factor's keyed mean.

    `subjects` is indexed by subject and has columns llm, profile. One row per kind and name.
    """
    factors = system.scores.pivot(index="subject_id", columns="factor", values="keyed_mean")
    rows = [
        {"kind": kind, "name": name}
        | variance_components(subjects.join(table[name].rename("score"), how="inner"))
        for kind, table in (("value", system.usable), ("factor", factors))
        for name in table.columns
    ]
    return pd.DataFrame(rows, columns=["kind", "name", *COLUMNS])


def crossed_components(
    y: np.ndarray, first: pd.Series, second: pd.Series
) -> tuple[float, float, float]:
    """Components of scores (n,) crossed by two factors (n,), at most one a cell, and the residual.

    Henderson's (1953) method III; the table need not be balanced. Estimates may be negative. It
    needs two levels of each factor, and more scores than levels of both together less one.
    """
    a, b = (pd.factorize(codes)[0] for codes in (first, second))
    levels_a, levels_b, n = int(a.max()) + 1, int(b.max()) + 1, len(y)
    # the grand mean is in all designs already; without it sums of squares lose fewer digits
    y = y - y.mean()
    of_a, of_b = _between(y, a, levels_a), _between(y, b, levels_b)
    # what b explains beside a, from its sums less what a's means make of them
    cells = np.zeros((levels_a, levels_b))
    np.add.at(cells, (a, b), 1.0)
    per_a = cells / cells.sum(axis=1)[:, None]
    left = np.diag(cells.sum(axis=0)) - cells.T @ per_a
    sums = np.bincount(b, y, levels_b) - per_a.T @ np.bincount(a, y, levels_a)
    solved, _, rank, _ = np.linalg.lstsq(left, sums, rcond=1e-10)
    both, rank = of_a + float(sums @ solved), levels_a + int(rank)
    residual = (float(y @ y) - both) / (n - rank)
    # what a adds to b has expectation (n - levels of b) component + (rank - levels of b) error
    between_a = (both - of_b - (rank - levels_b) * residual) / (n - levels_b)
    between_b = (both - of_a - (rank - levels_a) * residual) / (n - levels_a)
    return between_a, between_b, residual


def _between(y: np.ndarray, codes: np.ndarray, levels: int) -> float:
    """Sum of squares that the levels' means explain."""
    sums, sizes = np.bincount(codes, y, levels), np.bincount(codes, minlength=levels)
    return float((sums**2 / sizes).sum())
