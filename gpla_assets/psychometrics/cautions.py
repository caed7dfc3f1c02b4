"""What a reader must be told of subjects, values and the solution."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.correlation import Correlations
from gpla_assets.psychometrics.extraction import LOWEST_UNIQUENESS, STARTS
from gpla_assets.psychometrics.polychoric import FEW_CATEGORIES, few_categories
from gpla_assets.psychometrics.purification import Purified, Solution
from gpla_assets.studies.structure import Missing


def subject_cautions(n_given: int, n_any: int, n_used: int) -> list[str]:
    """How many of the subjects given are left out, without any cell or (listwise) without all."""
    cautions = []
    if n_any < n_given:
        cautions.append(
            f"{n_given - n_any} of {n_given} subjects have no cell on any usable value and are "
            f"left out: n = {n_any}."
        )
    if n_used < n_any:
        cautions.append(
            f"{n_any - n_used} of {n_any} subjects have missing cells and are left out "
            f"(listwise): n = {n_used}."
        )
    return cautions


def category_cautions(usable: pd.DataFrame, found: Correlations) -> list[str]:
    """That values with few categories are treated as continuous, where they are."""
    few = few_categories(usable)
    if not few or found.kind == "polychoric":
        return []
    return [
        f"{few} of {usable.shape[1]} values have {FEW_CATEGORIES} categories or fewer and are "
        "treated as continuous; polychoric correlations (correlation: polychoric) do not."
    ]


def solution_cautions(
    found: Correlations, purified: Purified, retained: int, number: int
) -> list[str]:
    """What is to be said of the correlations, the extraction and the number of factors."""
    cautions = []
    if found.mended:
        cautions.append(
            f"The correlation matrix was not positive semi-definite (smallest eigenvalue "
            f"{found.smallest_eigenvalue:.3f}); negative eigenvalues were lifted (spectral method)."
        )
    if purified.caution:
        cautions.append(purified.caution)
    cautions += _extraction_cautions(purified.solution)
    if number < retained:
        cautions.append(
            f"{retained} factors were recommended; {number} were rotated, since of more not "
            "every factor has two values."
        )
    return cautions


def _extraction_cautions(solution: Solution) -> list[str]:
    cautions, extracted = [], solution.extracted
    if not extracted.converged:
        cautions.append("The extraction did not converge; its loadings are the last it reached.")
    if extracted.other_minima:
        others = ", ".join(f"{one:.4f}" for one in extracted.other_minima)
        cautions.append(
            f"Maximum likelihood has several minima: of {STARTS} starts the smallest discrepancy, "
            f"{extracted.discrepancy:.4f}, is taken; others ended at {others}."
        )
    if solution.heywood:
        cautions.append(
            f"Heywood case (uniqueness at its floor of {LOWEST_UNIQUENESS:g}): "
            f"{', '.join(solution.heywood)}. Bartlett's scores weigh such a value by the floor; "
            "psych weighs it by 1 - h2 as it is, so that scores differ from psych's."
        )
    return cautions


def missing_caution(usable: pd.DataFrame, method: Missing) -> list[str]:
    """That pairwise correlations rest on fewer subjects than there are, where many cells lack."""
    share = float(np.isnan(usable.to_numpy()).mean())
    if share <= LARGE_MISSING or method != "pairwise":
        return []
    return [
        f"{share:.0%} of cells are missing: correlations, alpha and their tests take each pair's "
        f"subjects, and alpha's interval takes all {len(usable)} as if none were missing (as psych "
        "does)."
    ]


LARGE_MISSING = 0.05
