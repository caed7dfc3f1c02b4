"""The paper's judges: Beaver's reward and cost models (PKU-Alignment; Dai et al. 2024).

A Llama with a linear head on its last hidden state; the score is the head's number at the last
token of the conversation in the format that the models were trained on. The cost is negated, so
that higher is less harmful.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.local_weights import LocalWeights, available_device, padded
from gpla_assets.judges.protocol import Floats, readable

if TYPE_CHECKING:
    from torch import Tensor

    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

PUBLISHED = {
    "beaver_reward": "PKU-Alignment/beaver-7b-v1.0-reward",
    "beaver_cost": "PKU-Alignment/beaver-7b-v1.0-cost",
}
FORMAT = "BEGINNING OF CONVERSATION: USER: {prompt} ASSISTANT:{response}"
HEADS = ("score_head", "score_head.linear", "score")
"""Names that the head's weight goes by in published checkpoints."""
MAX_TOKENS = 2048


class BeaverJudge:
    """Scores conversations with a Llama and its score head; loaded at first use."""

    pairwise: Literal[False] = False

    def __init__(
        self, kind: Literal["beaver_reward", "beaver_cost"], weights: LocalWeights
    ) -> None:
        self.name = "Beaver reward" if kind == "beaver_reward" else "Beaver cost, negated"
        self.measure = "helpfulness" if kind == "beaver_reward" else "harmlessness"
        self.sign = 1.0 if kind == "beaver_reward" else -1.0
        self.weights = weights
        self.inferences = 0
        self._loaded: tuple[Tokenizer, Pretrained, Tensor, Tensor] | None = None

    @property
    def model(self) -> str:
        """Hub name or folder."""
        return self.weights.model

    def score(self, prompts: Sequence[str], responses: Sequence[str]) -> Floats:
        """(n,) scores; raises BackendUnavailable where the weights cannot be had."""
        import torch

        if not responses:
            return np.zeros(0)
        tokenizer, model, weight, bias = self._load()
        prompts, responses = readable(prompts), readable(responses)
        scores: list[float] = []
        size = self.weights.batch_size
        for first in range(0, len(responses), size):
            texts = [
                FORMAT.format(prompt=prompt, response=response)
                for prompt, response in zip(
                    prompts[first : first + size], responses[first : first + size], strict=True
                )
            ]
            rows = [self._tokens(tokenizer, text) for text in texts]
            batch = padded(rows, int(tokenizer.pad_token_id or 0), "left", model.device)
            with torch.inference_mode():
                last = model(**batch).last_hidden_state[:, -1].float()
            scores += (last @ weight.T + bias)[:, 0].tolist()
            self.inferences += len(texts)
        return self.sign * np.array(scores)

    @staticmethod
    def _tokens(tokenizer: Tokenizer, text: str) -> list[int]:
        ids, end = list(tokenizer(text)["input_ids"])[-MAX_TOKENS + 1 :], tokenizer.eos_token_id
        assert end is not None, "a Llama's tokenizer has an end"
        # the end of the text closes the conversation, as in the models' training
        return ids if ids and ids[-1] == end else [*ids, end]

    def _load(self) -> tuple[Tokenizer, Pretrained, Tensor, Tensor]:
        if self._loaded is None:
            from transformers import AutoModel, AutoTokenizer

            name, options = self.weights.model, {"revision": self.weights.revision}
            device = available_device(self.weights.device)
            try:
                tokenizer = AutoTokenizer.from_pretrained(name, **options)
                model: Pretrained = AutoModel.from_pretrained(
                    name, dtype=self.weights.torch_dtype("causal", device), **options
                )
                weight, bias = score_head(name, self.weights.revision)
            except (OSError, ValueError) as error:
                raise BackendUnavailable(
                    f"Judge {name!r} cannot be loaded: expected a folder or a hub name of a Llama "
                    f"with a score head; where there is a network, run `hf download {name}`. "
                    f"{str(error).splitlines()[0]}"
                ) from error
            model.to(device).eval()
            self._loaded = tokenizer, model, weight.to(device), bias.to(device)
        return self._loaded


def score_head(name: str, revision: str | None = None) -> tuple[Tensor, Tensor]:
    """Weight (1, d) and bias (1,) of the head in a checkpoint's safetensors, bias 0 if absent.

    Raises ValueError naming the tensors looked for.
    """
    import torch
    from safetensors import safe_open
    from transformers.utils import cached_file

    index = cached_file(
        name, "model.safetensors.index.json", revision=revision,
        _raise_exceptions_for_missing_entries=False,
    )  # fmt: skip
    files = {"model.safetensors"}
    if index:
        files = set(json.loads(Path(index).read_text("utf-8"))["weight_map"].values())
    found: dict[str, Tensor] = {}
    for file in sorted(files):
        with safe_open(cached_file(name, file, revision=revision), framework="pt") as tensors:
            for key in tensors.keys():  # noqa: SIM118 - no mapping
                if any(key in (f"{head}.weight", f"{head}.bias") for head in HEADS):
                    found[key.rpartition(".")[2]] = tensors.get_tensor(key).float()
    if "weight" not in found:
        raise ValueError(f"no tensor {HEADS[0]}.weight in {', '.join(sorted(files))}")
    return found["weight"], found.get("bias", torch.zeros(1))
