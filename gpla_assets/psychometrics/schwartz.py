"""Subjects on Schwartz's values, and how our factors relate to them (the paper's Table 12)."""

from __future__ import annotations

import pandas as pd

from gpla_assets.psychometrics.naming import Encode
from gpla_assets.psychometrics.relations import nearest_values, relations

LEVELS = ("lower", "higher")
SCORE_COLUMNS = ["reading", "level", "subject_id", "schwartz", "score", "n"]


def mapping_rows(values: list[str], schwartz: pd.DataFrame, encode: Encode) -> pd.DataFrame:
    """Each value's most similar Schwartz value on both levels, with the runner-up.

    `schwartz` has columns level, value, definition; the names alone are compared, as values have
    only names. `encode` gives unit vectors.
    """
    vectors = encode(values)
    frames = []
    for level in LEVELS:
        names = list(schwartz.loc[schwartz["level"] == level, "value"])
        found = nearest_values(values, vectors, names, encode(names)).assign(level=level)
        frames.append(found.rename(columns={"other": "schwartz"}))
    return pd.concat(frames, ignore_index=True)


def schwartz_scores(
    direct: pd.DataFrame, scores: pd.DataFrame, mapping: pd.DataFrame, schwartz: pd.DataFrame
) -> pd.DataFrame:
    """Subjects on Schwartz's values: `direct` as M_E measured them, `mapped` as means of values.

    `direct` (subject, value, score, n); `scores` (subject, value, score) on the lexicon's values;
    `mapping` (level, value, schwartz). Values of the lexicon weigh the same within a mean.
    """
    levels = schwartz.set_index("value")["level"]
    measured = direct.rename(columns={"value": "schwartz"}).assign(reading="direct")
    measured["level"] = measured["schwartz"].map(levels)
    joined = scores.merge(mapping[["level", "value", "schwartz"]], on="value")
    means = joined.groupby(["level", "subject_id", "schwartz"])["score"].agg(["mean", "count"])
    mapped = means.rename(columns={"mean": "score", "count": "n"}).reset_index()
    frames = (measured[SCORE_COLUMNS], mapped.assign(reading="mapped")[SCORE_COLUMNS])
    return pd.concat([frame for frame in frames if len(frame)] or list(frames), ignore_index=True)


def relation_rows(
    factor_scores: pd.DataFrame, scores: pd.DataFrame, llms: pd.Series, seed: int = 0
) -> pd.DataFrame:
    """Correlations of factor scores with Schwartz scores, for each reading and level.

    `factor_scores` (subject, factor, score), `scores` as `schwartz_scores` makes them, `llms` the
    LLM by subject. Holm's correction is over the values of one reading and level.
    """
    factors = factor_scores.pivot(index="subject_id", columns="factor", values="score")
    frames = []
    for (reading, level), own in scores.groupby(["reading", "level"]):
        wide = own.pivot(index="subject_id", columns="schwartz", values="score")
        found = relations(factors, wide.reindex(factors.index), list(llms[factors.index]), seed)
        found = found.rename(columns={"other": "schwartz"})
        frames.append(found.assign(reading=reading, level=level))
    return pd.concat(frames, ignore_index=True)


def with_paper(rows: pd.DataFrame, matches: pd.DataFrame, paper: pd.DataFrame) -> pd.DataFrame:
    """Relations beside the paper's r of the factor that ours is matched with.

    `matches` (factor, paper_factor); `paper` (schwartz_value, paper_factor, paper_r).
    """
    known = paper.rename(columns={"schwartz_value": "schwartz"})
    joined = rows.merge(matches[["factor", "paper_factor"]], on="factor", how="left")
    return joined.merge(known, on=["paper_factor", "schwartz"], how="left")
