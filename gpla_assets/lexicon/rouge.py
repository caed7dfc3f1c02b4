"""rougeLsum of many pairs of names at once, with rouge_score's own numbers.

rouge_score scores a pair in 100 microseconds, most of which go into stemming the same words again.
Here each word is stemmed once (by rouge_score's tokenizer), a name is a string of its stems, and
rapidfuzz finds longest common subsequences. tests/lexicon hold the numbers equal, bit by bit.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

FIRST, SURROGATES, PAST_SURROGATES = 0x100, 0xD800, 0xE000
_WORD = re.compile("[a-z0-9]+")
Places = NDArray[np.int64]
Floats = NDArray[np.float64]


class StemmedNames:
    """Names as sequences of stems: `coded` strings, of one character a stem, and their lengths."""

    def __init__(self, names: Sequence[str]) -> None:
        # not above: it brings NLTK and with it sklearn, a second of every command's
        from rouge_score.tokenizers import DefaultTokenizer

        self.names = list(names)
        tokenizer = DefaultTokenizer(use_stemmer=True)
        known: dict[str, str] = {}
        characters: dict[str, str] = {}
        for word in dict.fromkeys(word for name in names for word in _WORD.findall(name.lower())):
            known[word] = "".join(
                characters.setdefault(stem, _character(len(characters)))
                for stem in tokenizer.tokenize(word)
            )
        self.coded = [
            "".join(known[word] for word in _WORD.findall(name.lower())) for name in names
        ]
        self.lengths = np.array([len(one) for one in self.coded], np.int64)

    @cached_property
    def of_several_lines(self) -> NDArray[np.bool_]:
        """Names that rougeLsum takes for several sentences."""
        return np.array(["\n" in name for name in self.names], bool)

    def scores(self, targets: Places, predictions: Places) -> tuple[Floats, Floats, Floats]:
        """F, precision and recall of pairs of places in the names, each (n_pairs,)."""
        from rapidfuzz.distance import LCSseq
        from rapidfuzz.process import cpdist

        asked, answered = (
            [self.coded[n] for n in side.tolist()] for side in (targets, predictions)
        )
        hits = cpdist(asked, answered, scorer=LCSseq.similarity) if asked else np.zeros(0)
        hits = np.asarray(hits, float)
        recall, precision = (
            np.divide(hits, self.lengths[side], out=np.zeros(len(side)), where=hits > 0)
            for side in (targets, predictions)
        )
        both = precision + recall
        f = np.divide(2 * precision * recall, both, out=np.zeros(len(both)), where=both > 0)
        several = self.of_several_lines[targets] | self.of_several_lines[predictions]
        for row in np.flatnonzero(several).tolist():
            f[row], precision[row], recall[row] = self._of_lines(targets[row], predictions[row])
        return f, precision, recall

    def _of_lines(self, target: int, prediction: int) -> tuple[float, float, float]:
        from rouge_score.rouge_scorer import RougeScorer

        scorer = RougeScorer(["rougeLsum"], use_stemmer=True)
        found = scorer.score(self.names[target], self.names[prediction])["rougeLsum"]
        return found.fmeasure, found.precision, found.recall

    def sharing(self) -> Iterator[Places]:
        """For each stem that several names have, their places, in order."""
        places: dict[str, list[int]] = {}
        for place, coded in enumerate(self.coded):
            for stem in set(coded):
                places.setdefault(stem, []).append(place)
        yield from (np.array(own, np.int64) for own in places.values() if len(own) > 1)


def _character(number: int) -> str:
    """The character that stands for a stem; surrogates are none."""
    code = FIRST + number
    return chr(code if code < SURROGATES else code + PAST_SURROGATES - SURROGATES)
