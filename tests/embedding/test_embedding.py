"""Embeddings and what is read from them: the same alone, in any company, and without the model."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.content import CONTENT, neutral_sentences, value_items, vocabulary
from gpla_assets.embedding import embedder as module
from gpla_assets.embedding.embedder import Embedder, make_embedder
from gpla_assets.embedding.packaged import packaged_model
from gpla_assets.embedding.store import EmbeddingStore
from gpla_assets.evaluator.backends import (
    evaluator_weights,
    make_evaluator,
    make_value_encoder,
)
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.parser.attitude import SHIPPED_HEAD, AttitudeHead, attitude_cues
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.protocol import Utterance
from gpla_assets.studies import Evaluator, Parser

ROOT = Path(__file__).parents[2]
TEXTS = [*value_items()["statement"].iloc[::120], *neutral_sentences()["sentence"].head(8), "No."]
TEXTS.append("Should I tell lies? No, you should not.")
TEXTS.append("word " * 200)  # cut at the most tokens of a text


@pytest.fixture
def forgetful(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Nothing is remembered between calls, so that every call embeds."""
    monkeypatch.setattr(module, "REMEMBERED", 0)
    for embedder in (make_embedder(), make_value_encoder()):
        embedder._memory.clear()
    yield


def companies(count: int) -> Iterator[list[int]]:
    """Places of texts: some alone, the last three too; shuffled parts; all, shuffled."""
    draw = random.Random(0)
    yield from ([place] for place in {*range(0, count, 5), *range(count - 3, count)})
    for size in (2, 3, 8, count):
        yield draw.sample(range(count), size)


# Alone, in any batch, in any order


@pytest.mark.slow
def test_a_text_has_the_same_embedding_alone_and_in_any_batch(forgetful: None) -> None:
    for embedder in (make_embedder(), make_value_encoder()):
        together = embedder.encode(TEXTS)
        for places in companies(len(TEXTS)):
            found = embedder.encode([TEXTS[place] for place in places])
            assert (found == together[places]).all()


def test_an_embedding_is_sentence_transformers_in_float32() -> None:
    from sentence_transformers import SentenceTransformer

    plain = SentenceTransformer(str(packaged_model()), device="cpu")
    plain.max_seq_length = module.MAX_TOKENS
    expected = plain.encode(TEXTS, normalize_embeddings=True)
    np.testing.assert_allclose(make_embedder().encode(TEXTS), expected, atol=1e-6)


def test_without_packed_layers_a_text_has_the_same_embedding_in_any_batch_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from gpla_assets.embedding import packed_linear

    monkeypatch.setattr(packed_linear, "packs", lambda: False)
    monkeypatch.setattr(module, "REMEMBERED", 0)
    embedder = Embedder()
    together = embedder.encode(TEXTS)
    for places in companies(len(TEXTS)):
        assert (embedder.encode([TEXTS[place] for place in places]) == together[places]).all()
    np.testing.assert_allclose(together, make_embedder().encode(TEXTS), atol=1e-6)


def test_a_sentence_has_the_same_attitude_alone_and_among_others(forgetful: None) -> None:
    head, encode = AttitudeHead.load(SHIPPED_HEAD), make_embedder().encode

    def attitudes(texts: list[str]) -> np.ndarray:
        return head.probability(encode(texts), attitude_cues(texts))

    together = attitudes(TEXTS)
    for places in companies(len(TEXTS)):
        assert (attitudes([TEXTS[place] for place in places]) == together[places]).all()


def test_a_perception_has_the_same_attitude_in_any_order_of_texts(forgetful: None) -> None:
    said = [Utterance(str(n), " ".join(TEXTS[n : n + 3]), None) for n in range(0, 30, 2)]
    parser = make_parser(Parser())
    forward = parser.parse(said)
    backward = parser.parse(said[::-1])
    alone = [perception for one in said for perception in parser.parse([one])]
    assert len(forward) > 5
    assert forward == alone == sorted(backward, key=lambda p: (int(p.parent), p.ordinal))


def test_a_pair_has_the_same_scores_alone_shuffled_and_among_others(forgetful: None) -> None:
    evaluator = EmbeddedEvaluator(
        make_value_encoder(), evaluator_weights().heads, Evaluator(minimum_relevance=0)
    )
    words = vocabulary().iloc[::60]
    names, definitions = list(words["value"]), list(words["definition"])

    def scores(texts: list[str], own: slice = slice(None)) -> np.ndarray:
        found = evaluator.evaluate(texts, names[own], definitions[own])
        shape = (len(texts), len(names[own]), 5)
        return found.drop(columns=["row", "value"]).to_numpy(float).reshape(shape)

    together = scores(TEXTS)
    for places in companies(len(TEXTS)):
        found = scores([TEXTS[place] for place in places])
        np.testing.assert_array_equal(found, together[places])  # NaN equals NaN here
    for column in (0, 7, len(names) - 1):
        one = scores(TEXTS, slice(column, column + 1))
        np.testing.assert_array_equal(one, together[:, [column]])
    aligned = evaluator.score(TEXTS, [names[0]] * len(TEXTS), [definitions[0]] * len(TEXTS))
    np.testing.assert_array_equal(aligned["relevance"], together[:, 0, 0])
    np.testing.assert_array_equal(aligned["p_support"], together[:, 0, 1])


def demo_rows() -> pd.DataFrame:
    """What M_E measures of some of the demo's texts on some values."""
    texts = pd.read_parquet(CONTENT / "demo_texts.parquet")["content"].iloc[::15]
    heard = [Utterance(str(n), text, None) for n, text in enumerate(texts)]
    perceptions = [found.content for found in make_parser(Parser()).parse(heard)]
    words = vocabulary().iloc[::8]
    asked = list(words["value"]), list(words["definition"])
    found = make_evaluator(Evaluator()).evaluate(perceptions, *asked)
    return found.assign(perception=[perceptions[row] for row in found["row"]])


IN_A_PROCESS = """
import sys
from tests.embedding.test_embedding import demo_rows
demo_rows().to_pickle(sys.argv[1])
"""
OLDER_CPU = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


@pytest.mark.slow
def test_an_older_cpu_scores_the_same_pairs_within_rounding(tmp_path: Path) -> None:
    file = tmp_path / "older.pickle"
    command = [sys.executable, "-c", IN_A_PROCESS, str(file)]
    subprocess.run(command, env=os.environ | OLDER_CPU, cwd=ROOT, check=True, timeout=300)
    here, older = demo_rows(), pd.read_pickle(file)
    assert len(here) > 50
    same = ["row", "value", "perception"]
    pd.testing.assert_frame_equal(here[same], older[same])
    # the embeddings differ by some 2e-7: float32 kernels of other widths add up in another order
    for name in ("relevance", "p_support", "p_oppose", "p_either", "score"):
        np.testing.assert_allclose(here[name], older[name], atol=2e-6, rtol=0)


# Not twice


def test_a_second_process_embeds_nothing_and_does_not_load_the_model(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path / "embeddings.sqlite", 2**27)
    first, adapter = Embedder(store=store), evaluator_weights().adapter
    assert first.missing([*TEXTS, *TEXTS]) == len(set(TEXTS))
    found = first.encode(TEXTS)
    assert (first.inferences, first.missing(TEXTS)) == (len(set(TEXTS)), 0)
    second = Embedder(store=store)
    assert second.missing([*TEXTS, "one more", "one more"]) == 1
    assert (second.encode(TEXTS) == found).all()
    assert second.inferences == 0
    assert second._loaded is None
    tuned = Embedder(adapter=adapter, store=store)
    assert tuned.missing(TEXTS) == len(set(TEXTS))  # another model's are not taken for its own


def test_a_text_is_embedded_once_in_a_process_without_a_store() -> None:
    embedder = Embedder()
    assert embedder.missing(["a", "b", "a"]) == 2
    embedder.encode(["a", "b", "a"])
    embedder.encode(["b"])
    assert (embedder.inferences, embedder.missing(["a", "b", "c"])) == (2, 1)
    with pytest.raises(ValueError, match="without a store has no revision"):
        assert embedder.revision


def test_what_is_lost_from_the_store_is_embedded_again(tmp_path: Path) -> None:
    store = EmbeddingStore(tmp_path / "embeddings.sqlite", 2**27)
    found = Embedder(store=store).encode(TEXTS[:3])
    store.path.write_bytes(b"damaged")
    again = Embedder(store=store)
    assert (again.encode(TEXTS[:3]) == found).all()
    assert again.inferences == 3
    assert Embedder(store=store).missing(TEXTS[:3]) == 0


def test_agents_load_without_the_packages_of_models_and_of_training() -> None:
    heavy = ("torch", "transformers", "sentence_transformers", "sklearn", "scipy")
    rooms = ("parser", "generator", "evaluator", "subjects")
    program = "import sys, gpla_assets.lexicon.filtering"
    program += "".join(f", gpla_assets.{room}.backends" for room in rooms)
    program += f"\nprint([n for n in {heavy} if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert done.stdout.decode().strip() == "[]"
