"""How far the structure depends on which LLMs were measured: bootstrap and leave-one-out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gpla_assets.psychometrics.pairwise import Pairwise
from gpla_assets.psychometrics.resampled import Resample, Resampler
from gpla_assets.psychometrics.resampling import (
    drawn_weights,
    groups_of,
    percentile_interval,
    units_of,
)
from gpla_assets.psychometrics.retention import PERCENTILE, eigenvalues
from gpla_assets.studies.structure import StructureSettings

Unit = Literal["llm", "subject"]
Progress = Callable[[int, int], None]
"""Told how many resamples of how many are done."""
FEWEST_LLMS = 5
"""Of fewer a bootstrap has some hundred different draws, and its interval says nothing."""


@dataclass(frozen=True)
class Stability:
    """What resampling says, as tables: of loadings, of factors and of their number.

    `stopped` where an interrupt ended it early.
    """

    loadings: pd.DataFrame
    factors: pd.DataFrame
    retention: pd.DataFrame
    caution: str | None
    stopped: bool = False


def bootstrap(
    scores: pd.DataFrame,
    pattern: pd.DataFrame,
    settings: StructureSettings,
    llms: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Stability:
    """Resample LLMs with all their profiles (or subjects where `llms` is None) and solve again.

    `scores` (n_subjects, n_values) are the usable values', `pattern` (values kept x factors) the
    full solution, `llms` the LLM of each subject. A LLM's profiles are not independent: resampled
    one by one they make the structure look firmer than it is (Efron and Tibshirani, 1993, 8.6).
    Each resample's factors are matched to the full solution by Tucker's congruence; the values
    are those kept in the full solution, their keys and the number of factors stay. Intervals are
    percentiles (95%). Subjects drawn twice raise eigenvalues, of random data too: parallel analysis
    compares with random data that is resampled in the same way. Fewer than five LLMs (or
    subjects) give no rows. Where `progress` is given, a keyboard interrupt ends the resampling
    with what was done.
    """
    unit: Unit = "subject" if llms is None else "llm"
    group = groups_of(len(scores), llms)
    n_groups = int(group.max(initial=-1)) + 1
    if n_groups < FEWEST_LLMS:
        few = (
            f"{n_groups} {unit}s: resampling them needs at least {FEWEST_LLMS}; "
            "no interval is given."
        )
        return Stability(_no_loadings(), _no_factors(), _no_retention(), few)
    random = np.random.default_rng(seed)
    resampler = Resampler(scores, pattern, settings)
    cautions: list[str] = []
    found: list[Resample] = []
    done = 0
    # matrices of 100 rows gain nothing from threads, and lose by waking them
    with threadpool_limits(1):
        try:
            random_95 = _random_95(scores.shape, group, random, settings.parallel_repeats)
            draws = (drawn_weights(group, random) for _ in range(settings.resamples))
            for one in resampler.solved(draws, random_95):
                done += 1
                found += [one] if one is not None else []
                if progress is not None:
                    progress(done, settings.resamples)
        except KeyboardInterrupt:
            if progress is None:
                raise
            cautions.append(f"Stopped after {done} of {settings.resamples} resamples of {unit}s.")
    if len(found) < done:
        cautions.append(f"{done - len(found)} resamples of {unit}s had a constant value.")
    caution, stopped = " ".join(cautions) or None, done < settings.resamples
    if not found:
        return Stability(_no_loadings(), _no_factors(), _no_retention(), caution, stopped)
    return Stability(
        _loadings(unit, pattern, resampler, found),
        _factors(unit, pattern, resampler, found),
        _retention(unit, found),
        caution,
        stopped,
    )


def leave_one_out(
    scores: pd.DataFrame,
    pattern: pd.DataFrame,
    settings: StructureSettings,
    llms: Sequence[str],
) -> pd.DataFrame:
    """Solve again without each LLM: llm, factor, congruence with the full solution.

    The LLM with the smallest congruence moves the structure most. No `llms`, no rows.
    """
    if not llms:
        return pd.DataFrame(columns=["llm", "factor", "congruence"])
    names, units, n = sorted(set(llms)), units_of(llms), len(scores)
    kept = [(name, own) for name, own in zip(names, units, strict=True) if n - len(own) > 2]
    weights = [np.bincount(own, minlength=n) == 0 for _, own in kept]
    with threadpool_limits(1):
        found = list(Resampler(scores, pattern, settings).solved(w.astype(float) for w in weights))
    return pd.DataFrame(
        [
            (name, factor, float(congruence))
            for (name, _), one in zip(kept, found, strict=True)
            if one is not None
            for factor, congruence in zip(pattern.columns, one.congruence, strict=True)
        ],
        columns=["llm", "factor", "congruence"],
    )


def _random_95(
    shape: tuple[int, int], group: np.ndarray, random: np.random.Generator, repeats: int
) -> np.ndarray:
    """95th percentile of the eigenvalues of normal data whose rows are drawn like the subjects."""
    found = []
    for _ in range(repeats):
        noise = Pairwise(random.standard_normal(shape))
        found.append(eigenvalues(noise.moments(drawn_weights(group, random)).correlation))
    highest: np.ndarray = np.percentile(np.stack(found), PERCENTILE, axis=0)
    return highest


def _loadings(
    unit: Unit, pattern: pd.DataFrame, resampler: Resampler, found: list[Resample]
) -> pd.DataFrame:
    drawn = np.stack([one.loadings for one in found])
    low, high = percentile_interval(drawn)
    landed = np.abs(drawn).argmax(axis=2)
    n_values, n_found = resampler.pattern.shape
    share = np.stack([(landed == factor).mean(axis=0) for factor in range(n_found)], axis=1)
    return pd.DataFrame(
        {
            "resampled": unit,
            "factor": np.tile(np.asarray(pattern.columns, dtype=object), n_values),
            "value": np.repeat(pattern.index.to_numpy(), n_found),
            "loading": resampler.pattern.ravel(),
            "ci_low": low.ravel(),
            "ci_high": high.ravel(),
            "primary_share": share.ravel(),
            "is_primary": (np.arange(n_found) == resampler.primary[:, None]).ravel(),
        }
    )


def _factors(
    unit: Unit, pattern: pd.DataFrame, resampler: Resampler, found: list[Resample]
) -> pd.DataFrame:
    congruence = np.stack([one.congruence for one in found])
    alphas = np.stack([one.alphas for one in found])
    rows = []
    for at, factor in enumerate(pattern.columns):
        known = alphas[:, at][~np.isnan(alphas[:, at])]
        low, high = percentile_interval(known) if len(known) else (None, None)
        around = percentile_interval(congruence[:, at])
        rows.append(
            {
                "resampled": unit,
                "factor": factor,
                "n_values": int((resampler.primary == at).sum()),
                "congruence": float(congruence[:, at].mean()),
                "congruence_low": float(around[0]),
                "congruence_high": float(around[1]),
                "alpha_low": low,
                "alpha_high": high,
                "resamples": len(found),
            }
        )
    return pd.DataFrame(rows)


def _retention(unit: Unit, found: list[Resample]) -> pd.DataFrame:
    rows = [(rule, number) for one in found for rule, number in one.suggested.items()]
    counts = pd.DataFrame(rows, columns=["rule", "n_factors"]).value_counts().reset_index()
    counts["share"] = counts.pop("count") / len(found)
    counts.insert(0, "resampled", unit)
    return counts.sort_values(["rule", "n_factors"], ignore_index=True)


def _no_loadings() -> pd.DataFrame:
    names = "resampled factor value loading ci_low ci_high primary_share is_primary"
    return pd.DataFrame(columns=names.split())


def _no_factors() -> pd.DataFrame:
    names = "resampled factor n_values congruence congruence_low congruence_high alpha_low"
    return pd.DataFrame(columns=[*names.split(), "alpha_high", "resamples"])


def _no_retention() -> pd.DataFrame:
    return pd.DataFrame(columns=["resampled", "rule", "n_factors", "share"])
