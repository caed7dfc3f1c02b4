"""A matrix made ready for confirmatory factor analysis: who stays in it, and its moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.cfa_fit import fit
from gpla_assets.benchmarks.cfa_model import Floats, independence
from gpla_assets.benchmarks.sample import Sample, sample_of, sample_of_moments, saturated, value
from gpla_assets.benchmarks.systems import UnfitSystem
from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.psychometrics.matrix import checked_scores

Missing = Literal["fiml", "listwise", "two-stage"]


@dataclass(frozen=True)
class CfaData:
    """Subjects and values of a fit, in standard units (the values' own mean 0 and variance 1).

    `values` (p,) in the order of all matrices; `subjects` (n,); `means` and `sds` turn standard
    units back; `moments` are the saturated mean and covariance, `level` their F; `clusters` (n,)
    labels or None. `dropped` subjects had no score, or with `listwise` not all.
    """

    values: tuple[str, ...]
    subjects: pd.Index
    sample: Sample
    moments: tuple[Floats, Floats]
    level: float
    means: Floats
    sds: Floats
    clusters: np.ndarray | None
    missing: Missing
    n_missing: int
    without_scores: int
    dropped: int

    @property
    def n(self) -> int:
        """Subjects."""
        return self.sample.n

    @property
    def n_clusters(self) -> int | None:
        """Clusters; None where subjects are taken for independent."""
        return None if self.clusters is None else len(np.unique(self.clusters))

    @property
    def models_means(self) -> bool:
        """Whether the model has means: with cells missing, or with clusters, as in lavaan."""
        return self.clusters is not None or not (self.sample.complete or self.two_stage)

    @property
    def two_stage(self) -> bool:
        """Whether the fit is to moments estimated before."""
        return self.missing == "two-stage" and not self.sample.complete

    @property
    def fitted_sample(self) -> Sample:
        """What the likelihood is of: the cells, or the moments of a first stage."""
        return sample_of_moments(*self.moments, self.n) if self.two_stage else self.sample

    @property
    def observed(self) -> Floats:
        """Saturated correlations (p, p)."""
        covariance = self.moments[1]
        scale = np.sqrt(np.diag(covariance))
        found: Floats = covariance / np.outer(scale, scale)
        return found

    def patterns(self) -> pd.DataFrame:
        """Which values are missing together: columns n, missing (names); most frequent first."""
        rows = [
            (int(n), tuple(np.asarray(self.values, dtype=object)[~known]))
            for n, known in zip(self.sample.counts, self.sample.measured, strict=True)
        ]
        found = pd.DataFrame(rows, columns=["n", "missing"])
        return found.sort_values("n", ascending=False, kind="stable", ignore_index=True)

    def thinnest_pair(self) -> tuple[int, str, str]:
        """The fewest subjects that have both of two values, and the two."""
        known = self.sample.measured.astype(float)
        pairs = (known * self.sample.counts[:, None]).T @ known
        row, column = np.unravel_index(int(pairs.argmin()), pairs.shape)
        return int(pairs[row, column]), self.values[row], self.values[column]

    def baseline(self, means: bool) -> float:
        """F of uncorrelated values less that of the saturated model."""
        sample = self.fitted_sample
        if sample.complete:
            # Sigma = diag(S) leaves -ln|R| of it
            return -float(np.linalg.slogdet(self.observed)[1])
        return fit(independence(sample.p, means=means), [sample]).discrepancy - self.level


def cfa_data(
    scores: pd.DataFrame,
    values: Sequence[str],
    missing: Missing = "fiml",
    clusters: pd.Series | None = None,
) -> CfaData:
    """The matrix of `scores` (n_subjects, n_values) over `values`.

    Subjects without any score on them are left out, with `listwise` all without each score.
    `clusters` by subject are what subjects belong to, such as LLMs. Raises UnfitSystem for a value
    that does not vary and for a single cluster, and StructureError for singular correlations.
    """
    table = checked_scores(scores[list(values)])
    scored = table.dropna(how="all")
    kept = scored.dropna() if missing == "listwise" else scored
    if len(kept) < 3:
        raise UnfitSystem(
            f"{len(kept)} of {len(table)} subjects have {'all' if missing == 'listwise' else 'any'}"
            f" of the {len(table.columns)} values; expected at least 3."
        )
    spread = kept.std(ddof=0)
    # not > 0 rather than <= 0: a column without a score has a NaN for its sd
    constant = [value for value in kept if not spread[value] > 1e-12 * abs(kept[value]).max()]
    if constant:
        raise UnfitSystem(
            f"Value {constant[0]!r} is constant over the {len(kept)} subjects or not measured; "
            "expected values that vary. Leave it out of the system or the matrix."
        )
    own = None if clusters is None else _clusters(clusters, kept.index)
    standard = ((kept - kept.mean()) / spread).to_numpy()
    sample = sample_of(standard)
    try:
        moments = saturated(sample)
        smallest = float(np.linalg.eigvalsh(moments[1]).min())
    except np.linalg.LinAlgError:
        smallest = 0.0
    if smallest < 1e-10:
        raise StructureError(
            f"The correlation matrix of {kept.shape[1]} values over {len(kept)} subjects is "
            f"singular (smallest eigenvalue {smallest:.2g}): maximum likelihood has no optimum. "
            "Use more subjects than values, or leave out values."
        )
    fitted = sample_of_moments(*moments, sample.n) if missing == "two-stage" else sample
    return CfaData(
        values=tuple(kept.columns),
        subjects=kept.index,
        sample=sample,
        moments=moments,
        level=value(fitted, *moments),
        means=kept.mean().to_numpy(),
        sds=spread.to_numpy(),
        clusters=own,
        missing=missing,
        n_missing=int(kept.isna().to_numpy().sum()),
        without_scores=len(table) - len(scored),
        dropped=len(scored) - len(kept),
    )


def _clusters(clusters: pd.Series, subjects: pd.Index) -> np.ndarray:
    by_subject = clusters.set_axis(clusters.index.map(str))
    found = by_subject.reindex(subjects)
    if found.isna().any():
        raise UnfitSystem(
            f"Subject {found.index[found.isna()][0]!r} has no cluster; expected one of each."
        )
    labels: np.ndarray = pd.factorize(found)[0]
    if labels.max() < 1:
        raise UnfitSystem(
            f"All {len(found)} subjects belong to one cluster, {found.iloc[0]!r}; expected at "
            "least 2. Leave clusters out, or use another column."
        )
    return labels
