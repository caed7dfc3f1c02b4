"""Weights on this machine: how they are loaded, batched, and read as probabilities of words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.batch_sizes import BatchSizes
from gpla_assets.embedding.packaged import PACKAGED, packaged_file
from gpla_assets.studies.settings import BATCH_SIZE, DEVICE, DTYPE, Model

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

DTYPES = ("auto", "float32", "bfloat16", "float16")
Kind = Literal["causal", "seq2seq"]
KIND_NAMES = {"causal": "a causal LLM", "seq2seq": "a sequence-to-sequence model"}
Tokens = tuple[int, ...]
NextLogits = Callable[[Tokens], "Tensor"]
"""Tokens that the answer begins with -> logits of the token after them, torch (n, vocabulary)."""


@dataclass(frozen=True)
class Loaded:
    """A model in evaluation mode on its device, its tokenizer with a padding token, and how many
    texts it reads at a time."""

    tokenizer: Tokenizer
    model: Pretrained
    pad: int
    batches: BatchSizes


@dataclass(frozen=True)
class LocalWeights:
    """Which weights, and how they run.

    `model` is a folder, a hub name or a packaged model. `dtype` auto is bfloat16 for a causal LLM
    on a GPU (float16 where that has no bfloat16) and float32 otherwise (T5 overflows in float16,
    and Kaleido runs in float32 in its authors' code). `device` auto is the GPU where there is one.
    `batch_size` is what `BatchSizes` begins with. Raises ValueError for another dtype or an empty
    batch.
    """

    model: str
    revision: str | None = None
    dtype: str = DTYPE
    device: str = DEVICE
    batch_size: int = BATCH_SIZE

    @classmethod
    def of(cls, settings: Model, otherwise: str) -> LocalWeights:
        """Those that settings name; `otherwise` is the model where they name none."""
        return cls(
            settings.model or otherwise,
            settings.revision,
            settings.dtype,
            settings.device,
            settings.batch_size,
        )

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise ValueError(f"dtype = {self.dtype!r}: expected one of {', '.join(DTYPES)}.")
        if self.batch_size < 1:
            raise ValueError(f"batch_size = {self.batch_size}: expected at least 1.")

    def load(self, kind: Kind) -> Loaded:
        """The model and its tokenizer; raises BackendUnavailable saying what to do."""
        import torch
        import transformers
        from transformers.utils import logging

        logging.disable_progress_bar()
        device = available_device(self.device)
        file = packaged_file(self.model)
        where = str(file.parent) if file else self.model
        options: dict[str, str | None] = (
            {"gguf_file": file.name} if file else {"revision": self.revision}
        )
        causal, seq2seq = transformers.AutoModelForCausalLM, transformers.AutoModelForSeq2SeqLM
        auto = causal if kind == "causal" else seq2seq
        try:
            tokenizer: Tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
            model: Pretrained = auto.from_pretrained(
                where, dtype=self.torch_dtype(kind, device), **options
            )
            model.to(device).eval()
        except torch.OutOfMemoryError as error:
            raise BackendUnavailable(
                f"Model {self.model!r} does not fit on {device}; set device to one with more "
                f"memory, dtype to bfloat16, or choose a smaller model. {_first_line(error)}"
            ) from error
        except (OSError, ValueError, ImportError) as error:
            raise self._missing(kind, error) from error
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        batches = BatchSizes.on(device, self.batch_size)
        return Loaded(tokenizer, model, int(tokenizer.pad_token_id or 0), batches)

    def torch_dtype(self, kind: Kind, device: str) -> torch.dtype:
        """The torch dtype that the setting means on this device."""
        import torch

        name = self.dtype
        if name == "auto" and kind == "causal" and device.startswith("cuda"):
            # GPUs before Ampere have none
            lacks = torch.cuda.is_available() and not torch.cuda.is_bf16_supported()
            name = "float16" if lacks else "bfloat16"
        elif name == "auto":
            name = "float32"
        found: torch.dtype = getattr(torch, name)
        return found

    def _missing(self, kind: Kind, error: Exception) -> BackendUnavailable:
        at = f" --revision {self.revision}" if self.revision else ""
        return BackendUnavailable(
            f"Model {self.model!r} (revision {self.revision or 'newest'}) cannot be loaded as "
            f"{KIND_NAMES[kind]}: expected a folder, a hub name or one of {', '.join(PACKAGED)}. "
            f"Where there is a network, run `hf download {self.model}{at}` (`hf auth login` first "
            f"where the model asks for consent), or set model to a folder. {_first_line(error)}"
        )


class OnLocalWeights:
    """What a backend whose model runs in this process tells of it."""

    weights: LocalWeights

    @property
    def model(self) -> str:
        """The model's folder, hub name or packaged name."""
        return self.weights.model

    @property
    def revision(self) -> str | None:
        """The revision that was asked for."""
        return self.weights.revision


def available_device(device: str) -> str:
    """The device that a setting means here; raises BackendUnavailable where there is none such."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if device == "auto":
        return "cuda" if count else "cpu"
    if device == "cpu":
        return device
    name, _, index = device.partition(":")
    if name != "cuda" or not (index or "0").isdigit() or device.endswith(":"):
        raise BackendUnavailable(f"device = {device!r}: expected auto, cpu, cuda or cuda:N.")
    if int(index or 0) >= count:
        raise BackendUnavailable(
            f"device = {device!r}: this machine shows {count} GPUs to torch; set device to auto or "
            "cpu, or run where there is such a GPU."
        )
    return device


def batches_of_one_length(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """Positions in batches of equal length that hold at most `most` tokens, or one long text.

    >>> list(batches_of_one_length([4, 1, 4, 1, 4, 9], 8))
    [[1, 3], [0, 2], [4], [5]]
    """
    places_of: dict[int, list[int]] = {}
    for place, length in enumerate(lengths):
        places_of.setdefault(length, []).append(place)
    for length, places in sorted(places_of.items()):
        size = max(1, most // max(1, length))
        for first in range(0, len(places), size):
            yield places[first : first + size]


def padded(
    rows: Sequence[Sequence[int]], pad: int, side: str, device: torch.device
) -> dict[str, Tensor]:
    """Token rows as torch input_ids and attention_mask, each (n_rows, longest)."""
    import torch

    longest = max(len(row) for row in rows)

    def filled(row: Sequence[int], blank: int) -> list[int]:
        blanks = [blank] * (longest - len(row))
        return [*blanks, *row] if side == "left" else [*row, *blanks]

    ids = torch.tensor([filled(row, pad) for row in rows], dtype=torch.long)
    mask = torch.tensor([filled([1] * len(row), 0) for row in rows], dtype=torch.long)
    return {"input_ids": ids.to(device), "attention_mask": mask.to(device)}


def causal_logits(loaded: Loaded, prompts: Sequence[Sequence[int]]) -> NextLogits:
    """What a causal LLM gives for the token after each prompt and what the answer begins with."""
    takes = inspect.signature(loaded.model.forward).parameters

    def logits(begun: Tokens) -> Tensor:
        rows = [[*prompt, *begun] for prompt in prompts]
        batch = padded(rows, loaded.pad, "left", loaded.model.device)
        if "position_ids" in takes:  # counted without padding, which absolute positions would see
            batch["position_ids"] = (batch["attention_mask"].cumsum(-1) - 1).clamp(min=0)
        last = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}
        return loaded.model(**batch, **last, use_cache=False).logits[:, -1]

    return logits


def decoder_logits(loaded: Loaded, prompts: Sequence[Sequence[int]]) -> NextLogits:
    """What a sequence-to-sequence model's decoder gives for its first tokens; encodes once."""
    import torch

    model = loaded.model
    inputs = padded(prompts, loaded.pad, "right", model.device)
    encoded = model.get_encoder()(**inputs)
    start = model.config.decoder_start_token_id

    def logits(begun: Tokens) -> Tensor:
        return model(
            encoder_outputs=encoded,
            attention_mask=inputs["attention_mask"],
            decoder_input_ids=torch.tensor([[start, *begun]] * len(prompts), device=model.device),
            use_cache=False,
        ).logits[:, -1]

    return logits


@dataclass(frozen=True)
class LabelWords:
    """Answers of one word each, told apart by as few first tokens as that takes.

    `beginnings` holds these tokens for each word; `shared` is how many of them all words share.
    """

    words: tuple[str, ...]
    beginnings: tuple[Tokens, ...]
    shared: int

    @classmethod
    def of(cls, tokenizer: Tokenizer, words: Sequence[str]) -> LabelWords:
        """The words in a model's tokens; raises BackendUnavailable where two are not told apart."""
        tokens = [tuple(tokenizer.encode(word, add_special_tokens=False)) for word in words]
        beginnings = []
        for place, row in enumerate(tokens):
            others = tokens[:place] + tokens[place + 1 :]
            lengths = range(1, len(row) + 1)
            told = [n for n in lengths if all(row[:n] != other[:n] for other in others)]
            if not told or tokenizer.unk_token_id in row[: told[0]]:
                raise BackendUnavailable(
                    f"The tokenizer writes {words[place]!r} as {list(row)}, and no token tells it "
                    f"from the other answers {', '.join(w for w in words if w != words[place])}: "
                    "choose a model whose vocabulary knows these words."
                )
            beginnings.append(row[: told[0]])
        shared = 0
        while len({row[: shared + 1] for row in beginnings}) == 1 < len(beginnings):
            shared += 1
        return cls(tuple(words), tuple(beginnings), shared)

    def probabilities(self, logits: NextLogits) -> NDArray[np.float64]:
        """Probabilities of the words (n, n_words), which add up to 1 in each row.

        A word's weight is the product of its tokens' probabilities; with one token each this is
        the softmax of their logits. Raises BackendUnavailable where the model gives NaN.
        """
        import torch

        tables: dict[Tokens, Tensor] = {}
        scores = []
        for row in self.beginnings:
            score = torch.zeros(())
            for n in range(self.shared, len(row)):
                if row[:n] not in tables:
                    tables[row[:n]] = torch.log_softmax(logits(row[:n]).float(), dim=-1)
                score = score + tables[row[:n]][:, row[n]]
            scores.append(score)
        found: NDArray[np.float64] = (
            torch.softmax(torch.stack(scores, dim=-1).double(), dim=-1).cpu().numpy()
        )
        if np.isnan(found).any():
            raise BackendUnavailable(
                f"The model gave NaN for the answers {', '.join(self.words)}: its numbers "
                "overflow; set dtype to bfloat16 or float32."
            )
        return found


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
