"""Mode accurate of M_E: the cross-encoder, its training, and how its base model is found."""

from __future__ import annotations

import hashlib
import os
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.agents import cross_encoder, make_evaluator
from gpla_assets.agents.cross_encoder import CrossEncoder, assembled, base_model
from gpla_assets.agents.cross_encoder_training import calibrated, scored_rows
from gpla_assets.agents.embedded_evaluator import EmbeddedEvaluator
from gpla_assets.agents.embedding_store import EmbeddingStore
from gpla_assets.agents.encoder_model import load_encoder
from gpla_assets.agents.labels import labelled_relations, texts_with_hash
from gpla_assets.agents.protocol import BackendUnavailable
from gpla_assets.agents.registry import evaluator_weights, make_value_encoder
from gpla_assets.agents.training import (
    NO_FOLD,
    apart,
    cross_examples,
    known_folds,
    prose_examples,
    training_statements,
    written_examples,
)
from gpla_assets.content import (
    STANCES,
    labelled_oppositions,
    opposing_perceptions,
    training_perceptions,
    value_statements,
)
from gpla_assets.evaluator import AdapterError, folds
from gpla_assets.evaluator.cross import SHIPPED_CROSS, CrossWeights
from gpla_assets.evaluator.cross_training import CrossRecipe, fine_tune_cross, pair_batches
from gpla_assets.evaluator.low_rank import LowRank
from gpla_assets.studies import Evaluator
from tests.tiny_models import tiny_mpnet

PAIRS = [
    ("I keep my word.", "Honesty: telling the truth"),
    ("Rules are for others.", "Obedience"),
    ("A short one.", "Kindness: being good to people in need"),
]
QUICK = CrossRecipe(passes={}, batch=8, frozen_layers=1, learning_rate=1e-2, rank=16)


def weights(**changes: np.ndarray) -> CrossWeights:
    rng = np.random.default_rng(0)
    encoder = LowRank({"a": np.ones((2, 1), np.float16)}, {"a": np.ones((1, 2), np.float16)}, {})
    head = rng.normal(size=(3, 32)).astype(np.float32)
    return CrossWeights(
        changes.get("encoder", encoder), head, np.zeros(3, np.float32), np.ones(1, np.float32)
    )  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_mpnet(tmp_path_factory.mktemp("mpnet")))


# Changes of low rank


def test_a_change_of_low_rank_is_kept_whole_and_a_rich_one_nearly() -> None:
    rng = np.random.default_rng(0)
    base = {"m": rng.normal(size=(12, 9)), "v": rng.normal(size=5)}
    thin = rng.normal(size=(12, 2)) @ rng.normal(size=(2, 9))
    tuned = {"m": base["m"] + thin, "v": base["v"] + 0.5}
    found = LowRank.between(base, tuned, rank=2)
    np.testing.assert_allclose(found.change("m"), thin, atol=0.02)
    np.testing.assert_allclose(found.change("v"), 0.5, atol=1e-3)
    rich = rng.normal(size=(12, 9))
    part = LowRank.between({"m": np.zeros((12, 9))}, {"m": rich}, rank=3).change("m")
    lost = np.linalg.svd(rich, compute_uv=False)[3:]
    assert np.linalg.norm(rich - part) == pytest.approx(np.linalg.norm(lost), rel=0.01)


def test_changes_refuse_another_base_model() -> None:
    from torch import nn

    change = LowRank.between({"weight": np.zeros((2, 3))}, {"weight": np.ones((2, 3))}, 1)
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    change.apply(model)
    np.testing.assert_allclose((model.weight - before).detach(), 1, atol=0.01)
    with pytest.raises(AdapterError, match=r"weight: found shape \(2, 5\), expected shape \(2, 3"):
        change.apply(nn.Linear(5, 2))


# The model


def test_logits_are_those_of_each_pair_alone(tiny: str) -> None:
    import torch

    tokenizer, model = load_encoder(tiny)
    name, matrix = next((n, p) for n, p in model.named_parameters() if p.ndim == 2 and "attn" in n)
    nothing = np.zeros((*matrix.shape[:1], 1), np.float16)
    none = LowRank({name: nothing}, {name: np.zeros((1, matrix.shape[1]), np.float16)}, {})
    used = weights(encoder=none)  # type: ignore[arg-type]
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
    used = weights(encoder=LowRank({}, {}, {}))  # type: ignore[arg-type]
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
    change = weights(encoder=LowRank({}, {}, {}))  # type: ignore[arg-type]
    judge = CrossEncoder(tiny, change, "tiny")
    found = judge.logits(["long words " * 400] * 2, ["Honesty", "Kindness"])
    assert np.isfinite(found).all()
    assert np.abs(found[0] - found[1]).max() > 1e-4  # the value is still read


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    made = weights().calibrated(2.5)
    made.save(tmp_path / "w.npz")
    found = CrossWeights.load(tmp_path / "w.npz")
    np.testing.assert_array_equal(found.head_weights, made.head_weights)
    np.testing.assert_array_equal(found.encoder.change("a"), made.encoder.change("a"))
    logits = np.array([[1.0, 3.0, 0.0]])
    expected = np.exp(logits / 2.5) / np.exp(logits / 2.5).sum()
    np.testing.assert_allclose(found.valence(logits), expected, atol=1e-6)
    np.savez(tmp_path / "other.npz", other=np.zeros(1))
    with pytest.raises(ValueError, match=r"other\.npz lacks head/weights"):
        CrossWeights.load(tmp_path / "other.npz")


def test_the_shipped_weights_are_for_the_base_model_that_is_named() -> None:
    shipped = CrossWeights.load(SHIPPED_CROSS)
    assert shipped.head_weights.shape == (3, 768)
    assert shipped.temperature[0] > 0
    layers = {name.split(".")[2] for name in shipped.encoder.left}
    assert layers == {str(layer) for layer in range(4, 12)}


# Training


def statements() -> pd.DataFrame:
    rows = written_examples()
    return rows[rows["value"].isin(rows["value"].unique()[:4])].reset_index(drop=True)


def test_training_learns_its_statements_and_repeats(tiny: str) -> None:
    rows = pd.concat([statements()] * 60, ignore_index=True)
    first, again = (fine_tune_cross(lambda: load_encoder(tiny), rows, QUICK) for _ in range(2))
    np.testing.assert_array_equal(first.head_weights, again.head_weights)
    scored = scored_rows(statements(), CrossEncoder(tiny, first, "tiny"))
    sided = scored[scored["either"] < 1]
    right = (sided["support_logit"] > sided["oppose_logit"]) == (sided["support"] > 0)
    assert right.mean() > 0.8
    frozen = [name for name in first.encoder.left if "layer.0." in name or "embeddings" in name]
    assert not frozen


def test_a_run_reads_each_row_as_often_as_its_source_says() -> None:
    rows = statements()
    recipe = CrossRecipe(passes={rows["source"][0]: 3}, batch=16, without_definition=0.0)
    pairs = [pair for batch in pair_batches(rows, recipe, random.Random(0)) for pair in batch]
    times = pd.Series([pair.row for pair in pairs]).value_counts()
    for row, source in enumerate(rows["source"]):
        assert times[row] == (3 if source == rows["source"][0] else 1)
    assert all(pair.value.startswith(rows["value"][pair.row]) for pair in pairs)


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
    fast = EmbeddedEvaluator(make_value_encoder(), heads, 0.3)
    accurate = EmbeddedEvaluator(make_value_encoder(), heads, 0.3, judge)
    one, other = (m.evaluate(perceptions, values, definitions) for m in (fast, accurate))
    columns = ["row", "value", "relevance"]
    pd.testing.assert_frame_equal(one[columns], other[columns])
    assert judge.asked == [(perceptions[0], "Honesty: telling the truth")]
    assert one["score"][0] > 0 > other["score"][0]
    assert accurate.model == "table, accurate"
    assert fast.model.endswith(", fast")


def test_the_stance_of_an_answer_turns_the_judges_word_on_the_question() -> None:
    heads, judge = evaluator_weights().heads, Table()
    accurate = EmbeddedEvaluator(make_value_encoder(), heads, judge=judge)
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
    monkeypatch.setattr(cross_encoder, "warehouse_folder", lambda: tmp_path)
    monkeypatch.setattr(cross_encoder, "packaged_parts", lambda: None)
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
