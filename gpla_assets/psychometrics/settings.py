"""How a value system is built; the defaults follow the paper where it says, else OPEN_POINTS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Rule = Literal["parallel", "permutation", "map", "kaiser", "scree", "alpha"]
Extraction = Literal["pca", "minres", "ml"]
RotationName = Literal["none", "varimax", "oblimin", "promax"]
Missing = Literal["pairwise", "mean", "em"]
ScoreMethod = Literal["keyed_mean", "regression", "bartlett"]


@dataclass(frozen=True)
class StructureSettings:
    """Settings of `value_system`; a study's `structure` has the same names with their reasons."""

    n_factors: Rule | int = "parallel"
    extraction: Extraction = "pca"
    rotation: RotationName = "varimax"
    missing: Missing = "pairwise"
    minimum_loading: float = 0.40
    minimum_gap: float = 0.10
    minimum_alpha: float = 0.70
    purify: bool = True
    minimum_coverage: float = 0.5
    minimum_measurements: int = 1
    maximum_same: float = 0.95
    minimum_ratio: float = 5.0
    factor_score: ScoreMethod = "keyed_mean"
    parallel_repeats: int = 100
    resamples: int = 1000
    seed: int = 0
