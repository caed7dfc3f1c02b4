"""Results as plain data for JSON files."""

from __future__ import annotations

import math
from typing import Any

Json = dict[str, Any]
"""An object as JSON has it."""


def plain(data: Any) -> Any:
    """Data as JSON has it: numbers of numpy and pandas as Python's, what is no number as null."""
    if isinstance(data, dict):
        return {str(name): plain(one) for name, one in data.items()}
    if isinstance(data, list | tuple):
        return [plain(one) for one in data]
    if hasattr(data, "item"):
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    # pandas has a missing value of its own
    return None if type(data).__name__ == "NAType" else data
