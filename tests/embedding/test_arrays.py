"""Arrays come back from their file as they were, however they lie in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gpla_assets.embedding.arrays import load_arrays, save_arrays


def test_arrays_of_any_layout_type_and_shape_come_back(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype=np.float32).reshape(3, 4)
    made = {
        "plain": numbers,
        "turned": numbers.T,
        "every other": numbers[:, ::2],
        "by column": np.asfortranarray(numbers),
        "eight bits": numbers.astype(np.int8),
        "half": numbers.astype(np.float16),
        "one number": np.array(0.1),
        "nothing": np.zeros((0, 4), np.float32),
    }
    save_arrays(made, tmp_path / "a.safetensors")
    found = load_arrays(tmp_path / "a.safetensors")
    assert set(found) == set(made)
    for name, array in made.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(found[name], array)
