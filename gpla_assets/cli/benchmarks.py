"""Commands of the benchmarks of value systems: confirmatory factor analysis and invariance."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gpla_assets.cli.commands import app, console, readable_errors
from gpla_assets.cli.reading import FILE_HELP, Reader, reads_matrix

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.benchmarks.cfa_model import Structure
    from gpla_assets.benchmarks.systems import System
    from gpla_assets.common.json_data import Json
    from gpla_assets.psychometrics.reading import OwnMatrix

RESAMPLES, PERMUTATIONS = 200, 199


class MissingCells(StrEnum):
    """What is done about missing cells."""

    fiml = "fiml"
    listwise = "listwise"
    two_stage = "two-stage"


SystemFile = Annotated[Path | None, typer.Option(help="YAML: factors: {name: {value: 1 or -1}}.")]
ModelFile = Annotated[Path | None, typer.Option(help="Model in lavaan's syntax, for --system.")]
MissingOption = Annotated[
    MissingCells,
    typer.Option(
        help="fiml: likelihood of all cells there are; listwise: complete subjects; two-stage: "
        "moments first, corrected for it."
    ),
]
RobustOption = Annotated[
    bool,
    typer.Option(
        help="Robust standard errors and scaled chi2 (lavaan's MLR); as LLMs are clusters, always."
    ),
]
IndependentOption = Annotated[
    bool, typer.Option("--independent", help="Take subjects for independent, whatever their LLM.")
]
JsonOption = Annotated[Path | None, typer.Option("--json", help="JSON to write.")]
RScriptOption = Annotated[
    Path | None,
    typer.Option(help="R script to write that repeats this in lavaan, its data beside it."),
]


@app.command(epilog="Example: gpla cfa scores.csv --system schwartz.yaml --json fit.json")
@reads_matrix
def cfa(
    reader: Reader,
    file: Annotated[Path | None, typer.Argument(help=FILE_HELP)] = None,
    system: SystemFile = None,
    model: ModelFile = None,
    missing: MissingOption = MissingCells.fiml,
    robust: RobustOption = False,
    independent: IndependentOption = False,
    bounded: Annotated[
        bool,
        typer.Option("--bounded", help="Keep residual variances above 0 and |r| below 1."),
    ] = False,
    resamples: Annotated[
        int, typer.Option(min=0, help="Bootstrap resamples of the HTMT's intervals.")
    ] = RESAMPLES,
    json_out: JsonOption = None,
    r_script: RScriptOption = None,
    semopy: Annotated[bool, typer.Option(help="Fit by semopy too, for a second opinion.")] = False,
) -> None:
    """Confirm a value system on your own matrix: fit, loadings, residuals, omitted paths."""
    with readable_errors():
        from gpla_assets.benchmarks.cfa import confirm
        from gpla_assets.benchmarks.own_matrix import cfa_json
        from gpla_assets.benchmarks.validity_measures import validity_json
        from gpla_assets.cli import cfa_tables as tables

        known, structure = _model(system, model, reader)
        own = reader.read(file, known.values)
        known.measured(own.scores.columns, own.others)
        clusters = None if independent else _clusters(own)
        found = confirm(
            own.scores,
            known,
            structure,
            missing=missing.value,
            clusters=clusters,
            robust=robust,
            bounded=bounded,
        )
        result = cfa_json(found)
        result["validity"] = validity_json(found, resamples)
        result["cautions"] = [*own.cautions, *result["cautions"]]
        result["read"] = list(own.said)
        _write(json_out, result)
        if r_script is not None:
            _script(r_script, own, known, structure, missing, robust, clusters)
        tables.heading(result)
        tables.fit_table(result)
        tables.loading_table(result)
        tables.factor_table(result)
        tables.residual_table(result)
        tables.path_table(result)
        tables.validity_table(result)
        if semopy:
            _second_opinion(own.scores, known)
        tables.cautions(list(found.cautions))


@app.command(
    epilog="Examples: gpla invariance scores.csv --system mine.yaml --group family; "
    "gpla invariance --study survey --group family"
)
@reads_matrix
def invariance(
    reader: Reader,
    file: Annotated[Path | None, typer.Argument(help=FILE_HELP)] = None,
    system: SystemFile = None,
    model: ModelFile = None,
    missing: MissingOption = MissingCells.fiml,
    independent: IndependentOption = False,
    permutations: Annotated[
        int, typer.Option(min=0, help="Permutations of the groups over whole LLMs, for p.")
    ] = PERMUTATIONS,
    seed: Annotated[int, typer.Option(help="Of the permutations.")] = 0,
    smallest: Annotated[
        int, typer.Option(min=1, help="Leave out groups of fewer subjects; that is said.")
    ] = 1,
    json_out: JsonOption = None,
    r_script: RScriptOption = None,
) -> None:
    """Say whether groups (--group COLUMN) share a value system: loadings, intercepts, residuals."""
    with readable_errors():
        from gpla_assets.benchmarks.invariance import invariance_json, levels_of
        from gpla_assets.benchmarks.systems import UnfitSystem
        from gpla_assets.cli import cfa_tables as tables
        from gpla_assets.cli.structure import resampling_progress

        known, structure = _model(system, model, reader)
        own = reader.read(file, known.values)
        known.measured(own.scores.columns, own.others)
        if own.groups is None:
            raise UnfitSystem(
                "No column says which group a subject belongs to; expected one named `group`, or "
                "its name by --group."
            )
        groups = _large_groups(own.groups, smallest)
        clusters = None if independent else _clusters(own)
        with resampling_progress() as progress:
            found = levels_of(
                own.scores,
                known,
                groups,
                structure,
                missing=missing.value,
                clusters=clusters,
                permutations=permutations,
                seed=seed,
                progress=progress,
            )
        result = invariance_json(found)
        result["cautions"] = [*own.cautions, *result["cautions"]]
        result["read"] = list(own.said)
        _write(json_out, result)
        if r_script is not None:
            _script(r_script, own, known, structure, missing, False, clusters, groups)
        console.print(
            f"{known.name}: "
            + ", ".join(f"{name} (n = {n})" for name, n in result["groups"].items()),
            markup=False,
            soft_wrap=True,
            highlight=False,
        )
        tables.invariance_table(result)
        tables.cautions(list(found.cautions))


def _large_groups(groups: pd.Series, smallest: int) -> pd.Series:
    """Groups by subject, none where there are fewer than `smallest`; what is left out is said."""
    sizes = groups.value_counts()
    small = sizes[sizes < smallest]
    if len(small):
        console.print(
            f"left out: {small.sum()} subjects in {len(small)} groups of fewer than {smallest} "
            f"({escape(', '.join(map(str, sorted(small.index)[:8])))}{' ...' * (len(small) > 8)})",
            soft_wrap=True,
            highlight=False,
        )
    return groups.where(~groups.isin(small.index))


def _model(system: Path | None, model: Path | None, reader: Reader) -> tuple[System, Structure]:
    from gpla_assets.benchmarks.lavaan_syntax import read_lavaan
    from gpla_assets.benchmarks.systems import UnfitSystem, read_system

    if system is not None and model is None:
        return read_system(system), "correlated"
    if model is not None and system is None:
        return read_lavaan(model)
    own = reader.own_system() if system is None else None
    if own is not None:
        return own, "correlated"
    raise UnfitSystem(
        "Expected the value system either as --system FILE.yaml or as --model FILE in lavaan's "
        "syntax; of a --study neither for its own."
    )


def _clusters(own: OwnMatrix) -> pd.Series | None:
    """The LLM of each subject; None where each is one subject's, or one is all subjects'."""
    if own.clusters is None or own.clusters.nunique() in (1, len(own.clusters)):
        return None
    return own.clusters


def _write(path: Path | None, result: Json) -> None:
    if path is not None:
        path.write_text(json.dumps(result, indent=2, allow_nan=False), "utf-8")


def _script(
    path: Path,
    own: OwnMatrix,
    known: System,
    structure: Structure,
    missing: MissingCells,
    robust: bool,
    clusters: pd.Series | None,
    groups: pd.Series | None = None,
) -> None:
    from gpla_assets.benchmarks.r_script import write_r_script

    beside = write_r_script(
        path,
        own.scores,
        known,
        structure,
        missing=missing.value,
        robust=robust,
        clusters=clusters,
        groups=groups,
    )
    console.print(f"R script: {path}, its data: {beside}", soft_wrap=True, markup=False)


def _second_opinion(scores: pd.DataFrame, system: System) -> None:
    """semopy's F beside ours, both of the subjects without missing cells."""
    from gpla_assets.benchmarks.cfa import confirm
    from gpla_assets.benchmarks.semopy_fit import semopy_fit

    complete = scores[system.values].dropna()
    discrepancy, theirs = semopy_fit(complete, system)
    ours = confirm(complete, system).fit.discrepancy
    console.print(
        f"semopy: F {discrepancy:.5f} (ours {ours:.5f}), CFI {theirs['CFI']:.3f}, RMSEA "
        f"{theirs['RMSEA']:.3f}, both of the {len(complete)} subjects without missing cells"
    )
