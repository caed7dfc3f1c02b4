"""A stored value system: new subjects scored on it, and a refit compared with it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.congruence import factor_congruence
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.scoring import keyed_means, weighted_scores
from gpla_assets.studies.structure import ScoreMethod


@dataclass(frozen=True)
class FrozenSystem:
    """Loadings and weights (values x factors), means and sds of the values it was fitted on."""

    loadings: pd.DataFrame
    weights: pd.DataFrame
    means: pd.Series
    sds: pd.Series
    factor_score: ScoreMethod

    @property
    def key(self) -> str:
        """A hash of values, factors and loadings to six digits: the same system, the same key."""
        ordered = self.loadings.sort_index()
        # adding 0.0 makes 0.0 of -0.0, which is written in another way
        text = ordered.round(6).add(0.0).to_csv() + self.factor_score
        return hashlib.sha256(text.encode("utf-8")).hexdigest()[:12]

    @property
    def keys(self) -> pd.DataFrame:
        """factor, value, keyed: each value under the factor of its largest absolute loading."""
        matrix = self.loadings.to_numpy()
        primary = np.abs(matrix).argmax(axis=1)
        own = matrix[np.arange(len(matrix)), primary]
        rows = pd.DataFrame(
            {
                "factor": self.loadings.columns.to_numpy()[primary],
                "value": self.loadings.index,
                "keyed": np.where(own < 0, -1, 1),
            }
        )
        order = {factor: at for at, factor in enumerate(self.loadings.columns)}
        return rows.sort_values(["factor", "value"], key=lambda c: c.map(order).fillna(c)
                                if c.name == "factor" else c, ignore_index=True)  # fmt: skip

    def score(self, scores: pd.DataFrame) -> pd.DataFrame:
        """Subjects x values -> one row per subject and factor, with this system's own numbers.

        Values that `scores` lacks are missing cells. Raises StructureError where it has none.
        """
        if not set(self.loadings.index) & set(scores.columns):
            raise StructureError(
                f"None of the {len(self.loadings)} values of system {self.key} is among the "
                f"{scores.shape[1]} that were measured; expected values such as "
                f"{', '.join(map(repr, self.loadings.index[:3]))}. Measure the system's lexicon."
            )
        known = scores.reindex(columns=self.loadings.index)
        means = keyed_means(known, self.keys)
        if self.factor_score == "keyed_mean":
            return means
        weighted = weighted_scores(known, self.means, self.sds, self.weights)
        long = weighted.rename_axis("subject_id").reset_index()
        long = long.melt("subject_id", var_name="factor", value_name="score")
        return means.drop(columns="score").merge(long, on=["subject_id", "factor"])[
            ["subject_id", "factor", "score", "n_values"]
        ]

    def compared(self, refit: FrozenSystem) -> pd.DataFrame:
        """Tucker's congruence of each of this system's factors with its match in a refit."""
        return factor_congruence(refit.loadings, self.loadings)
