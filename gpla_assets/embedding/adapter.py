"""What training changed in a base model's weights, small enough to ship.

A changed parameter is stored as int8 differences with one scale a row: differences are small, so
that their rounding is small beside the weights themselves. peft has no such form: a LoRA of rank 48
holds two thirds to six sevenths of these changes' sums of squares, and 99% take more than half of
the full rank (183 to 316 of 384), which is larger than the whole change in eight bits.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from gpla_assets.common.errors import KnownError

if TYPE_CHECKING:
    from torch import Tensor, nn

STEPS = 127


class AdapterError(KnownError, ValueError):
    """An adapter that does not belong to the base model, or a file that holds none."""

    @classmethod
    def of_parameter(cls, name: str, found: Tensor | None, shape: tuple[int, ...]) -> AdapterError:
        """A parameter that is not there (`found` None) or not of the adapter's shape."""
        said = "no such parameter" if found is None else f"shape {tuple(found.shape)}"
        return cls(
            f"Parameter {name}: found {said}, expected shape {shape}; "
            "the adapter was trained on another base model."
        )


@dataclass(frozen=True)
class Adapter:
    """Differences by parameter name: `steps` int8 of the parameter's shape, `scales` one a row."""

    steps: dict[str, NDArray[np.int8]]
    scales: dict[str, NDArray[np.float32]]

    @classmethod
    def between(
        cls, base: Mapping[str, NDArray[np.floating]], tuned: Mapping[str, NDArray[np.floating]]
    ) -> Adapter:
        """The differences of two sets of weights; equal parameters are left out."""
        steps, scales = {}, {}
        for name, weights in tuned.items():
            difference = np.asarray(weights, np.float32) - np.asarray(base[name], np.float32)
            if not difference.any():
                continue
            rows = difference.reshape(len(difference), -1)
            scale = np.maximum(np.abs(rows).max(1), 1e-12) / STEPS
            steps[name] = np.round(rows / scale[:, None]).astype(np.int8).reshape(difference.shape)
            scales[name] = scale.astype(np.float32)
        return cls(steps, scales)

    def difference(self, name: str) -> NDArray[np.float32]:
        """The change of one parameter."""
        steps = self.steps[name].astype(np.float32)
        return steps * self.scales[name].reshape(-1, *[1] * (steps.ndim - 1))

    def apply(self, model: nn.Module) -> None:
        """Add the differences to a torch module in place.

        Raises AdapterError naming the parameter that the module lacks or has in another shape.
        """
        import torch

        parameters: dict[str, Tensor] = dict(model.named_parameters())
        for name in self.steps:
            added, found = self.difference(name), parameters.get(name)
            if found is None or tuple(found.shape) != added.shape:
                raise AdapterError.of_parameter(name, found, added.shape)
            with torch.no_grad():
                found += torch.from_numpy(added).to(found.dtype)

    def arrays(self, prefix: str) -> dict[str, np.ndarray]:
        """Plain arrays for a safetensors file."""
        return {f"{prefix}/steps/{name}": steps for name, steps in self.steps.items()} | {
            f"{prefix}/scales/{name}": scales for name, scales in self.scales.items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], prefix: str) -> Adapter:
        """What `arrays` gave; raises AdapterError where nothing stands under the prefix."""
        steps, scales = f"{prefix}/steps/", f"{prefix}/scales/"
        found = cls(
            {name.removeprefix(steps): arrays[name] for name in arrays if name.startswith(steps)},
            {name.removeprefix(scales): arrays[name] for name in arrays if name.startswith(scales)},
        )
        if not found.steps or set(found.steps) != set(found.scales):
            raise AdapterError(
                f"Found {len(found.steps)} arrays of steps and {len(found.scales)} of scales under "
                f"{prefix!r}, expected one of each for every changed parameter; train it again."
            )
        return found
