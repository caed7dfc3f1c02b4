"""Value systems in whose space LLMs are aligned, with the targets that the paper published."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.alignment.reward import AlignmentTarget
from gpla_assets.benchmarks.systems import System
from gpla_assets.common.errors import KnownError
from gpla_assets.content import definitions_of, schwartz, vocabulary
from gpla_assets.studies import dbt_folder

SEEDS = dbt_folder() / "seeds"


class NoTarget(KnownError, ValueError):
    """A system without a target to align to; the message says which and what to do."""


def published_system(path: Path = SEEDS / "paper_loadings.csv") -> System:
    """The paper's five factors over 92 values (Table 10), each keyed by the sign of its loading."""
    rows = pd.read_csv(path)
    factors = {
        str(factor): {
            str(value): int(np.sign(loading))
            for value, loading in zip(own["value"], own["loading"], strict=True)
        }
        for factor, own in rows.groupby("factor", sort=False)
    }
    return System("published", factors)


def space(name: str) -> tuple[System, dict[str, str | None]]:
    """A system by the name that a study gives it, and its values' definitions."""
    if name == "published":
        system = published_system()
        known = definitions_of(pd.Series(system.values), vocabulary())
        return system, dict(zip(system.values, known, strict=True))
    rows = schwartz()
    lower = rows[rows["level"] == "lower"]
    system = System(name, {value: {value: 1} for value in lower["value"]})
    return system, dict(lower[["value", "definition"]].to_numpy())


def published_target(name: str) -> dict[str, float]:
    """The paper's distilled target by dimension (Tables 8 and 9)."""
    table = {"published": "paper_targets.csv", "Schwartz-10": "paper_schwartz_targets.csv"}[name]
    rows = pd.read_csv(SEEDS / table)
    numbers = zip(rows["value"], rows["distilled_target"], strict=True)
    folded = {folded_name(value): number for value, number in numbers}
    system, _ = space(name)
    return {dimension: float(folded[folded_name(dimension)]) for dimension in system.factors}


def folded_name(name: str) -> str:
    """A name without case and hyphens: the paper's tables differ in them.

    >>> folded_name("Self-Competence")
    'self competence'
    """
    return name.casefold().replace("-", " ")


def target(name: str, distilled: pd.DataFrame | None = None) -> AlignmentTarget:
    """What to align to: the published target, or that of `distilled` (dimension, target).

    Raises NoTarget where a dimension has no distilled target.
    """
    system, definitions = space(name)
    if distilled is None:
        return AlignmentTarget(system, published_target(name), definitions)
    known = dict(zip(distilled["dimension"], distilled["target"], strict=True))
    missing = [one for one in system.factors if pd.isna(known.get(one))]
    if missing:
        raise NoTarget(
            f"System {name!r}: no target was distilled for {missing[0]!r} (nothing measured on "
            "both responses of a pair); add preference pairs, or set alignment.target: published."
        )
    return AlignmentTarget(system, {one: float(known[one]) for one in system.factors}, definitions)
