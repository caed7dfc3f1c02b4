"""One name a value: names that are equal in normal form are one, under its most frequent spelling.

Point 4. It matters where M_G writes names freely ("Work-life balance", "Work-Life Balance").
"""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd


def normal_form(name: str) -> str:
    """A value's name casefolded, trimmed, with single inner blanks.

    >>> normal_form("  Self  Respect ")
    'self respect'
    """
    return " ".join(name.casefold().split())


def common_spellings(frequencies: pd.Series) -> dict[str, str]:
    """Each name and the spelling that stands for it: the most frequent of its normal form.

    `frequencies` by name, each name once; of equally frequent spellings the first by codepoint.

    >>> common_spellings(pd.Series({"care": 2, "Care": 2, "CARE": 1}))
    {'Care': 'Care', 'care': 'Care', 'CARE': 'Care'}
    """
    ranked = sorted(frequencies.items(), key=lambda one: (-one[1], str(one[0])))
    standing: dict[str, str] = {}
    return {str(name): standing.setdefault(normal_form(str(name)), str(name)) for name, _ in ranked}


def respelled(generated: pd.DataFrame, spellings: Mapping[str, str], key: str) -> pd.DataFrame:
    """M_G's values (column value) under their `spellings`; a perception, told by the column `key`,
    has each value once, as the row of the highest probability. Rows stay in order.

    Of all rows or of parts of them that hold whole perceptions, with the same result.
    """
    spelled = generated["value"].map(spellings).astype(generated["value"].dtype)
    alike = generated.assign(value=spelled)
    first = alike.sort_values("probability", ascending=False, kind="stable")
    kept = first.drop_duplicates([key, "value"]).index
    return alike.loc[alike.index.isin(kept)].reset_index(drop=True)
