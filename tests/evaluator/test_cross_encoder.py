"""Mode accurate of M_E: the cross-encoder, its training, and how its base model is found."""

from __future__ import annotations

import hashlib
import os
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.content import (
    STANCES,
    labelled_oppositions,
    opposing_perceptions,
    training_perceptions,
    value_statements,
)
from gpla_assets.embedding import packaged
from gpla_assets.embedding.adapter import AdapterError
from gpla_assets.embedding.encoder_model import load_encoder
from gpla_assets.embedding.low_rank import LEFT, PREFIX, RIGHT, LowRank
from gpla_assets.embedding.packaged import assembled, base_model
from gpla_assets.embedding.store import EmbeddingStore
from gpla_assets.evaluator.backends import evaluator_weights, make_evaluator, make_value_encoder
from gpla_assets.evaluator.cross_encoder import CrossEncoder
from gpla_assets.evaluator.cross_weights import SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.studies import Evaluator
from gpla_assets.training import folds
from gpla_assets.training.accurate import calibrated, scored_rows
from gpla_assets.training.cross_fine_tuning import CrossRecipe, fine_tune_cross, pair_batches
from gpla_assets.training.labels import labelled_relations, texts_with_hash
from gpla_assets.training.material import (
    NO_FOLD,
    apart,
    cross_examples,
    known_folds,
    prose_examples,
    training_statements,
    written_examples,
)
from tests.tiny_models import tiny_mpnet

PAIRS = [
    ("I keep my word.", "Honesty: telling the truth"),
    ("Rules are for others.", "Obedience"),
    ("A short one.", "Kindness: being good to people in need"),
]
QUICK = CrossRecipe(passes={}, batch=8, frozen_layers=1, learning_rate=1e-2, rank=16)


THIN = LowRank.between({"a.weight": np.zeros((2, 2))}, {"a.weight": np.ones((2, 2))}, 1)


def weights(encoder: LowRank = THIN) -> CrossWeights:
    head = np.random.default_rng(0).normal(size=(3, 32)).astype(np.float32)
    return CrossWeights(encoder, head, np.zeros(3, np.float32), np.ones(1, np.float32))


def unchanged(folder: str) -> LowRank:
    """Changes of 0, of an encoder's queries."""
    named = load_encoder(folder)[1].named_parameters()
    queries = {name: one.detach().numpy() for name, one in named if ".attn.q." in name}
    return LowRank.between(queries, queries, rank=1)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_mpnet(tmp_path_factory.mktemp("mpnet")))


# Changes of low rank


def plain(layer: Any) -> dict[str, np.ndarray]:
    """A copy of a module's parameters."""
    return {name: one.detach().numpy().copy() for name, one in layer.named_parameters()}


def layers(n_in: int = 9, n_out: int = 12) -> Any:
    """A linear layer and a layer norm after it."""
    from torch import nn

    return nn.ModuleDict({"m": nn.Linear(n_in, n_out), "norm": nn.LayerNorm(n_out)})


def test_a_change_of_low_rank_is_kept_whole_and_a_rich_one_nearly() -> None:
    rng = np.random.default_rng(0)
    model = layers()
    base = plain(model)
    thin = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 9))
    added = {"m.weight": thin, "m.bias": 0.5, "norm.weight": 0.25, "norm.bias": -1.0}
    tuned = {name: one + added[name] for name, one in base.items()}
    LowRank.between(base, tuned, rank=2).apply(model)
    np.testing.assert_allclose(plain(model)["m.weight"], tuned["m.weight"], atol=0.02)
    np.testing.assert_allclose(plain(model)["m.bias"], tuned["m.bias"], atol=1e-3)
    for name in ("norm.weight", "norm.bias"):  # layer norms are kept whole
        np.testing.assert_array_equal(plain(model)[name], tuned[name].astype(np.float32))
    rich, other = rng.normal(size=(12, 9)), layers()
    begun = plain(other)
    LowRank.between(begun, begun | {"m.weight": begun["m.weight"] + rich}, rank=3).apply(other)
    part = plain(other)["m.weight"] - begun["m.weight"]
    lost = np.linalg.svd(rich, compute_uv=False)[3:]
    assert np.linalg.norm(rich - part) == pytest.approx(np.linalg.norm(lost), rel=0.01)


def test_peft_loads_what_is_saved_and_gives_the_sum_of_base_and_change(
    tiny: str, tmp_path: Path
) -> None:
    import torch
    from peft import PeftModel

    rng = np.random.default_rng(1)
    _, model = load_encoder(tiny)
    base = {name: one for name, one in plain(model).items() if "layer.1." in name}
    tuned = {name: one + 0.1 * rng.normal(size=one.shape) for name, one in base.items()}
    made = LowRank.between(base, tuned, rank=4)
    made.save(tmp_path)
    for read in (LowRank.load(tmp_path), made):
        _, own = load_encoder(tiny)
        read.apply(own)
        peft = PeftModel.from_pretrained(load_encoder(tiny)[1], tmp_path).merge_and_unload()
        theirs = plain(peft)
        for name, found in plain(own).items():
            np.testing.assert_array_equal(found, theirs[name])
            kept = made.tensors.get(PREFIX + name.removesuffix(".weight") + LEFT)
            if kept is not None:
                right = made.tensors[PREFIX + name.removesuffix(".weight") + RIGHT]
                sum_of = base[name] + kept.astype(np.float32) @ right.astype(np.float32)
                np.testing.assert_allclose(found, sum_of, atol=1e-6)
            elif name not in tuned:
                np.testing.assert_array_equal(found, plain(model)[name])
            else:
                np.testing.assert_allclose(found, tuned[name], atol=2e-4)
    assert sum(name.endswith(LEFT) for name in made.tensors) == 6
    assert not any(isinstance(one, torch.Tensor) for one in made.tensors.values())


def test_changes_refuse_another_base_model() -> None:
    model = layers()
    base = plain(model)
    change = LowRank.between(base, {name: one + 1 for name, one in base.items()}, 1)
    with pytest.raises(
        AdapterError, match=r"m\.weight: found shape \(12, 5\), expected shape \(12, 9"
    ):
        change.apply(layers(5))
    with pytest.raises(AdapterError, match=r"m\.weight: found no such parameter"):
        change.apply(layers()["m"])
    with pytest.raises(AdapterError, match=r"lacks adapter_config\.json"):
        LowRank.load(Path("nowhere"))


# The model


def test_logits_are_those_of_each_pair_alone(tiny: str) -> None:
    import torch

    tokenizer, model = load_encoder(tiny)
    used = weights(unchanged(tiny))
    judge = CrossEncoder(tiny, used, "tiny", batch_tokens=40)
    texts, values = (list(part) for part in zip(*[*PAIRS, PAIRS[0]], strict=True))
    found = judge.logits(texts, values)
    assert judge.inferences == len(PAIRS)  # the pair that returns is not run again
    for place, (text, value) in enumerate(zip(texts, values, strict=True)):
        with torch.inference_mode():
            mean = model(**tokenizer(text, value, return_tensors="pt")).last_hidden_state[0].mean(0)
        expected = used.head_weights @ mean.numpy() + used.head_bias
        np.testing.assert_allclose(found[place], expected, atol=1e-5)
    assert np.abs(found[0] - found[1]).max() > 1e-3


def test_a_pair_has_the_same_logits_in_any_batch_and_is_judged_once_with_a_store(
    tiny: str, tmp_path: Path
) -> None:
    used = weights(unchanged(tiny))
    statements = list(value_statements()["statement"].head(40))
    values = list(value_statements()["value"].iloc[::9].head(40))
    together = CrossEncoder(tiny, used, "tiny").logits(statements, values)
    one = CrossEncoder(tiny, used, "tiny")
    pairs = zip(statements[:12], values[:12], strict=True)
    alone = [one.logits([text], [value])[0] for text, value in pairs]
    assert (np.stack(alone) == together[:12]).all()
    backward = CrossEncoder(tiny, used, "tiny").logits(statements[::-1], values[::-1])
    assert (backward[::-1] == together).all()
    store = EmbeddingStore(tmp_path / "embeddings.sqlite", 2**27)
    for inferences in (40, 0):
        judge = CrossEncoder(tiny, used, "tiny", store=store)
        assert (judge.logits(statements, values) == together).all()
        assert judge.inferences == inferences


def test_the_text_gives_way_where_a_pair_is_too_long(tiny: str) -> None:
    judge = CrossEncoder(tiny, weights(unchanged(tiny)), "tiny")
    found = judge.logits(["long words " * 400] * 2, ["Honesty", "Kindness"])
    assert np.isfinite(found).all()
    assert np.abs(found[0] - found[1]).max() > 1e-4  # the value is still read


def test_weights_come_back_from_their_folder(tmp_path: Path) -> None:
    made = weights().calibrated(2.5)
    made.save(tmp_path / "w")
    found = CrossWeights.load(tmp_path / "w")
    assert set(found.arrays()) == set(made.arrays())
    for name, array in found.arrays().items():
        np.testing.assert_array_equal(array, made.arrays()[name])
    assert found.encoder.config == made.encoder.config
    logits = np.array([[1.0, 3.0, 0.0]])
    expected = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum()
    np.testing.assert_allclose(found.valence(logits), expected, atol=1e-6)
    save_file({"other": np.zeros(1)}, tmp_path / "w" / "head.safetensors")
    with pytest.raises(AdapterError, match=r"head\.safetensors lacks weights"):
        CrossWeights.load(tmp_path / "w")
    (tmp_path / "w" / "head.safetensors").unlink()  # a run that was stopped before it was done
    assert not CrossWeights.are_in(tmp_path / "w")
    with pytest.raises(AdapterError, match=r"w lacks head\.safetensors"):
        CrossWeights.load(tmp_path / "w")


def test_the_shipped_weights_are_for_the_base_model_that_is_named() -> None:
    shipped = CrossWeights.load(SHIPPED_CROSS)
    assert shipped.head_weights.shape == (4, 768)
    assert shipped.temperature[0] > 0
    changed = {name.split(".")[2] for name in shipped.encoder.modules}
    assert changed == {str(layer) for layer in range(4, 12)}


# Training


def statements() -> pd.DataFrame:
    rows = written_examples().assign(unrelated=0.0)
    return rows[rows["value"].isin(rows["value"].unique()[:4])].reset_index(drop=True)


@pytest.mark.slow
def test_training_learns_its_statements_and_repeats(tiny: str) -> None:
    rows = pd.concat([statements()] * 60, ignore_index=True)
    first, again = (fine_tune_cross(lambda: load_encoder(tiny), rows, QUICK) for _ in range(2))
    np.testing.assert_array_equal(first.head_weights, again.head_weights)
    scored = scored_rows(statements(), CrossEncoder(tiny, first, "tiny"))
    sided = scored[scored["either"] < 1]
    right = (sided["support_logit"] > sided["oppose_logit"]) == (sided["support"] > 0)
    assert right.mean() > 0.8
    changed = first.encoder.modules
    assert changed and all("layer.1." in name for name in changed)  # the lowest layer stays


def test_a_run_reads_each_row_as_often_as_its_source_says() -> None:
    rows = statements()
    recipe = CrossRecipe(passes={rows["source"][0]: 3}, batch=16, without_definition=0.0)
    pairs = [pair for batch in pair_batches(rows, recipe, random.Random(0)) for pair in batch]
    times = pd.Series([pair.row for pair in pairs]).value_counts()
    for row, source in enumerate(rows["source"]):
        assert times[row] == (3 if source == rows["source"][0] else 1)
    assert all(pair.value.startswith(rows["value"][pair.row]) for pair in pairs)


@pytest.mark.slow
def test_folds_are_those_of_the_bi_encoder_and_share_no_value_and_no_text() -> None:
    rows = pd.concat([cross_examples(), prose_examples()], ignore_index=True)
    fold_of = known_folds(rows)
    own = training_statements()
    dealt = dict(zip(own["value"].str.casefold(), folds.fold_of(own["value"], 5, 0), strict=True))
    assert set(fold_of) == {NO_FOLD, 0, 1, 2, 3, 4}
    if "ValueBench items" not in set(own["source"]):  # its answers' values are dealt along
        assert all(dealt.get(v.casefold(), NO_FOLD) == f for v, f in zip(rows["value"], fold_of))  # noqa: B905
    assert len(apart(rows, fold_of, -1)) == len(rows)  # the run that holds nothing out
    for fold in range(5):
        kept = apart(rows, fold_of, fold)
        tested = rows[fold_of == fold]
        assert not set(kept["value"].str.casefold()) & set(tested["value"].str.casefold())
        assert not set(kept["text"]) & set(tested["text"])


def test_a_value_that_two_sets_hold_in_different_folds_is_trained_on_in_neither() -> None:
    rows = pd.DataFrame({"value": ["Wealth", "wealth", "Calm"], "text": ["a", "b", "c"]})
    rows["group"] = rows["text"]
    fold_of = pd.Series([0, 1, 2])
    for fold in (0, 1):
        assert list(apart(rows, fold_of, fold)["value"]) == ["Calm"]
    assert list(apart(rows, fold_of, 2)["value"]) == ["Wealth", "wealth"]


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GPLA_DATA_DIR"), reason="no GPLA_DATA_DIR: real texts")
def test_labelled_prose_is_learnt_from_where_it_bears_on_a_value() -> None:
    rows = prose_examples()
    labels = pd.concat([training_perceptions(), opposing_perceptions()])
    assert len(rows) == (labels["relation"] != "-").sum()
    assert (rows[list(STANCES)].sum(axis=1) == 1).all()
    assert rows["oppose"].sum() == (labels["relation"] == "o").sum() > 200
    tested = texts_with_hash("alpaca_eval", set(labelled_oppositions()["text"]))
    assert tested is not None
    known = set(labelled_relations(tested, labelled_oppositions())["content"])
    assert not known & set(rows["text"])


def test_calibration_finds_the_temperature_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 4
    drawn = [rng.choice(3, p=np.exp(t) / np.exp(t).sum()) for t in logits / 2.5]
    rows = pd.DataFrame(logits, columns=folds.LOGITS)
    for k, name in enumerate(("support", "oppose", "either")):
        rows[name] = (np.array(drawn) == k).astype(float)
    assert calibrated(weights(), rows).temperature[0] == pytest.approx(2.5, rel=0.1)


def test_every_value_is_written_for_and_against_and_beside() -> None:
    rows = value_statements()
    assert rows["value"].nunique() > 700
    assert not rows.duplicated("statement").any()
    counts = rows.groupby("value")["stance"].value_counts().unstack(fill_value=0)
    assert (counts[["support", "oppose"]] >= 2).all().all()
    assert (rows.groupby("value")["definition"].nunique() == 1).all()


# The mode


class Table:
    """A judge that knows its pairs, and says which it was asked."""

    model = "table"
    weights = weights()

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    @property
    def inferences(self) -> int:
        return len(self.asked)

    def logits(self, texts: Sequence[str], values: Sequence[str]) -> np.ndarray:
        self.asked += list(zip(texts, values, strict=True))
        return np.tile(np.array([[0.0, 5.0, 0.0]], np.float32), (len(texts), 1))


def test_the_judge_is_asked_about_relevant_pairs_only_and_its_word_counts() -> None:
    perceptions = ["Always tell the truth to your friends.", "The bus leaves at ten."]
    values, definitions = ["Honesty", "Frugality"], ["telling the truth", "spending little"]
    heads, judge = evaluator_weights().heads, Table()
    settings = Evaluator(minimum_relevance=0.3)
    fast = EmbeddedEvaluator(make_value_encoder(), heads, settings)
    accurate = EmbeddedEvaluator(make_value_encoder(), heads, settings, judge)
    one, other = (m.evaluate(perceptions, values, definitions) for m in (fast, accurate))
    columns = ["row", "value", "relevance"]
    pd.testing.assert_frame_equal(one[columns], other[columns])
    assert judge.asked == [(perceptions[0], "Honesty: telling the truth")]
    assert one["score"][0] > 0 > other["score"][0]
    assert accurate.model == "table, accurate"
    assert fast.model.endswith(", fast")


def test_the_stance_of_an_answer_turns_the_judges_word_on_the_question() -> None:
    heads, judge = evaluator_weights().heads, Table()
    accurate = EmbeddedEvaluator(make_value_encoder(), heads, Evaluator(), judge)
    texts = ["Should I tell lies? Yes, you should.", "Should I tell lies? No, you should not."]
    found = accurate.score(texts, ["Honesty"] * 2, [None] * 2)
    assert {text for text, _ in judge.asked} == {"Should I tell lies?"}
    assert found["score"][0] < 0 < found["score"][1]


# The base model


def test_parts_are_put_together_once_and_only_if_the_weights_are_the_hubs(tmp_path: Path) -> None:
    whole = tmp_path / "whole.zip"
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("model/model.safetensors", b"weights")
        archive.writestr("model/config.json", b"{}")
        archive.writestr("model/../../outside.json", b"no")
    content = whole.read_bytes()
    parts = [tmp_path / f"part{n}" for n in range(2)]
    for part, piece in zip(parts, (content[:40], content[40:]), strict=True):
        part.write_bytes(piece)
    folder = tmp_path / "made" / "model"
    with pytest.raises(BackendUnavailable, match="hold weights with SHA-256"):
        assembled(parts, folder, "0" * 64)
    assert not list((tmp_path / "made").iterdir())  # nothing is left behind
    found = assembled(parts, folder, hashlib.sha256(b"weights").hexdigest())
    assert {path.name for path in found.iterdir()} == {"model.safetensors", "config.json"}
    late = assembled(parts, folder, hashlib.sha256(b"weights").hexdigest())
    assert late == folder  # of two processes at once the second finds the first's
    assert [path.name for path in late.parent.iterdir()] == ["model"]
    assert not (tmp_path / "outside.json").exists()


def test_without_the_base_model_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(packaged, "warehouse_folder", lambda: tmp_path)
    monkeypatch.setattr(packaged, "packaged_parts", lambda: None)
    monkeypatch.setattr("huggingface_hub.try_to_load_from_cache", lambda *a: None)
    with pytest.raises(BackendUnavailable, match=r"hf download .*make accurate.*mode to fast"):
        base_model()


REVERSALS = [
    ("Caution", "I read every label before I buy.", "I rarely read a label before I buy."),
    ("Reliability", "Nobody has had to remind me of a promise.", "Do not count on me."),
    (
        "Compassion",
        "A child's tears go to my heart.",
        "What becomes of strangers is all one to me.",
    ),
    ("Depression", "Most days I can hardly get up.", "No bad week can take away my joy."),
    ("Closed-Mindedness", "Who disagrees is wrong.", "I like to hear the other side."),
    ("Thrift", "I mend my coat again and again.", "Money burns a hole in my pocket."),
]


def test_with_the_base_model_the_mode_tells_a_reversal_from_its_statement() -> None:
    try:
        evaluator = make_evaluator(Evaluator(mode="accurate"))
    except BackendUnavailable as error:
        pytest.skip(f"the base model of mode accurate is not here: {error}")
    names, supports, opposes = (list(part) for part in zip(*REVERSALS, strict=True))
    one, other = (evaluator.score(texts, names, [None] * 6) for texts in (supports, opposes))
    assert (one["score"] > other["score"]).sum() >= 5
