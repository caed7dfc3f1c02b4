"""Training of the evaluator that ships, and its scores on values held out.

Where the folder holds the cross-encoders of the same folds (`accurate`) and their
base model is at hand, each fold also learns from pairs that its own cross-encoder has judged. A
fold is one process with one thread: two at a time use two cores better than one does. A fold's
weights are kept in the folder, so that a run that was stopped goes on with the folds that miss.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.content import plain_lines, rival_statements, vocabulary
from gpla_assets.embedding.cues import sentiment
from gpla_assets.embedding.embedder import Embedder
from gpla_assets.embedding.packaged import base_model, packaged_model
from gpla_assets.evaluator.cross_encoder import CrossEncoder
from gpla_assets.evaluator.cross_weights import CrossWeights
from gpla_assets.evaluator.heads import Heads
from gpla_assets.evaluator.scoring import lean
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.evaluator.weights import (
    QUALITY_COLUMNS,
    SHIPPED,
    SHIPPED_VERSION,
    EvaluatorWeights,
)
from gpla_assets.generator.embedded import EmbeddedGenerator
from gpla_assets.parser.embedded import SentenceParser
from gpla_assets.studies import Generator, LexiconSettings
from gpla_assets.training import folds, quality_measures
from gpla_assets.training.batches import Lessons, Recipe
from gpla_assets.training.cross_material import material_folds, persona_examples
from gpla_assets.training.examples import TAUGHT_COLUMNS, relations, statement_examples
from gpla_assets.training.fine_tuning import Progress, fine_tune
from gpla_assets.training.material import (
    EVERYTHING,
    FOLDS,
    apart,
    cross_examples,
    known_folds,
    labelled_pairs_of_test,
    labelled_pairs_of_training,
    training_answers,
    training_statements,
)
from gpla_assets.training.readers import with_fitted_readers
from gpla_assets.training.teaching import pairs_to_teach, taught, unlabelled_sentences

OF_TRAIT = 50
"""Statements for, and as many against, that are read of a persona trait."""
TAUGHT = 32_000
"""Pairs that a fold's cross-encoder judges."""
UNSEEN_PROSE = "labelled sentences that no fold read"
TRAINED_PROSE = "labelled sentences of training, read beside other values"
ANY = Generator(minimum_relevance=0)
"""M_G that gives as many values as in a study, however little relevant."""
MOST = ANY.values_per_perception
NEAR = LexiconSettings().cosine_threshold


def train_evaluator(
    folder: Path,
    recipe: Recipe = Recipe(),
    seed: int = 0,
    processes: int = 2,
    folds_to_run: int = FOLDS,
    everything: bool = True,
) -> EvaluatorWeights:
    """Train on folds and on everything; the weights are calibrated on the held-out scores.

    Without `everything` the weights are the first fold's, as of the cross-encoder. Leaves in
    `folder` weights_<fold>.safetensors of each fold, and weights.safetensors. With fewer
    `folds_to_run` than FOLDS the values of the other folds are held out by none, and not measured.
    """
    folder.mkdir(parents=True, exist_ok=True)
    work = partial(_train_fold, folder=folder, recipe=recipe, seed=seed)
    ships = EVERYTHING if everything else 0
    todo = sorted({ships, *range(folds_to_run)})
    with ProcessPoolExecutor(processes, multiprocessing.get_context("spawn")) as pool:
        list(pool.map(work, [fold for fold in todo if not _is_done(folder, fold)]))
    weights = EvaluatorWeights.load(_weights(folder, ships))
    held_out, _, pairs = held_out_scores(folder)
    heads = folds.calibrated(weights.heads, held_out, pairs[~pairs["tested"]])
    weights = EvaluatorWeights(weights.adapter, heads)
    weights.save(folder / SHIPPED.name)
    return weights


def held_out_scores(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Scored statements, answers and labelled pairs of all folds (see `folds`), with their `fold`.

    Pairs are `tested` where their text was read by no fold; other pairs' texts were read beside
    other values.
    """
    statements, answers = training_statements(), training_answers()
    pairs = pd.concat(
        [
            labelled_pairs_of_training().assign(tested=False),
            labelled_pairs_of_test().assign(tested=True),
        ],
        ignore_index=True,
    )
    fold_of = known_folds(pairs)
    further = bi_examples()
    further = further[further["source"].isin(["rival", "plain", "persona"])]
    further_fold = material_folds(further)
    parts: list[tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]] = []
    done = trained_folds(folder)
    for fold in done:
        heads, encode = fold_heads(folder, fold), fold_encoder(folder, fold).encode
        split = folds.split(statements, answers, fold, FOLDS)
        own = pairs[(fold_of == fold).to_numpy()].reset_index(drop=True)
        more = further[(further_fold == fold).to_numpy()]
        tested = pd.concat([split.test_statements, more], ignore_index=True)
        parts.append(
            (
                folds.score_statements(tested, heads, encode, sentiment),
                folds.score_answers(split.test_answers, heads, encode, sentiment),
                folds.score_statements(own, heads, encode, sentiment) if len(own) else own,
            )
        )
    scored = [
        pd.concat(
            [part.assign(fold=n) for n, part in zip(done, kind, strict=True)], ignore_index=True
        )
        for kind in zip(*parts, strict=True)
    ]
    return scored[0], scored[1], scored[2]


def _train_fold(fold: int, folder: Path, recipe: Recipe, seed: int) -> None:
    import torch

    torch.set_num_threads(1)
    tell: Progress = lambda line: print(f"fold {fold}: {line}", flush=True)  # noqa: E731
    lessons = lessons_of_fold(folder, fold, tell)
    adapter, heads = fine_tune(str(packaged_model()), lessons, recipe, seed, tell)
    encode = Embedder(adapter=adapter, name=f"fold {fold}").encode
    heads = with_fitted_readers(heads, lessons, encode, sentiment, seed=seed)
    EvaluatorWeights(adapter, heads).save(_weights(folder, fold))


def lessons_of_fold(folder: Path, fold: int, tell: Progress) -> Lessons:
    """What a fold learns from: all that does not hold its values."""
    statements = bi_examples()
    own = apart(statements, material_folds(statements), fold)
    answers = folds.split(training_statements(), training_answers(), fold, FOLDS).answers
    named = pd.concat([statements, vocabulary()])[["value", "definition"]]
    held = set(statements.loc[(material_folds(statements) == fold).to_numpy(), "value"])
    free = (known_folds(named) != fold) & ~named["value"].isin(held)
    values = named[free.to_numpy()].drop_duplicates("value")
    pairs = labelled_pairs_of_training()
    pairs = pairs[(known_folds(pairs) != fold).to_numpy()]
    judged = lessons_of_teacher(folder, fold, own, values.reset_index(drop=True), tell)
    return Lessons(own, answers, judged, pairs.reset_index(drop=True))


def bi_examples(seed: int = 0) -> pd.DataFrame:
    """Statements that the bi-encoder learns from: of a persona trait a share, drawn by seed."""
    persona = persona_examples().sample(frac=1, random_state=seed)
    drawn = persona.groupby(["value", "support"]).head(OF_TRAIT)
    written = [
        statement_examples(rival_statements(), "rival"),
        statement_examples(plain_lines(), "plain"),
    ]
    parts = [cross_examples(), *written, drawn]
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return rows.drop_duplicates(["value", "text"], ignore_index=True)


def lessons_of_teacher(
    folder: Path, fold: int, statements: pd.DataFrame, values: pd.DataFrame, tell: Progress
) -> pd.DataFrame:
    """What the fold's cross-encoder in `folder` judged, kept there; no rows without one."""
    path = folder / f"taught_{_name(fold)}.parquet"
    if not path.is_file():
        weights = folder / f"cross_{_name(fold)}"
        if not CrossWeights.are_in(weights):
            tell(f"no {weights.name} to learn from in {folder}")
            return pd.DataFrame(columns=TAUGHT_COLUMNS)
        encoder = Embedder()
        sentences = unlabelled_sentences(SentenceParser(encoder, 0.5))
        pairs = pairs_to_teach(statements, sentences, values, encoder, TAUGHT, seed=fold + 1)
        tell(f"{len(pairs)} pairs to judge")
        judge = CrossEncoder(base_model(), CrossWeights.load(weights), f"fold {fold}")
        taught(pairs, judge, seed=fold + 1).to_parquet(path)
    return pd.read_parquet(path)


def _weights(folder: Path, fold: int) -> Path:
    return folder / f"weights_{_name(fold)}.safetensors"


def _name(fold: int) -> str:
    return "all" if fold == EVERYTHING else str(fold)


def trained_folds(folder: Path) -> list[int]:
    """The folds whose weights are in `folder`."""
    return [fold for fold in range(FOLDS) if _is_done(folder, fold)]


def _is_done(folder: Path, fold: int) -> bool:
    return _weights(folder, fold).is_file()


def held_out_table(folder: Path) -> pd.DataFrame:
    """What the folds say of the weights in `folder`: rows of `agent_quality`.

    The numbers that are fitted on held-out scores (offset, temperature, relevance curve: four over
    all folds) come from the same scores.
    """
    heads = EvaluatorWeights.load(folder / SHIPPED.name).heads
    model = f"gpla-minilm-{SHIPPED_VERSION}"
    statements, answers, pairs = held_out_scores(folder)
    own, unrelated = (
        heads.relevance_of(statements[name].to_numpy())
        for name in ("relatedness", "other_relatedness")
    )
    valence = folds.probabilities(statements, heads)
    found = list(quality_measures.statement_rows(statements, valence, own, unrelated))
    if len(answers):
        said = folds.probabilities(answers, heads)
        found += quality_measures.answer_rows(answers, said, "ValueBench answers")
    for data, part in (
        (UNSEEN_PROSE, pairs[pairs["tested"]]),
        (TRAINED_PROSE, pairs[~pairs["tested"]]),
    ):
        if len(part):
            judged = folds.probabilities(part, heads)
            relevance = heads.relevance_of(part["relatedness"].to_numpy())
            codes = relations(part)
            found += quality_measures.pair_rows(data, codes, relevance, lean(judged))
    rows = [("evaluator", f"{model}, fast", *row) for row in found]
    rows += [("generator", model, *row) for row in _generator_rows(folder, statements, answers)]
    return quality_rows(rows)


def quality_rows(rows: list[tuple[str, str, str, str, float, int]]) -> pd.DataFrame:
    """(role, model, data, measure, number, n) on values held out, as rows of `agent_quality`."""
    columns = ["role", "model", "data", "measure", "number", "n"]
    rounded = pd.DataFrame(rows, columns=columns).round({"number": 4})
    return rounded.assign(backend="embedded", held_out="values")[QUALITY_COLUMNS]


def _generator_rows(
    folder: Path, statements: pd.DataFrame, answers: pd.DataFrame
) -> Iterator[tuple[str, str, float, int]]:
    """Recall of a text's own value, or of a near-synonym, among the MOST values given to it.

    Given are M_G's most relevant of all values, those of the fold's statements among them. Near are
    values whose names lie at NEAR or closer for the general embedding, as the lexicon's filter has
    it. The general embedding's own recall, by cosine, stands beside as the baseline.
    """
    general = Embedder()
    texts = pd.concat([statements, answers.assign(source="ValueBench answers")])
    hits = []
    for fold in trained_folds(folder):
        tested = texts[texts["fold"] == fold]
        known = vocabulary()[["value", "definition"]]
        values = pd.concat([tested[["value", "definition"]], known]).drop_duplicates("value")
        values = values.reset_index(drop=True)
        names = list(values["value"])
        near = general.encode(names) @ general.encode(names).T >= NEAR
        place = {name: n for n, name in enumerate(names)}
        own = tested["value"].map(place).to_numpy()
        heads = fold_heads(folder, fold)
        generator = EmbeddedGenerator(fold_encoder(folder, fold), heads, values, ANY)
        given = generator.generate(list(tested["text"]))
        found = near[own[given["row"]], given["value"].map(place).to_numpy()]
        ours = np.bincount(given["row"], weights=found, minlength=len(tested)) > 0
        v = general.encode(value_texts(values["value"], values["definition"]))
        nearest = np.argsort(-(general.encode(list(tested["text"])) @ v.T), axis=1)[:, :MOST]
        theirs = near[own[:, None], nearest].any(1)
        hits.append(tested[["source"]].assign(**{"tuned": ours, "all-MiniLM-L6-v2": theirs}))
    by_source = pd.concat(hits).groupby("source")
    for model in ("all-MiniLM-L6-v2", "tuned"):
        measure = f"recall of the value or a near-synonym among {MOST} ({model})"
        for source, hit in by_source[model]:
            yield str(source), measure, float(hit.mean()), len(hit)


def fold_encoder(folder: Path, fold: int) -> Embedder:
    """The encoder of one fold that `train_evaluator` left in `folder`."""
    adapter = EvaluatorWeights.load(_weights(folder, fold)).adapter
    return Embedder(adapter=adapter, name=f"fold {fold}")


def fold_heads(folder: Path, fold: int, shared: Heads | None = None) -> Heads:
    """The heads of one fold in `folder`, with the four numbers of calibration of `shared`."""
    own = EvaluatorWeights.load(_weights(folder, fold)).heads
    if shared is None:
        return own
    slope, offset = shared.relevance_curve
    curve = (float(slope), float(offset))
    return own.calibrated(curve, float(shared.offset[0]), float(shared.temperature[0]))
