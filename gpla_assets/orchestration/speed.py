"""How fast the agents are on this machine: M_P, M_G and M_E, and an LLM of ValueLlama's shape.

Texts are the demo's, values the vocabulary's. The LLM has random weights, which cost what trained
ones do: on a GPU it has the shape of ValueLlama (Llama 3, 8 billion weights), on a CPU two layers.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.content import vocabulary
from gpla_assets.content.shipped import CONTENT
from gpla_assets.embedding.batch_sizes import BatchSizes
from gpla_assets.embedding.embedder import Embedder
from gpla_assets.embedding.local_weights import Kind, Loaded, LocalWeights, available_device
from gpla_assets.evaluator.backends import cross_encoder, evaluator_weights, value_encoder
from gpla_assets.evaluator.cross_encoder import PairJudge
from gpla_assets.evaluator.embedded import EmbeddedEvaluator
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.valuellama import RELEVANCE, VALENCE, ValueLlamaEvaluator
from gpla_assets.generator.embedded import EmbeddedGenerator
from gpla_assets.parser.embedded import SentenceParser
from gpla_assets.parser.protocol import Utterance
from gpla_assets.studies import Evaluator, Generator, Parser

if TYPE_CHECKING:
    from gpla_assets.embedding.pretrained import Tokenizer

LLAMA_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
}
TINY = {
    "hidden_size": 64,
    "intermediate_size": 172,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 4096,
}
GIB = 2**30


@dataclass(frozen=True)
class Speed:
    """What an agent did a second: `items` of a kind in `seconds`, at `peak` GiB of the GPU."""

    agent: str
    device: str
    kind: str
    items: int
    seconds: float
    peak: float | None = None

    @property
    def a_second(self) -> float:
        """Items a second."""
        return self.items / self.seconds


@dataclass(frozen=True)
class RandomLlama(LocalWeights):
    """A Llama of random weights, made on its device, with a tokenizer of `texts`."""

    shape: tuple[tuple[str, int], ...] = ()
    texts: tuple[str, ...] = ()

    def load(self, kind: Kind) -> Loaded:
        """The model, in the dtype that one of a hub would have."""
        import torch
        from transformers import LlamaConfig, LlamaForCausalLM

        device = available_device(self.device)
        tokenizer = _tokenizer(self.texts)
        config = LlamaConfig(**dict(self.shape), pad_token_id=0, bos_token_id=None, eos_token_id=1)
        before = torch.get_default_dtype()
        torch.set_default_dtype(self.torch_dtype(kind, device))
        try:
            with torch.device(device):
                torch.manual_seed(0)
                model = LlamaForCausalLM(config).eval()
        finally:
            torch.set_default_dtype(before)
        return Loaded(tokenizer, model, 0, BatchSizes.on(device, self.batch_size))


def _tokenizer(texts: Sequence[str]) -> Tokenizer:
    """A byte-level BPE of texts, about as many tokens a word as an LLM's own."""
    from tokenizers import Tokenizer as Trained
    from tokenizers import decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Trained(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=TINY["vocab_size"],
        special_tokens=["<pad>", "</s>", "<unk>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    words = [word for one in (RELEVANCE, VALENCE) for word in one.answers]
    # often enough that each is one token
    made.train_from_iterator([*texts, RELEVANCE.task, VALENCE.task, *words * 100], trainer)
    found: Tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )
    return found


def here() -> str:
    """What is measured on, in a line."""
    import torch

    if not torch.cuda.is_available():
        return (
            "No GPU is at hand (torch sees none): the CPU is measured, and an LLM of two layers "
            "in the place of one of 8 billion weights."
        )
    found = torch.cuda.get_device_properties(0)
    return f"{found.name}, {found.total_memory / GIB:.0f} GiB; embedded agents run on the CPU."


def speeds(texts: int, values: int, tell: Callable[[str], None]) -> Iterator[Speed]:
    """The speed of each agent on so many of the demo's texts and of the vocabulary's values.

    M_E's judges are given fewer pairs where they are slow: some seconds of work each. Pairs are all
    of perceptions and values, of which a judge of valence sees the relevant ones. `tell` is told
    which cannot run here.
    """
    contents = pd.read_parquet(CONTENT / "demo_texts.parquet")["content"].head(texts)
    plain = Embedder()
    parser = SentenceParser(plain, Parser().minimum_attitude)
    utterances = [Utterance(str(n), text) for n, text in enumerate(contents)]
    # what is loaded is not timed
    plain.encode(["warm"])
    clock = time.perf_counter()
    found = [one.content for one in parser.parse(utterances)]
    yield Speed("M_P embedded", "cpu", "perceptions", len(found), time.perf_counter() - clock)
    known = vocabulary()
    heads, tuned = evaluator_weights().heads, value_encoder(None)
    generator = EmbeddedGenerator(tuned, heads, known, Generator())
    tuned.encode(generator.texts)
    clock = time.perf_counter()
    generator.generate(found)
    yield Speed("M_G embedded", "cpu", "perceptions", len(found), time.perf_counter() - clock)
    listed = known.head(values)

    def fast(judge: PairJudge | None = None) -> EmbeddedEvaluator:
        # of its own: the others have embedded the same sentences
        return EmbeddedEvaluator(value_encoder(None), heads, Evaluator(), judge)

    yield _pairs("M_E fast", "cpu", fast(), found, listed)
    try:
        accurate = fast(cross_encoder(None))
        yield _pairs("M_E accurate", "cpu", accurate, found[: max(1, len(found) // 8)], listed)
    except BackendUnavailable as error:
        tell(f"M_E accurate is not measured: {error}")
    yield _llama(tuple(contents), found, listed)


def _llama(texts: tuple[str, ...], perceptions: list[str], values: pd.DataFrame) -> Speed:
    import torch

    device = available_device("auto")
    large = device.startswith("cuda")
    shape = tuple((LLAMA_8B if large else TINY).items())
    label = f"a random Llama of {'8B' if large else 'two layers'} as ValueLlama"
    weights = RandomLlama("random", shape=shape, texts=texts)
    agent = ValueLlamaEvaluator(weights, Evaluator())
    agent.relevance(perceptions[:1], ["Order"])
    own = perceptions[: max(1, len(perceptions) // (1 if large else 16))]
    speed = _pairs(label, device, agent, own, values)
    if not large:
        return speed
    peak = torch.cuda.max_memory_allocated() / GIB
    return Speed(speed.agent, device, speed.kind, speed.items, speed.seconds, peak)


def _pairs(
    label: str, device: str, agent: ValueEvaluator, perceptions: list[str], values: pd.DataFrame
) -> Speed:
    names, definitions = list(values["value"]), list(values["definition"])
    agent.read(perceptions[:1], names[:1], definitions[:1])
    clock = time.perf_counter()
    agent.read(perceptions, names, definitions)
    seconds = time.perf_counter() - clock
    return Speed(label, device, "pairs", len(perceptions) * len(names), seconds)
