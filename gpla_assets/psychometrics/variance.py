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
    between_llms, between_profiles, residual = _henderson(rows, llms, profiles)
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


def _henderson(rows: pd.DataFrame, llms: int, profiles: int) -> tuple[float, float, float]:
    y = rows["score"].to_numpy(float)
    # the grand mean is in both designs already; without it sums of squares lose fewer digits
    y, n = y - y.mean(), len(y)
    of_llm = np.eye(llms)[pd.factorize(rows["llm"])[0]]
    of_profile = np.eye(profiles)[pd.factorize(rows["profile"])[0]]
    unexplained, rank = _residuals(np.hstack([of_llm, of_profile]), y)
    residual = unexplained / (n - rank)
    # what LLMs add to profiles has expectation (n - profiles) component + (rank - profiles) error
    added_by_llms = _residuals(of_profile, y)[0] - unexplained
    added_by_profiles = _residuals(of_llm, y)[0] - unexplained
    between_llms = (added_by_llms - (rank - profiles) * residual) / (n - profiles)
    between_profiles = (added_by_profiles - (rank - llms) * residual) / (n - llms)
    return between_llms, between_profiles, residual


def _residuals(design: np.ndarray, y: np.ndarray) -> tuple[float, int]:
    """Sum of squares that a least-squares fit leaves, and the rank of its design."""
    fitted, _, rank, _ = np.linalg.lstsq(design, y, rcond=None)
    return float(((y - design @ fitted) ** 2).sum()), int(rank)
