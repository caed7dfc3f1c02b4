"""Linear layers whose weights are laid out once for the CPU's float32 kernels (oneDNN).

PyTorch's own linear layer multiplies float32 by MKL, which knows the weight's plain layout only and
reaches half of what oneDNN does with a weight that it has laid out itself (on AVX-512: 190 against
450 billion operations a second). A row of oneDNN's product is also the same, bit for bit, whatever
other rows are in it, from two rows on. For inference only: packed layers have no gradient.

Our own since `torch.utils.mkldnn`, which lays weights out too, copies what goes in and out and
knows no GELU (108 to 198 billion operations a second where this reaches 230 to 249), and
torch.compile would need a C++ compiler on the user's machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from gpla_assets.embedding.pretrained import Pretrained

ROWS = 2048
"""Rows that the layout is made for; any number may be multiplied."""


class PackedLinear(nn.Module):
    """x -> x W' + b, and GELU of it where `gelu`, from a layer's weights as they are now."""

    def __init__(self, layer: nn.Linear, gelu: bool = False) -> None:
        super().__init__()
        weight = layer.weight.detach().contiguous()
        self.packed = torch.ops.mkldnn._reorder_linear_weight(weight, ROWS)
        self.bias = None if layer.bias is None else layer.bias.detach().contiguous()
        self.activation = ("gelu", "none") if gelu else ("none", "")

    def forward(self, x: Tensor) -> Tensor:
        """(..., n_inputs) -> (..., n_outputs)."""
        name, kind = self.activation
        found: Tensor = torch.ops.mkldnn._linear_pointwise(
            x, self.packed, self.bias, name, [], kind
        )
        return found


def pack_linear_layers(model: Pretrained) -> None:
    """Put packed layers in the place of a transformer's linear layers; its weights are final.

    GELU is taken into the layer before it. Without oneDNN the model stays as it is: its numbers
    then differ by rounding only, and it is slower.
    """
    if not packs():
        return
    for module in list(model.modules()):
        fused = _gelu_follows(module, model)
        for name, layer in list(module.named_children()):
            if type(layer) is nn.Linear:
                setattr(module, name, PackedLinear(layer, gelu=fused and name == "dense"))
        if fused:
            module.intermediate_act_fn = nn.Identity()


def packs() -> bool:
    """Whether this PyTorch and this CPU have the packed product."""
    if not torch.backends.mkldnn.is_available():
        return False
    try:
        PackedLinear(nn.Linear(16, 16))(torch.zeros(2, 16))
    except (AttributeError, RuntimeError, NotImplementedError):
        return False
    return True


def _gelu_follows(module: nn.Module, model: Pretrained) -> bool:
    """Whether a module is BERT's or MPNet's intermediate layer: `dense`, then the exact GELU."""
    return hasattr(module, "intermediate_act_fn") and model.config.hidden_act == "gelu"
