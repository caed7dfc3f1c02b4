"""Value systems in lavaan's syntax, in and out, and R scripts that fit them."""

from __future__ import annotations

import re
from pathlib import Path

from gpla_assets.benchmarks.cfa_model import Structure
from gpla_assets.benchmarks.systems import System, UnfitSystem

NAME = r"[^\W\d][\w.]*"
TERM = re.compile(rf"(?:(?P<modifier>[^*]+)\*)?\s*(?P<name>{NAME})")
STATEMENT = re.compile(
    rf"(?P<left>{NAME}(?:\s*\+\s*{NAME})*)\s*(?P<operator>=~|~~)\s*(?P<right>.+)"
)


def read_lavaan(path: Path) -> tuple[System, Structure]:
    """A model in lavaan's syntax: factors (`f =~ a + b`), correlated residuals (`a ~~ b`), factors
    held apart (`f ~~ 0*g`) and one factor above all others (`g =~ f1 + f2`).

    What scales a factor (`NA*`, `1*`, `f ~~ 1*f`) makes no difference to the fit and is passed
    over; factors correlate unless they are held apart. Raises UnfitSystem by the statement that
    says anything else.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnfitSystem(f"{path} cannot be read as text: {error}") from error
    factors: dict[str, dict[str, int]] = {}
    pairs: list[tuple[str, str, str | None]] = []
    for statement in _statements(text):
        found = STATEMENT.fullmatch(statement)
        if found is None:
            raise UnfitSystem(
                f"{path}: {statement!r} is not read; expected `factor =~ value + value` or "
                "`a ~~ b`. Regressions, labels, constraints and intercepts are not supported."
            )
        for left in (name.strip() for name in found["left"].split("+")):
            for modifier, name in _terms(path, statement, found["right"]):
                if found["operator"] == "=~":
                    if modifier not in (None, "NA", "1") and not _starts(modifier):
                        raise _modified(path, statement, modifier)
                    factors.setdefault(left, {})[name] = 1
                else:
                    pairs.append((left, name, modifier))
    if not factors:
        raise UnfitSystem(f"{path} has no statement `factor =~ value + value`.")
    return _system(path, factors, pairs)


def _statements(text: str) -> list[str]:
    """Statements of a model: comments away, a line that ends or begins with + goes on."""
    lines = [re.sub(r"[#!].*", "", line).strip() for line in re.split(r"[\n;]", text)]
    joined = "\n".join(line for line in lines if line)
    joined = re.sub(r"\s*\n\s*\+", " +", re.sub(r"([+~*])\s*\n\s*", r"\1 ", joined))
    # of R itself: model <- ' ... '
    joined = re.sub(rf"^{NAME}\s*(<-|=)\s*(?=['\"])", "", joined).strip("'\" \n")
    return [line.strip("'\" ") for line in joined.split("\n") if line.strip("'\" ")]


def _terms(path: Path, statement: str, right: str) -> list[tuple[str | None, str]]:
    terms = []
    for part in right.split("+"):
        found = TERM.fullmatch(part.strip())
        if found is None:
            raise UnfitSystem(
                f"{path}: {part.strip()!r} in {statement!r} is no name; expected a name, or "
                "number*name."
            )
        modifier = found["modifier"]
        terms.append((None if modifier is None else modifier.strip(), found["name"]))
    return terms


def _starts(modifier: str | None) -> bool:
    return modifier is not None and modifier.startswith("start(")


def _modified(path: Path, statement: str, modifier: str | None) -> UnfitSystem:
    return UnfitSystem(
        f"{path}: `{modifier}*` in {statement!r} is not supported; expected loadings that are free "
        "(NA* and 1* of a factor's scale are passed over), `0*` between factors, and no labels."
    )


def _system(
    path: Path, factors: dict[str, dict[str, int]], pairs: list[tuple[str, str, str | None]]
) -> tuple[System, Structure]:
    structure: Structure = "correlated"
    above = [factor for factor, own in factors.items() if set(own) & set(factors)]
    if above:
        others = set(factors) - {above[0]}
        if len(above) > 1 or set(factors[above[0]]) != others:
            raise UnfitSystem(
                f"{path}: factor {above[0]!r} is over {', '.join(factors[above[0]])}; expected one "
                "factor over all others and no values."
            )
        structure, factors = "higher_order", {name: factors[name] for name in factors
                                              if name in others}  # fmt: skip
    values = {value for own in factors.values() for value in own}
    residuals, uncorrelated = [], []
    for left, right, modifier in pairs:
        statement = f"{left} ~~ {'' if modifier is None else modifier + '*'}{right}"
        if left == right:
            if modifier in (None, "NA", "1") or _starts(modifier):
                continue
            raise _modified(path, statement, modifier)
        if {left, right} <= set(factors) and modifier == "0":
            uncorrelated.append((left, right))
        elif {left, right} <= values and (modifier in (None, "NA") or _starts(modifier)):
            residuals.append((left, right))
        elif {left, right} <= set(factors) and modifier in (None, "NA"):
            continue
        elif modifier is not None and {left, right} <= set(factors) | values:
            raise _modified(path, statement, modifier)
        else:
            raise UnfitSystem(
                f"{path}: {statement!r} is not between two factors or two values of the model."
            )
    found = System(path.stem, factors, tuple(residuals), tuple(uncorrelated), keyed=False)
    return found, structure


def lavaan_model(system: System, structure: Structure = "correlated") -> str:
    """The system in lavaan's syntax, under names that R takes (`r_names`)."""
    names = r_names([*system.factors, *system.values])
    lines = [
        f"{names[factor]} =~ {' + '.join(names[value] for value in own)}"
        for factor, own in system.factors.items()
    ]
    lines += [f"{names[value]} ~~ 0*{names[value]}" for value in _alone(system)]
    lines += [f"{names[a]} ~~ {names[b]}" for a, b in system.residuals]
    lines += [f"{names[a]} ~~ 0*{names[b]}" for a, b in system.uncorrelated]
    if structure == "orthogonal":
        factors = list(system.factors)
        lines += [
            f"{names[a]} ~~ 0*{names[b]}" for at, a in enumerate(factors) for b in factors[at + 1 :]
        ]
    if structure == "higher_order":
        lines.append(f"above =~ {' + '.join(names[factor] for factor in system.factors)}")
    return "\n".join(lines) + "\n"


def _alone(system: System) -> list[str]:
    loads = [value for own in system.factors.values() for value in own]
    return [
        value
        for own in system.factors.values()
        if len(own) == 1
        for value in own
        if loads.count(value) == 1
    ]


def r_names(names: list[str]) -> dict[str, str]:
    """Each name as R takes it: its own where R can, else letters and digits with a number."""
    found: dict[str, str] = {}
    for at, name in enumerate(dict.fromkeys(names)):
        plain = re.sub(r"\W", "_", name, flags=re.ASCII)
        if plain != name or not re.match(r"[A-Za-z]", plain):
            plain = f"n{at}_{plain.strip('_')}"
        found[name] = plain
    return found
