"""What of transformers' models and tokenizers is used: their types, which mypy does not read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Literal, Protocol, overload

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

Rows = list[list[int]]
"""Tokens of several texts."""


class Tensors(Protocol):
    """Texts as tensors (n_texts, longest): input_ids and attention_mask."""

    def keys(self) -> Iterable[str]: ...

    def __getitem__(self, name: str) -> Tensor: ...

    def to(self, device: torch.device) -> Tensors: ...


class Tokenizer(Protocol):
    """A tokenizer: `PreTrainedTokenizerBase`."""

    chat_template: str | None
    pad_token: str | None
    eos_token: str | None
    pad_token_id: int | None
    eos_token_id: int | None
    unk_token_id: int | None
    padding_side: str
    truncation_side: str

    @overload
    def __call__(
        self,
        text: list[str],
        text_pair: list[str] | None = None,
        *,
        return_tensors: Literal["pt"],
        padding: bool,
        pad_to_multiple_of: int = ...,
        truncation: bool | str = ...,
        max_length: int = ...,
        add_special_tokens: bool = ...,
    ) -> Tensors: ...

    @overload
    def __call__(
        self,
        text: list[str],
        text_pair: list[str] | None = None,
        *,
        truncation: bool | str = ...,
        max_length: int = ...,
        add_special_tokens: bool = ...,
    ) -> Mapping[str, Rows]: ...

    @overload
    def __call__(self, text: str) -> Mapping[str, list[int]]: ...

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...

    def decode(self, token_ids: Sequence[int] | Tensor, *, skip_special_tokens: bool) -> str: ...

    def batch_decode(self, sequences: Tensor, *, skip_special_tokens: bool) -> list[str]: ...

    def apply_chat_template(
        self,
        conversation: list[dict[str, str]],
        *,
        tokenize: Literal[False],
        add_generation_prompt: bool,
        enable_thinking: bool = ...,
    ) -> str: ...


class ModelConfig(Protocol):
    """A model's shape, as far as it is asked for; models have more, and not all have each."""

    hidden_size: int
    hidden_act: str
    num_hidden_layers: int
    decoder_start_token_id: int


class GenerationConfig(Protocol):
    """How a model writes."""

    eos_token_id: int | list[int] | None


class Output(Protocol):
    """What a model computes: of an encoder no logits, and keys only where they are cached."""

    last_hidden_state: Tensor
    logits: Tensor
    past_key_values: object


if TYPE_CHECKING:

    class Pretrained(nn.Module):
        """A model: `PreTrainedModel`, the last two with adapters of peft in it."""

        config: ModelConfig
        generation_config: GenerationConfig
        device: torch.device
        base_model: Pretrained

        def __call__(self, **inputs: object) -> Output: ...

        def generate(self, **options: object) -> Tensor: ...

        def get_encoder(self) -> nn.Module: ...

        def get_output_embeddings(self) -> nn.Module: ...

        def get_base_model(self) -> Pretrained: ...

        def disable_adapter(self) -> AbstractContextManager[None]: ...
