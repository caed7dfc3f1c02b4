"""A criterion of LLMs predicted from value systems, with baselines and nulls (the paper's 5.2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from gpla_assets.benchmarks.probe import (
    Tested,
    accuracies_beside,
    accuracy_interval,
    majority_probed,
    permuted_accuracies,
    probed,
    probed_over,
    ridge_probed,
    weight_intervals,
)
from gpla_assets.benchmarks.probe_designs import (
    FAMILIES_OUT,
    FEWEST_LLMS,
    LEFT_OUT,
    Design,
    UnfitCriterion,
    design,
    family_designs,
)
from gpla_assets.benchmarks.systems import System
from gpla_assets.psychometrics.resampling import permutation_p
from gpla_assets.psychometrics.scoring import keyed_means
from gpla_assets.studies import Probe

OURS = "ours"
SYSTEM, BASELINE = "system", "baseline"
LENGTH, CONTROLS_ALONE, ALL_VALUES = "response length", "controls alone", "all values"
LABELS, PARTITIONS = "permuted labels", "random partition"
ACCURACY_COLUMNS = [
    *("criterion", "features", "controls", "design", "role", "n_llms", "n_pairs", "n_features"),
    *("repeats", "accuracy", "sd", "low", "high", "p_permuted", "gain"),
]
PARAMETER_COLUMNS = ["criterion", "features", "factor", "weight", "low", "high"]
NULL_REPEATS = 20
"""Splits that each draw of a null goes through."""
NULL_PAIRS = 60
"""Of pairs left out one by one, those that each draw goes through: all of up to eleven LLMs'."""
NULL_COLUMNS = ["criterion", "features", "null", "draw", "accuracy"]


@dataclass(frozen=True)
class Features:
    """What LLMs are known by: each frame has a LLM a row, nan where a number is missing.

    `systems` by name: LLM x factor. `values`: LLM x value. `length`: mean response length by LLM.
    `ours`: our system, of which random partitions have the sizes. `controls` by name: what else may
    lie behind a criterion, by LLM. `families`: the family of each LLM.
    """

    systems: Mapping[str, pd.DataFrame]
    values: pd.DataFrame
    length: pd.Series
    ours: System
    controls: Mapping[str, pd.Series] = field(default_factory=dict)
    families: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Predicted:
    """Rows of accuracies, parameters and nulls, one criterion after the other."""

    accuracies: list[dict[str, object]] = field(default_factory=list)
    parameters: list[dict[str, object]] = field(default_factory=list)
    nulls: list[dict[str, object]] = field(default_factory=list)

    def frames(self) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
        """The three tables."""
        return (
            pd.DataFrame(self.accuracies, columns=ACCURACY_COLUMNS),
            pd.DataFrame(self.parameters, columns=PARAMETER_COLUMNS),
            pd.DataFrame(self.nulls, columns=NULL_COLUMNS),
        )


def predict(
    name: str,
    scores: pd.Series,
    features: Features,
    settings: Probe,
    into: Predicted,
    seed: int = 0,
    null_repeats: int = NULL_REPEATS,
    controlled: bool = False,
) -> None:
    """Add how well each value system predicts a criterion, beside baselines and nulls.

    `scores` by LLM; LLMs without values are left out. Raises UnfitCriterion with too few LLMs (see
    `design`), and where all have one score.

    Rows: each system; each factor of ours alone; the mean of all values (one general factor); all
    values by ridge; response length; the majority side. Each system again with whole families of
    LLMs left out; and, where it is to be `controlled`, beside response length, and beside length
    and the other controls (of the LLMs that have them), with what it adds to these alone.
    """
    # sorted first: a set has another order in every process, and the seed would mean nothing
    llms = sorted(set(scores.dropna().index) & set(features.values.index))
    # names tell families and generations of LLMs apart: their order must not
    np.random.default_rng(seed).shuffle(llms)
    splits = design(len(llms), settings.repeats, settings.test_share, settings.exact_below, seed)
    criterion = scores[llms].to_numpy(float)
    if len(set(criterion)) < 2:
        raise UnfitCriterion(
            f"Criterion {name!r}: all {len(llms)} LLMs have the score {criterion[0]}; expected "
            "scores that differ."
        )
    run = _Run(name, llms, criterion, splits, settings, into, seed, null_repeats)
    # matrices of some tens of LLMs gain nothing from threads, and lose by waking them
    with threadpool_limits(1):
        _predicted(run, features, llms)
        _across_families(run, features)
        for names in _control_sets(features) if controlled else ():
            _beside(run, features, names)


def _predicted(run: _Run, features: Features, llms: list[str]) -> None:
    for system, frame in features.systems.items():
        run.system(system, frame.reindex(llms))
    own = features.systems[OURS].reindex(llms)
    for factor in own:
        run.baseline(f"one factor: {factor}", own[[factor]])
    values = features.values.reindex(llms)
    run.baseline("general valence", values.mean(axis=1).to_frame("general valence"))
    run.baseline(LENGTH, features.length.reindex(llms).to_frame())
    run.add("all values (ridge)", BASELINE, values.shape[1],
            ridge_probed(values.to_numpy(float), run.criterion, run.splits))  # fmt: skip
    run.add("majority", BASELINE, 0, majority_probed(run.criterion, run.splits))
    run.partitions(values, features.ours)


def _across_families(run: _Run, features: Features) -> None:
    """Systems and length with the families of both LLMs of a pair left out."""
    designs = family_designs([features.families.get(llm) for llm in run.llms])
    if not designs or not any(features.families.values()):
        return
    named = {**features.systems, LENGTH: features.length.to_frame()}
    for name, frame in named.items():
        matrix = frame.reindex(run.llms).to_numpy(float)
        tested = probed_over(matrix, run.criterion, designs, run.seed)
        if len(tested.accuracies):
            role = SYSTEM if name in features.systems else BASELINE
            run.add(name, role, matrix.shape[1], tested, design=FAMILIES_OUT)


def _control_sets(features: Features) -> list[tuple[str, ...]]:
    further = tuple(features.controls)
    return [(LENGTH,), (LENGTH, *further)] if further else [(LENGTH,)]


def _beside(run: _Run, features: Features, names: tuple[str, ...]) -> None:
    """What systems add to controls: both alone and together, on the LLMs that have the controls."""
    known = pd.DataFrame({LENGTH: features.length, **features.controls})[list(names)]
    llms = [llm for llm in run.llms if llm in known.index and known.loc[llm].notna().all()]
    own = run.over(llms)
    if own is None:
        return
    controls, text = known.loc[llms].to_numpy(float), ", ".join(names)
    alone = probed(controls, own.criterion, own.splits, own.seed)
    p = permutation_p(
        probed(controls, own.criterion, own.few, own.seed).accuracy,
        permuted_accuracies(controls, own.criterion, own.few, own.settings.permutations, own.seed),
    )
    own.add(CONTROLS_ALONE, BASELINE, 0, alone, p, controls=text)
    for system, frame in features.systems.items():
        matrix = frame.reindex(llms).to_numpy(float)
        null = accuracies_beside(
            *(controls, matrix, own.criterion, own.few, own.settings.permutations, own.seed)
        )
        both = np.hstack([controls, matrix])
        observed = probed(both, own.criterion, own.few, own.seed).accuracy
        own.beside(
            system, SYSTEM, both, matrix.shape[1], alone, text, permutation_p(observed, null)
        )
    values = features.values.reindex(llms).to_numpy(float)
    # as many features as LLMs: what draws would cost here, the systems' draws tell for less
    own.beside(ALL_VALUES, BASELINE, np.hstack([controls, values]), values.shape[1], alone, text)


@dataclass(frozen=True)
class _Run:
    name: str
    llms: list[str]
    criterion: np.ndarray
    splits: Design
    settings: Probe
    into: Predicted
    seed: int
    null_repeats: int

    def system(self, features: str, frame: pd.DataFrame) -> None:
        """A value system: its accuracy, its permutation p and the weights of its factors."""
        matrix = frame.to_numpy(float)
        tested = probed(matrix, self.criterion, self.splits, self.seed)
        null = permuted_accuracies(
            matrix, self.criterion, self.few, self.settings.permutations, self.seed
        )
        observed = probed(matrix, self.criterion, self.few, self.seed).accuracy
        self._null(features, LABELS, np.array([observed, *null]))
        self.add(features, SYSTEM, matrix.shape[1], tested, permutation_p(observed, null))
        low, high = weight_intervals(matrix, self.criterion, tested.l2, self.seed)
        rows = zip(frame.columns, tested.weights.mean(0), low, high, strict=True)
        self.into.parameters += [
            dict(zip(PARAMETER_COLUMNS, (self.name, features, *row), strict=True)) for row in rows
        ]

    def baseline(self, features: str, frame: pd.DataFrame) -> None:
        """What a value system has to beat."""
        matrix = frame.to_numpy(float)
        tested = probed(matrix, self.criterion, self.splits, self.seed)
        self.add(features, BASELINE, matrix.shape[1], tested)

    def beside(
        self,
        features: str,
        role: str,
        both: np.ndarray,
        n_features: int,
        alone: Tested,
        controls: str,
        p: float | None = None,
    ) -> None:
        """Controls and features (n, c + n_features) together, and the gain over controls alone."""
        tested = probed(both, self.criterion, self.splits, self.seed)
        gain = tested.accuracy - alone.accuracy
        self.add(features, role, n_features, tested, p, controls=controls, gain=gain)

    def over(self, llms: list[str]) -> _Run | None:
        """The same on some of the LLMs; None where they are too few, or all have one score."""
        criterion = self.criterion[[self.llms.index(llm) for llm in llms]]
        if len(llms) < FEWEST_LLMS or len(set(criterion)) < 2:
            return None
        own = self.settings
        splits = design(len(llms), own.repeats, own.test_share, own.exact_below, self.seed)
        return replace(self, llms=llms, criterion=criterion, splits=splits)

    def add(
        self,
        features: str,
        role: str,
        n_features: int,
        tested: Tested,
        p: float | None = None,
        controls: str = "",
        design: str | None = None,
        gain: float | None = None,
    ) -> None:
        """One row of accuracies."""
        low, high = accuracy_interval(tested, self.seed)
        n_pairs = int(np.unique(np.sort(np.argwhere(tested.met > 0), axis=1), axis=0).shape[0])
        row = (
            *(self.name, features, controls, design or self.splits.name, role, len(self.llms)),
            *(n_pairs, n_features, len(tested.accuracies), tested.accuracy),
            *(_spread(tested.accuracies), low, high, p, gain),
        )
        self.into.accuracies.append(dict(zip(ACCURACY_COLUMNS, row, strict=True)))

    def partitions(self, values: pd.DataFrame, ours: System) -> None:
        """Our values dealt at random to as many factors of the same sizes, keyed as ours are.

        Ours itself is draw -1, scored in the same way: means of the values as they are.
        """
        random = np.random.default_rng(self.seed)
        found = []
        # ours goes through the same loop, so that it has no advantage of how it is scored
        for draw in range(-1, self.settings.partitions):
            system = ours if draw < 0 else dealt(ours, random)
            frame = llm_factors(values, system)
            found.append(
                probed(frame.to_numpy(float), self.criterion, self.few, self.seed).accuracy
            )
        self._null(OURS, PARTITIONS, np.array(found))

    @property
    def few(self) -> Design:
        """The splits that each draw of a null goes through, and ours to be compared with them."""
        exact = self.splits.name == LEFT_OUT
        return self.splits.first(NULL_PAIRS if exact else self.null_repeats)

    def _null(self, features: str, null: str, found: np.ndarray) -> None:
        """Rows of a null; the first is what was observed, scored alike, and has draw -1."""
        self.into.nulls += [
            dict(zip(NULL_COLUMNS, (self.name, features, null, draw, number), strict=True))
            for draw, number in enumerate(found, start=-1)
        ]


def _spread(accuracies: NDArray[np.float64]) -> float:
    """Standard deviation of what is known; NaN of fewer than two."""
    known = accuracies[~np.isnan(accuracies)]
    return float(np.std(known, ddof=1)) if len(known) > 1 else np.nan


def dealt(system: System, random: np.random.Generator) -> System:
    """The values of a system, with their keys, dealt at random to factors of the same sizes."""
    keyed = [(value, key) for own in system.factors.values() for value, key in own.items()]
    order = iter(random.permutation(len(keyed)))
    factors = {
        factor: dict(keyed[next(order)] for _ in own) for factor, own in system.factors.items()
    }
    return System(system.name, factors)


def llm_factors(values: pd.DataFrame, system: System) -> pd.DataFrame:
    """LLM x factor: means of each factor's keyed values, from LLM x value, in the same order.

    Values that were not measured are left out; raises UnfitSystem for a factor without any.
    """
    known = system.within(values.columns)
    keys = pd.DataFrame(
        [(f, value, key) for f, own in known.factors.items() for value, key in own.items()],
        columns=["factor", "value", "keyed"],
    )
    scored = keyed_means(values, keys)
    wide = scored.pivot(index="subject_id", columns="factor", values="score")
    return wide.reindex(index=values.index, columns=list(known.factors))
