"""What alignment changed on prompts that no policy learnt from: paired, over prompts and seeds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.alignment.degeneration import likeness
from gpla_assets.psychometrics.resampling import drawn_signs, percentile_interval, permutation_p

Floats = NDArray[np.float64]
COLUMNS = [
    "system", "measure", "before", "before_low", "before_high", "after", "after_low", "after_high",
    "change", "low", "high", "p", "n_prompts", "n_seeds",
]  # fmt: skip


def compared(
    responses: pd.DataFrame,
    measures: Sequence[str],
    resamples: int = 2000,
    seed: int = 0,
) -> pd.DataFrame:
    """One row per system and measure: means before and after, change, their 95% intervals, p.

    `responses`: system, seed, stage (before, after), prompt, and a column per measure; samples of
    a prompt are averaged. Intervals draw seeds, and prompts within each, with replacement. p is of
    the mean change over prompts (averaged over seeds) against random signs, two-sided.
    """
    rows = []
    for system, own in responses.groupby("system", sort=False):
        for measure in measures:
            cells = own.pivot_table(
                index=["seed", "prompt"], columns="stage", values=measure, aggfunc="mean"
            )
            pairs = cells.reindex(columns=["before", "after"]).dropna()
            found = _paired(pairs, resamples, np.random.default_rng(seed))
            rows.append({"system": system, "measure": measure, **found})
    return pd.DataFrame(rows, columns=COLUMNS)


def _paired(pairs: pd.DataFrame, resamples: int, rng: np.random.Generator) -> dict[str, object]:
    if pairs.empty:
        return {"n_prompts": 0, "n_seeds": 0}
    changes = pairs["after"] - pairs["before"]
    found: dict[str, object] = {}
    for name, prefix, own in (
        ("before", "before_", pairs["before"]),
        ("after", "after_", pairs["after"]),
        ("change", "", changes),
    ):
        by_seed = [part.to_numpy(float) for _, part in own.groupby(level="seed")]
        drawn = [_resampled(by_seed, rng) for _ in range(resamples)]
        low, high = percentile_interval(drawn) if len(own) > 1 else (np.nan, np.nan)
        found |= {name: float(own.mean()), f"{prefix}low": float(low), f"{prefix}high": float(high)}
    return found | {
        "p": sign_flip_p(changes.groupby(level="prompt").mean().to_numpy(float), resamples, rng),
        "n_prompts": int(pairs.index.get_level_values("prompt").nunique()),
        "n_seeds": int(pairs.index.get_level_values("seed").nunique()),
    }


def _resampled(by_seed: Sequence[Floats], rng: np.random.Generator) -> float:
    seeds = rng.integers(0, len(by_seed), len(by_seed))
    parts = [by_seed[at] for at in seeds]
    return float(np.mean([part[rng.integers(0, len(part), len(part))].mean() for part in parts]))


def sign_flip_p(changes: Floats, draws: int, rng: np.random.Generator) -> float:
    """Two-sided p of mean change 0 where each change could as well have had the other sign.

    (1 + draws as extreme) / (1 + draws); 1 where nothing changed.
    """
    turned = (drawn_signs(len(changes), draws, rng) * changes).mean(1)
    return permutation_p(abs(changes.mean()), np.abs(turned)) or 1.0


def sameness(responses: pd.DataFrame) -> pd.DataFrame:
    """Likeness of the responses to different prompts, by system: before, after and change.

    A policy that gives everybody the same answer rises here. No interval: one number a run.
    """
    rows = []
    for system, own in responses.groupby("system", sort=False):
        first = own.drop_duplicates(["seed", "stage", "prompt"])
        shares = first.groupby(["seed", "stage"])["content"].agg(lambda c: likeness(list(c)))
        means = shares.groupby(level="stage").mean()
        before, after = means.get("before", np.nan), means.get("after", np.nan)
        rows.append(
            {
                "system": system,
                "measure": "likeness of responses",
                "before": before,
                "after": after,
                "change": after - before,
                "n_prompts": own["prompt"].nunique(),
                "n_seeds": own["seed"].nunique(),
            }
        )
    return pd.DataFrame(rows, columns=COLUMNS)
