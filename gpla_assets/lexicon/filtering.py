"""The rule by which near-duplicates are dropped, one value after the other.

dbt's `lexicon_ledger` does the same in SQL; a property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.studies import LexiconSettings

COLUMNS = ["value", "frequency", "rank", "kept", "winner", "rule", "similarity"]
RULES = ("rouge_f", "rouge_precision", "rouge_recall", "cosine")
"""In the order in which one is named where several hold."""


class LexiconError(KnownError, ValueError):
    """Values that cannot be filtered; the message names the value found and what is expected."""


@dataclass(frozen=True)
class _Overlap:
    rule: str
    similarity: float


def filter_lexicon(
    frequencies: pd.DataFrame, similarities: pd.DataFrame, settings: LexiconSettings
) -> pd.DataFrame:
    """Keep or drop each value: by descending frequency, ties by name.

    A value goes if Rouge (F, precision or recall) or cosine with a value already kept reaches its
    threshold; `winner` is the first such value, `rule` the first of RULES that holds and
    `similarity` its number. Rarer than the minimum frequency: rule 'frequency', no winner.

    `frequencies`: rows (value, frequency); `similarities`: as of `value_similarities`. Returns rows
    (value, frequency, rank from 1, kept, winner, rule, similarity) by rank. Raises LexiconError
    naming what it found: a missing column, a blank or repeated value, a frequency that is no finite
    number from 0 on, a similarity that is NaN.
    """
    checked = checked_frequencies(frequencies)
    _check_similarities(similarities)
    overlaps = _overlaps(similarities, settings.rouge_threshold, settings.cosine_threshold)
    # decision 0007: what stays is decided from the top, each against those that stay
    ordered = checked.sort_values(["frequency", "value"], ascending=[False, True])
    kept: dict[str, int] = {}
    rows: list[tuple[object, ...]] = []
    for rank, (value, frequency) in enumerate(
        zip(ordered["value"], ordered["frequency"], strict=True), start=1
    ):
        if frequency < settings.minimum_frequency:
            rows.append((value, frequency, rank, False, None, "frequency", None))
            continue
        near = overlaps.get(value, {})
        # the winner is the most frequent value that it is too near to
        winner = min((other for other in near if other in kept), key=kept.__getitem__, default=None)
        if winner is None:
            kept[value] = rank
            rows.append((value, frequency, rank, True, None, None, None))
        else:
            found = near[winner]
            rows.append((value, frequency, rank, False, winner, found.rule, found.similarity))
    return pd.DataFrame(rows, columns=COLUMNS)


def sweep(
    frequencies: pd.DataFrame,
    similarities: pd.DataFrame,
    rouge_thresholds: Sequence[float],
    cosine_thresholds: Sequence[float],
) -> pd.DataFrame:
    """Size of the lexicon by thresholds: rows (rouge_threshold, cosine_threshold, size).

    The size need not grow with a threshold: a value that a higher one spares may itself drop
    several. Raises LexiconError as `filter_lexicon` does.
    """
    rows = []
    for rouge, cosine in product(rouge_thresholds, cosine_thresholds):
        settings = LexiconSettings(rouge_threshold=rouge, cosine_threshold=cosine)
        kept = filter_lexicon(frequencies, similarities, settings)["kept"]
        rows.append((rouge, cosine, int(kept.sum())))
    return pd.DataFrame(rows, columns=["rouge_threshold", "cosine_threshold", "size"])


def _overlaps(
    similarities: pd.DataFrame, rouge: float, cosine: float
) -> dict[str, dict[str, _Overlap]]:
    numbers = similarities[list(RULES)].to_numpy(float)
    reached = numbers >= np.array([rouge, rouge, rouge, cosine])
    rows = np.flatnonzero(reached.any(axis=1))
    names = similarities[["value_a", "value_b"]].to_numpy(object)[rows]
    first = reached[rows].argmax(axis=1)
    found: dict[str, dict[str, _Overlap]] = {}
    for (one, other), rule, number in zip(names, first, numbers[rows, first], strict=True):
        overlap = _Overlap(RULES[rule], float(number))
        found.setdefault(one, {})[other] = overlap
        found.setdefault(other, {})[one] = overlap
    return found


def _check_columns(rows: pd.DataFrame, expected: Sequence[str]) -> None:
    missing = [name for name in expected if name not in rows]
    if missing:
        raise LexiconError(
            f"Columns {', '.join(map(str, rows.columns))}: {missing[0]!r} is missing, "
            f"expected {','.join(expected)}."
        )


def checked_frequencies(frequencies: pd.DataFrame) -> pd.DataFrame:
    """The rows with frequencies as numbers: read from a file they may be text.

    Raises LexiconError naming a missing column, a blank or repeated value, a wrong frequency.
    """
    _check_columns(frequencies, ("value", "frequency"))
    values, counts = frequencies["value"], frequencies["frequency"]
    blank = values.isna() | (values.astype(str).str.strip() == "")
    if blank.any():
        raise LexiconError(f"Row {blank.idxmax()}: the value is blank, expected a name.")
    if values.duplicated().any():
        repeated = values[values.duplicated()].iloc[0]
        raise LexiconError(f"Value {repeated!r} occurs twice, expected one row a value.")
    numbers = pd.to_numeric(counts, errors="coerce")
    wrong = ~numbers.between(0, float("inf"), inclusive="left")
    if wrong.any():
        row = wrong.idxmax()
        raise LexiconError(
            f"Value {values[row]!r}: frequency {str(counts[row])!r}, expected a number from 0 on."
        )
    return frequencies.assign(frequency=numbers)


def _check_similarities(similarities: pd.DataFrame) -> None:
    _check_columns(similarities, ("value_a", "value_b", *RULES))
    for rule in RULES:
        unknown = similarities[rule].isna()
        if unknown.any():
            row = similarities[unknown].iloc[0]
            raise LexiconError(
                f"Pair {row['value_a']!r}, {row['value_b']!r}: {rule} is NaN, expected a number."
            )
