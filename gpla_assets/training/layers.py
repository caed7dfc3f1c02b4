"""What the trainings share: layers that stay, the learning rate's course, what a layer holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import Tensor, nn


def is_frozen(name: str, layers: int) -> bool:
    """Whether a parameter of an encoder is of its embeddings or of so many lowest layers."""
    lowest = any(f"layer.{n}." in name for n in range(layers))
    return lowest or "embeddings" in name or "relative_attention_bias" in name


def rate_factor(done: float, warmup: float) -> float:
    """Of the learning rate at a share `done` of the steps: linear rise, then linear decay.

    With a `warmup` of 0 there is no rise.
    """
    rise = min(1.0, done / warmup + 1e-3) if warmup else 1.0
    return rise * max(0.02, 1 - done)


def layer_weights(layer: nn.Module) -> NDArray[np.float32]:
    """A copy of a torch layer's weights."""
    return _copied(layer.weight)


def layer_bias(layer: nn.Module) -> NDArray[np.float32]:
    """A copy of a torch layer's bias."""
    return _copied(layer.bias)


def _copied(found: Tensor | nn.Module) -> NDArray[np.float32]:
    import torch

    assert isinstance(found, torch.Tensor)
    return np.array(found.detach().numpy(), np.float32)


def balanced_loss(logits: Tensor, labels: Tensor, which: Tensor) -> Tensor:
    """Logistic loss where `which`, so that ones and zeros weigh the same in all."""
    import torch
    from torch.nn import functional

    losses = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    sides = [which & (labels == side) for side in (0, 1)]
    means = [losses[side].mean() for side in sides if side.any()]
    return sum(means, torch.zeros(())) / len(means) if means else logits.sum() * 0
