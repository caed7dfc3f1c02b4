"""Tables as columns that a page decodes: rounded, compressed, and of letters that HTML ignores."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from gpla_assets.common.json_data import Json, plain

DECIMALS = 3
"""Of numbers as the page holds them; it shows fewer."""


def columns(frame: pd.DataFrame, decimals: int = DECIMALS) -> dict[str, list[object]]:
    """A frame as lists by column: numbers rounded, what is missing as None."""
    return {str(name): _column(frame[name], decimals) for name in frame.columns}


def _column(column: pd.Series, decimals: int) -> list[object]:
    if pd.api.types.is_bool_dtype(column.dtype):
        return [None if pd.isna(one) else bool(one) for one in column]
    if pd.api.types.is_float_dtype(column.dtype):
        numbers = column.to_numpy(float)
        known = numbers[np.isfinite(numbers)]
        if len(known) and np.all(known == np.round(known)) and np.abs(known).max() < 1e15:
            return [int(one) if np.isfinite(one) else None for one in numbers]
        # a rounded -0.0 would be shown as one
        rounded = np.round(numbers, decimals) + 0.0
        return [float(one) if np.isfinite(one) else None for one in rounded]
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        return [None if pd.isna(one) else str(one)[:19] for one in column]
    missing = column.isna()
    return [
        None if gone else plain(one) for gone, one in zip(missing, column.tolist(), strict=True)
    ]


def places(names: Iterable[object], among: Sequence[str]) -> list[object]:
    """Where each name stands in a list; None of what is not there."""
    place = {name: number for number, name in enumerate(among)}
    return [None if pd.isna(one) else place.get(str(one)) for one in names]


def packed(data: Json) -> str:
    """Data as JSON, squeezed: the same data give the same letters.

    Nothing of the data's text stands in the page as it is, so that none of it can become markup.
    """
    return squeezed(json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")))


def squeezed(text: str) -> str:
    """A text compressed, in base64."""
    return base64.b64encode(gzip.compress(text.encode("utf-8", "replace"), mtime=0)).decode("ascii")


def unpacked(text: str) -> Json:
    """What `packed` was given."""
    found: Json = json.loads(gzip.decompress(base64.b64decode(text)))
    return found
