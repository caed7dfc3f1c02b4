"""Backends of the agents: one contract for each role, and what each must know."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gpla_assets.agents.record import agent_record
from gpla_assets.common.errors import BackendUnavailable, UnknownBackend
from gpla_assets.content import value_items, vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.evaluator.backends import evaluator_weights, make_evaluator, make_value_encoder
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.prompted import PromptedEvaluator
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.said import question_of
from gpla_assets.evaluator.valuellama import ValueLlamaEvaluator
from gpla_assets.generator.backends import make_generator
from gpla_assets.generator.kaleido import KaleidoGenerator
from gpla_assets.generator.prompted import PromptedGenerator
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.prompted import PromptedParser
from gpla_assets.studies import Evaluator, Generator, Model, Parser, SubjectSource
from gpla_assets.subjects.transformers import TransformersSubject

LOCAL = "http://127.0.0.1:9/v1"


@pytest.fixture(scope="module")
def evaluator() -> ValueEvaluator:
    return make_evaluator(Evaluator())


@pytest.fixture(scope="module")
def everything() -> ValueEvaluator:
    """The evaluator that keeps all pairs."""
    return EmbeddedEvaluator(
        make_value_encoder(), evaluator_weights().heads, Evaluator(minimum_relevance=0)
    )


def test_an_unknown_backend_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownBackend, match=r"'guess', expected one of embedded"):
        make_parser(Parser(backend="guess"))
    for backend in ("openai", "transformers"):
        with pytest.raises(BackendUnavailable, match="has no model: found model = None"):
            make_parser(Parser(backend=backend))


@pytest.mark.parametrize(
    ("make", "settings", "kind"),
    [
        (make_parser, Parser(backend="openai", model="m", base_url=LOCAL), PromptedParser),
        (make_parser, Parser(backend="transformers", model="m"), PromptedParser),
        (make_generator, Generator(backend="openai", model="m", base_url=LOCAL), PromptedGenerator),
        (make_generator, Generator(backend="kaleido", model="m"), KaleidoGenerator),
        (make_evaluator, Evaluator(backend="openai", model="m", base_url=LOCAL), PromptedEvaluator),
        (make_evaluator, Evaluator(backend="valuellama", model="m"), ValueLlamaEvaluator),
    ],
)
def test_every_backend_is_made_by_its_name_without_loading(
    make: Callable[[Model], Any], settings: Model, kind: type
) -> None:
    agent = make(settings)
    assert type(agent) is kind
    assert (agent.model, agent.inferences) == ("m", 0)


def test_the_papers_own_models_stand_in_where_a_study_names_none() -> None:
    assert make_generator(Generator(backend="kaleido")).model == "tsor13/kaleido-xl"
    assert make_evaluator(Evaluator(backend="valuellama")).model == "Value4AI/ValueLlama-3-8B"


def test_embeddings_are_unit_vectors_of_each_distinct_text_once() -> None:
    embedder = make_embedder()
    before = embedder.inferences
    found = embedder.encode(["a rare text of this test", "a rarer", "a rare text of this test"])
    assert found.shape == (3, 384)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(found[0], found[2])
    assert embedder.inferences - before == 2
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
    settings = Generator(minimum_relevance=0.3)
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
    everything: ValueEvaluator, for_it: str, against_it: str, value: str
) -> None:
    definition = vocabulary().set_index("value").loc[value, "definition"]
    found = everything.evaluate([for_it, against_it], [value], [definition])
    support = found["p_support"] - found["p_oppose"]
    assert support.iloc[0] > support.iloc[1]


def test_scores_follow_gpvs_rule(evaluator: ValueEvaluator) -> None:
    words = vocabulary().head(40)
    statements = list(value_items()["statement"].head(60))
    found = evaluator.evaluate(statements, list(words["value"]), list(words["definition"]))
    assert (found["relevance"] > 0.5).all()
    np.testing.assert_allclose(found[["p_support", "p_oppose", "p_either"]].sum(axis=1), 1, 1e-5)
    undecided = found["p_either"] > found[["p_support", "p_oppose"]].max(axis=1)
    assert (found["score"].isna() == undecided).all()
    decided = found[~undecided]
    np.testing.assert_allclose(decided["score"], decided["p_support"] - decided["p_oppose"])


def test_a_batch_of_pairs_gives_what_each_pair_gives_alone(everything: ValueEvaluator) -> None:
    words = vocabulary().head(15)
    names, definitions = list(words["value"]), list(words["definition"])
    statements = list(value_items()["statement"].head(10))
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


def test_a_score_of_a_pair_is_what_evaluating_it_gives(everything: ValueEvaluator) -> None:
    statements = list(value_items()["statement"].head(6))
    words = vocabulary().head(6)
    names, definitions = list(words["value"]), list(words["definition"])
    aligned = everything.score(statements, names, definitions)
    grid = everything.evaluate(statements, names, definitions)
    diagonal = grid.groupby("row").nth(range(6)).reset_index(drop=True)
    diagonal = diagonal[[names[row] == value for row, value in zip(*_pairs(diagonal), strict=True)]]
    for name in ("relevance", "p_support", "p_oppose", "p_either"):
        np.testing.assert_allclose(aligned[name], diagonal[name], atol=1e-5)
    np.testing.assert_allclose(aligned["score"], aligned["p_support"] - aligned["p_oppose"])


def _pairs(rows: pd.DataFrame) -> tuple[list[int], list[str]]:
    return list(rows["row"]), list(rows["value"])


FRAMES = (
    ("Yes, I believe that ", False),
    ("In my opinion, I strongly feel that ", False),
    ("No, ", False),
    ("It is not true that ", True),
    ("Honestly, I don't think that ", True),
    ("I disagree that ", True),
)


@pytest.mark.parametrize(("frame", "denied"), FRAMES)
def test_what_affirms_or_denies_a_statement_does_so_and_nothing_else(
    everything: ValueEvaluator, frame: str, denied: bool
) -> None:
    statements = ["Honesty matters in all we say.", "Lying helps.", "Everybody should save water."]
    values = ["Honesty", "Honesty", "Environmental Sustainability"]
    plain = everything.score(statements, values, [None] * 3)
    inside = [frame + text[:1].lower() + text[1:] for text in statements]
    found = everything.score(inside, values, [None] * 3)
    np.testing.assert_allclose(found["relevance"], plain["relevance"], atol=1e-6)
    np.testing.assert_allclose(found["score"], plain["score"] * (-1 if denied else 1), atol=1e-6)
    given = make_generator(Generator()).generate([statements[0], inside[0]])
    one, other = (list(given[given["row"] == row]["value"]) for row in (0, 1))
    assert one == other and "Honesty" in one


def test_an_answered_question_bears_on_what_either_part_bears_on(
    everything: ValueEvaluator,
) -> None:
    text = "Should I save water? Yes, honest people deserve praise."
    values = ["Environmental Sustainability", "Honesty"]
    found = everything.score([text] * 2, values, [None] * 2)["relevance"]
    parts = ["Should I save water?", "Honest people deserve praise."]
    own = everything.score(parts, values, [None] * 2)["relevance"]
    np.testing.assert_allclose(found, own, atol=1e-6)


def test_an_answer_to_a_question_is_judged_by_both(everything: ValueEvaluator) -> None:
    assert question_of("Should I tell the truth? No, never.") == "Should I tell the truth?"
    assert question_of("Why tell the truth? It pays.") is None
    pair = ["Should I plan ahead? Yes, definitely.", "Should I plan ahead? No."]
    found = everything.score(pair, ["Planning"] * 2, [None] * 2)
    assert found["score"].iloc[0] > 0 > found["score"].iloc[1]


def test_an_agent_is_recorded_under_a_key_of_all_that_it_was_run_with() -> None:
    settings = Parser()
    record = agent_record("parser", make_parser(settings), settings)
    assert record["backend"] == "embedded"
    assert record["model"] == "all-MiniLM-L6-v2"
    other = settings.model_copy(update={"dtype": "float32"})
    assert agent_record("parser", make_parser(other), other)["agent_id"] != record["agent_id"]
    assert agent_record("parser", make_parser(settings), settings) == record


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
    subject = TransformersSubject(str(tiny_llm), SubjectSource(max_new_tokens=5, batch_size=2))
    told: list[int] = []
    first = subject.answer("you are kind", ["a b", "c", "d e f"], told.append)
    assert len(first) == 3
    assert sum(told) == subject.inferences == 3
    assert subject.answer("you are kind", ["a b", "c", "d e f"]) == first


def test_the_profile_goes_before_the_question_where_there_is_no_system_role(
    tiny_llm: Path,
) -> None:
    subject = TransformersSubject(str(tiny_llm), SubjectSource())
    tokenizer = subject._load().tokenizer
    assert subject.prompt("you are kind", "a b").startswith("you are kind\n\na b")
    tokenizer.chat_template = "{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
    assert not subject.has_system_role
    assert subject.prompt("you are kind", "a b") == "[user] you are kind\n\na b"
    tokenizer.chat_template += "{# system #}"
    assert subject.prompt("you are kind", "a b") == "[system] you are kind[user] a b"


def test_a_model_that_is_nowhere_is_named() -> None:
    with pytest.raises(
        BackendUnavailable, match=r"'/no/such/model' .*expected a folder, a hub name"
    ):
        TransformersSubject("/no/such/model", SubjectSource()).answer("", ["a"])


SCHWARTZ_10 = (
    "Self-Direction, Stimulation, Hedonism, Achievement, Power, Security, Conformity, Tradition, "
    "Benevolence, Universalism"
)
SCHWARTZ_19 = (
    "Self-Direction of Thought, Self-Direction of Action, Stimulation, Hedonism, Achievement, "
    "Dominance, Resources, Face, Personal Security, Societal Security, Tradition, Rule Conformity, "
    "Interpersonal Conformity, Humility, Benevolence Dependability, Benevolence Caring, "
    "Universalism Concern, Universalism Nature, Universalism Tolerance"
)
ROKEACH_36 = (
    "A Comfortable Life, An Exciting Life, A Sense of Accomplishment, A World at Peace, "
    "A World of Beauty, Equality, Family Security, Freedom, Happiness, Inner Harmony, Mature Love, "
    "National Security, Pleasure, Salvation, Self-Respect, Social Recognition, True Friendship, "
    "Wisdom, Ambitious, Broad-minded, Capable, Cheerful, Clean, Courageous, Forgiving, Helpful, "
    "Honest, Imaginative, Independent, Intellectual, Logical, Loving, Obedient, Polite, "
    "Responsible, Self-Controlled"
)


@pytest.mark.parametrize(
    ("names", "count", "by_name"),
    [(SCHWARTZ_10, 10, 10), (SCHWARTZ_19, 19, 12), (ROKEACH_36, 36, 17)],
)
def test_the_vocabulary_covers_the_published_lists(names: str, count: int, by_name: int) -> None:
    """By name, or by a term that the lexicon's filter would count as the same (cosine 0.53)."""
    listed = names.split(", ")
    assert len(listed) == count
    known = list(vocabulary()["value"])
    same = {name.casefold() for name in known}
    assert sum(name.casefold() in same for name in listed) == by_name
    nearest = (make_embedder().encode(listed) @ make_embedder().encode(known).T).max(axis=1)
    assert (nearest > 0.53).all()
