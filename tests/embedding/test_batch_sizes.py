"""Batches follow the memory of a GPU: larger while there is room, halved where there is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.embedding.batch_sizes import LARGEST, BatchSizes


def gpu(holds: int, size: int) -> tuple[BatchSizes, list[list[int]], Callable[[list[int]], None]]:
    """Sizes on a GPU that holds so many texts, the batches that were worked on, and the work."""
    done: list[list[int]] = []

    def work(batch: list[int]) -> None:
        if len(batch) > holds:
            raise torch.OutOfMemoryError
        done.append(batch)

    return BatchSizes(size, lambda: len(done[-1]) / holds), done, work


@pytest.mark.parametrize(("holds", "size"), [(100, 4), (100, 64), (9, 64), (1, 16), (5, 1)])
def test_every_text_is_read_once_whatever_memory_holds(holds: int, size: int) -> None:
    sizes, done, work = gpu(holds, size)
    lengths = [n * 7 % 50 for n in range(300)]
    sizes.run(lengths, work)
    places = [place for batch in done for place in batch]
    assert sorted(places) == list(range(300))
    assert [lengths[place] for place in places] == sorted(lengths)
    assert holds / 4 <= sizes.size <= holds


def test_a_batch_grows_to_half_of_memory_and_no_further_than_gains() -> None:
    sizes, done, work = gpu(100, 4)
    sizes.run([1] * 500, work)
    assert [len(batch) for batch in done[:5]] == [4, 8, 16, 32, 64]
    assert max(map(len, done)) == 64
    huge, done, work = gpu(10**6, LARGEST)
    huge.run([1] * (3 * LARGEST), work)
    assert huge.size == LARGEST


def test_on_a_cpu_the_size_stays() -> None:
    sizes, done = BatchSizes.on("cpu", 4), list[int]()
    sizes.run([3, 1, 2] * 4, lambda batch: done.append(len(batch)))
    assert done == [4, 4, 4] and sizes.size == 4


def test_a_gpu_that_holds_not_one_text_is_told() -> None:
    sizes, _, work = gpu(0, 2)
    with pytest.raises(BackendUnavailable, match="does not hold a single text"):
        sizes.run([1, 1], work)
