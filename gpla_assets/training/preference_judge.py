"""Training of the preference model, and how often it is right on prompts it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from gpla_assets.judges.preference_model import PreferenceWeights
from gpla_assets.judges.protocol import Floats
from gpla_assets.psychometrics.resampling import RESAMPLES, drawn_units, percentile_interval

FOLDS = 5
LIKE_LENGTH = 1.15
"""Two responses are of like length where the longer has at most so many times the words."""
STRENGTH = 6e-4


@dataclass(frozen=True)
class PairFeatures:
    """Pairs as features: `winning`, `losing` (n, f); prompts, LLMs and words of both (n,)."""

    winning: Floats
    losing: Floats
    prompts: pd.Series
    llms: pd.DataFrame
    words: pd.DataFrame


def fit(winning: Floats, losing: Floats, strength: float = STRENGTH) -> PreferenceWeights:
    """Bradley-Terry weights with an L2 penalty; every other pair is seen from the losing side."""
    every = np.vstack([winning, losing])
    mean, scale = every.mean(0), every.std(0)
    scale = np.where(scale > 1e-9, scale, 1.0)
    x = (winning - losing) / scale
    # without an intercept both sides of a pair say the same; the fit only wants two classes
    label = np.arange(len(x)) % 2 == 0
    turned = np.where(label[:, None], x, -x)
    found = LogisticRegression(C=strength, fit_intercept=False, max_iter=200).fit(turned, label)
    return PreferenceWeights(mean, scale, found.coef_[0])


def held_out(pairs: PairFeatures, seed: int = 0) -> pd.DataFrame:
    """One row a test and predictor: accuracy with its interval over prompts, AUC, n.

    Tests: prompts held out; pairs of like length among these; prompts held out with a fifth of
    the LLMs (pairs in which either LLM was not seen). Predictors: the model, and length alone.
    """
    n = len(pairs.prompts)
    margin, unseen = np.full(n, np.nan), np.full(n, np.nan)
    names = sorted({*pairs.llms["winning"], *pairs.llms["losing"]})
    order = np.random.default_rng(seed).permutation(len(names))
    fold_of = {names[at]: place % FOLDS for place, at in enumerate(order)}
    llm_fold = pairs.llms.apply(lambda column: column.map(fold_of)).to_numpy()
    for fold, (train, test) in enumerate(
        GroupKFold(FOLDS).split(pairs.winning, None, pairs.prompts)
    ):
        margin[test] = _margin(pairs, train, test)
        known = train[(llm_fold[train] != fold).all(1)]
        new = test[(llm_fold[test] == fold).any(1)]
        unseen[new] = _margin(pairs, known, new)
    words = np.log(pairs.words["winning"] / pairs.words["losing"]).to_numpy(float)
    like = np.abs(words) <= np.log(LIKE_LENGTH)
    every = np.ones(n, bool)
    rows = [
        _row("prompts held out", "preference model", margin, every, pairs.prompts, seed),
        _row("prompts held out", "length alone", words, every, pairs.prompts, seed),
        _row("like length", "preference model", margin, like, pairs.prompts, seed),
        _row("like length", "length alone", words, like, pairs.prompts, seed),
        _row("LLM not seen", "preference model", unseen, ~np.isnan(unseen), pairs.prompts, seed),
        _row("LLM not seen", "length alone", words, ~np.isnan(unseen), pairs.prompts, seed),
    ]
    return pd.DataFrame(rows)


def _margin(pairs: PairFeatures, train: Floats, test: Floats) -> Floats:
    found = fit(pairs.winning[train], pairs.losing[train])
    return found.score(pairs.winning[test]) - found.score(pairs.losing[test])


def _row(
    test: str, predictor: str, margin: Floats, chosen: Floats, prompts: pd.Series, seed: int
) -> dict[str, object]:
    own = margin[chosen]
    right = np.where(own == 0, 0.5, own > 0)
    groups = pd.Series(right).groupby(prompts.to_numpy()[chosen])
    sums, counts = groups.sum().to_numpy(float), groups.size().to_numpy(float)
    drawn = drawn_units(len(sums), RESAMPLES, np.random.default_rng(seed))
    low, high = percentile_interval(sums[drawn].sum(1) / counts[drawn].sum(1))
    # which response of a pair comes first is arbitrary: the AUC is over both orders
    label = np.repeat([1, 0], len(own))
    return {
        "test": test,
        "predictor": predictor,
        "accuracy": float(right.mean()),
        "low": float(low),
        "high": float(high),
        "auc": float(roc_auc_score(label, np.concatenate([own, -own]))),
        "n_pairs": len(own),
        "n_prompts": len(sums),
    }
