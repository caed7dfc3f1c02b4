"""The subject x value matrix that everything starts from: checked, and its cells filtered."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pandas as pd

from gpla_assets.psychometrics.errors import StructureError
from gpla_assets.studies.structure import Centre

SENTENCE_END = re.compile(r"(?<=[.])\s+(?=[A-Z])")


def checked_scores(scores: pd.DataFrame) -> pd.DataFrame:
    """`scores` (n_subjects, n_values) as floats, rows and columns in alphabetical order.

    Raises StructureError that names the subject, value or cell: a name that stands twice, a cell
    that is no number, an infinite score. NaN and None are cells without a measurement.
    """
    for what, names in (("subject", scores.index), ("value", scores.columns)):
        twice = names[names.duplicated()]
        if len(twice):
            raise StructureError(
                f"{what} {twice[0]!r} stands {int((names == twice[0]).sum())} times; expected "
                f"each {what} once. Rename or merge them."
            )
    try:
        found = scores.astype(float)
    except (TypeError, ValueError) as error:
        raise StructureError(_not_a_number(scores)) from error
    infinite = np.isinf(found.to_numpy())
    if infinite.any():
        row, column = np.argwhere(infinite)[0]
        raise StructureError(
            f"subject {found.index[row]!r} has {found.iat[row, column]} on value "
            f"{found.columns[column]!r}; expected a finite number, or an empty cell where there "
            "is no measurement."
        )
    found.index, found.columns = found.index.map(str), found.columns.map(str)
    # one order, so that sums add up alike: shuffled rows give the same last digits
    return found.sort_index().sort_index(axis=1)


def _not_a_number(scores: pd.DataFrame) -> str:
    for value in scores.columns:
        numbers = pd.to_numeric(scores[value], errors="coerce")
        wrong = numbers.isna() & scores[value].notna()
        if wrong.any():
            subject = scores.index[wrong.to_numpy().argmax()]
            return (
                f"subject {subject!r} has {scores.loc[subject, value]!r} on value {value!r}; "
                "expected a number, or an empty cell where there is no measurement."
            )
    return "The scores hold cells that are no numbers; expected numbers or empty cells."


def well_measured(
    scores: pd.DataFrame, counts: pd.DataFrame | None, minimum: int
) -> tuple[pd.DataFrame, int]:
    """Scores without the cells that rest on fewer than `minimum` measurements, and how many went.

    `counts` (n_subjects, n_values) are the measurements behind each cell; None leaves all.
    """
    if counts is None or minimum <= 1:
        return scores, 0
    # a score whose count is not known counts as resting on nothing
    known = counts.reindex(index=scores.index, columns=scores.columns).fillna(0)
    thin = scores.notna() & (known < minimum)
    return scores.mask(thin), int(thin.to_numpy().sum())


def measured_subjects(scores: pd.DataFrame, listwise: bool = False) -> pd.DataFrame:
    """The subjects of `scores` (n_subjects, n_values) with any cell, or with every (`listwise`).

    A subject without any is no subject: n goes into tests, random data and subjects per value.
    """
    return scores.dropna(how="any" if listwise else "all")


def centred(scores: pd.DataFrame, centre: Centre) -> pd.DataFrame:
    """Scores (n_subjects, n_values) less each subject's mean over values, or each value's."""
    if centre == "subject":
        return scores.sub(scores.mean(axis=1), axis=0)
    return scores - scores.mean() if centre == "value" else scores


def matrix_cautions(
    scores: pd.DataFrame, minimum_ratio: float, n_llms: int | None, told: Iterable[str] = ()
) -> list[str]:
    """What a reader must know of the usable matrix (n_subjects, n_values) itself.

    `told` is what is known of its scores already; it stands beside what is most important.
    """
    n, p = scores.shape
    cautions = []
    if n / p < minimum_ratio:
        cautions.append(
            f"Not interpretable: n = {n} subjects for p = {p} values, n/p = {n / p:.2f}, "
            f"below {minimum_ratio:g}."
        )
    cautions += told
    # subjects without any score are alike, and no copies
    same = int(scores.dropna(how="all").duplicated().sum())
    if same:
        cautions.append(
            f"{same} subject{'s have' if same > 1 else ' has'} exactly the scores of another "
            "subject: counted as they stand, though they add no information."
        )
    if n_llms is not None and n_llms < n:
        cautions.append(
            f"The {n} subjects are {n_llms} LLMs under several profiles and not independent; "
            "the bootstrap over LLMs gives the intervals to trust."
        )
    return cautions


def distinct_sentences(cautions: Iterable[str]) -> list[str]:
    """The sentences of several cautions, each once: factors repeat what holds of the matrix."""
    sentences = [one for caution in cautions for one in SENTENCE_END.split(caution) if one]
    return list(dict.fromkeys(sentences))
