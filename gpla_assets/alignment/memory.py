"""How much memory a run has needed."""

from __future__ import annotations

import resource
import sys


def peak_gib(device: str) -> float:
    """Largest memory so far in GiB: of the GPU for cuda, else of this process."""
    if device == "cuda":
        import torch

        return float(torch.cuda.max_memory_allocated()) / 2**30
    # kilobytes on Linux, bytes on macOS
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**30
