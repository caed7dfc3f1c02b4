"""Names of factors, proposed from their leading values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

LEADING_VALUES = 3
CENTROID_VALUES = 10

Encode = Callable[[Sequence[str]], np.ndarray]


def leading_values(keys: pd.DataFrame, most: int = LEADING_VALUES) -> dict[str, list[str]]:
    """Each factor's values by absolute loading; a reverse-keyed one is marked with 'low '.

    `keys` has columns factor, value, loading.
    """
    found = {}
    for factor, own in keys.groupby("factor", sort=False):
        own = own.sort_values("loading", key=abs, ascending=False).head(most)
        found[str(factor)] = [
            value if loading >= 0 else f"low {value}"
            for value, loading in zip(own["value"], own["loading"], strict=True)
        ]
    return found


def centroid_names(keys: pd.DataFrame, terms: Sequence[str], encode: Encode) -> pd.DataFrame:
    """The term nearest to the loading-weighted centroid of each factor's leading values.

    `keys` has columns factor, value, loading; `terms` are the candidates; `encode` maps texts to
    unit vectors (n_texts, d). Values that load negatively say what the factor is not and stay out
    of the centroid. Two factors never share a name: the one with the higher cosine keeps it. One
    row per factor: factor, name, cosine.
    """
    candidates = list(dict.fromkeys(terms))
    vectors = encode(candidates)
    names, cosines = [], []
    for factor, own in keys.groupby("factor", sort=False):
        top = own[own["loading"] > 0].nlargest(CENTROID_VALUES, "loading")
        centroid = top["loading"].to_numpy() @ encode(list(top["value"]))
        names.append(str(factor))
        # a factor whose values all load negatively has no centroid: its cosines are 0
        cosines.append(vectors @ (centroid / max(float(np.linalg.norm(centroid)), 1e-12)))
    table = np.stack(cosines)
    chosen: dict[str, tuple[str, float]] = {}
    taken: set[int] = set()
    for factor_at in np.argsort(-table.max(axis=1), kind="stable"):
        for term_at in np.argsort(-table[factor_at], kind="stable"):
            if int(term_at) not in taken:
                taken.add(int(term_at))
                cosine = float(table[factor_at, term_at])
                chosen[names[factor_at]] = (candidates[term_at], cosine)
                break
    rows = [(factor, *chosen.get(factor, (factor, np.nan))) for factor in names]
    return pd.DataFrame(rows, columns=["factor", "name", "cosine"])


def name_table(
    keys: pd.DataFrame,
    terms: Sequence[str],
    encode: Encode,
    own: Mapping[str, str],
    asked: Mapping[str, str],
) -> pd.DataFrame:
    """All proposals for each factor, and which is its name: the first of those there are.

    The order is `own` (the study's), `asked` (an LLM's), the centroid's term, the leading values.
    `keys` has columns factor, value, loading. Columns factor, source, name, cosine, chosen.
    """
    near = centroid_names(keys, terms, encode).set_index("factor")
    rows: list[dict[str, object]] = []
    for factor, leading in leading_values(keys).items():
        proposals = {
            "study": own.get(factor),
            "llm": asked.get(factor),
            "centroid": str(near.loc[factor, "name"]),
            "leading values": " / ".join(leading),
        }
        known = [(source, name) for source, name in proposals.items() if name]
        for source, name in known:
            cosine = near.loc[factor, "cosine"] if source == "centroid" else None
            chosen = source == known[0][0]
            rows.append(
                {
                    "factor": factor,
                    "source": source,
                    "name": name,
                    "cosine": cosine,
                    "chosen": chosen,
                }
            )
    return pd.DataFrame(rows, columns=["factor", "source", "name", "cosine", "chosen"])
