"""One vector of a text from an encoder's last layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def masked_mean(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that are no padding: torch (n, tokens, d) and (n, tokens) -> (n, d)."""
    mask = mask[..., None].float()
    return (hidden.float() * mask).sum(1) / mask.sum(1)
