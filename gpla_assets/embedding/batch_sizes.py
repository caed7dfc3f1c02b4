"""How many texts go through a model at a time, by the memory of the GPU that it lies on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gpla_assets.common.errors import BackendUnavailable

ROOM = 0.5
"""Share of the memory that may be in use where a batch twice as large is tried: what a batch takes
beside the weights doubles with it."""
LARGEST = 1024
"""No GPU gains from more."""


@dataclass
class BatchSizes:
    """Begins with `size` texts a batch. On a GPU a batch grows while memory has room for twice as
    many, and is halved where it has not enough; on a CPU it stays.

    `peak` gives the share of memory that was in use at most since it was last asked; None on a CPU.
    """

    size: int
    peak: Callable[[], float | None]

    @classmethod
    def on(cls, device: str, size: int) -> BatchSizes:
        """Those of a torch device."""

        def peak() -> float | None:
            if not device.startswith("cuda"):
                return None
            import torch

            used = torch.cuda.max_memory_reserved(device)
            torch.cuda.reset_peak_memory_stats(device)
            return used / torch.cuda.get_device_properties(device).total_memory

        return cls(size, peak)

    def run(self, lengths: Sequence[int], work: Callable[[list[int]], None]) -> None:
        """Do `work` on all positions, those of like lengths together and short ones first.

        Raises BackendUnavailable where memory does not hold a single one.

        >>> BatchSizes(2, lambda: None).run([5, 1, 4, 1], print)
        [1, 3]
        [2, 0]
        """
        left = sorted(range(len(lengths)), key=lambda place: lengths[place])
        while left:
            batch = left[: self.size]
            if self._holds(batch, work):
                left = left[len(batch) :]

    def _holds(self, batch: list[int], work: Callable[[list[int]], None]) -> bool:
        """Whether a batch could be worked on; sets the size of the next."""
        import torch

        try:
            work(batch)
        except torch.OutOfMemoryError as error:
            if len(batch) == 1:
                raise BackendUnavailable(
                    "The GPU's memory does not hold a single text beside the model; set device to "
                    "one with more memory, dtype to bfloat16, or choose a smaller model."
                ) from error
            self.size = len(batch) // 2
            torch.cuda.empty_cache()
            return False
        used = self.peak()
        if used is not None and len(batch) == self.size and used < ROOM:
            self.size = min(2 * self.size, max(self.size, LARGEST))
        return True
