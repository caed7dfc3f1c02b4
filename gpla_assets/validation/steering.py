"""Known groups: is the value that a profile asks for higher under that profile?

A profile's prompt says which value its answers should express, so that the right answer is known
(construct validation by known groups: Cronbach and Meehl, 1955). What a classifier of the bare
texts reaches tells how much of it is in the texts at all.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline

from gpla_assets.psychometrics.resampling import RESAMPLES, drawn_counts, percentile_interval

Floats = NDArray[np.float64]

NO_GROUP = ""
"""Of a profile that asks for no value."""
FOLDS = 5
SHARES = ["llm", "profile", "value", "share", "others"]


def win_shares(scores: pd.DataFrame, subjects: pd.DataFrame, asks: pd.DataFrame) -> pd.DataFrame:
    """How often the value asked for is higher under its profile than under another of the LLM.

    `scores`: (n_subjects, n_values) by subject, NaN where there is none; `subjects`: subject_id,
    llm, profile; `asks`: profile, value, each pair once. Rows llm, profile, value, `share` of the
    `others`, the LLM's profiles with a score that do not ask for the value themselves; a tie is
    half a win. A profile without a score has no row, nor a value that was not measured.
    """
    rows = []
    for llm, own in subjects.groupby("llm", sort=True):
        table = scores.reindex(own["subject_id"]).set_axis(list(own["profile"]))
        for profile, value in asks[["profile", "value"]].itertuples(index=False):
            if profile not in table.index or value not in table.columns:
                continue
            same = set(asks.loc[asks["value"] == value, "profile"])
            others = table.loc[~table.index.isin(same), value].dropna().to_numpy(float)
            found = float(table.at[profile, value])
            if len(others) and not np.isnan(found):
                wins = (found > others).mean() + (found == others).mean() / 2
                rows.append((llm, profile, value, float(wins), len(others)))
    return pd.DataFrame(rows, columns=SHARES)


def share_of_pairs(shares: pd.DataFrame, seed: int = 0) -> tuple[float, float, float]:
    """Mean share of `win_shares`, and its 95% interval over LLMs and profiles drawn anew.

    Whole LLMs and whole profiles are drawn; with one LLM the profiles alone.
    """
    random = np.random.default_rng(seed)
    llm, llms = pd.factorize(shares["llm"])
    profile, profiles = pd.factorize(shares["profile"])
    weights: Floats = drawn_counts(len(profiles), RESAMPLES, random)[:, profile].astype(float)
    if len(llms) > 1:
        weights = weights * drawn_counts(len(llms), RESAMPLES, random)[:, llm]
    share, total = shares["share"].to_numpy(float), weights.sum(axis=1)
    drawn = np.where(total > 0, weights @ share / np.maximum(total, 1), np.nan)
    low, high = percentile_interval(drawn)
    return float(share.mean()), float(low), float(high)


def classified(responses: pd.DataFrame, asks: pd.DataFrame) -> pd.DataFrame:
    """What a classifier of the texts makes of subjects: scores (n_subjects, n_groups).

    `responses`: subject_id, question_id, profile, content; a profile's group is the value that it
    asks for. TF-IDF of words and logistic regression tell groups apart, each question's responses
    by a classifier that has not seen the question; a score is the mean log odds of the group over
    the subject's responses. Empty with fewer than two groups or questions.
    """
    group = responses["profile"].map(asks.set_index("profile")["value"]).fillna(NO_GROUP)
    questions = responses["question_id"].nunique()
    names = sorted(set(group))
    if len(names) < 2 or questions < 2:
        return pd.DataFrame()
    odds = np.full((len(responses), len(names)), np.nan)
    folds = GroupKFold(min(FOLDS, questions))
    for seen, unseen in folds.split(odds, groups=responses["question_id"]):
        model = make_pipeline(
            TfidfVectorizer(sublinear_tf=True, min_df=2),
            LogisticRegression(C=10, max_iter=1000, class_weight="balanced"),
        )
        model.fit(responses["content"].iloc[seen], group.iloc[seen])
        said = np.clip(model.predict_proba(responses["content"].iloc[unseen]), 1e-9, 1 - 1e-9)
        places = [names.index(name) for name in model.classes_]
        odds[np.ix_(unseen, places)] = np.log(said) - np.log1p(-said)
    by_subject = pd.DataFrame(odds, columns=names).groupby(responses["subject_id"].to_numpy())
    return by_subject.mean().drop(columns=NO_GROUP, errors="ignore")
