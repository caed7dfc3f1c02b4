"""Weights that run in this process: their numbers are those of the raw logits, padded or alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpla_assets.chat import ChatRequest, Message
from gpla_assets.chat.transformers_chat import TransformersChat, folded
from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.local_weights import LabelWords, LocalWeights, available_device
from gpla_assets.evaluator.valuellama import RELEVANCE, VALENCE, ValueLlamaEvaluator
from gpla_assets.generator.kaleido import (
    TEMPLATES,
    Embed,
    KaleidoGenerator,
    Thresholds,
    near_by_rouge,
    value_of,
)
from gpla_assets.studies import Evaluator, Generator
from tests.tiny_models import ANSWERS, byte_tokenizer, tiny_llama, tiny_t5

TEXTS = [
    "Honest people keep their word.",
    "Rules should be obeyed, and freedom is worth more than comfort.",
    "Tell the truth!",
]
VALUES = ["Honesty", "Respect for rules", "Freedom"]
WITH_SYSTEM = "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>"
SILENT = (
    "{% for m in messages %}{% if m.role != 'system' %}<{{ m.role }}>{{ m.content }}"
    "{% endif %}{% endfor %}<assistant>"
)
REFUSING = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
    "{% endif %}" + WITH_SYSTEM
)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_llama(tmp_path_factory.mktemp("llama")))


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_t5(tmp_path_factory.mktemp("t5")))


def valuellama(model: str, **given: Any) -> ValueLlamaEvaluator:
    settings = Evaluator(backend="valuellama", model=model, **given)
    return ValueLlamaEvaluator(LocalWeights.of(settings, ""), settings)


def kaleido(model: str, embed: Embed, **given: Any) -> KaleidoGenerator:
    settings = Generator(backend="kaleido", model=model, **given)
    return KaleidoGenerator(LocalWeights.of(settings, ""), embed, settings)


def apart(names: list[str]) -> np.ndarray:
    """Embeddings in which no two names are alike."""
    return np.eye(len(names))


def softmax_by_hand(logits: Any, tokens: list[int]) -> np.ndarray:
    weights = np.exp([float(logits[token]) for token in tokens])
    return weights / weights.sum()


def llama_by_hand(folder: str, prompt: str, words: tuple[str, ...]) -> np.ndarray:
    """Softmax of the words' logits after one prompt, no padding, no batch."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([tokenizer.encode(prompt, add_special_tokens=False)])
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(folder)(ids).logits[0, -1]
    return softmax_by_hand(logits, [tokenizer.convert_tokens_to_ids(word) for word in words])


def t5_by_hand(folder: str, prompt: str, words: tuple[str, ...], start: int = 1) -> np.ndarray:
    """Softmax of the words' logits after `start` start tokens."""
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    ids = torch.tensor([tokenizer(prompt)["input_ids"]])
    model = AutoModelForSeq2SeqLM.from_pretrained(folder)
    with torch.inference_mode():
        logits = model(ids, decoder_input_ids=torch.zeros((1, start), dtype=torch.long)).logits
    return softmax_by_hand(logits[0, -1], [tokenizer.convert_tokens_to_ids(w) for w in words])


# Loading


def test_dtype_and_device_are_as_the_study_says(llama: str, t5: str) -> None:
    import torch

    loaded = LocalWeights(llama, dtype="bfloat16", device="cpu").load("causal")
    assert loaded.model.dtype == torch.bfloat16
    assert loaded.model.device == torch.device("cpu")
    assert not loaded.model.training
    assert LocalWeights(t5, device="cpu").load("seq2seq").model.dtype == torch.float32
    half = valuellama(llama, dtype="bfloat16").relevance(TEXTS, VALUES)
    whole = valuellama(llama, dtype="float32").relevance(TEXTS, VALUES)
    assert 0 < np.abs(half - whole).max() < 0.2


def test_a_gpu_has_bfloat16_for_a_causal_llm_and_float32_for_t5() -> None:
    import torch

    auto = LocalWeights("any")
    assert auto.torch_dtype("causal", "cuda:1") == torch.bfloat16
    assert auto.torch_dtype("seq2seq", "cuda") == auto.torch_dtype("causal", "cpu") == torch.float32


def test_settings_that_cannot_run_are_named() -> None:
    with pytest.raises(ValueError, match=r"dtype = 'int8': expected one of auto, float32"):
        LocalWeights("any", dtype="int8")
    with pytest.raises(ValueError, match="batch_size = 0: expected at least 1"):
        LocalWeights("any", batch_size=0)
    with pytest.raises(BackendUnavailable, match="device = 'tpu': expected auto, cpu, cuda"):
        available_device("tpu")
    with pytest.raises(BackendUnavailable, match=r"device = 'cuda:99'.*set device to auto or cpu"):
        available_device("cuda:99")


def test_a_missing_model_names_what_to_do(tmp_path: Path) -> None:
    missing = str(tmp_path / "nothing")
    for agent in (
        lambda: kaleido(missing, apart).generate(["A text."]),
        lambda: valuellama(missing, revision="v2").evaluate(["A text."], ["Care"], [None]),
        lambda: TransformersChat(missing).ask([chat_request("Hello.")]),
    ):
        with pytest.raises(BackendUnavailable, match=r"nothing' .*run `hf download .*set model to"):
            agent()
    with pytest.raises(BackendUnavailable, match="--revision v2"):
        LocalWeights(missing, "v2").load("causal")


def test_a_model_of_another_kind_is_refused(llama: str) -> None:
    with pytest.raises(BackendUnavailable, match="as a sequence-to-sequence model"):
        LocalWeights(llama).load("seq2seq")


def test_nothing_is_loaded_before_it_is_needed() -> None:
    columns = ["row", "value", "probability"]
    assert list(kaleido("/missing", apart).generate(["", "  "]).columns) == columns
    evaluator = valuellama("/missing")
    assert evaluator.evaluate([], VALUES, [None] * 3).empty
    assert evaluator.evaluate(TEXTS, [], []).empty
    assert evaluator.score([], [], []).empty
    assert TransformersChat("/missing").ask([]) == []


# Label words


class Spelling:
    """A tokenizer of known spellings."""

    unk_token_id = 99

    def __init__(self, **tokens: list[int]) -> None:
        self.tokens = tokens

    def encode(self, word: str, add_special_tokens: bool) -> list[int]:
        return self.tokens[word]


def logits_of(tables: dict[tuple[int, ...], list[float]]) -> Any:
    import torch

    return lambda begun: torch.tensor([tables[begun]])


def test_words_of_several_tokens_count_by_the_first_that_tells_them_apart() -> None:
    spelled = Spelling(support=[1, 2], oppose=[3, 2], either=[0])
    labels = LabelWords.of(spelled, ["support", "oppose", "either"])
    assert labels.beginnings == ((1,), (3,), (0,))
    found = labels.probabilities(logits_of({(): [0.0, np.log(2), 7.0, np.log(5)]}))
    np.testing.assert_allclose(found, [[2 / 8, 5 / 8, 1 / 8]], atol=1e-6)


def test_a_first_token_that_all_words_share_is_passed_over() -> None:
    labels = LabelWords.of(Spelling(yes=[2, 0], no=[2, 1]), ["yes", "no"])
    assert labels.shared == 1
    found = labels.probabilities(logits_of({(2,): [np.log(3), 0.0, 5.0]}))
    np.testing.assert_allclose(found, [[3 / 4, 1 / 4]], atol=1e-6)


def test_a_first_token_that_two_of_three_words_share_is_divided_between_them() -> None:
    """p(0) = 6/8, of which 1/3 and 2/3; p(1) = 2/8."""
    labels = LabelWords.of(Spelling(a=[0, 0], b=[0, 1], c=[1]), ["a", "b", "c"])
    tables = {(): [np.log(6), np.log(2)], (0,): [0.0, np.log(2)]}
    found = labels.probabilities(logits_of(tables))
    np.testing.assert_allclose(found, [[2 / 8, 4 / 8, 2 / 8]], atol=1e-6)


@pytest.mark.parametrize("no", [[1], [1, 2], [99]])
def test_words_that_no_token_tells_apart_are_refused(no: list[int]) -> None:
    with pytest.raises(BackendUnavailable, match="no token tells it from the other answers"):
        LabelWords.of(Spelling(yes=[1], no=no), ["yes", "no"])


def test_real_tokenizers_know_the_answers() -> None:
    labels = LabelWords.of(byte_tokenizer(ends=True), ANSWERS)
    assert len({beginning[0] for beginning in labels.beginnings}) == len(ANSWERS)


def test_numbers_that_overflow_are_an_error() -> None:
    labels = LabelWords.of(Spelling(yes=[0], no=[1]), ["yes", "no"])
    with pytest.raises(BackendUnavailable, match=r"NaN .*set dtype to bfloat16 or float32"):
        labels.probabilities(logits_of({(): [float("nan"), 1.0]}))


# ValueLlama


@pytest.mark.parametrize("batch_size", [1, 4])
def test_valuellama_gives_the_softmax_of_its_answers(llama: str, batch_size: int) -> None:
    evaluator = valuellama(llama, batch_size=batch_size, minimum_relevance=0.0)
    found = evaluator.evaluate(TEXTS, VALUES, [None] * 3)
    assert list(found["row"]) == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert list(found["value"]) == VALUES * 3
    assert evaluator.inferences == 18
    for row in found.itertuples(index=False):
        relevance = llama_by_hand(llama, RELEVANCE.about(TEXTS[row.row], row.value), ("yes", "no"))
        stances = llama_by_hand(
            llama, VALENCE.about(TEXTS[row.row], row.value), ("support", "oppose", "either")
        )
        assert row.relevance == pytest.approx(relevance[0], abs=1e-5)
        np.testing.assert_allclose([row.p_support, row.p_oppose, row.p_either], stances, atol=1e-5)


def test_valuellama_asks_about_the_stance_of_relevant_pairs_only(llama: str) -> None:
    every = valuellama(llama, minimum_relevance=0.0).evaluate(TEXTS, VALUES, [None] * 3)
    cut = float(every["relevance"].sort_values().iloc[4])
    evaluator = valuellama(llama, minimum_relevance=cut)
    found = evaluator.evaluate(TEXTS, VALUES, [None] * 3)
    expected = every[every["relevance"] > cut + 1e-9].reset_index(drop=True)
    assert list(zip(found["row"], found["value"], strict=True)) == list(
        zip(expected["row"], expected["value"], strict=True)
    )
    assert evaluator.inferences == 9 + len(found) == 13


def test_valuellama_judges_equal_texts_once_and_blank_ones_never(llama: str) -> None:
    evaluator = valuellama(llama, minimum_relevance=0.0)
    found = evaluator.evaluate([TEXTS[0], " ", f"{TEXTS[0]}\n"], VALUES[:1], [None])
    assert list(found["row"]) == [0, 2]
    assert evaluator.inferences == 2
    assert found["relevance"].nunique() == 1


def test_aligned_scores_are_support_less_oppose_in_every_row(llama: str) -> None:
    evaluator = valuellama(llama, minimum_relevance=1.0)
    every = valuellama(llama, minimum_relevance=0.0).evaluate(TEXTS, VALUES, [None] * 3)
    found = evaluator.score([*TEXTS, ""], [*VALUES, "Care"], [None] * 4)
    np.testing.assert_allclose(found["relevance"][:3], every["relevance"][[0, 4, 8]], atol=1e-5)
    np.testing.assert_allclose(found["score"], found["p_support"] - found["p_oppose"])
    assert found["score"].notna().tolist() == [True, True, True, False]
    with pytest.raises(ValueError, match="Found 3 perceptions, 1 values"):
        evaluator.score(TEXTS, VALUES[:1], [None])


# Kaleido


@pytest.mark.parametrize("batch_size", [1, 3])
def test_kaleidos_answers_are_the_softmax_at_the_decoders_first_position(
    t5: str, batch_size: int
) -> None:
    generator = kaleido(t5, apart, batch_size=batch_size)
    relevance, valence = generator.relevance(TEXTS, VALUES), generator.valence(TEXTS, VALUES)
    for n, (text, value) in enumerate(zip(TEXTS, VALUES, strict=True)):
        prompt = f"[Relevance]:\tAction: {text}\tValue: {value}"
        assert relevance[n] == pytest.approx(t5_by_hand(t5, prompt, ("Yes", "No"))[0], abs=1e-5)
        prompt = f"[Valence]:\tAction: {text}\tValue: {value}"
        stances = t5_by_hand(t5, prompt, ("Supports", "Opposes", "Either"))
        np.testing.assert_allclose(valence[n], stances, atol=1e-5)
    assert generator.inferences == 6


def test_a_second_start_token_as_its_authors_have_it_changes_nothing(t5: str) -> None:
    found = kaleido(t5, apart).relevance(TEXTS[:1], VALUES[:1])
    prompt = f"[Relevance]:\tAction: {TEXTS[0]}\tValue: {VALUES[0]}"
    assert 0.05 < found[0] < 0.95
    assert found[0] == pytest.approx(t5_by_hand(t5, prompt, ("Yes", "No"), start=2)[0], abs=1e-5)


@pytest.mark.parametrize("batch_size", [1, 12])
def test_kaleidos_candidates_are_all_beams_of_the_search(t5: str, batch_size: int) -> None:
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    generator = kaleido(t5, apart, beams=4, max_new_tokens=5, batch_size=batch_size)
    found = generator.candidates(TEXTS)
    tokenizer = AutoTokenizer.from_pretrained(t5)
    model = AutoModelForSeq2SeqLM.from_pretrained(t5)
    for text, beams in zip(TEXTS, found, strict=True):
        ids = torch.tensor([tokenizer(f"[Generate]:\tAction: {text}")["input_ids"]])
        written = model.generate(ids, num_beams=4, num_return_sequences=4, max_new_tokens=5)
        assert beams == tokenizer.batch_decode(written, skip_special_tokens=True)
    assert generator.inferences == 3


def with_beams(generator: KaleidoGenerator, beams: dict[str, list[str]]) -> KaleidoGenerator:
    """The generator as if its model had written these beams; relevance stays the model's."""
    generator.candidates = lambda texts: [beams[text] for text in texts]  # type: ignore[method-assign, assignment]
    return generator


def test_kaleidos_relevant_values_come_most_relevant_first(t5: str) -> None:
    names = ["Honesty", "Freedom", "Safety", "Kindness"]
    beams = {text: [f"Value: {name}" for name in names] for text in TEXTS}
    relevance = {text: kaleido(t5, apart).relevance([text] * 4, names) for text in TEXTS}
    cut = float(np.median(np.concatenate(list(relevance.values()))))
    generator = with_beams(kaleido(t5, apart, minimum_relevance=cut), beams)
    found = generator.generate([*TEXTS, TEXTS[0]])
    expected = [
        (row, names[place])
        for row, text in enumerate([*TEXTS, TEXTS[0]])
        for place in np.argsort(-relevance[text])
        if relevance[text][place] >= cut
    ]
    assert list(zip(found["row"], found["value"], strict=True)) == expected
    assert (found["probability"] >= cut).all()
    assert generator.dropped["irrelevant"] == 6
    assert found.equals(generator.generate([*TEXTS, TEXTS[0]]))


def test_kaleidos_beams_that_name_no_value_are_counted(t5: str) -> None:
    beams = [
        "Value: honesty.",
        "Value:  Honesty",
        "Right: Right to privacy",
        "no type at all",
        "Value: 1234",
        "Value: " + "so on and " * 10,
    ]
    generator = with_beams(kaleido(t5, apart, minimum_relevance=0.0), {TEXTS[0]: beams})
    assert list(generator.generate(TEXTS[:1])["value"]) == ["Honesty"]
    counts = {"repeated": 1, "other_type": 2, "no_letters": 1, "overlong": 1}
    assert {k: v for k, v in generator.dropped.items() if v} == counts


def test_of_near_duplicates_the_more_relevant_value_stays(t5: str) -> None:
    """By words "Respect for nature" is within the longer name; by embedding Care is Kindness."""
    names = ["Respect for nature", "Respect for nature and animals", "Care", "Kindness", "Duty"]
    beams = {TEXTS[0]: [f"Value: {name}" for name in names]}
    plain = kaleido(t5, apart)
    relevance = dict(zip(names, plain.relevance([TEXTS[0]] * 5, names), strict=True))
    kinds = {"Care": 0, "Kindness": 0, "Duty": 1}

    def alike(asked: list[str]) -> np.ndarray:
        return np.eye(3)[[kinds.get(name, 2) for name in asked]]

    generator = with_beams(kaleido(t5, alike, minimum_relevance=0.0), beams)
    stay = {max(names[:2], key=relevance.__getitem__), max(names[2:4], key=relevance.__getitem__)}
    found = generator.generate(TEXTS[:1])
    assert set(found["value"]) == {*stay, "Duty"}
    assert found["probability"].is_monotonic_decreasing
    assert generator.dropped["rouge"] == generator.dropped["cosine"] == 1
    loose = kaleido(t5, alike, minimum_relevance=0.0, rouge_threshold=1.0, cosine_threshold=1.0)
    assert len(with_beams(loose, beams).generate(TEXTS[:1])) == 5


def test_a_value_at_the_threshold_is_no_duplicate() -> None:
    """Two of four words each in common: F, precision and recall are 1/2."""
    near = near_by_rouge((0.5, 0.5, 0.5))
    assert not near("open honest talk now", "open honest plain speech")
    assert near_by_rouge((0.49, 1, 1))("open honest talk now", "open honest plain speech")


def test_templates_and_thresholds_are_those_of_the_models_config(tmp_path: Path) -> None:
    generate = {"template": "Name a V for A", "args": ["A"]}
    relevance = {"template": "A ? T V", "args": ["A", "T", "V"]}
    params = {
        "relevance_threshold": {"Value": 0.25, "Right": 0.9, "Duty": 0.9},
        "ngram_threshold": {"f1": 0.7, "precision": 0.8, "recall": 0.9},
        "embed_threshold": 0.6,
    }
    tasks = {"generate": generate, "relevance": relevance}
    folder = str(tiny_t5(tmp_path, task_specific_params=tasks, system_params=params))
    generator = kaleido(folder, apart)
    assert generator.thresholds == Thresholds(0.25, (0.7, 0.8, 0.9), 0.6)
    bare = str(tiny_t5(tmp_path / "bare"))
    given = {"minimum_relevance": 0.3, "rouge_threshold": 0.4, "cosine_threshold": 0.6}
    assert kaleido(bare, apart, **given).thresholds == Thresholds(0.3, (0.4, 0.4, 0.4), 0.6)
    found = generator.relevance(["Vs and As"], ["T"])
    by_hand = t5_by_hand(folder, "Vs and As ? Value T", ("Yes", "No"))
    assert found[0] == pytest.approx(by_hand[0], abs=1e-5)


def test_a_text_is_not_taken_for_a_slot_of_the_template() -> None:
    filled = TEMPLATES["relevance"].filled("VALUE of VRD", "Value", "ACTION")
    assert filled == "[Relevance]:\tAction: VALUE of VRD\tValue: ACTION"


def test_of_a_long_prompt_the_perception_is_cut_and_the_value_stays(t5: str) -> None:
    generator = kaleido(t5, apart)
    long = "Honest people tell the truth. " * 60
    rows = generator._encoded("relevance", [(long, "Value", "Safety"), ("Short.", "Value", "Care")])
    tokenizer = LocalWeights(t5).load("seq2seq").tokenizer
    assert 120 <= len(rows[0]) <= 128
    assert tokenizer.decode(rows[0], skip_special_tokens=True).endswith("\tValue: Safety")
    assert tokenizer.decode(rows[1], skip_special_tokens=True).endswith("Short.\tValue: Care")


@pytest.mark.parametrize(
    ("beam", "value"),
    [
        ("Value: work-life balance", "Work-life balance"),
        ("Value: “Respect”  for elders.", "Respect” for elders"),
        ("Duty: Duty to help", None),
        ("Value:", None),
        ("", None),
    ],
)
def test_a_beam_is_read_as_a_value(beam: str, value: str | None) -> None:
    assert value_of(beam)[0] == value


# Chat


def chat_request(text: str, system: str | None = None, **settings: Any) -> ChatRequest:
    messages = (Message("user", text),)
    first = (Message("system", system),) if system else ()
    return ChatRequest((*first, *messages), **{"max_new_tokens": 8, **settings})


def test_a_greedy_reply_is_what_the_model_generates(llama: str) -> None:
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    chat = TransformersChat(llama)
    tokenizer = AutoTokenizer.from_pretrained(llama)
    model = AutoModelForCausalLM.from_pretrained(llama)
    for text, reply in zip(TEXTS, chat.ask([chat_request(text) for text in TEXTS]), strict=True):
        ids = torch.tensor([tokenizer.encode(f"{text}\n\n", add_special_tokens=False)])
        mask = torch.ones_like(ids)
        written = model.generate(ids, attention_mask=mask, max_new_tokens=8, do_sample=False)
        new = written[0, ids.shape[1] :]
        assert reply.content == tokenizer.decode(new, skip_special_tokens=True).strip()
        assert reply.prompt_tokens == ids.shape[1]
        assert reply.completion_tokens == int((new != 1).sum())
        assert reply.finish == ("stop" if 1 in new else "length")
    assert chat.inferences == 3


def test_replies_do_not_depend_on_the_batch(llama: str) -> None:
    requests = [
        chat_request(text, max_new_tokens=length, temperature=warmth, seed=7)
        for text in TEXTS
        for length, warmth in [(3, 0.0), (12, 0.0), (12, 0.9)]
    ]
    together = TransformersChat(llama, batch_size=9).ask(requests)
    alone = [TransformersChat(llama, batch_size=1).ask([one])[0] for one in requests]
    assert together == alone
    assert TransformersChat(llama, batch_size=2).ask(requests[::-1]) == together[::-1]


def test_a_seed_repeats_and_another_seed_or_attempt_does_not(llama: str) -> None:
    chat = TransformersChat(llama)

    def contents(seed: int, attempt: int = 0) -> list[str]:
        settings = {"temperature": 1.0, "seed": seed, "attempt": attempt}
        return [reply.content for reply in chat.ask([chat_request(t, **settings) for t in TEXTS])]

    assert (
        contents(1)
        == contents(1)
        == [
            r.content
            for r in TransformersChat(llama).ask(
                [chat_request(t, temperature=1.0, seed=1) for t in TEXTS]
            )
        ]
    )
    assert contents(1) != contents(2)
    assert contents(1) != contents(1, attempt=1)


def test_sampled_tokens_have_the_softmaxs_frequencies(llama: str) -> None:
    """The likeliest first content at temperature 2, over 600 seeds: within 4 standard errors."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(llama)
    ids = torch.tensor([tokenizer.encode("Hello.\n\n", add_special_tokens=False)])
    with torch.inference_mode():
        logits = AutoModelForCausalLM.from_pretrained(llama)(ids).logits[0, -1]
    expected = torch.softmax(logits / 2, -1).tolist()
    chat = TransformersChat(llama, batch_size=200)
    settings = {"max_new_tokens": 1, "temperature": 2.0}
    replies = chat.ask([chat_request("Hello.", seed=n, **settings) for n in range(600)])
    shown = [tokenizer.decode([n], skip_special_tokens=True).strip() for n in range(len(logits))]
    likeliest = shown[int(np.argmax(expected))]
    p = sum(one for one, content in zip(expected, shown, strict=True) if content == likeliest)
    share = np.mean([reply.content == likeliest for reply in replies])
    assert 0.02 < p < 0.98
    assert abs(share - p) < 4 * np.sqrt(p * (1 - p) / 600)


def test_equal_requests_are_answered_once_and_progress_counts_all(llama: str) -> None:
    chat = TransformersChat(llama, batch_size=1)
    told: list[int] = []
    found = chat.ask([chat_request(text) for text in [*TEXTS, TEXTS[0]]], told.append)
    assert chat.inferences == 3
    assert sum(told) == 4
    assert found[3].content == found[0].content
    assert [reply.cached for reply in found] == [False, False, False, True]


def test_the_end_token_stops_a_reply_and_is_not_in_it(llama: str) -> None:
    chat = TransformersChat(llama)
    whole = chat.ask([chat_request(TEXTS[0])])[0]
    loaded = chat._load()
    ids = loaded.tokenizer.encode(f"{TEXTS[0]}\n\n", add_special_tokens=False)
    import torch

    new = loaded.model.generate(torch.tensor([ids]), max_new_tokens=8, do_sample=False)[0]
    third = int(new[len(ids) + 2])
    place = new[len(ids) :].tolist().index(third)
    loaded.model.generation_config.eos_token_id = [1, third]
    stopped = chat.ask([chat_request(TEXTS[0])])[0]
    assert (stopped.finish, stopped.completion_tokens) == ("stop", place)
    assert whole.content.startswith(stopped.content)


def test_a_prompt_beyond_the_context_gets_no_reply_and_stops_no_other(tmp_path: Path) -> None:
    chat = TransformersChat(str(tiny_llama(tmp_path, context=40)))
    long, short = chat.ask([chat_request("truth " * 60), chat_request("Hello.")])
    assert (long.content, long.finish, long.completion_tokens) == ("", "too_long", 0)
    assert short.finish in ("stop", "length")
    assert chat.inferences == 1


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        (WITH_SYSTEM, "<system>Be kind.<user>Hello.<assistant>"),
        (SILENT, "<user>Be kind.\n\nHello.<assistant>"),
        (REFUSING, "<user>Be kind.\n\nHello.<assistant>"),
        (None, "Be kind.\n\nHello.\n\n"),
    ],
)
def test_the_system_message_reaches_the_model_in_every_template(
    tmp_path: Path, template: str | None, expected: str
) -> None:
    chat = TransformersChat(str(tiny_llama(tmp_path, template)))
    assert chat.prompt(chat_request("Hello.", system="Be kind.").messages) == expected
    assert chat.has_system_role == (template == WITH_SYSTEM)


def test_folding_keeps_the_order_of_the_other_messages() -> None:
    system, user = Message("system", "S"), Message("user", "U")
    answer, again = Message("assistant", "A"), Message("user", "V")
    assert folded([system, user, answer, again]) == [Message("user", "S\n\nU"), answer, again]
    assert folded([system]) == [Message("user", "S")]
    assert folded([user, answer]) == [user, answer]
