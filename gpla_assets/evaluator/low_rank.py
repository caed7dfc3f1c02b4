"""What training changed in a large base model's matrices, as products of two thin ones.

Fine-tuning moves a matrix mostly along few directions (LoRA, Hu et al. 2022, arXiv 2106.09685), so
that the leading singular vectors of its change hold nearly all of it at a few per cent of its size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpla_assets.evaluator.adapter import AdapterError, add_changes


@dataclass(frozen=True)
class LowRank:
    """Changes by parameter name: `left` (n, r) times `right` (r, m); `plain` the vectors' own."""

    left: dict[str, NDArray[np.float16]]
    right: dict[str, NDArray[np.float16]]
    plain: dict[str, NDArray[np.float16]]

    @classmethod
    def between(
        cls,
        base: Mapping[str, NDArray[np.floating]],
        tuned: Mapping[str, NDArray[np.floating]],
        rank: int,
    ) -> LowRank:
        """The best changes of rank `rank` (Eckart-Young), by name in `tuned`; vectors whole."""
        left, right, plain = {}, {}, {}
        for name, weights in tuned.items():
            change = np.asarray(weights, np.float32) - np.asarray(base[name], np.float32)
            if change.ndim < 2:
                plain[name] = change.astype(np.float16)
                continue
            u, s, v = np.linalg.svd(change, full_matrices=False)
            root = np.sqrt(s[:rank])
            left[name] = (u[:, :rank] * root).astype(np.float16)
            right[name] = (root[:, None] * v[:rank]).astype(np.float16)
        return cls(left, right, plain)

    def change(self, name: str) -> NDArray[np.float32]:
        """The change of one parameter."""
        if name in self.plain:
            return self.plain[name].astype(np.float32)
        return self.left[name].astype(np.float32) @ self.right[name].astype(np.float32)

    def apply(self, model: Any) -> None:
        """Add the changes to a torch module in place.

        Raises AdapterError naming the parameter that the module lacks or has in another shape.
        """
        add_changes(model, (*self.left, *self.plain), self.change)

    def arrays(self, prefix: str) -> dict[str, NDArray[Any]]:
        """Plain arrays for a npz file."""
        return {
            f"{prefix}/{part}/{name}": array
            for part in ("left", "right", "plain")
            for name, array in getattr(self, part).items()
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]], prefix: str) -> LowRank:
        """What `arrays` gave; raises AdapterError where nothing stands under the prefix."""

        def part(kind: str) -> dict[str, NDArray[Any]]:
            start = f"{prefix}/{kind}/"
            return {
                name.removeprefix(start): array
                for name, array in arrays.items()
                if name.startswith(start)
            }

        found = cls(part("left"), part("right"), part("plain"))
        if not found.left or set(found.left) != set(found.right):
            raise AdapterError(
                f"Found {len(found.left)} left and {len(found.right)} right factors under "
                f"{prefix!r}, expected one of each for every changed matrix; train it again."
            )
        return found
