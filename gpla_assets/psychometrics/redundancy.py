"""Values that stand for one another: seen before factors are looked for.

Near-synonyms make factors of their own, with a high alpha and no content. Unique variable analysis
(Christensen, Garrido and Golino, 2023): values whose neighbours in the network of partial
correlations are the same.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from scipy.sparse.csgraph import connected_components

from gpla_assets.psychometrics.network import topological_overlap

NOTED = 0.20
"""Overlap from which a pair is in the table: small to moderate by the paper's simulation."""
COLUMNS = ["value_a", "value_b", "overlap", "r", "partial_r", "redundant"]


def redundant_pairs(
    matrix: pd.DataFrame, edges: np.ndarray, maximum_overlap: float
) -> pd.DataFrame:
    """Pairs of values by their weighted topological overlap, the largest first.

    `matrix` (n_values, n_values) are correlations, `edges` the network of them. One row per pair
    from an overlap of .20: value_a, value_b, overlap, r, partial_r, and whether the pair is
    `redundant`, at or above `maximum_overlap`.
    """
    overlap = topological_overlap(edges)
    first, second = np.nonzero(np.triu(overlap >= min(NOTED, maximum_overlap), 1))
    names = matrix.index.to_numpy()
    found = pd.DataFrame(
        {
            "value_a": names[first],
            "value_b": names[second],
            "overlap": overlap[first, second],
            "r": matrix.to_numpy()[first, second],
            "partial_r": edges[first, second],
            "redundant": overlap[first, second] >= maximum_overlap,
        },
        columns=COLUMNS,
    )
    return found.sort_values("overlap", ascending=False, ignore_index=True, kind="stable")


def stand_ins(pairs: pd.DataFrame, values: pd.Index, edges: np.ndarray) -> dict[str, str]:
    """Which value each redundant one goes for, where one of every group of them is to stay.

    Groups hang together by redundant `pairs`. Of two the value stays that overlaps less with all
    others; of more the one that overlaps most with its group (the paper's rule).
    """
    overlap = pd.DataFrame(topological_overlap(edges), values, values)
    own = pairs[pairs["redundant"]]
    adjacent = np.zeros((len(values), len(values)))
    adjacent[values.get_indexer(own["value_a"]), values.get_indexer(own["value_b"])] = 1.0
    group = connected_components(adjacent, directed=False)[1]
    going: dict[str, str] = {}
    for one in range(group.max(initial=-1) + 1):
        names = sorted(values[group == one])
        if len(names) == 1:
            continue
        if len(names) == 2:
            kept = overlap.loc[names].drop(columns=names).max(axis=1).idxmin()
        else:
            kept = overlap.loc[names, names].mean(axis=1).idxmax()
        going |= {name: str(kept) for name in names if name != kept}
    return going


def redundancy_cautions(pairs: pd.DataFrame, maximum_overlap: float) -> list[str]:
    """What a reader must know of pairs whose overlap is too large; nothing where there is none."""
    own = pairs[pairs["redundant"]]
    if own.empty:
        return []
    most = own.iloc[0]
    return [
        f"{len(own)} pair{'s' if len(own) > 1 else ''} of values stand for one another (weighted "
        f"topological overlap {maximum_overlap:g} or more; most: {most.value_a} and "
        f"{most.value_b}, {most.overlap:.2f}): they raise alpha and may make a factor of their "
        "own. Merge them, or set structure.redundancy: remove."
    ]
