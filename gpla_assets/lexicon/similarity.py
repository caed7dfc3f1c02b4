"""How alike the names of two values are: rougeLsum and cosine of sentence embeddings."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

COLUMNS = ["value_a", "value_b", "rouge_f", "rouge_precision", "rouge_recall", "cosine"]
CHUNK = 1024
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
    _check(names, embeddings, minimum_cosine)
    places = sorted(range(len(names)), key=lambda place: names[place])
    ordered = [names[place] for place in places]
    vectors = np.asarray(embeddings, float)[places]
    # a name that the encoder cannot read is equal to itself alone
    vectors[np.isin(ordered, unread(ordered))] = 0.0
    # not above: it brings NLTK and with it sklearn, a second of every command's
    from rouge_score.rouge_scorer import RougeScorer

    # Rouge of names that share no stem is 0: all other pairs need not be scored
    pairs = sorted(_stem_pairs(ordered) | _near_pairs(vectors, minimum_cosine))
    scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
    rows = []
    for a, b in pairs:
        rouge = scorer.score(ordered[a], ordered[b])["rougeLsum"]
        # anew in float64, one by one: a block of products rounds by its size
        cosine = float(np.clip(vectors[a] @ vectors[b], -1, 1))
        rows.append((ordered[a], ordered[b], rouge.fmeasure, rouge.precision, rouge.recall, cosine))
    return pd.DataFrame(rows, columns=COLUMNS)


def _check(names: Sequence[str], embeddings: NDArray[np.floating], minimum: float) -> None:
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


def _stem_pairs(names: list[str]) -> set[tuple[int, int]]:
    from rouge_score.tokenizers import DefaultTokenizer

    tokenizer = DefaultTokenizer(use_stemmer=True)
    by_stem: dict[str, list[int]] = defaultdict(list)
    for place, name in enumerate(names):
        for stem in set(tokenizer.tokenize(name)):
            by_stem[stem].append(place)
    return {pair for places in by_stem.values() for pair in combinations(places, 2)}


def _near_pairs(vectors: NDArray[np.floating], minimum: float) -> set[tuple[int, int]]:
    found: set[tuple[int, int]] = set()
    for first in range(0, len(vectors), CHUNK):
        rows, columns = np.nonzero(vectors[first : first + CHUNK] @ vectors.T >= minimum)
        rows = rows + first
        later = columns > rows
        found.update(zip(rows[later].tolist(), columns[later].tolist(), strict=True))
    return found
