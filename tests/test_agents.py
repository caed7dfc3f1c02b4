"""Backends of the agents: one contract for each role, and what each must know."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.agents import (
    BackendUnavailable,
    UnknownBackend,
    make_embedder,
    make_evaluator,
    make_generator,
    make_parser,
    training_report,
)
from gpla_assets.agents.embedding_evaluator import EmbeddingEvaluator, relevance_pairs, train
from gpla_assets.agents.embedding_evaluator import training_pairs as embedded
from gpla_assets.agents.heads import HeadWeights, fit_pair_head
from gpla_assets.agents.protocol import PerceptionParser, ValueEvaluator, ValueGenerator
from gpla_assets.agents.training import project_items
from gpla_assets.agents.transformers_subject import TransformersSubject
from gpla_assets.content import ContentError, value_items, vocabulary
from gpla_assets.studies import Evaluator, Generator, Parser


@pytest.fixture(scope="module")
def evaluator() -> EmbeddingEvaluator:
    return EmbeddingEvaluator(make_embedder(), train(project_items(), make_embedder()))


def test_backends_fulfil_their_protocols(evaluator: EmbeddingEvaluator) -> None:
    assert isinstance(make_parser(Parser()), PerceptionParser)
    assert isinstance(make_generator(Generator()), ValueGenerator)
    assert isinstance(evaluator, ValueEvaluator)


def test_an_unknown_backend_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownBackend, match=r"'guess', expected one of sentence"):
        make_parser(Parser(backend="guess"))
    with pytest.raises(BackendUnavailable, match="'kaleido' is named for the paper's own setting"):
        make_generator(Generator(backend="kaleido"))
    with pytest.raises(BackendUnavailable, match="valuellama"):
        make_evaluator(Evaluator(backend="valuellama"))


def test_embeddings_are_unit_vectors_of_each_distinct_text_once() -> None:
    embedder = make_embedder()
    before = embedder.inferences
    found = embedder.encode(["a rare text of this test", "another", "a rare text of this test"])
    assert found.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found[0], found[2])
    assert embedder.inferences - before <= 2
    assert embedder.encode([]).shape == (0, 384)


@pytest.mark.parametrize(
    ("perception", "value"),
    [
        ("You should always tell the truth to your friends.", "Honesty"),
        ("We must protect forests and rivers for later generations.", "Environmental"),
        ("Plan ahead and decide on your steps beforehand.", "Planning"),
    ],
)
def test_the_generator_names_fitting_values(perception: str, value: str) -> None:
    settings = Generator(minimum_cosine=0.3)
    found = make_generator(settings).generate([perception, "zzz qqq"])
    first = found[found["row"] == 0]
    assert any(value in name for name in first["value"])
    assert len(first) <= settings.values_per_perception
    assert first["probability"].is_monotonic_decreasing
    assert found["probability"].between(0.3, 1).all()


def test_the_generator_of_nothing_gives_nothing() -> None:
    assert list(make_generator(Generator()).generate([]).columns) == ["row", "value", "probability"]


@pytest.mark.parametrize(
    ("for_it", "against_it", "value"),
    [
        ("Honest people deserve praise, so tell the truth.", "It is fine to lie.", "Honesty"),
        ("Competition brings out the best in us.", "Competition is harmful.", "Competition"),
        ("I want to be rich.", "Money is worthless and corrupts people.", "Wealth"),
    ],
)
def test_the_evaluator_tells_support_from_opposition(
    evaluator: EmbeddingEvaluator, for_it: str, against_it: str, value: str
) -> None:
    definition = vocabulary().set_index("value").loc[value, "definition"]
    everything = EmbeddingEvaluator(evaluator.embedder, evaluator.heads, minimum_relevance=0.0)
    found = everything.evaluate([for_it, against_it], [value], [definition])
    support = found["p_support"] - found["p_oppose"]
    assert support.iloc[0] > support.iloc[1]


def test_scores_follow_gpvs_rule(evaluator: EmbeddingEvaluator) -> None:
    words = vocabulary().head(40)
    statements = list(value_items()["statement"].head(60))
    found = evaluator.evaluate(statements, list(words["value"]), list(words["definition"]))
    assert (found["relevance"] > 0.5).all()
    np.testing.assert_allclose(found[["p_support", "p_oppose", "p_either"]].sum(axis=1), 1, 1e-5)
    undecided = found["p_either"] > found[["p_support", "p_oppose"]].max(axis=1)
    assert (found["score"].isna() == undecided).all()
    decided = found[~undecided]
    np.testing.assert_allclose(decided["score"], decided["p_support"] - decided["p_oppose"])


def test_a_batch_of_pairs_gives_what_each_pair_gives_alone(evaluator: EmbeddingEvaluator) -> None:
    words = vocabulary().head(15)
    names, definitions = list(words["value"]), list(words["definition"])
    statements = list(value_items()["statement"].head(10))
    everything = EmbeddingEvaluator(evaluator.embedder, evaluator.heads, minimum_relevance=0.0)
    together = everything.evaluate(statements, names, definitions)
    alone = pd.concat(
        [
            everything.evaluate([statement], [name], [definition]).assign(row=row)
            for row, statement in enumerate(statements)
            for name, definition in zip(names, definitions, strict=True)
        ],
        ignore_index=True,
    )
    pd.testing.assert_frame_equal(together, alone, check_exact=False, atol=1e-5)


def test_matrix_products_equal_feature_vectors() -> None:
    rng = np.random.default_rng(0)
    p, v = (rng.normal(size=(60, 8)).astype(np.float32) for _ in range(2))
    head = fit_pair_head(p, v, np.zeros((60, 0), np.float32), np.arange(60) % 3, 1.0)
    pairwise = head.pair_logits(p, v, np.zeros((60, 0), np.float32))
    product = head.logits(p, v)
    np.testing.assert_allclose(product[:, np.arange(60), np.arange(60)].T, pairwise, atol=1e-4)


def test_weights_survive_saving_and_a_damaged_file_is_named(
    evaluator: EmbeddingEvaluator, tmp_path: Path
) -> None:
    path = tmp_path / "heads.npz"
    evaluator.heads.save(path)
    loaded = HeadWeights.load(path)
    np.testing.assert_array_equal(loaded.valence.product, evaluator.heads.valence.product)
    np.savez(path, relevance_product=np.zeros(2))
    with pytest.raises(ValueError, match=r"heads\.npz lacks relevance_perception"):
        HeadWeights.load(path)


def test_unrelated_values_are_drawn_from_those_of_the_items() -> None:
    pairs = embedded(project_items(), make_embedder())
    items, values, labels = relevance_pairs(pairs, seed=0)
    assert (values[labels == 1] == pairs.value_of[items[labels == 1]]).all()
    assert (values[labels == 0] != pairs.value_of[items[labels == 0]]).all()


def test_held_out_values_are_judged_better_than_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GPLA_DATA_DIR", raising=False)
    report = training_report(make_embedder(), seed=0)["project items"]
    assert report["n_values"] > 100
    assert report["sign_accuracy"] > 0.65
    assert report["relevance_auc"] > 0.9


def test_items_without_a_stance_cannot_train() -> None:
    items = project_items()
    with pytest.raises(ContentError, match="No item has stance 'either'"):
        train(items[items["stance"] != "either"].head(40), make_embedder())


@pytest.fixture(scope="module")
def tiny_llm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A causal LLM of random weights with a tokenizer of words."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    words = ["<pad>", "<eos>", "<unk>", *"abcdefghijklmnopqrstuvwxyz", "you", "are", "kind"]
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(words)}, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", unk_token="<unk>"
    )
    config = LlamaConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=2,
    )
    folder = tmp_path_factory.mktemp("llm")
    LlamaForCausalLM(config).save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def test_a_local_llm_answers_each_question_once_and_greedily(tiny_llm: Path) -> None:
    subject = TransformersSubject(str(tiny_llm), max_new_tokens=5, batch_size=2)
    told: list[int] = []
    first = subject.answer("you are kind", ["a b", "c", "d e f"], told.append)
    assert len(first) == 3
    assert sum(told) == subject.inferences == 3
    assert subject.answer("you are kind", ["a b", "c", "d e f"]) == first


def test_the_profile_goes_before_the_question_where_there_is_no_system_role(
    tiny_llm: Path,
) -> None:
    subject = TransformersSubject(str(tiny_llm))
    tokenizer, _ = subject._load()
    assert subject.prompt("you are kind", "a b").startswith("you are kind\n\na b")
    tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    assert not subject.has_system_role
    assert subject.prompt("you are kind", "a b") == "[user] you are kind\n\na b"
    tokenizer.chat_template += "{# system #}"
    assert subject.prompt("you are kind", "a b") == "[system] you are kind[user] a b"


def test_a_model_that_is_nowhere_is_named() -> None:
    with pytest.raises(BackendUnavailable, match="'/no/such/model' is no folder"):
        TransformersSubject("/no/such/model").answer("", ["a"])
