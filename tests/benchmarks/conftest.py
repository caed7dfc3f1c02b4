"""R's numbers on real data, which lie beside the checkout and not in it."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def r_numbers() -> Path:
    """../shared/psychometrics; tests skip without it."""
    folder = Path(__file__).parents[2].parent / "shared" / "psychometrics"
    if not folder.exists():
        pytest.skip("needs ../shared/psychometrics")
    return folder
