"""Training of the cross-encoder of mode accurate, and its scores on values held out.

Folds are those of the bi-encoder (`evaluator.folds`), so that both are measured on the same rows. A
fold's weights and scores are kept in the folder: a run that was stopped goes on with what misses.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.content import STANCES
from gpla_assets.embedding.encoder_model import load_encoder
from gpla_assets.evaluator.cross_encoder import CrossEncoder
from gpla_assets.evaluator.cross_weights import CROSS_VERSION, SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.heads import Floats, Heads, answered
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.studies import Evaluator
from gpla_assets.training import folds, quality_measures
from gpla_assets.training.cross_fine_tuning import CrossRecipe, fine_tune_cross
from gpla_assets.training.cross_material import cross_material, material_folds
from gpla_assets.training.examples import ATTITUDES
from gpla_assets.training.fast import fold_encoder, fold_heads, quality_rows, trained_folds
from gpla_assets.training.material import (
    EVERYTHING,
    FOLDS,
    apart,
    known_folds,
    training_answers,
)

LOGITS = [*folds.LOGITS, "unrelated_logit"]
STRANGE = {
    "persona": "persona, unrelated",
    "LLM prose": "LLM prose, unrelated",
    "LLM prose, opposing": "LLM prose, unrelated",
}
"""Of a source's statements, the rows that are about none of their values; others have one set."""
OTHERS_STRANGE = "statements, unrelated"


def train_cross_encoder(
    folder: Path,
    base: str,
    recipe: CrossRecipe = CrossRecipe(),
    seed: int = 0,
    tell: Callable[[str], None] = print,
    folds_to_run: int = FOLDS,
    everything: bool = True,
) -> CrossWeights:
    """Train on folds and on everything; the weights are calibrated on the held-out scores.

    Without `everything` the weights are the first fold's, which has seen none of the values that
    it is measured on. Leaves in `folder` cross_<fold> (a folder) and cross_scores_<fold>.parquet
    of each fold, and cross_adapter.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rows = cross_material()
    fold_of = material_folds(rows)
    for fold in (*range(folds_to_run), *([EVERYTHING] if everything else [])):
        path = _weights(folder, fold)
        if not CrossWeights.are_in(path):
            part = apart(rows, fold_of, fold)
            tell(f"fold {fold}: {len(part)} rows")
            say = partial(_tell, tell, fold)
            weights = fine_tune_cross(lambda: load_encoder(base), part, recipe, seed, say)
            weights.save(path)
        if fold != EVERYTHING and not _scores(folder, fold).is_file():
            tested = test_rows(rows[(fold_of == fold).to_numpy()])
            judge = CrossEncoder(base, CrossWeights.load(path), f"fold {fold}")
            scored_rows(tested, judge).to_parquet(_scores(folder, fold))
    ships = _weights(folder, EVERYTHING if everything else 0)
    weights = calibrated(CrossWeights.load(ships), held_out_scores(folder))
    weights.save(folder / SHIPPED_CROSS.name)
    return weights


def _tell(tell: Callable[[str], None], fold: int, line: str) -> None:
    tell(f"fold {fold}: {line}")


def scored_rows(rows: pd.DataFrame, judge: CrossEncoder) -> pd.DataFrame:
    """The rows with the judge's logits."""
    logits = judge.logits(list(rows["text"]), value_texts(rows["value"], rows["definition"]))
    return rows.assign(**{name: logits[:, k] for k, name in enumerate(LOGITS)})


def test_rows(rows: pd.DataFrame, most: int = 120, seed: int = 0) -> pd.DataFrame:
    """At most so many rows of a source and value, drawn by seed: a persona trait has a thousand."""
    shuffled = rows.sample(frac=1, random_state=seed)
    return shuffled.groupby(["source", "value"]).head(most).sort_index().reset_index(drop=True)


def held_out_scores(folder: Path) -> pd.DataFrame:
    """Scored rows of the folds that are done (see `scored_rows`), with the column `fold`."""
    done = [fold for fold in range(FOLDS) if _scores(folder, fold).is_file()]
    parts = [pd.read_parquet(_scores(folder, fold)).assign(fold=fold) for fold in done]
    return pd.concat(parts, ignore_index=True)


def calibrated(weights: CrossWeights, scores: pd.DataFrame) -> CrossWeights:
    """Weights whose temperature suits held-out statements."""
    return weights.calibrated(folds.fitted_temperature(scores[_has_stance(scores)]))


def _has_stance(scores: pd.DataFrame) -> pd.Series:
    return scores[list(STANCES)].sum(axis=1) > 0


def held_out_table(folder: Path) -> pd.DataFrame:
    """What the folds say of the weights in `folder`: rows of `agent_quality`.

    The temperature, which is fitted on held-out scores, comes from the same scores. Answers need
    the bi-encoder's folds in the same folder, which give their stance; they are left out without.
    """
    weights = CrossWeights.load(folder / SHIPPED_CROSS.name)
    every = held_out_scores(folder)
    scores = every[_has_stance(every)].reset_index(drop=True)
    valence = weights.valence(scores[LOGITS].to_numpy(np.float32))
    found = list(quality_measures.sign_rows(scores, valence))
    every = every.assign(about=weights.about(every[LOGITS].to_numpy(np.float32)))
    for source, rows in every[_has_stance(every)].groupby("source", sort=True):
        strange = every.loc[every["source"] == STRANGE.get(str(source), OTHERS_STRANGE), "about"]
        found += quality_measures.about_rows(
            str(source), rows["about"].to_numpy(), strange.to_numpy()
        )
    answers = training_answers()
    if len(answers) and trained_folds(folder):
        said, rows = held_out_answers(folder, answers, scores, weights)
        found += quality_measures.answer_rows(said, rows, "ValueBench answers")
    return quality_rows([("evaluator", model_name(), *row) for row in found])


def held_out_answers(
    folder: Path, answers: pd.DataFrame, scores: pd.DataFrame, weights: CrossWeights
) -> tuple[pd.DataFrame, Floats]:
    """Answers with their stances `said_*`, and their valence (n, 3), both by the value's fold.

    The valence of what is asked is that of the question among the scored statements.
    """
    asked = scores.drop_duplicates(["text", "value"])
    logits = answers[["question", "value"]].merge(
        asked[["text", "value", *LOGITS]],
        left_on=["question", "value"],
        right_on=["text", "value"],
        how="left",
    )
    done = trained_folds(folder)
    known = logits[LOGITS[0]].notna() & known_folds(answers).isin(done)
    known = known.to_numpy()
    answers = answers[known].reset_index(drop=True)
    valence = weights.valence(logits.loc[known, LOGITS].to_numpy(np.float32))
    fold_of = known_folds(answers)
    stance = np.zeros((len(answers), 3), np.float32)
    for fold in done:
        tested = (fold_of == fold).to_numpy()
        if tested.any():
            u = fold_encoder(folder, fold).encode(list(answers["text"][tested]))
            stance[tested] = fold_heads(folder, fold).stance(u)
    names = [f"said_{name}" for name in ATTITUDES]
    said = answers.assign(**{name: stance[:, k] for k, name in enumerate(names)})
    return said, answered(stance, valence)


def fold_evaluator(
    folder: Path, fold: int, base: str, shared: CrossWeights, gate: Heads
) -> EmbeddedEvaluator:
    """M_E in mode accurate as one fold has it, with the calibration of `shared` and of `gate`.

    Relevance and stance are those of the bi-encoder's fold in the same folder.
    """
    own = CrossWeights.load(_weights(folder, fold))
    judge = CrossEncoder(base, own.calibrated(float(shared.temperature[0])), f"fold {fold}")
    heads = fold_heads(folder, fold, gate)
    return EmbeddedEvaluator(fold_encoder(folder, fold), heads, Evaluator(), judge)


def _weights(folder: Path, fold: int) -> Path:
    return folder / f"cross_{'all' if fold == EVERYTHING else fold}"


def _scores(folder: Path, fold: int) -> Path:
    return folder / f"cross_scores_{fold}.parquet"


def model_name() -> str:
    """Name of the model that ships."""
    return f"gpla-mpnet-{CROSS_VERSION}, accurate"
