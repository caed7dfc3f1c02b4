"""How alike the names of two values are: rougeLsum and cosine of sentence embeddings."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.lexicon.rouge import StemmedNames

COLUMNS = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]
CHUNK = 1024
PAIRS = 16_384
"""Pairs whose vectors are laid beside each other at a time: 2 x 50 MB of 384 dimensions."""
ROUNDING = 1e-4
"""How far a float32 product of unit vectors may be from the exact one, with room."""
_LATIN = re.compile(r"[A-Za-z\u00aa\u00ba\u00c0-\u024f\u1e00-\u1eff]")
UNIT_TOLERANCE = 0.01
"""How far from 1 an embedding's length may be: half-precision models round."""


def unread(names: Sequence[str]) -> list[str]:
    """Names without a letter of the Latin script: the encoder knows English, and gives names of
    other scripts nearly the same embedding, whatever they mean.

    >>> unread(["Order", "Ordnung", "自由", "🙂", "Свобода"])
    ['自由', '🙂', 'Свобода']
    """
    return [name for name in names if not _LATIN.search(name)]


def value_similarities(
    names: Sequence[str], embeddings: NDArray[np.floating], minimum_cosine: float
) -> pd.DataFrame:
    """Candidate pairs of near-duplicates: those that share a stem, or reach `minimum_cosine`.

    `names` (n,) distinct; `embeddings` (n, d) unit rows. Rows (value_a, value_b, rouge_f,
    rouge_precision, rouge_recall, cosine) with value_a < value_b; value_a is Rouge's target and
    value_b its prediction, so that recall is the share of value_a's words found in value_b. A pair
    that is not listed has Rouge 0 and a cosine below `minimum_cosine`, so that no filter on these
    rows sees an overlap below it, or one of its names is `unread`. Measures: point 5 (Kaleido's
    rougeLsum with stemmer; the paper's App. C.1 for the cosine). Raises ValueError for names that
    are blank, repeat or differ in number from the embeddings, for an embedding that is not of unit
    length and for a `minimum_cosine` outside (0, 1].
    """
    check_names(names, embeddings, minimum_cosine)
    places = sorted(range(len(names)), key=lambda place: names[place])
    ordered = [names[place] for place in places]
    vectors = readable(ordered, np.asarray(embeddings, float)[places])
    stems = StemmedNames(ordered)
    # Rouge of names that share no stem is 0: all other pairs need not be scored
    found = np.unique(np.concatenate([_stem_pairs(stems), _near_pairs(vectors, minimum_cosine)]))
    a, b = np.divmod(found, max(1, len(ordered)))
    f, precision, recall = stems.scores(a, b)
    cosine = cosines(vectors, a, b)
    listed = (f > 0) | (cosine >= minimum_cosine)
    at = np.array(ordered, object)
    columns = (at[a], at[b], f, precision, recall, cosine)
    return pd.DataFrame(
        {name: column[listed] for name, column in zip(COLUMNS, columns, strict=True)}
    )


def readable(names: Sequence[str], vectors: NDArray[np.floating]) -> NDArray[np.floating]:
    """The vectors, zeros for names that the encoder cannot read: each is equal to itself alone."""
    return np.where(np.isin(np.array(names, object), unread(names))[:, None], 0.0, vectors)


def cosines(
    vectors: NDArray[np.floating], rows: NDArray[np.int64], others: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Cosines of pairs of unit rows, in float64: the same in any company, as no block's are."""
    found = np.zeros(len(rows))
    for first in range(0, len(rows), PAIRS):
        part = slice(first, first + PAIRS)
        one, other = (np.asarray(vectors[side[part]], float) for side in (rows, others))
        found[part] = np.clip(np.vecdot(one, other), -1, 1)
    return found


def check_names(names: Sequence[str], embeddings: NDArray[np.floating], minimum: float) -> None:
    if not 0 < minimum <= 1:
        raise ValueError(f"minimum_cosine = {minimum}: expected above 0 and at most 1.")
    if len(names) != len(embeddings) or len(set(names)) != len(names):
        raise ValueError(
            f"{len(names)} names ({len(set(names))} distinct) and {len(embeddings)} embeddings, "
            "expected one embedding for each of distinct names."
        )
    if np.ndim(embeddings) != 2:
        raise ValueError(f"embeddings of shape {np.shape(embeddings)}: expected (n, d).")
    blank = [place for place, name in enumerate(names) if not name.strip()]
    if blank:
        raise ValueError(f"names[{blank[0]}] = {names[blank[0]]!r} is blank, expected a name.")
    lengths = np.linalg.norm(np.asarray(embeddings, float), axis=1)
    wrong = ~(np.abs(lengths - 1) <= UNIT_TOLERANCE)  # so put, NaN is wrong too
    if wrong.any():
        place = int(np.argmax(wrong))
        raise ValueError(
            f"The embedding of {names[place]!r} has length {lengths[place]:.3g}, expected 1."
        )


def _stem_pairs(stems: StemmedNames) -> NDArray[np.int64]:
    """Pairs of names that share a stem, each as a * n + b with a < b."""
    n, found = len(stems.names), [np.zeros(0, np.int64)]
    for places in stems.sharing():
        a, b = np.triu_indices(len(places), 1)
        found.append(places[a] * n + places[b])
    return np.unique(np.concatenate(found))


def _near_pairs(vectors: NDArray[np.floating], minimum: float) -> NDArray[np.int64]:
    """Pairs whose cosine may reach the minimum, each as a * n + b with a < b."""
    n, found = len(vectors), [np.zeros(0, np.int64)]
    for first in range(0, n, CHUNK):
        block = vectors[first : first + CHUNK] @ vectors[first:].T
        # a little below: the block's last digits are not those of `cosines`
        rows, columns = np.nonzero(block >= minimum - ROUNDING)
        later = columns > rows
        found.append((rows[later] + first) * n + columns[later] + first)
    return np.concatenate(found)
