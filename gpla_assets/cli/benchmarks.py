"""Commands of the benchmarks of value systems."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors, shown
from gpla_assets.cli.reading import FILE_HELP, Reader, reads_matrix


@app.command(epilog="Example: gpla cfa scores.csv --system schwartz.yaml --json fit.json")
@reads_matrix
def cfa(
    reader: Reader,
    system: Annotated[Path, typer.Option(help="YAML: factors: {name: {value: 1 or -1}}.")],
    file: Annotated[Path | None, typer.Argument(help=FILE_HELP)] = None,
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write.")] = None,
    semopy: Annotated[bool, typer.Option(help="Fit by semopy too, for a second opinion.")] = False,
) -> None:
    """Confirm a value system on your own matrix: fit indices, loadings, omitted paths."""
    with readable_errors():
        from gpla_assets.benchmarks.cfa import confirm
        from gpla_assets.benchmarks.own_matrix import cfa_json
        from gpla_assets.benchmarks.systems import read_system
        from gpla_assets.psychometrics.errors import MatrixError

        model = read_system(system)
        own = reader.read(file, model.values)
        scores = own.scores
        try:
            result = cfa_json(confirm(scores, model))
        except ValueError as error:
            raise MatrixError(str(error)) from error
        result["cautions"] = [*own.cautions, *result["cautions"]]
        result["read"] = list(own.said)
        if json_out is not None:
            json_out.write_text(json.dumps(result, indent=2, allow_nan=False), "utf-8")
        console.print(
            f"{result['system']}: n = {result['n']}, p = {result['p']}, k = {result['k']}, "
            f"df = {result['df']}"
        )
        table = Table("index", "standard", "paper's (semopy's)")
        fit = result["fit"]
        for name in ("chi2", "cfi", "tli", "gfi", "rmsea", "srmr", "aic", "bic"):
            table.add_row(name, shown(fit["standard"][name]), shown(fit["paper"].get(name)))
        console.print(table)
        if semopy:
            from gpla_assets.benchmarks.semopy_fit import semopy_fit

            discrepancy, theirs = semopy_fit(scores.dropna(), model)
            console.print(
                f"semopy: F {discrepancy:.5f} (ours {result['discrepancy']:.5f}), "
                f"CFI {theirs['CFI']:.3f}, RMSEA {theirs['RMSEA']:.3f}, of the "
                f"{len(scores.dropna())} subjects without missing cells"
            )
        for caution in result["cautions"][len(own.cautions) :]:
            console.print(f"[yellow]caution:[/yellow] {caution}", soft_wrap=True)
