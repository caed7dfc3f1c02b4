"""Training of the evaluator that ships, and its scores on values held out.

A fold is one process with one thread: two at a time use two cores better than one does. A fold's
weights are kept in the folder, so that a run that was stopped goes on with the folds that miss.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.agents.cues import sentiment
from gpla_assets.agents.embedding import Embedder, packaged_model
from gpla_assets.agents.training import training_answers, training_statements
from gpla_assets.content import vocabulary
from gpla_assets.evaluator import folds, sigmoid, table
from gpla_assets.evaluator.training import Recipe, fine_tune
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.evaluator.weights import QUALITY_COLUMNS, SHIPPED_VERSION, EvaluatorWeights

FOLDS = 5
EVERYTHING = -1
"""The fold that holds nothing out: its weights ship."""
MOST = 5
"""Values per perception, as the generator gives."""
NEAR = 0.53
"""Cosine of two names above which the lexicon counts them as one (the paper's C.1)."""


def train_evaluator(
    folder: Path, recipe: Recipe = Recipe(), seed: int = 0, processes: int = 2
) -> EvaluatorWeights:
    """Train on all folds and on everything; the weights are calibrated on the held-out scores.

    Leaves in `folder` weights_<fold>.npz of each fold, and weights.npz.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_train_fold, folder=folder, recipe=recipe, seed=seed)
    todo = [EVERYTHING, *range(FOLDS)]
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(work, [fold for fold in todo if not _is_done(folder, fold)]))
    weights = EvaluatorWeights.load(_weights(folder, EVERYTHING))
    held_out, _ = held_out_scores(folder)
    weights = EvaluatorWeights(weights.adapter, folds.calibrated(weights.heads, held_out))
    weights.save(folder / "weights.npz")
    return weights


def held_out_scores(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Scored statements and answers of all folds (see `folds`), with the column `fold`."""
    parts: tuple[list[pd.DataFrame], list[pd.DataFrame]] = ([], [])
    rows = training_statements(), training_answers()
    for fold in range(FOLDS):
        weights = EvaluatorWeights.load(_weights(folder, fold))
        encode, heads = fold_encoder(folder, fold).encode, weights.heads
        tested = folds.split(*rows, fold, FOLDS)
        scored = folds.score_statements(tested.test_statements, heads, encode, sentiment)
        said = folds.score_answers(tested.test_answers, heads, encode, sentiment)
        for part, found in zip(parts, (scored, said), strict=True):
            part.append(found.assign(fold=fold))
    statements, answers = (pd.concat(part, ignore_index=True) for part in parts)
    return statements, answers


def _train_fold(fold: int, folder: Path, recipe: Recipe, seed: int) -> None:
    import torch

    torch.set_num_threads(1)
    parts = folds.split(training_statements(), training_answers(), fold, FOLDS)
    tell: Callable[[str], None] = lambda line: print(f"fold {fold}: {line}", flush=True)  # noqa: E731
    base = str(packaged_model())
    adapter, heads = fine_tune(base, parts.statements, parts.answers, recipe, seed, tell)
    EvaluatorWeights(adapter, heads).save(_weights(folder, fold))


def _weights(folder: Path, fold: int) -> Path:
    return folder / f"weights_{'all' if fold == EVERYTHING else fold}.npz"


def _is_done(folder: Path, fold: int) -> bool:
    return _weights(folder, fold).is_file()


def held_out_table(folder: Path) -> pd.DataFrame:
    """What the folds say of the weights in `folder`: rows of `agent_quality`.

    The numbers that are fitted on held-out scores (temperature, sentiment, relevance curve: four
    over all folds) come from the same scores.
    """
    heads = EvaluatorWeights.load(folder / "weights.npz").heads
    model = f"gpla-minilm-{SHIPPED_VERSION}"
    statements, answers = held_out_scores(folder)
    slope, offset = heads.relevance_curve
    own, unrelated = (
        sigmoid(slope * statements[name].to_numpy() + offset)
        for name in ("cosine", "unrelated_cosine")
    )
    valence = folds.probabilities(statements, heads)
    found = list(table.statement_rows(statements, valence, own, unrelated))
    if len(answers):
        said = folds.probabilities(answers, heads)
        found += table.answer_rows(answers, said, "ValueBench answers")
    rows = [("evaluator", f"{model}, fast", *row) for row in found]
    rows += [("generator", model, *row) for row in _generator_rows(folder)]
    return quality_rows(rows)


def quality_rows(rows: list[tuple[str, str, str, str, float, int]]) -> pd.DataFrame:
    """(role, model, data, measure, number, n) on values held out, as rows of `agent_quality`."""
    columns = ["role", "model", "data", "measure", "number", "n"]
    rounded = pd.DataFrame(rows, columns=columns).round({"number": 4})
    return rounded.assign(backend="embedded", held_out="values")[QUALITY_COLUMNS]


def _generator_rows(folder: Path) -> Iterator[tuple[str, str, float, int]]:
    """Recall of a statement's own value, or of a near-synonym, among the values given to it.

    Given are the MOST nearest of all values, those of the fold's statements among them. Near are
    values whose names lie at NEAR or closer for the general embedding, as the lexicon's filter has
    it. The general embedding's own recall stands beside, as the baseline.
    """
    statements, _ = held_out_scores(folder)
    general = Embedder()
    for model, encoders in (
        ("tuned", [fold_encoder(folder, fold) for fold in range(FOLDS)]),
        ("all-MiniLM-L6-v2", [general] * FOLDS),
    ):
        hits: dict[str, list[bool]] = {}
        for fold, encoder in enumerate(encoders):
            tested = statements[statements["fold"] == fold]
            known = vocabulary()[["value", "definition"]]
            values = pd.concat([tested[["value", "definition"]], known]).drop_duplicates("value")
            names = list(values["value"])
            near = general.encode(names) @ general.encode(names).T >= NEAR
            place = {name: n for n, name in enumerate(names)}
            v = encoder.encode(value_texts(values["value"], values["definition"]))
            nearest = np.argsort(-(encoder.encode(list(tested["text"])) @ v.T), axis=1)[:, :MOST]
            for source, own, given in zip(tested["source"], tested["value"], nearest, strict=True):
                hits.setdefault(str(source), []).append(bool(near[place[own], given].any()))
        for source, found in sorted(hits.items()):
            measure = f"recall of the value or a near-synonym among {MOST} ({model})"
            yield source, measure, float(np.mean(found)), len(found)


def fold_encoder(folder: Path, fold: int) -> Embedder:
    """The encoder of one fold that `train_evaluator` left in `folder`."""
    adapter = EvaluatorWeights.load(_weights(folder, fold)).adapter
    return Embedder(adapter=adapter, name=f"fold {fold}")
