"""How good the agents are that run here: rows of `agent_quality`, measured now."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.content import labelled_oppositions, labelled_perceptions
from gpla_assets.embedding.embedder import Embedder
from gpla_assets.embedding.packaged import packaged_model
from gpla_assets.evaluator.backends import make_evaluator, make_value_encoder
from gpla_assets.evaluator.weights import QUALITY_COLUMNS
from gpla_assets.generator.backends import make_generator
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.embedded import candidates
from gpla_assets.parser.protocol import Utterance
from gpla_assets.studies import Study
from gpla_assets.training.labels import (
    LLM_PROSE,
    OPPOSED_PROSE,
    RANDOM_PROSE,
    agreed_pairs,
    agreement,
    generator_rows,
    labelled_relations,
    labelled_texts,
    parser_rows,
    perception_rows,
    relation_rows,
    texts_with_hash,
    wordings,
)

LABELS = "labels"
SPEED = "nothing"
"""What rows of `agent_quality` were held out from, for labels and for throughput."""
ROUNDS = 3


def measure_agents(study: Study, tell: Callable[[str], None]) -> pd.DataFrame:
    """Rows of `agent_quality`: on the hand-labelled sentences, and for speed.

    Without the labelled texts' sources (GPLA_DATA_DIR) only the passes' agreement and the speed
    are measured, and `tell` says so.
    """
    rows = [_row(*row, LABELS, "labels", "two passes") for row in agreement()]
    texts = labelled_texts()
    if texts is None:
        tell("The labelled texts are not at hand: set GPLA_DATA_DIR to measure on them.")
    else:
        rows += _on_labels(study, texts, tell)
        rows += _throughput(list(texts["content"]))
    return pd.DataFrame(rows, columns=QUALITY_COLUMNS)


def _on_labels(
    study: Study, texts: pd.DataFrame, tell: Callable[[str], None]
) -> list[tuple[object, ...]]:
    parser = make_parser(study.parser)
    rows = [_row(*row, LABELS, parser.name, parser.model) for row in parser_rows(parser, texts)]
    random = texts_with_hash("alpaca_eval", set(labelled_perceptions()["text"]))
    if random is not None:
        found = perception_rows(parser, random)
        rows += [_row(*row, LABELS, parser.name, parser.model) for row in found]
    pairs = {LLM_PROSE: agreed_pairs(wordings(texts))} | dict(_labelled_prose())
    generator = make_generator(study.generator)
    for data, own in pairs.items():
        found = generator_rows(generator, own, data)
        rows += [_row(*row, LABELS, generator.name, generator.model) for row in found]
    modes: Sequence[str] = ("fast", "accurate")
    for mode in modes:
        try:
            evaluator = make_evaluator(study.evaluator.model_copy(update={"mode": mode}))
        except BackendUnavailable as error:
            tell(f"Mode {mode} is not measured: {error}")
            continue
        for data, own in pairs.items():
            found = relation_rows(evaluator, own, data)
            rows += [_row(*row, LABELS, evaluator.name, evaluator.model) for row in found]
    return rows


def _labelled_prose() -> Iterator[tuple[str, pd.DataFrame]]:
    """Labelled pairs of single perceptions, as of `labelled_relations`, where AlpacaEval is."""
    tests = ((RANDOM_PROSE, labelled_perceptions()), (OPPOSED_PROSE, labelled_oppositions()))
    for data, labels in tests:
        texts = texts_with_hash("alpaca_eval", set(labels["text"]))
        if texts is not None:
            yield data, labelled_relations(texts, labels)


def _throughput(contents: list[str]) -> list[tuple[object, ...]]:
    """Sentences a second against SentenceTransformer.encode, by turns in one run; medians."""
    from sentence_transformers import SentenceTransformer

    sentences = sorted(
        {c.content for text in contents for c in candidates(Utterance("", text, None))}
    )
    plain = SentenceTransformer(str(packaged_model()), device="cpu")
    ours = Embedder()
    for model in (plain, ours):
        model.encode(sentences[:32])
    rounds = []
    for turn in range(ROUNDS):
        # a blank more makes texts that are not remembered, of the same tokens
        texts = [sentence + " " * (turn + 1) for sentence in sentences]
        seconds = []
        for model in (ours, plain):
            started = time.perf_counter()
            model.encode(texts)
            seconds.append(time.perf_counter() - started)
        rounds.append(seconds)
    seconds = [float(np.median(column)) for column in zip(*rounds, strict=True)]
    speeds = [len(sentences) / one for one in seconds]
    n = len(sentences)
    name = make_value_encoder().model
    return [
        _row("generator", LABELS, "sentences a second", speeds[0], n, SPEED, "embedded", name),
        _row(
            "generator",
            LABELS,
            "speed against SentenceTransformer.encode",
            speeds[0] / speeds[1],
            n,
            SPEED,
            "embedded",
            name,
        ),
    ]


def _row(
    role: str,
    data: str,
    measure: str,
    number: float,
    n: int,
    held_out: str,
    backend: str,
    model: str,
) -> tuple[object, ...]:
    return (role, backend, model, data, measure, number, n, held_out)
