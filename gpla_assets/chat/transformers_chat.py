"""An LLM that runs in this process: any causal LLM that transformers can load.

A reply depends on its own request alone: batches are padded on the left under a mask, and each
reply that is sampled has its own random numbers (Gumbel-max: the largest of logit / temperature +
Gumbel noise is a draw from the softmax), so that neither order nor batch size changes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gpla_assets.chat.protocol import ChatReply, ChatRequest, Message
from gpla_assets.common.keys import key_of
from gpla_assets.embedding.local_weights import Loaded, LocalWeights, OnLocalWeights, padded
from gpla_assets.studies.settings import BATCH_SIZE, DEVICE, DTYPE

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import LogitsProcessorList

    from gpla_assets.embedding.pretrained import Pretrained

PROBE = "gpla-system-probe"


@dataclass(frozen=True)
class _Prompt:
    """A request as the model reads it; equal ones get the same reply."""

    tokens: tuple[int, ...]
    max_new_tokens: int
    temperature: float
    seed: int


class TransformersChat(OnLocalWeights):
    """Continues conversations by a local model; `inferences` counts the replies made.

    Greedy at temperature 0; else plain sampling by the request's seed and attempt. A schema is not
    enforced. Templates that can think aloud are asked not to. Finish is 'stop', 'length', or
    'too_long' (and an empty reply) where a prompt leaves the model's context no room for the
    reply. Token counts are the model's; the end token is not counted.
    """

    name = "transformers"

    def __init__(
        self,
        model: str,
        revision: str | None = None,
        dtype: str = DTYPE,
        device: str = DEVICE,
        batch_size: int = BATCH_SIZE,
    ) -> None:
        self.weights = LocalWeights(model, revision, dtype, device, batch_size)
        self.inferences = 0
        self._loaded: Loaded | None = None
        self._takes_system: bool | None = None

    @property
    def has_system_role(self) -> bool:
        """Whether the model's chat template shows a system message to the model."""
        if self._takes_system is None:
            self._takes_system = self._shows_system()
        return self._takes_system

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        """One reply per request, in order; equal requests are answered once.

        Raises BackendUnavailable where the model cannot be loaded.
        """
        prompts = [self._prompt(request) for request in requests]
        replies: dict[_Prompt, ChatReply] = {}
        for batch in self._batches(list(dict.fromkeys(prompts))):
            answered = dict(zip(batch, self._replies(batch), strict=True))
            replies |= answered
            progress(sum(prompt in answered for prompt in prompts))
        seen: set[_Prompt] = set()
        found = []
        for prompt in prompts:
            again = prompt in seen
            found.append(replace(replies[prompt], cached=True) if again else replies[prompt])
            seen.add(prompt)
        return found

    def prompt(self, messages: Sequence[Message]) -> str:
        """The text that the model continues.

        Without a chat template it is the messages' contents with blank lines between them. Where
        a template has no system role, system messages go before the first user message.
        """
        tokenizer = self._load().tokenizer
        if not tokenizer.chat_template:
            return "".join(f"{message.content}\n\n" for message in messages).lstrip()
        return self._templated(messages if self.has_system_role else folded(messages))

    def _templated(self, messages: Sequence[Message]) -> str:
        return str(
            self._load().tokenizer.apply_chat_template(
                [{"role": message.role, "content": message.content} for message in messages],
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,
            )
        )

    def _shows_system(self) -> bool:
        from jinja2 import TemplateError

        if not self._load().tokenizer.chat_template:
            return False
        try:
            return PROBE in self._templated([Message("system", PROBE), Message("user", "Hello.")])
        except TemplateError:  # how templates refuse a role
            return False

    def _prompt(self, request: ChatRequest) -> _Prompt:
        tokenizer = self._load().tokenizer
        text = self.prompt(request.messages)
        # A template writes its own special tokens; plain text gets those of the tokenizer.
        ids = tokenizer.encode(text, add_special_tokens=not tokenizer.chat_template)
        drawn = 0
        if request.temperature > 0:
            parts = [request.seed, request.attempt, text] + [request.sample] * bool(request.sample)
            drawn = seed_of(*parts)
        return _Prompt(tuple(ids), request.max_new_tokens, request.temperature, drawn)

    def _batches(self, prompts: list[_Prompt]) -> list[list[_Prompt]]:
        ordered = sorted(prompts, key=lambda one: (one.max_new_tokens, len(one.tokens)))
        size = self.weights.batch_size
        return [ordered[first : first + size] for first in range(0, len(ordered), size)]

    def _replies(self, batch: list[_Prompt]) -> list[ChatReply]:
        context = getattr(self._load().model.config, "max_position_embeddings", None)
        fitting = [
            one for one in batch if not context or len(one.tokens) + one.max_new_tokens <= context
        ]
        written = dict(zip(fitting, self._generated(fitting), strict=True)) if fitting else {}
        self.inferences += len(fitting)
        return [
            written.get(one) or ChatReply("", "too_long", prompt_tokens=len(one.tokens))
            for one in batch
        ]

    def _generated(self, batch: list[_Prompt]) -> list[ChatReply]:
        import torch

        loaded = self._load()
        inputs = padded([one.tokens for one in batch], loaded.pad, "left", loaded.model.device)
        with torch.inference_mode():
            generated = loaded.model.generate(
                **inputs,
                max_new_tokens=max(one.max_new_tokens for one in batch),
                do_sample=False,
                num_beams=1,
                pad_token_id=loaded.pad,
                logits_processor=draws([(one.temperature, one.seed) for one in batch]),
            )
        new = generated[:, inputs["input_ids"].shape[1] :].tolist()
        ends = _ends(loaded.model)
        return [
            self._reply(one, row[: one.max_new_tokens], ends)
            for one, row in zip(batch, new, strict=True)
        ]

    def _reply(self, prompt: _Prompt, row: list[int], ends: set[int]) -> ChatReply:
        place = next((n for n, token in enumerate(row) if token in ends), None)
        tokens = row[:place]
        text = self._load().tokenizer.decode(tokens, skip_special_tokens=True).strip()
        finish = "length" if place is None else "stop"
        return ChatReply(text, finish, len(prompt.tokens), len(tokens))

    def _load(self) -> Loaded:
        if self._loaded is None:
            self._loaded = self.weights.load("causal")
        return self._loaded


def folded(messages: Sequence[Message]) -> list[Message]:
    """The messages with all system contents put before the first user message.

    >>> folded([Message("system", "Be brief."), Message("user", "Why?")])
    [Message(role='user', content='Be brief.\\n\\nWhy?')]
    """
    system = [message.content for message in messages if message.role == "system"]
    others = [message for message in messages if message.role != "system"]
    if not system:
        return others
    first = next((n for n, message in enumerate(others) if message.role == "user"), None)
    if first is None:
        return [Message("user", "\n\n".join(system)), *others]
    whole = Message("user", "\n\n".join([*system, others[first].content]))
    return [*others[:first], whole, *others[first + 1 :]]


def _ends(model: Pretrained) -> set[int]:
    """The tokens at which a model stops."""
    found = model.generation_config.eos_token_id
    if found is None:
        return set()
    return set(found) if isinstance(found, list | tuple) else {int(found)}


def seed_of(*parts: object) -> int:
    """A seed that all of some parts decide."""
    return int(key_of(*parts), 16)


def draws(rows: Sequence[tuple[float, int]]) -> LogitsProcessorList:
    """Logits processors under which a row's largest number is its draw.

    `rows`: temperature and seed of each row of a batch. Rows at temperature 0 stay as they are.
    Noise is drawn on the CPU: the same on any device.
    """
    import torch
    from transformers import LogitsProcessorList

    generators = [torch.Generator().manual_seed(seed % 2**63) for _, seed in rows]

    def drawn(ids: Tensor, scores: Tensor) -> Tensor:
        found = scores.float().clone()
        for row, ((temperature, _), generator) in enumerate(zip(rows, generators, strict=True)):
            if temperature > 0:
                waits = torch.empty(scores.shape[-1]).exponential_(generator=generator)
                found[row] = found[row] / temperature - waits.log().to(found.device)
        return found

    return LogitsProcessorList([drawn] if any(one > 0 for one, _ in rows) else [])
