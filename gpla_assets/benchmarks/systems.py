"""A value system to be tested: named factors over values, each with a sign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

import pandas as pd
import yaml

from gpla_assets.common.errors import KnownError
from gpla_assets.common.yaml_text import load_yaml


class UnfitSystem(KnownError, ValueError):
    """A value system that cannot be read or tested; the message names the factor or value."""


@dataclass(frozen=True)
class System:
    """Factors over values: `factors` maps a factor to its values, each 1 or -1.

    `residuals` are pairs of values that share more than their factors, `uncorrelated` pairs of
    factors that are held apart. `keyed`: whether signs were said; a lavaan model has none.
    """

    name: str
    factors: Mapping[str, Mapping[str, int]]
    residuals: tuple[tuple[str, str], ...] = ()
    uncorrelated: tuple[tuple[str, str], ...] = ()
    keyed: bool = True

    @property
    def values(self) -> list[str]:
        """All values once, in the order of the factors."""
        return list(dict.fromkeys(value for own in self.factors.values() for value in own))

    def within(self, measured: Iterable[str]) -> System:
        """The system over the values that were measured.

        Raises UnfitSystem for a factor of which none was.
        """
        found = restricted(self, list(measured))
        empty = [factor for factor in self.factors if factor not in found.factors]
        if empty:
            missing = ", ".join(list(self.factors[empty[0]])[:5])
            raise UnfitSystem(
                f"System {self.name!r}: none of the values of factor {empty[0]!r} was measured "
                f"(it has {missing}); expected at least one. Leave the factor out or measure them."
            )
        return found

    def measured(self, values: Iterable[str], others: Iterable[str] = ()) -> System:
        """The system itself, if all its values are among those measured.

        Raises UnfitSystem that names the rest and what comes nearest to them, among `others` too:
        fitted without them, it would be another system.
        """
        known = list(values)
        near_by = [*known, *others]
        lacking = [value for value in self.values if value not in set(known)]
        if not lacking:
            return self
        near = {value: get_close_matches(value, near_by, n=2, cutoff=0.5) for value in lacking[:5]}
        named = "; ".join(
            f"{value!r}" + (f" (nearest: {', '.join(found)})" if found else "")
            for value, found in near.items()
        )
        more = f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise UnfitSystem(
            f"System {self.name!r}: {len(lacking)} of its {len(self.values)} values were not "
            f"measured: {named}{more}; expected columns of these names. Correct the names, or take "
            "the values out of the system."
        )


def restricted(system: System, values: Sequence[str]) -> System:
    """The system over these values; factors left empty are left out."""
    known = set(values)
    factors = {
        factor: {value: sign for value, sign in own.items() if value in known}
        for factor, own in system.factors.items()
    }
    left = {factor: own for factor, own in factors.items() if own}
    residuals = tuple(pair for pair in system.residuals if known.issuperset(pair))
    uncorrelated = tuple(pair for pair in system.uncorrelated if set(left).issuperset(pair))
    return System(system.name, left, residuals, uncorrelated, system.keyed)


def read_system(path: Path) -> System:
    """A system of a YAML file: `factors: {factor: {value: 1 or -1}}`, optional `name`.

    A list of values stands for values with sign 1. Raises UnfitSystem naming what is wrong.
    """
    try:
        content = load_yaml(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise UnfitSystem(f"{path} cannot be read as YAML: {error}") from error
    factors = content.get("factors") if isinstance(content, dict) else None
    if not isinstance(factors, dict) or not factors:
        raise UnfitSystem(f"{path}: expected `factors: {{factor: {{value: 1 or -1}}}}`.")
    read = {str(factor): _signs(path, str(factor), own) for factor, own in factors.items()}
    return System(str(content.get("name", path.stem)), read)


def _signs(path: Path, factor: str, own: object) -> dict[str, int]:
    if isinstance(own, list):
        own = dict.fromkeys(own, 1)
    if not isinstance(own, dict) or not own:
        raise UnfitSystem(f"{path}: factor {factor!r} has no values; expected {{value: 1 or -1}}.")
    for value, sign in own.items():
        # YAML's `yes` is True, which equals 1
        if sign not in (1, -1) or isinstance(sign, bool):
            raise UnfitSystem(
                f"{path}: value {value!r} of factor {factor!r} has sign {sign!r}; expected 1 or -1."
            )
    return {str(value): int(sign) for value, sign in own.items()}


def system_of_loadings(name: str, loadings: pd.DataFrame) -> System:
    """The system of a solution: columns factor, value, keyed, is_primary; primary loadings only."""
    primary = loadings[loadings["is_primary"]]
    factors = {
        str(factor): {str(v): int(k) for v, k in zip(own["value"], own["keyed"], strict=True)}
        for factor, own in primary.groupby("factor", sort=False)
    }
    return System(name, factors)


def system_of_mapping(name: str, mapping: pd.DataFrame, floor: float) -> System:
    """The system that a mapping makes: columns value, schwartz, cosine; below `floor` left out."""
    kept = mapping[mapping["cosine"] >= floor]
    factors = {
        str(factor): dict.fromkeys(map(str, own["value"]), 1)
        for factor, own in kept.groupby("schwartz", sort=True)
    }
    return System(name, factors)
