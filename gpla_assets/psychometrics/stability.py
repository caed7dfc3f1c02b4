"""How far the structure depends on which LLMs were measured: bootstrap and leave-one-out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from gpla_assets.psychometrics.congruence import matched
from gpla_assets.psychometrics.correlation import (
    nearest_psd,
    pairwise_correlation,
    pairwise_covariance,
)
from gpla_assets.psychometrics.extraction import extract
from gpla_assets.psychometrics.reliability import alpha_of
from gpla_assets.psychometrics.resampling import drawn_rows, percentile_interval, units_of
from gpla_assets.psychometrics.retention import (
    PERCENTILE,
    eigenvalues,
    leading_above,
    minimum_average_partial,
    scree_elbow,
)
from gpla_assets.psychometrics.rotation import rotate
from gpla_assets.studies.structure import Rule, StructureSettings

Unit = Literal["llm", "subject"]
FEWEST_LLMS = 5
"""Of fewer a bootstrap has some hundred different draws, and its interval says nothing."""
MOST_COMPONENTS = 30


@dataclass(frozen=True)
class Stability:
    """What resampling says, as tables: of loadings, of factors and of their number."""

    loadings: pd.DataFrame
    factors: pd.DataFrame
    retention: pd.DataFrame
    caution: str | None


@dataclass(frozen=True)
class _Setting:
    """What every resample is compared with."""

    scores: np.ndarray
    own: np.ndarray
    pattern: np.ndarray
    primary: np.ndarray
    keys: np.ndarray
    random_95: np.ndarray
    settings: StructureSettings


@dataclass(frozen=True)
class _Resample:
    loadings: np.ndarray
    congruence: np.ndarray
    alphas: np.ndarray
    suggested: dict[Rule, int]


def bootstrap(
    scores: pd.DataFrame,
    pattern: pd.DataFrame,
    settings: StructureSettings,
    llms: Sequence[str] | None = None,
    seed: int = 0,
) -> Stability:
    """Resample LLMs with all their profiles (or subjects where `llms` is None) and solve again.

    `scores` (n_subjects, n_values) are the usable values', `pattern` (values kept x factors) the
    full solution, `llms` the LLM of each subject. A LLM's profiles are not independent: resampled
    one by one they make the structure look firmer than it is (Efron and Tibshirani, 1993, 8.6).
    Each resample's factors are matched to the full solution by Tucker's congruence; the values
    are those kept in the full solution, their keys and the number of factors stay. Intervals are
    percentiles (95%). Subjects drawn twice raise eigenvalues, of random data too: parallel analysis
    compares with random data that is resampled in the same way. Fewer than five LLMs (or
    subjects) give no rows.
    """
    unit: Unit = "subject" if llms is None else "llm"
    groups = list(np.arange(len(scores))[:, None]) if llms is None else units_of(llms)
    if len(groups) < FEWEST_LLMS:
        few = (
            f"{len(groups)} {unit}s: resampling them needs at least {FEWEST_LLMS}; "
            "no interval is given."
        )
        return Stability(_no_loadings(), _no_factors(), _no_retention(), few)
    random = np.random.default_rng(seed)
    random_95 = _random_95(scores.shape, groups, random, settings.parallel_repeats)
    draws = (drawn_rows(groups, random) for _ in range(settings.resamples))
    setting = _setting(scores, pattern, random_95, settings)
    found = list(_resamples(setting, draws))
    caution = None
    if len(found) < settings.resamples:
        caution = f"{settings.resamples - len(found)} resamples of {unit}s had a constant value."
    if not found:
        return Stability(_no_loadings(), _no_factors(), _no_retention(), caution)
    return Stability(
        _loadings(unit, pattern, setting, found),
        _factors(unit, pattern, setting, found),
        _retention(unit, found),
        caution,
    )


def leave_one_out(
    scores: pd.DataFrame,
    pattern: pd.DataFrame,
    settings: StructureSettings,
    llms: Sequence[str],
) -> pd.DataFrame:
    """Solve again without each LLM: llm, factor, congruence with the full solution.

    The LLM with the smallest congruence moves the structure most.
    """
    setting = _setting(scores, pattern, np.empty(0), settings)
    rows = []
    with threadpool_limits(1):
        for llm, own in zip(sorted(set(llms)), units_of(llms), strict=True):
            at = np.delete(np.arange(len(scores)), own)
            found = _resample(setting, at) if len(at) > 2 else None
            if found is not None:
                for factor, congruence in zip(pattern.columns, found.congruence, strict=True):
                    rows.append((llm, factor, float(congruence)))
    return pd.DataFrame(rows, columns=["llm", "factor", "congruence"])


def _random_95(
    shape: tuple[int, int], groups: list[np.ndarray], random: np.random.Generator, repeats: int
) -> np.ndarray:
    """95th percentile of the eigenvalues of normal data whose rows are drawn like the subjects."""
    with threadpool_limits(1):
        found = []
        for _ in range(repeats):
            noise = random.standard_normal(shape)
            found.append(eigenvalues(pairwise_correlation(noise[drawn_rows(groups, random)])))
    highest: np.ndarray = np.percentile(np.stack(found), PERCENTILE, axis=0)
    return highest


def _setting(
    scores: pd.DataFrame,
    pattern: pd.DataFrame,
    random_95: np.ndarray,
    settings: StructureSettings,
) -> _Setting:
    matrix = pattern.to_numpy()
    primary = np.abs(matrix).argmax(axis=1)
    keys = np.where(matrix[np.arange(len(matrix)), primary] < 0, -1.0, 1.0)
    own = scores.columns.get_indexer(pattern.index)
    return _Setting(scores.to_numpy(float), own, matrix, primary, keys, random_95, settings)


def _resamples(setting: _Setting, draws: Iterator[np.ndarray]) -> Iterator[_Resample]:
    # matrices of 100 rows gain nothing from threads, and lose by waking them
    with threadpool_limits(1):
        for at in draws:
            found = _resample(setting, at)
            if found is not None:
                yield found


def _resample(setting: _Setting, at: np.ndarray) -> _Resample | None:
    scores = setting.scores[at]
    # fmax and fmin pass over NaN, and give NaN for a value that no drawn subject has
    spread = np.fmax.reduce(scores, axis=0) - np.fmin.reduce(scores, axis=0)
    # a value on which the drawn subjects agree has no correlation
    if not (spread > 0).all():
        return None
    if setting.settings.missing != "pairwise":
        scores = np.where(np.isnan(scores), np.nanmean(scores, axis=0), scores)
    # the number of factors is asked of all usable values, loadings of those that were kept
    matrix = pairwise_correlation(scores)
    suggested: dict[Rule, int] = {}
    if len(setting.random_95):
        observed = eigenvalues(matrix)
        suggested = {
            "parallel": leading_above(observed, setting.random_95),
            "kaiser": leading_above(observed, 1.0),
            "scree": scree_elbow(observed),
            "map": minimum_average_partial(nearest_psd(matrix)[0], MOST_COMPONENTS),
        }
    own = nearest_psd(matrix[np.ix_(setting.own, setting.own)])[0]
    number = setting.pattern.shape[1]
    try:
        loadings = extract(own, number, setting.settings.extraction).loadings
    # maximum likelihood of a resample whose matrix is singular
    except ValueError:
        return None
    rotated = rotate(loadings, setting.settings.rotation).pattern
    order, signs, congruence = matched(setting.pattern, rotated)
    return _Resample(rotated[:, order] * signs, congruence, _alphas(setting, scores), suggested)


def _alphas(setting: _Setting, scores: np.ndarray) -> np.ndarray:
    keyed = scores[:, setting.own] * setting.keys
    covariance, _ = pairwise_covariance(keyed)
    found = np.full(setting.pattern.shape[1], np.nan)
    for factor in range(len(found)):
        own = np.flatnonzero(setting.primary == factor)
        block = covariance[np.ix_(own, own)]
        if len(own) > 1 and block.sum() > 0:
            found[factor] = alpha_of(block)
    return found


def _loadings(
    unit: Unit, pattern: pd.DataFrame, setting: _Setting, found: list[_Resample]
) -> pd.DataFrame:
    drawn = np.stack([one.loadings for one in found])
    low, high = percentile_interval(drawn)
    landed = np.abs(drawn).argmax(axis=2)
    n_values, n_found = setting.pattern.shape
    share = np.stack([(landed == factor).mean(axis=0) for factor in range(n_found)], axis=1)
    return pd.DataFrame(
        {
            "resampled": unit,
            "factor": np.tile(np.asarray(pattern.columns, dtype=object), n_values),
            "value": np.repeat(pattern.index.to_numpy(), n_found),
            "loading": setting.pattern.ravel(),
            "ci_low": low.ravel(),
            "ci_high": high.ravel(),
            "primary_share": share.ravel(),
            "is_primary": (np.arange(n_found) == setting.primary[:, None]).ravel(),
        }
    )


def _factors(
    unit: Unit, pattern: pd.DataFrame, setting: _Setting, found: list[_Resample]
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
                "n_values": int((setting.primary == at).sum()),
                "congruence": float(congruence[:, at].mean()),
                "congruence_low": float(around[0]),
                "congruence_high": float(around[1]),
                "alpha_low": low,
                "alpha_high": high,
                "resamples": len(found),
            }
        )
    return pd.DataFrame(rows)


def _retention(unit: Unit, found: list[_Resample]) -> pd.DataFrame:
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
