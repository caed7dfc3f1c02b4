"""The rows of `agent_quality` that scores on held-out values give."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from gpla_assets.content import STANCES
from gpla_assets.evaluator.heads import Floats
from gpla_assets.evaluator.reliance import ALL_SOURCES, CONFIDENT_FROM, RIGHT
from gpla_assets.evaluator.scoring import is_relevant, lean
from gpla_assets.studies import Evaluator
from gpla_assets.training.sign_quality import (
    accuracy_by_coverage,
    calibration,
    rated_sign_quality,
    sign_quality,
    sure_from,
    within_value_correlation,
)

Row = tuple[str, str, float, int]
COVERAGES = (0.8, 0.6)
FALSE = 0.03
"""Share of strange pairs that may pass."""
CUT = Evaluator().minimum_relevance
RECALL = f"recall of relevance above {CUT}"
FALSE_POSITIVES = f"false positives of relevance above {CUT}"


def statement_rows(
    statements: pd.DataFrame, valence: Floats, own: Floats, unrelated: Floats
) -> Iterator[Row]:
    """(data, measure, number, n) of statements, for each of their sources.

    `valence` (n, 3) of the statements; relevance (n,) of their own values and of unrelated ones.
    """
    yield from sign_rows(statements, valence)
    for source, rows in statements.reset_index(drop=True).groupby("source", sort=True):
        at = rows.index.to_numpy()
        yield from _relevance(str(source), own[at], unrelated[at])


def sign_rows(statements: pd.DataFrame, valence: Floats) -> Iterator[Row]:
    """(data, measure, number, n) of the valence (n, 3) of statements, for each of their sources.

    And of all of them, each source with the same weight, from which size of a score on its sign is
    right often enough to be called confident.
    """
    yield from _confidence(statements.reset_index(drop=True), lean(valence))
    for source, rows in statements.reset_index(drop=True).groupby("source", sort=True):
        found = valence[rows.index.to_numpy()]
        rows = rows.reset_index(drop=True)
        scores = lean(found)
        sided = (rows["either"] < 1).to_numpy()
        supports = (rows["support"] > rows["oppose"]).to_numpy()
        yield from _signs(str(source), supports[sided], scores[sided])
        both = sided & _keyed_both_ways(rows).to_numpy()
        if both.any() and not both.all():
            data = f"{source}, inventories keyed both ways"
            yield from _signs(data, supports[both], scores[both])
        if not sided.all():
            truth = rows[list(STANCES)].to_numpy().argmax(1)
            right = float((found.argmax(1) == truth).mean())
            yield str(source), "accuracy of three stances", right, len(rows)
        of_sided = found[sided, 0] / np.maximum(found[sided, 0] + found[sided, 1], 1e-9)
        curve = calibration(supports[sided], of_sided)
        yield str(source), "ECE of support against oppose", curve.ece, int(sided.sum())
        yield str(source), "Brier of support against oppose", curve.brier, int(sided.sum())
        coverage = accuracy_by_coverage(supports[sided], scores[sided]).set_index("coverage")
        for share in COVERAGES:
            number = float(coverage.loc[share, "accuracy"])
            yield str(source), f"accuracy of sign, surest {share:.0%}", number, int(sided.sum())


def answer_rows(answers: pd.DataFrame, valence: Floats, data: str) -> Iterator[Row]:
    """(data, measure, number, n) of answers with their stances in `said_*`; `valence` (n, 3)."""
    scores = lean(valence)
    quality = rated_sign_quality(answers, scores)
    yield data, "accuracy of sign", quality.accuracy, quality.n
    yield data, "balanced accuracy of sign", quality.balanced_accuracy, quality.n
    yield data, "AUC of sign", quality.auc, quality.n
    r = within_value_correlation(answers, scores)
    yield data, "r with ratings across LLMs within value", r, len(answers)
    known = answers["stance"] * (answers["said_asserts"] - answers["said_denies"])
    best = rated_sign_quality(answers, known.to_numpy())
    yield data, "AUC of sign, item's key given", best.auc, best.n
    r = within_value_correlation(answers, known.to_numpy())
    yield data, "r across LLMs within value, item's key given", r, len(answers)


def pair_rows(
    data: str, relation: Sequence[str], relevance: Floats, scores: Floats
) -> Iterator[Row]:
    """(data, measure, number, n) of labelled pairs; `relation` (n,): s, o, e or - (irrelevant)."""
    codes = np.array(relation)
    relevant, above = codes != "-", is_relevant(relevance, CUT)
    auc = sign_quality(relevant, relevance - CUT).auc
    yield data, "AUC of relevance", auc, len(codes)
    n = int(relevant.sum())
    yield data, RECALL, float(above[relevant].mean()), n
    false = float(above[~relevant].mean())
    yield data, FALSE_POSITIVES, false, len(codes) - n
    sided = np.isin(codes, ["s", "o"])
    if len(set(codes[sided])) == 2:
        yield from _signs(data, codes[sided] == "s", scores[sided])


def about_rows(data: str, own: Floats, strange: Floats) -> Iterator[Row]:
    """How far the cross-encoder tells texts beside their own value (n,) from strange ones (m,).

    Nothing where there is none of either.
    """
    if len(own) and len(strange):
        labels = np.repeat([True, False], [len(own), len(strange)])
        auc = sign_quality(labels, np.concatenate([own, strange]) - CUT).auc
        yield data, "AUC of being about the value", auc, len(own)
        cut = np.quantile(strange, 1 - FALSE)
        yield data, f"recall at {FALSE:.0%} false of being about it", (own > cut).mean(), len(own)


def _keyed_both_ways(rows: pd.DataFrame) -> pd.Series:
    """Whether a statement's inventory has statements for a value and statements against one."""
    by_inventory = rows.groupby("inventory")
    mixed = (by_inventory["support"].transform("max") > 0) & (
        by_inventory["oppose"].transform("max") > 0
    )
    return mixed & (rows["inventory"] != "")


def _signs(data: str, supports: np.ndarray, scores: np.ndarray) -> Iterator[Row]:
    quality = sign_quality(supports, scores)
    yield data, "accuracy of sign", quality.accuracy, quality.n
    yield data, "balanced accuracy of sign", quality.balanced_accuracy, quality.n
    yield data, "AUC of sign", quality.auc, quality.n


def _confidence(rows: pd.DataFrame, scores: np.ndarray) -> Iterator[Row]:
    sided = (rows["either"] < 1).to_numpy()
    own = rows[sided]
    weights = (1 / own.groupby("source")["source"].transform("size")).to_numpy(float)
    supports = (own["support"] > own["oppose"]).to_numpy()
    size = sure_from(supports, scores[sided], RIGHT, weights)
    yield ALL_SOURCES, CONFIDENT_FROM, size, len(own)


def _relevance(data: str, own: Floats, unrelated: Floats) -> Iterator[Row]:
    labels = np.repeat([True, False], len(own))
    auc = sign_quality(labels, np.concatenate([own, unrelated]) - CUT).auc
    recall, false_positives = (float(is_relevant(x, CUT).mean()) for x in (own, unrelated))
    yield data, "AUC of relevance", auc, len(own)
    yield data, RECALL, recall, len(own)
    yield data, FALSE_POSITIVES, false_positives, len(own)
