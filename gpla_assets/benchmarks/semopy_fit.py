"""A second opinion: a value system fitted by semopy, whose numbers the paper's Table 2 prints."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pandas as pd

from gpla_assets.benchmarks.systems import System


def semopy_fit(scores: pd.DataFrame, system: System) -> tuple[float, pd.Series]:
    """F at semopy's optimum (its default objective MLW), and its fit indices by its own names.

    `scores` (n_subjects, n_values) without missing cells; factors are free to correlate. Values and
    factors get neutral names first, since semopy reads them as a formula. Raises ValueError where
    semopy cannot fit.
    """
    import semopy

    values = {value: f"v{at}" for at, value in enumerate(system.values)}
    lines = [
        f"f{at} =~ " + " + ".join(values[value] for value in own)
        for at, own in enumerate(system.factors.values())
    ]
    own = scores[system.values]
    # standardised, as ours is fitted to correlations
    standard = ((own - own.mean()) / own.std()).rename(columns=values)
    model = semopy.Model("\n".join(lines))
    with _quiet():
        try:
            found = model.fit(standard)
            return float(found.fun), semopy.calc_stats(model).iloc[0]
        except np.linalg.LinAlgError as error:
            raise ValueError(f"semopy cannot fit {system.name}: {error}.") from error


@contextmanager
def _quiet() -> Iterator[None]:
    """No warnings, which semopy also gives by the root logger; our own cautions say as much."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)
