"""Real data of R packages and what R answers on them: `../shared/psychometrics`, where it is."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest

FOLDER = Path(os.environ.get("GPLA_DATA_DIR", "nowhere")).parent / "psychometrics"
needs_psychometrics = pytest.mark.skipif(
    not (FOLDER / "expected_efa.csv").exists(), reason="no ../shared/psychometrics"
)


@lru_cache
def expected(name: str) -> pd.DataFrame:
    """R's numbers in long form: expected_NAME.csv."""
    return pd.read_csv(FOLDER / f"expected_{name}.csv", keep_default_na=False)


@lru_cache
def data(name: str) -> pd.DataFrame:
    """A data set as R wrote it."""
    return pd.read_csv(FOLDER / "data" / f"{name}.csv")
