"""The sequential filter on names and embeddings, without a list of all pairs that are near.

What `filter_lexicon` decides from listed pairs, decided while walking down the ranks: a value is
compared with the kept ones alone. Of 100,000 values the pairs that share a word or have a cosine of
0.4 are hundreds of millions; the kept values are some thousands. Exact, not approximate: bounds
leave out only what cannot reach a threshold.

- Rouge's largest number is hits / (words of the shorter name). Who reaches `threshold` shares
  `needed` words with the other, and therefore one of the shorter's (words - needed + 1) rarest: an
  inverted index on these gives the candidates (prefix filtering, as in set similarity joins).
- Cosines are float32 products, block by block; those within ROUNDING of the threshold are decided
  in float64.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.lexicon.filtering import COLUMNS, RULES, checked_frequencies
from gpla_assets.lexicon.rouge import StemmedNames
from gpla_assets.lexicon.similarity import ROUNDING, check_names, cosines, readable
from gpla_assets.studies import LexiconSettings

BLOCK = 512
"""Values whose cosines with all kept ones are computed at once: 2 kB a kept value."""
Places = NDArray[np.int64]
Single = NDArray[np.float32]
Stem = tuple[str, int]
"""A stem, and which of its occurrences in the name it is."""


def filter_names(
    frequencies: pd.DataFrame, embeddings: NDArray[np.floating], settings: LexiconSettings
) -> pd.DataFrame:
    """`filter_lexicon` of the same values' `value_similarities`: the same rows, without the pairs.

    `frequencies`: rows (value, frequency); `embeddings` (n, d): unit rows in their order. Raises
    LexiconError for frequencies as `filter_lexicon`, ValueError as `value_similarities`.
    """
    checked = checked_frequencies(frequencies).reset_index(drop=True)
    check_names(list(checked["value"]), embeddings, settings.cosine_threshold)
    ordered = checked.sort_values(["frequency", "value"], ascending=[False, True])
    often = ordered[ordered["frequency"] >= settings.minimum_frequency]
    names = list(often["value"])
    vectors = readable(names, np.asarray(embeddings)[often.index])
    stems = StemmedNames(names)
    winners = _Walk(stems, vectors, settings).winners()
    dropped = np.flatnonzero(winners >= 0)
    found = dict(
        zip(dropped.tolist(), _rules(stems, vectors, dropped, winners, settings), strict=True)
    )
    rows: list[tuple[object, ...]] = []
    for place, (value, frequency) in enumerate(
        zip(ordered["value"], ordered["frequency"], strict=True)
    ):
        if place >= len(names):
            rows.append((value, frequency, place + 1, False, None, "frequency", None))
        elif place in found:
            rule, number = found[place]
            winner = names[winners[place]]
            rows.append((value, frequency, place + 1, False, winner, rule, number))
        else:
            rows.append((value, frequency, place + 1, True, None, None, None))
    return pd.DataFrame(rows, columns=COLUMNS)


def _rules(
    stems: StemmedNames,
    vectors: NDArray[np.floating],
    dropped: Places,
    winners: Places,
    settings: LexiconSettings,
) -> list[tuple[str, float]]:
    """For each dropped value the first of RULES that holds with its winner, and its number."""
    names, others = stems.names, winners[dropped]
    # value_a is Rouge's target: the first by name
    swapped = np.array(
        [names[one] > names[other] for one, other in zip(dropped, others, strict=True)], bool
    )
    targets, predictions = np.where(swapped, others, dropped), np.where(swapped, dropped, others)
    numbers = np.column_stack(
        [*stems.scores(targets, predictions), cosines(vectors, targets, predictions)]
    )
    rouge, cosine = settings.rouge_threshold, settings.cosine_threshold
    first = (numbers >= np.array([rouge, rouge, rouge, cosine])).argmax(axis=1)
    return [(RULES[rule], float(row[rule])) for rule, row in zip(first, numbers, strict=True)]


class _Walk:
    """Down the ranks: each value against those kept before it. Places are ranks from 0."""

    def __init__(
        self, stems: StemmedNames, vectors: NDArray[np.floating], settings: LexiconSettings
    ) -> None:
        from rapidfuzz.distance import LCSseq

        self.stems, self.vectors = stems, vectors
        self.single = vectors.astype(np.float32)
        self.rouge, self.cosine = settings.rouge_threshold, settings.cosine_threshold
        self.kept: list[int] = []
        self.kept_vectors = np.empty_like(self.single)
        # kept values by their rare stems, and by all: places are in order
        self.by_rare: dict[Stem, list[int]] = defaultdict(list)
        self.by_any: dict[Stem, list[int]] = defaultdict(list)
        self.common = LCSseq.similarity
        self.often = Counter(stem for one in stems.coded for stem in _numbered(one))

    def winners(self) -> Places:
        """For each value the first kept one that it is too near to, or -1: it is kept."""
        n = len(self.stems.names)
        found = np.full(n, -1, np.int64)
        for first in range(0, n, BLOCK):
            last = min(first + BLOCK, n)
            before = self._nearest_kept(first, last)
            within = self._near(self.single[first:last], first, self.single[first:last], first)
            new: list[int] = []
            for place in range(first, last):
                winner = before[place - first]
                if winner < 0:
                    own = within[place - first]
                    winner = next((one for one in new if own[one - first]), -1)
                found[place] = self._first_by_rouge(place, winner)
                if found[place] < 0:
                    new.append(place)
                    self._keep(place)
            size = len(self.kept)
            self.kept_vectors[size - len(new) : size] = self.single[new]
        return found

    def _keep(self, place: int) -> None:
        self.kept.append(place)
        stems = self._rarest_first(place)
        for stem in stems:
            self.by_any[stem].append(place)
        for stem in stems[: self._rare(len(stems))]:
            self.by_rare[stem].append(place)

    def _nearest_kept(self, first: int, last: int) -> Places:
        """The first value kept before `first` that each reaches the cosine with, or -1."""
        kept = np.array(self.kept, np.int64)
        found = np.full(last - first, -1, np.int64)
        if len(kept):
            near = self._near(
                *(self.single[first:last], first, self.kept_vectors[: len(kept)], kept)
            )
            best = near.argmax(axis=1)
            hit = near[np.arange(len(best)), best]
            found[hit] = kept[best[hit]]
        return found

    def _near(
        self, block: Single, first: int, others: Single, places: Places | int
    ) -> NDArray[np.bool_]:
        """Whether the cosine is reached; the columns are the places given, or those from one on."""
        products = block @ others.T
        near: NDArray[np.bool_] = products >= self.cosine
        rows, columns = np.nonzero(np.abs(products - self.cosine) <= ROUNDING)
        at = columns + places if isinstance(places, int) else places[columns]
        near[rows, columns] = cosines(self.vectors, rows + first, at) >= self.cosine
        return near

    def _first_by_rouge(self, place: int, before: int) -> int:
        """The first kept value whose Rouge reaches the threshold; `before` if that is earlier."""
        stems = self._rarest_first(place)
        # the other is the shorter, or this one
        found = {one for stem in stems for one in self.by_rare.get(stem, ())}
        for stem in stems[: self._rare(len(stems))]:
            found.update(self.by_any.get(stem, ()))
        for other in sorted(found):
            if 0 <= before <= other:
                break
            if self._overlap(place, other):
                return other
        return before

    def _overlap(self, place: int, other: int) -> bool:
        """Whether Rouge's F, precision or recall reaches the threshold."""
        stems = self.stems
        if stems.of_several_lines[place] or stems.of_several_lines[other]:
            # of lines it matters which name is the target: the first, as in a listed pair
            target, prediction = sorted((place, other), key=stems.names.__getitem__)
            numbers = stems.scores(np.array([target]), np.array([prediction]))
            return max(float(number[0]) for number in numbers) >= self.rouge
        one, two = stems.coded[place], stems.coded[other]
        hits = self.common(one, two)
        if not hits:
            return False
        recall, precision = hits / len(one), hits / len(two)
        f = 2 * precision * recall / (precision + recall)
        return max(recall, precision, f) >= self.rouge

    def _rarest_first(self, place: int) -> list[Stem]:
        return sorted(_numbered(self.stems.coded[place]), key=lambda one: (self.often[one], one))

    def _rare(self, words: int) -> int:
        """How many of a name's stems, the rarest, one is among that is shared if it overlaps."""
        needed = max(1, math.ceil((self.rouge - 1e-9) * words))
        return words - needed + 1 if words else 0


def _numbered(coded: str) -> list[Stem]:
    """The stems of a name; those that occur again are others, so that shares can be counted."""
    seen: Counter[str] = Counter()
    found = []
    for stem in coded:
        found.append((stem, seen[stem]))
        seen[stem] += 1
    return found
