"""Arrays by name in a safetensors file: weights that no pickle can turn into code."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file


def save_arrays(arrays: Mapping[str, np.ndarray], path: Path) -> None:
    """Write arrays of any shape and layout."""
    # safetensors writes memory as it lies: a transposed array would come back as another
    in_order = {name: np.asarray(array, order="C") for name, array in arrays.items()}
    save_file(in_order, path, {"format": "pt"})


def load_arrays(path: Path) -> dict[str, np.ndarray]:
    """Read what `save_arrays` wrote."""
    found: dict[str, np.ndarray] = load_file(path)
    return found
