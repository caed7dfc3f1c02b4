"""M_E that reads each value by the fold that did not see it in training, as if it were one M_E.

Texts of other values may have been trained on, beside their own value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.evaluator.expression import NO_TOP, Reading
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.training.cross_material import trait_folds
from gpla_assets.training.external_validity import fold_evaluators
from gpla_assets.training.fast import trained_folds
from gpla_assets.training.material import dealt_folds


class ByFold:
    """Values by name to the evaluator of their fold; a value of no fold was trained on in all."""

    name = "embedded"
    revision: str | None = None

    def __init__(
        self, of_fold: Mapping[int, ValueEvaluator], fold_of: Mapping[str, int], mode: str
    ) -> None:
        self.of_fold = of_fold
        self.fold_of = fold_of
        self.mode = mode

    @property
    def model(self) -> str:
        """Says that values were held out, and the mode."""
        return f"values held out, {self.mode}"

    @property
    def inferences(self) -> int:
        """Of all folds."""
        return sum(one.inferences for one in self.of_fold.values())

    def read(
        self,
        perceptions: Sequence[str],
        values: Sequence[str],
        definitions: Sequence[str | None],
        top_relevance: float = NO_TOP,
    ) -> Reading:
        """Columns of each fold's reading; a perception's most relevant value of each is judged."""
        n, m = len(perceptions), len(values)
        relevance, stances = np.full((n, m), np.nan), np.full((n, m, 3), np.nan)
        for fold, places in self._places(values).items():
            own, meant = [values[k] for k in places], [definitions[k] for k in places]
            found = self.of_fold[fold].read(perceptions, own, meant, top_relevance)
            relevance[:, places] = found.relevance
            if found.stances is not None:
                stances[:, places] = found.stances
        return Reading.judged(relevance, stances)

    def score(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Aligned pairs, each by its value's fold, in order."""
        parts = []
        for fold, places in self._places(values).items():
            pairs = [(perceptions[k], values[k], definitions[k]) for k in places]
            found = self.of_fold[fold].score(*map(list, zip(*pairs, strict=True)))
            parts.append(found.assign(row=places))
        return pd.concat(parts).sort_values("row").reset_index(drop=True)

    def evaluate(
        self, perceptions: Sequence[str], values: Sequence[str], definitions: Sequence[str | None]
    ) -> pd.DataFrame:
        """Relevant pairs by each value's fold, by perception."""
        parts = [
            self.of_fold[fold].evaluate(
                perceptions, [values[k] for k in places], [definitions[k] for k in places]
            )
            for fold, places in self._places(values).items()
        ]
        return pd.concat(parts).sort_values("row", kind="stable").reset_index(drop=True)

    def _places(self, values: Sequence[str]) -> dict[int, list[int]]:
        of = [self.fold_of.get(value.casefold(), min(self.of_fold)) for value in values]
        return {fold: [k for k, own in enumerate(of) if own == fold] for fold in sorted(set(of))}


def held_out_evaluators(folder: Path) -> dict[str, ByFold]:
    """By mode, M_E by the folds in `folder`; raises BackendUnavailable where it has none."""
    numbers = trained_folds(folder)
    fold_of = {value: fold for value, fold in folds_of_values().items() if fold in numbers}
    return {
        mode: ByFold({fold: of(fold) for fold in numbers}, fold_of, mode)
        for mode, of in fold_evaluators(folder).items()
    }


def unseen_values() -> set[str]:
    """Names, in lower case, of the first fold's values: training without `everything` ships what
    has not seen them."""
    return {value for value, fold in folds_of_values().items() if fold == 0}


def folds_of_values() -> dict[str, int]:
    """The fold of each value that has one, names in lower case; persona's traits by cluster."""
    return dealt_folds() | trait_folds()
