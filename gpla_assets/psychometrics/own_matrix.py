"""The method on a user's own matrix, without Dagster, a warehouse or an LLM: `gpla structure`."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.psychometrics.naming import Encode, name_table
from gpla_assets.psychometrics.stability import Stability, bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import ValueSystem, value_system
from gpla_assets.studies.structure import StructureSettings

Json = dict[str, Any]
"""An object as JSON has it."""
SUGGESTED = ("parallel", "map", "kaiser", "scree", "permutation", "alpha")


class MatrixError(KnownError, ValueError):
    """A file that holds no subject x value matrix; the message names the place."""


@dataclass(frozen=True)
class Structured:
    """A matrix's value system, its stability and the names of its factors."""

    system: ValueSystem
    stability: Stability
    influence: pd.DataFrame
    names: pd.Series
    llms: pd.Series
    minimum_alpha: float


def read_matrix(path: Path) -> tuple[pd.DataFrame, pd.Series | None]:
    """Scores (n_subjects, n_values) of a CSV file, and each subject's LLM where it has one.

    One row a subject, one column a value; the optional columns `subject` and `llm` name the row
    and the LLM that it belongs to. Subjects named `llm|profile` have their LLM before the bar. An
    empty cell is missing. Raises MatrixError for a file, a header or a row that cannot be read.
    """
    try:
        # a spreadsheet may begin its file with a byte-order mark
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [row for row in csv.reader(file) if any(cell.strip() for cell in row)]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise MatrixError(f"{path} cannot be read as CSV in UTF-8: {error}") from error
    if len(rows) < 2:
        raise MatrixError(
            f"{path} has {len(rows)} lines with content: expected a header and a row per subject."
        )
    header = [name.strip() for name in rows[0]]
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice or "" in header:
        raise MatrixError(
            f"{path}: column {(twice or ['(without a name)'])[0]!r} stands more than once or has "
            "no name; expected each value once."
        )
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise MatrixError(
                f"{path}: row {number} has {len(row)} cells, expected {len(header)} as the header."
            )
    frame = pd.DataFrame(rows[1:], columns=header, dtype=object)
    names = frame.pop("subject") if "subject" in frame else None
    llms = frame.pop("llm") if "llm" in frame else None
    index = names if names is not None else [f"row {n + 2}" for n in range(len(frame))]
    frame.index = pd.Index(list(index), name="subject_id")
    if llms is None and names is not None and names.str.contains("|", regex=False).all():
        llms = names.str.rsplit("|", n=1).str[0]
    scores = _numbers(frame, path)
    return scores, None if llms is None else pd.Series(list(llms), frame.index)


def _numbers(frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    """Cells as floats: empty, NA and NaN are missing; anything else that is no number is named."""
    stripped = frame.map(str.strip)
    missing = stripped.map(lambda cell: cell.casefold() in {"", "na", "nan", "null", "none"})
    numbers = stripped.mask(missing).apply(pd.to_numeric, errors="coerce")
    wrong = numbers.isna() & ~missing
    if wrong.to_numpy().any():
        row, column = wrong.to_numpy().nonzero()
        raise MatrixError(
            f"{path}: subject {frame.index[row[0]]!r} has {frame.iat[row[0], column[0]]!r} on "
            f"value {frame.columns[column[0]]!r}; expected a number, or an empty cell where there "
            "is no measurement."
        )
    return numbers.astype(float)


def structure_file(
    path: Path,
    settings: StructureSettings,
    encode: Encode,
    own_names: Sequence[str] = (),
    seed: int = 0,
) -> Structured:
    """The value system of a CSV file; raises MatrixError, or StructureError of `value_system`.

    `encode` embeds names of values, for the names of factors; `own_names` name the first factors.
    """
    scores, llms = read_matrix(path)
    system = value_system(scores, settings, None if llms is None else list(llms), seed=seed)
    units = None if llms is None else list(llms.reindex(system.usable.index))
    stability = bootstrap(system.usable, system.pattern, settings, units, seed)
    clusters = pd.Series(units or list(system.usable.index), system.usable.index)
    influence = leave_one_out(system.usable, system.pattern, settings, list(clusters))
    primary = system.loadings[system.loadings["is_primary"]]
    primary = primary.sort_values(["factor", "loading"], key=_by_size)[
        ["factor", "value", "loading"]
    ]
    own = {f"F{n}": name for n, name in enumerate(own_names, start=1)}
    table = name_table(primary, sorted(primary["value"]), encode, own, {})
    names = table[table["chosen"]].set_index("factor")["name"]
    return Structured(system, stability, influence, names, clusters, settings.minimum_alpha)


def _by_size(column: pd.Series) -> pd.Series:
    return -column.abs() if column.name == "loading" else column


def as_json(found: Structured) -> Json:
    """The value system as plain data; a number that is not known is null."""
    system = found.system
    whole = system.suitability.iloc[0]
    bartlett = {"chi2": whole.bartlett_chi2, "df": whole.bartlett_df, "p": whole.bartlett_p}
    suggested = system.retention.set_index("rule")["n_factors"]
    cautions = [*system.cautions, *([found.stability.caution] if found.stability.caution else [])]
    low = system.reliabilities.dropna(subset=["alpha"])
    cautions += [
        f"Alpha of {found.names.get(row.factor, row.factor)} is {row.alpha:.2f}, below "
        f"{found.minimum_alpha:.2f}."
        for row in low[low["alpha"] < found.minimum_alpha].itertuples()
    ]
    content: Json = plain(
        {
            "n": whole.n_subjects,
            "p": whole.n_values,
            "kmo": whole.kmo,
            "bartlett": bartlett,
            "missing": {"cells": whole.missing_cells, "method": whole.missing_method},
            "suggested": {rule: suggested[rule] for rule in SUGGESTED},
            "eigenvalues": list(system.eigenvalues["eigenvalue"]),
            "random_95": list(system.eigenvalues["random_95"]),
            "factors": [_factor(found, str(factor)) for factor in system.reliabilities["factor"]],
            "factor_correlations": [
                list(row) for row in system.factor_correlations.itertuples(index=False)
            ],
            "removed": system.removals[["value", "round", "reason"]].to_dict("records"),
            "value_kmo": dict(
                zip(system.value_suitability["value"], system.value_suitability["kmo"], strict=True)
            ),
            "cautions": cautions,
        }
    )
    return content


def _factor(found: Structured, factor: str) -> Json:
    row = found.system.reliabilities.set_index("factor").loc[factor]
    own = found.system.loadings
    own = own[(own["factor"] == factor) & own["is_primary"]]
    own = own.sort_values("loading", key=abs, ascending=False)
    each = found.system.value_reliabilities
    each = each[each["factor"] == factor].set_index("value")
    stable = found.stability.loadings
    stable = stable[stable["factor"] == factor].set_index("value")
    around = found.stability.factors.set_index("factor")
    values = []
    for one in own.itertuples():
        known = one.value in stable.index
        values.append(
            {
                "value": one.value,
                "loading": one.loading,
                "keyed": one.keyed,
                "structure": one.structure,
                "communality": one.communality,
                "complexity": one.complexity,
                "r_rest": each["r_rest"].get(one.value),
                "alpha_without": each["alpha_without"].get(one.value),
                "loading_ci": list(stable.loc[one.value, ["ci_low", "ci_high"]]) if known else None,
                "primary_share": stable.loc[one.value, "primary_share"] if known else None,
            }
        )
    return {
        "name": found.names.get(factor, factor),
        "label": factor,
        "variance_explained": row.variance_explained,
        "alpha": row.alpha,
        "alpha_ci": None if pd.isna(row.alpha) else [row.ci_low, row.ci_high],
        "alpha_standardised": row.alpha_standardised,
        "omega": row.omega,
        "split_half": row.split_half,
        "mean_r": row.mean_r,
        "congruence": around["congruence"].get(factor),
        "values": values,
    }


def plain(data: Any) -> Any:
    """Data as JSON has it: numbers of numpy and pandas as Python's, NaN as null."""
    if isinstance(data, dict):
        return {str(name): plain(one) for name, one in data.items()}
    if isinstance(data, list | tuple):
        return [plain(one) for one in data]
    if hasattr(data, "item"):
        data = data.item()
    if isinstance(data, float) and not math.isfinite(data):
        return None
    return None if data is pd.NA else data
