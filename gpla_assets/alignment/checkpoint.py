"""Checkpoints of a run: written beside and moved into place, so that a kill leaves old or new."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from gpla_assets.common.errors import KnownError

if TYPE_CHECKING:
    from torch import Tensor

NAME = "checkpoint.pt"


class OtherRun(KnownError, ValueError):
    """A folder that holds the checkpoint of a run with other settings."""


@dataclass
class Checkpoint:
    """All that a run needs to go on as if it had not stopped.

    Randomness is not among it: every draw is seeded by the run's seed and the update's number.
    """

    fingerprint: str
    update: int
    trained: dict[str, Tensor]
    optimizer: dict[str, object]
    kl_weight: float
    steps: list[dict[str, float]] = field(default_factory=list)
    distances: list[dict[str, float]] = field(default_factory=list)
    stopped: str | None = None
    seconds: float = 0.0
    device: str = "cpu"
    peak_gib: float = 0.0

    def save(self, folder: Path) -> None:
        """Write the checkpoint of `folder` in one move."""
        import torch

        folder.mkdir(parents=True, exist_ok=True)
        beside = folder / f"{NAME}.{os.getpid()}.part"
        try:
            with open(beside, "wb") as file:
                torch.save(self.__dict__, file)
                file.flush()
                # moved into place only once its bytes are on the disk
                os.fsync(file.fileno())
            os.replace(beside, folder / NAME)
        finally:
            beside.unlink(missing_ok=True)

    @staticmethod
    def load(folder: Path, fingerprint: str) -> Checkpoint | None:
        """The checkpoint in `folder`, None where there is none.

        Raises OtherRun where it was made with other settings: it is not overwritten.
        """
        import torch

        path = folder / NAME
        if not path.is_file():
            return None
        # weights_only: a file cannot run code
        found = Checkpoint(**torch.load(path, map_location="cpu", weights_only=True))
        if found.fingerprint != fingerprint:
            raise OtherRun(
                f"{path} is of a run with fingerprint {found.fingerprint}, expected {fingerprint}: "
                "settings, prompts or target have changed since. Choose another folder, or remove "
                "this one to begin anew."
            )
        return found
