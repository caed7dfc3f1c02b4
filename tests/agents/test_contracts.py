"""What every backend of a role must do, whichever it is: one contract a role."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pandas as pd
import pytest

from gpla_assets.chat import Chat, ChatReply, ChatRequest, MemoryCalls, Message
from gpla_assets.chat.openai_chat import OpenAIChat
from gpla_assets.chat.transformers_chat import TransformersChat
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.evaluator.backends import evaluator_weights, make_evaluator, make_value_encoder
from gpla_assets.evaluator.cross_encoder import CrossEncoder
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.expression import Cuts, to_judge
from gpla_assets.evaluator.prompted import PromptedEvaluator
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.valuellama import ValueLlamaEvaluator
from gpla_assets.generator.backends import make_generator
from gpla_assets.generator.kaleido import KaleidoGenerator
from gpla_assets.generator.prompted import PromptedGenerator
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.prompted import PromptedParser
from gpla_assets.parser.protocol import PerceptionParser, Utterance
from gpla_assets.studies import Calls, Evaluator, Generator, Parser
from tests.evaluator.test_cross_encoder import unchanged
from tests.evaluator.test_cross_encoder import weights as cross_weights
from tests.fault_server import FaultServer
from tests.tiny_models import tiny_llama, tiny_mpnet, tiny_t5


class Answering:
    """An LLM that answers as each prompt's schema asks, about what stands in the prompt."""

    name, model, revision = "answering", "script", None

    def __init__(self) -> None:
        self.inferences = 0

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        self.inferences += len(requests)
        return [ChatReply(json.dumps(self._said(one.messages[-1].content))) for one in requests]

    def _said(self, asked: str) -> object:
        if "[VALUES " in asked:
            numbers = map(int, re.findall(r"(?m)^(\d+)\. ", asked))
            stances = {"relevance": 0.9, "support": 0.7, "oppose": 0.2, "either": 0.1}
            return {"judgements": [{"n": n, **stances} for n in numbers]}
        if "[STATEMENT " in asked:
            return {
                "values": [
                    {"value": "Honesty", "strength": 0.9},
                    {"value": "Care", "strength": 0.4},
                ]
            }
        quotes = re.findall(r"[^.\n\[\]]+\.", asked.split("[TEXT ")[1].split("]\n", 1)[1])
        return {
            "perceptions": [{"perception": one.strip(), "quote": one.strip()} for one in quotes]
        }


# M_P


@pytest.fixture(params=["embedded", "prompted"])
def parser(request: pytest.FixtureRequest) -> PerceptionParser:
    return (
        make_parser(Parser())
        if request.param == "embedded"
        else PromptedParser(Answering(), Parser())
    )


SAID = [
    Utterance("a", "You should always tell the truth. We must protect the weak.", None),
    Utterance("none", "", None),
    Utterance("b", "No, never. Honesty is always better than a lie.", "Should I lie?"),
]


def test_a_parser_quotes_each_text_in_order_and_counts_from_0(parser: PerceptionParser) -> None:
    told: list[int] = []
    before = parser.inferences
    found = parser.parse(SAID, told.append)
    assert sum(told) == len(SAID)
    assert parser.inferences > before
    contents = {one.key: one.content for one in SAID}
    assert [one.parent for one in found] == sorted(one.parent for one in found)
    for key in "ab":
        own = [one for one in found if one.parent == key]
        assert len(own) >= 2
        assert [one.ordinal for one in own] == list(range(len(own)))
        assert all(contents[key][one.start : one.end] == one.sentence for one in own)
        assert [one.start for one in own] == sorted(one.start for one in own)
        assert all(one.content.strip() and 0 <= one.attitude <= 1 for one in own)
    assert parser.parse([]) == []


# M_G


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tiny_t5(tmp_path_factory.mktemp("t5")))


@pytest.fixture(params=["embedded", "prompted", "kaleido"])
def generator(request: pytest.FixtureRequest) -> ValueGenerator:
    if request.param == "embedded":
        return make_generator(Generator(minimum_relevance=0.3))
    if request.param == "prompted":
        return PromptedGenerator(Answering(), Generator())
    settings = Generator(
        backend="kaleido", model=request.getfixturevalue("t5"), minimum_relevance=0.0
    )
    weights = LocalWeights.of(settings, "")
    made = KaleidoGenerator(weights, lambda names: np.eye(len(names)), settings)
    # random weights write no value's name: what a trained one would write stands in
    written = ["Value: Honesty", "Value: Care", "Value: Order"]
    made.candidates = lambda texts: [written for _ in texts]  # type: ignore[method-assign]
    return made


def test_a_generator_names_values_by_row_the_likeliest_first(generator: ValueGenerator) -> None:
    texts = ["You should always tell the truth to your friends.", "We must protect the rivers."]
    before = generator.inferences
    found = generator.generate([*texts, texts[0]])
    assert generator.inferences > before
    assert list(found.columns) == ["row", "value", "probability"]
    assert found["row"].is_monotonic_increasing and set(found["row"]) == {0, 1, 2}
    for _, own in found.groupby("row"):
        assert own["probability"].is_monotonic_decreasing
        assert own["probability"].between(0, 1).all()
        assert own["value"].is_unique
    first, again = (found[found["row"] == row].drop(columns="row") for row in (0, 2))
    pd.testing.assert_frame_equal(first.reset_index(drop=True), again.reset_index(drop=True))
    nothing = generator.generate([])
    assert len(nothing) == 0 and list(nothing.columns) == list(found.columns)


# M_E

MINIMUM = 0.3
SETTINGS = Evaluator(minimum_relevance=MINIMUM)
PERCEPTIONS = ["You should always tell the truth.", "It is fine to lie.", "The bus leaves at ten."]
VALUES = ["Honesty", "Punctuality"]
DEFINITIONS = ["telling the truth", None]


@pytest.fixture(params=["fast", "accurate", "prompted", "valuellama"])
def evaluator(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> ValueEvaluator:
    if request.param == "fast":
        return make_evaluator(Evaluator(minimum_relevance=MINIMUM))
    if request.param == "prompted":
        return PromptedEvaluator(Answering(), SETTINGS)
    folder = tmp_path_factory.mktemp("weights")
    if request.param == "valuellama":
        llama = SETTINGS.model_copy(update={"model": str(tiny_llama(folder))})
        return ValueLlamaEvaluator(LocalWeights.of(llama, ""), llama)
    base = str(tiny_mpnet(folder))
    judge = CrossEncoder(base, cross_weights(encoder=unchanged(base)), "tiny")
    return EmbeddedEvaluator(make_value_encoder(), evaluator_weights().heads, SETTINGS, judge)


COLUMNS = ["row", "value", "relevance", "p_support", "p_oppose", "p_either", "score"]


def test_an_evaluator_gives_relevant_pairs_in_order_by_gpvs_rule(evaluator: ValueEvaluator) -> None:
    before = evaluator.inferences
    found = evaluator.evaluate(PERCEPTIONS, VALUES, DEFINITIONS)
    assert evaluator.inferences > before
    assert list(found.columns) == COLUMNS and len(found)
    places = [
        (row, VALUES.index(value)) for row, value in zip(found["row"], found["value"], strict=True)
    ]
    assert places == sorted(set(places))
    assert (found["relevance"] > MINIMUM).all()
    stances = found[["p_support", "p_oppose", "p_either"]]
    np.testing.assert_allclose(stances.sum(axis=1), 1, atol=1e-5)
    undecided = found["p_either"] > stances[["p_support", "p_oppose"]].max(axis=1)
    expected = (found["p_support"] - found["p_oppose"]).mask(undecided)
    np.testing.assert_allclose(found["score"], expected)
    for nothing in (
        evaluator.evaluate([], VALUES, DEFINITIONS),
        evaluator.evaluate(PERCEPTIONS, [], []),
    ):
        assert list(nothing.columns) == COLUMNS and len(nothing) == 0
    with pytest.raises(ValueError, match="2 values and 1 definitions"):
        evaluator.evaluate(PERCEPTIONS, VALUES, [None])


def test_an_evaluator_reads_all_pairs_and_judges_what_a_rule_needs(
    evaluator: ValueEvaluator,
) -> None:
    found = evaluator.read(PERCEPTIONS, VALUES, DEFINITIONS, top_relevance=0.0)
    shape = (len(PERCEPTIONS), len(VALUES))
    assert found.relevance.shape == found.lean.shape == found.undecided.shape == shape
    assert ((found.relevance >= 0) & (found.relevance <= 1)).all()
    judged = ~np.isnan(found.lean)
    assert judged[to_judge(found.relevance, Cuts(MINIMUM, 0.0))].all()
    # a LLM says all numbers of a pair at once; the others are asked about their valence apart
    if evaluator.name != "prompted":
        assert (judged == to_judge(found.relevance, Cuts(MINIMUM, 0.0))).all()
    pairs = evaluator.evaluate(PERCEPTIONS, VALUES, DEFINITIONS)
    pd.testing.assert_frame_equal(found.pairs(VALUES, MINIMUM), pairs, check_exact=False)
    alone = [evaluator.read([text], VALUES, DEFINITIONS, 0.0) for text in PERCEPTIONS]
    for name in ("relevance", "lean"):
        parts = np.concatenate([getattr(one, name) for one in alone])
        np.testing.assert_allclose(parts, getattr(found, name), atol=1e-5)
    nothing = evaluator.read([], VALUES, DEFINITIONS)
    assert nothing.relevance.shape == (0, len(VALUES))
    with pytest.raises(ValueError, match="2 values and 1 definitions"):
        evaluator.read(PERCEPTIONS, VALUES, [None])


def test_an_evaluator_scores_every_aligned_pair_in_order(evaluator: ValueEvaluator) -> None:
    names = ["Punctuality", "Honesty", "Honesty"]
    found = evaluator.score(PERCEPTIONS, names, [None] * 3)
    assert list(found.columns) == COLUMNS
    assert found["row"].tolist() == [0, 1, 2] and found["value"].tolist() == names
    np.testing.assert_allclose(found["score"], found["p_support"] - found["p_oppose"])
    turned = evaluator.score(PERCEPTIONS[::-1], names[::-1], [None] * 3)
    for name in COLUMNS[2:]:
        np.testing.assert_allclose(turned[name][::-1], found[name], atol=1e-5)


# LLMs


@pytest.fixture(params=["openai", "transformers"])
def chat(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Chat]:
    if request.param == "transformers":
        yield TransformersChat(str(tiny_llama(tmp_path_factory.mktemp("chat"))))
        return
    with FaultServer() as server:
        made = OpenAIChat("m", Calls(), MemoryCalls(), base_url=server.url)
        yield made
        made.close()


def test_a_chat_replies_in_order_and_asks_what_is_equal_once(chat: Chat) -> None:
    def asked(*texts: str) -> list[ChatRequest]:
        return [ChatRequest((Message("user", text),), max_new_tokens=4) for text in texts]

    told: list[int] = []
    found = chat.ask(asked("one", "two", "one"), told.append)
    assert chat.inferences == 2 and sum(told) == 3
    assert [one.cached for one in found] == [False, False, True]
    assert found[0].content == found[2].content
    assert all(one.completion_tokens > 0 and one.finish in ("stop", "length") for one in found)
    assert [one.content for one in chat.ask(asked("two", "one"))] == [
        found[1].content,
        found[0].content,
    ]
    assert chat.ask([]) == []
    assert chat.name and chat.model and isinstance(chat.revision, str | None)
