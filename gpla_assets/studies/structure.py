"""Settings of the value system: of `value_system`, and of a study's `structure`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Settings

Rule = Literal["parallel", "permutation", "map", "ekc", "hull", "ega", "kaiser", "scree", "alpha"]
Extraction = Literal["pca", "minres", "ml"]
RotationName = Literal["none", "varimax", "oblimin", "promax"]
Missing = Literal["pairwise", "listwise", "mean", "em"]
CorrelationName = Literal["pearson", "polychoric"]
Centre = Literal["none", "subject", "value"]
Redundancy = Literal["report", "remove"]
ScoreMethod = Literal["keyed_mean", "regression", "bartlett"]


class StructureSettings(Settings):
    """Factors (points 11 to 15); a value is keyed by the sign of its loading (point 14)."""

    n_factors: Rule | int = Field(
        "parallel", description="A rule, or a fixed number: the paper's is 5."
    )
    extraction: Extraction = Field("pca", description="Point 12: the paper's.")
    rotation: RotationName = Field(
        "varimax", description="Point 12: with Kaiser normalisation; the others are kept beside it."
    )
    missing: Missing = Field(
        "pairwise", description="Point 11: pairwise correlations; n is stored, coverage reported."
    )
    correlation: CorrelationName = Field(
        "pearson", description="Of scores; polychoric where scores are a few ordered categories."
    )
    centre: Centre = Field(
        "none", description="Scores less the subject's mean over values, or the value's mean."
    )
    redundancy: Redundancy = Field(
        "report", description="Of values that stand for one another all but one may be removed."
    )
    maximum_overlap: float = Field(
        0.25, gt=0, le=1, description="Weighted topological overlap from which they do so."
    )
    minimum_loading: float = Field(
        0.40, ge=0, le=1, description="Point 13: the smallest kept in Table 10 is .419."
    )
    minimum_gap: float = Field(
        0.10, ge=0, le=1, description="Point 13: between a value's first and second loading."
    )
    minimum_alpha: float = Field(
        0.70, ge=0, le=1, description="Point 13: what the paper calls the standard threshold."
    )
    purify: bool = Field(True, description="Point 13: the paper went from 123 values to 92.")
    minimum_coverage: float = Field(
        0.5, ge=0, le=1, description="Point 11: share of subjects with a cell."
    )
    minimum_measurements: int = Field(
        1, ge=1, description="Point 11: a cell that rests on fewer counts as missing."
    )
    maximum_same: float = Field(
        0.95, gt=0, le=1, description="Nearly constant: more subjects than this share one score."
    )
    minimum_ratio: float = Field(
        5.0, gt=0, description="Subjects per value to be interpretable: the paper's rule (6.1)."
    )
    factor_score: ScoreMethod = Field(
        "keyed_mean", description="Point 15: the paper's reading; the others are kept beside it."
    )
    parallel_repeats: int = Field(100, ge=20, description="Random data sets of each kind.")
    resamples: int = Field(1000, ge=50, description="Bootstrap resamples of LLMs, and of subjects.")
    frozen: str | None = Field(
        None, description="Key of a stored value system on which subjects are scored as well."
    )
