"""What training changed in a large base model, as a LoRA adapter in peft's own format.

Fine-tuning moves a matrix mostly along few directions (LoRA, Hu et al. 2022, arXiv 2106.09685), so
that the leading singular vectors of its change hold nearly all of it at a few per cent of its size.
peft reads and merges the adapter (`PeftModel.from_pretrained`). What makes one out of fully trained
weights is ours: peft turns only its own other adapters into LoRA (`peft.convert_to_lora`).
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypedDict

import numpy as np
from numpy.typing import NDArray

from gpla_assets.embedding.adapter import AdapterError
from gpla_assets.embedding.arrays import load_arrays, save_arrays

if TYPE_CHECKING:
    from torch import Tensor, nn

CONFIG, TENSORS = "adapter_config.json", "adapter_model.safetensors"
"""A folder of peft's: these two files."""
PREFIX = "base_model.model."
"""What peft puts before a parameter's name."""
LEFT, RIGHT, BIAS = ".lora_B.weight", ".lora_A.weight", ".lora_B.bias"


class LoraConfig(TypedDict):
    """What peft asks of an adapter."""

    peft_type: str
    r: int
    lora_alpha: int
    lora_bias: bool
    target_modules: list[str]
    modules_to_save: list[str] | None
    inference_mode: bool


@dataclass(frozen=True)
class LowRank:
    """An adapter: peft's `config`, and `tensors` by the names that peft gives them.

    Of a linear layer `lora_B.weight` (n, r) times `lora_A.weight` (r, m) is the change of its
    weight, `lora_B.bias` (n,) that of its bias, in 16 bits; a layer norm stands there whole.
    """

    config: LoraConfig
    tensors: Mapping[str, np.ndarray]

    @classmethod
    def between(
        cls,
        base: Mapping[str, NDArray[np.floating]],
        tuned: Mapping[str, NDArray[np.floating]],
        rank: int,
    ) -> Self:
        """The best changes of rank `rank` (Eckart-Young) of a module's parameters, by name.

        `tuned` has the weights and biases of linear layers and layer norms. Where a matrix has
        fewer rows or columns than `rank`, their number is the rank of all.
        """
        matrices = {name: found for name, found in tuned.items() if found.ndim == 2}
        linear = [name.removesuffix(".weight") for name in matrices]
        rank = min([rank, *(size for found in matrices.values() for size in found.shape)])
        tensors: dict[str, np.ndarray] = {}
        whole: list[str] = []
        for name, weights in tuned.items():
            module, _, kind = name.rpartition(".")
            if module not in linear:
                tensors[PREFIX + name] = np.array(weights, np.float32)
                whole += [module] if module not in whole else []
                continue
            change = np.asarray(weights, np.float32) - np.asarray(base[name], np.float32)
            if kind == "bias":
                tensors[PREFIX + module + BIAS] = change.astype(np.float16)
            else:
                left, right = _factors(change, rank)
                tensors |= {PREFIX + module + LEFT: left, PREFIX + module + RIGHT: right}
        config: LoraConfig = {
            "peft_type": "LORA",
            "r": rank,
            "lora_alpha": rank,
            "lora_bias": any(name.endswith(BIAS) for name in tensors),
            "target_modules": linear,
            "modules_to_save": whole or None,
            "inference_mode": True,
        }
        return cls(config, tensors)

    @property
    def modules(self) -> list[str]:
        """The layers that it changes, by name."""
        return [*self.config["target_modules"], *(self.config["modules_to_save"] or ())]

    def apply(self, model: nn.Module) -> None:
        """Merge it into a torch module in place.

        Raises AdapterError naming the parameter that the module lacks or has in another shape.
        """
        import torch
        from peft import PeftConfig, PeftModel, set_peft_model_state_dict

        parameters: dict[str, Tensor] = dict(model.named_parameters())
        for name, shape in self._shapes():
            found = parameters.get(name)
            if found is None or tuple(found.shape) != shape:
                raise AdapterError.of_parameter(name, found, shape)
        with warnings.catch_warnings():
            # peft asks transformers for what it calls by another name since 5
            warnings.filterwarnings("ignore", message="`is_gradient_checkpointing`")
            adapted = PeftModel(model, PeftConfig.from_peft_type(**self.config))
        tensors = {name: torch.tensor(array) for name, array in self.tensors.items()}
        set_peft_model_state_dict(adapted, tensors)
        adapted.merge_and_unload()

    def _shapes(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        """The parameters that change, with their shapes."""
        for name, array in self.tensors.items():
            own = name.removeprefix(PREFIX)
            if own.endswith(LEFT):
                right = self.tensors[name.removesuffix(LEFT) + RIGHT]
                yield own.removesuffix(LEFT) + ".weight", (len(array), right.shape[1])
            elif not own.endswith(RIGHT):
                yield own.replace(".lora_B", ""), array.shape

    def save(self, folder: Path) -> None:
        """Write a folder that peft loads."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / CONFIG).write_text(json.dumps(self.config, indent=2) + "\n", "utf-8")
        save_arrays(self.tensors, folder / TENSORS)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; raises AdapterError where a file is missing."""
        missing = [name for name in (CONFIG, TENSORS) if not (folder / name).is_file()]
        if missing:
            raise AdapterError(
                f"{folder} lacks {missing[0]}, expected the two files of a peft adapter; train it "
                "again."
            )
        return cls(json.loads((folder / CONFIG).read_text("utf-8")), load_arrays(folder / TENSORS))


def _factors(
    change: NDArray[np.float32], rank: int
) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """(n, r) and (r, m) whose product is the nearest to a change (n, m)."""
    u, s, v = np.linalg.svd(change, full_matrices=False)
    root = np.sqrt(s[:rank])
    return (u[:, :rank] * root).astype(np.float16), (root[:, None] * v[:rank]).astype(np.float16)
