"""External validity of M_E: its scores of ValueBench's answers beside ValueBench's ratings.

Each answer is scored by the fold that had not seen its value in training, through the same calls
as a study's perceptions. The six LLMs are the same in training and test, and so are raters' habits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.cues import sentiment
from gpla_assets.embedding.packaged import base_model
from gpla_assets.evaluator.cross_weights import SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.scoring import counted, pooled
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.evaluator.weights import SHIPPED, EvaluatorWeights
from gpla_assets.parser.perceptions import perceive
from gpla_assets.parser.protocol import PerceptionParser
from gpla_assets.studies import Evaluator
from gpla_assets.training import accurate, folds
from gpla_assets.training.agreement import COLUMNS, agreement
from gpla_assets.training.examples import NEUTRAL_RATING
from gpla_assets.training.fast import fold_encoder, fold_heads, trained_folds
from gpla_assets.training.fine_tuning import Progress
from gpla_assets.training.material import FOLDS, training_answers, training_statements

WHOLE, PARSED, RELEVANT = (
    "question and answer as one perception",
    "perceptions of M_P, all",
    "perceptions of M_P, relevant ones as in a study",
)
OfFold = Callable[[int], EmbeddedEvaluator]


def external_validity(
    folder: Path, parser: PerceptionParser, seed: int = 0, tell: Progress = lambda line: None
) -> pd.DataFrame:
    """Rows of `external_validity`: M_E in the modes that `folder` has, and what it must beat.

    `folder` is that of `gpla train-evaluator`, with its folds; beside M_E stand sentiment alone and
    random scores. Raises BackendUnavailable without folds, or without ValueBench's answers.
    """
    answers = training_answers()
    if answers.empty:
        raise BackendUnavailable(
            "ValueBench's answers are missing, expected them in GPLA_DATA_DIR to be compared with."
        )
    evaluators = fold_evaluators(folder)
    tested = []
    for fold in trained_folds(folder):
        part = folds.split(training_statements(), answers, fold, FOLDS).test_answers
        tested.append(part.assign(fold=fold))
    rows = pd.concat(tested, ignore_index=True)
    rows["answer"] = [
        text[len(question) :].strip()
        for text, question in zip(rows["text"], rows["question"], strict=True)
    ]
    rows["target"] = rows["stance"] * (rows["rating"] - NEUTRAL_RATING)
    perceptions = _perceptions(rows, parser)
    tell(f"{len(rows)} answers, {len(perceptions)} perceptions of them")
    frames = []
    for mode, of_fold in evaluators.items():
        for reading, scores in _by_m_e(rows, perceptions, of_fold):
            frames.append(_agreed(rows, scores, f"M_E, {mode}", reading, seed))
        tell(f"M_E, {mode}: done")
    values = value_texts(rows["value"], rows["definition"])
    product = sentiment(list(rows["answer"])) * sentiment(values)
    frames.append(_agreed(rows, product, "sentiment of answer x value (VADER)", WHOLE, seed))
    drawn = np.random.default_rng(seed).uniform(-1, 1, len(rows))
    frames.append(_agreed(rows, drawn, "random scores", WHOLE, seed))
    return pd.concat(frames, ignore_index=True)[COLUMNS]


def fold_evaluators(folder: Path) -> dict[str, OfFold]:
    """By mode, what gives each fold's M_E; raises BackendUnavailable where the folder has none."""
    weights, cross = folder / SHIPPED.name, folder / SHIPPED_CROSS.name
    if not weights.is_file():
        raise BackendUnavailable(
            f"{folder} has no {weights.name}, expected the folds that "
            "`gpla train-evaluator` leaves there."
        )
    heads = EvaluatorWeights.load(weights).heads
    found: dict[str, OfFold] = {
        "fast": lambda fold: EmbeddedEvaluator(
            fold_encoder(folder, fold), fold_heads(folder, fold, heads), Evaluator()
        )
    }
    if CrossWeights.are_in(cross):
        shared, base = CrossWeights.load(cross), base_model()
        found["accurate"] = lambda fold: accurate.fold_evaluator(folder, fold, base, shared, heads)
    return found


def _perceptions(rows: pd.DataFrame, parser: PerceptionParser) -> pd.DataFrame:
    """Rows (row, content): perceptions of the answers, each by the place of its answer."""
    parents = pd.DataFrame(
        {
            "parent_id": rows.index.astype(str),
            "content": rows["answer"],
            "subject_id": None,
            "source": "valuebench",
            "question_text": rows["question"],
            "part": None,
        }
    )
    found = perceive(parents, parser)
    return pd.DataFrame({"row": found["parent_id"].astype(int), "content": found["content"]})


def _by_m_e(
    rows: pd.DataFrame, perceptions: pd.DataFrame, of_fold: OfFold
) -> Iterator[tuple[str, np.ndarray]]:
    """A score (n,) of each answer in the three readings; NaN where nothing was scored."""
    whole, every, relevant = (np.full(len(rows), np.nan) for _ in range(3))
    for fold in rows["fold"].unique():
        evaluator = of_fold(fold)
        own = rows[rows["fold"] == fold]
        found = evaluator.score(list(own["text"]), list(own["value"]), list(own["definition"]))
        whole[own.index] = found["score"]
        parts = perceptions[perceptions["row"].isin(own.index)]
        asked = rows.loc[parts["row"]]
        found = evaluator.score(
            list(parts["content"]), list(asked["value"]), list(asked["definition"])
        ).assign(answer=parts["row"].to_numpy())
        means = pooled(found, ["answer"])
        every[means.index] = means
        means = pooled(counted(found, evaluator.minimum_relevance), ["answer"])
        relevant[means.index] = means
    yield from ((WHOLE, whole), (PARSED, every), (RELEVANT, relevant))


def _agreed(
    rows: pd.DataFrame, scores: np.ndarray, evaluator: str, reading: str, seed: int
) -> pd.DataFrame:
    found = agreement(rows.assign(score=np.asarray(scores, float)), seed)
    return found.assign(evaluator=evaluator, reading=reading)
