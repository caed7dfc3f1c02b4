"""Commands of the structure: on a user's own matrix, and how well the method finds known ones."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors, shown
from gpla_assets.cli.reading import FILE_HELP, Reader, reads_matrix
from gpla_assets.studies.structure import Rule, StructureSettings

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.common.json_data import Json

DEFAULTS = StructureSettings()


class Extract(StrEnum):
    """How factors are extracted."""

    pca = "pca"
    minres = "minres"
    ml = "ml"


class Rotate(StrEnum):
    """How they are rotated."""

    none = "none"
    varimax = "varimax"
    oblimin = "oblimin"
    promax = "promax"


class Fill(StrEnum):
    """What is done with missing cells."""

    pairwise = "pairwise"
    mean = "mean"
    em = "em"


@app.command(epilog="Example: gpla structure scores.csv --json system.json --html system.html")
@reads_matrix
def structure(
    reader: Reader,
    file: Annotated[Path | None, typer.Argument(help=FILE_HELP)] = None,
    factors: Annotated[
        str, typer.Option(help="auto, a number, or the rule: map, kaiser, scree, alpha ...")
    ] = "auto",
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write.")] = None,
    html_out: Annotated[Path | None, typer.Option("--html", help="Report to write.")] = None,
    extraction: Annotated[Extract, typer.Option(help="Of factors.")] = Extract(DEFAULTS.extraction),
    rotation: Annotated[Rotate, typer.Option(help="Of factors.")] = Rotate(DEFAULTS.rotation),
    missing: Annotated[Fill, typer.Option(help="Cells without a measurement.")] = Fill(
        DEFAULTS.missing
    ),
    resamples: Annotated[int, typer.Option(min=50, help="Of the bootstrap.")] = DEFAULTS.resamples,
    purify: Annotated[bool, typer.Option(help="Remove values that load unclearly.")] = (
        DEFAULTS.purify
    ),
    seed: Annotated[int, typer.Option(help="Of parallel analysis and bootstrap.")] = 0,
) -> None:
    """Find the value system of your own matrix of subjects x values."""
    with readable_errors():
        from gpla_assets.embedding.embedder import make_embedder
        from gpla_assets.psychometrics.own_matrix import as_json, structure_of
        from gpla_assets.report.structure_page import write_structure_page

        settings = StructureSettings(
            n_factors=_rule(factors),
            extraction=extraction.value,
            rotation=rotation.value,
            missing=missing.value,
            resamples=resamples,
            purify=purify,
        )
        own = reader.read(file)
        found = structure_of(own, settings, make_embedder().encode, seed=seed)
        result = as_json(found)
        result["cautions"] = [*own.cautions, *result["cautions"]]
        result["read"] = list(own.said)
        if json_out is not None:
            json_out.write_text(json.dumps(result, indent=2, allow_nan=False), "utf-8")
        if html_out is not None:
            write_structure_page(html_out, reader.name(file), found)
        _print(result, len(own.cautions))


def _rule(factors: str) -> Rule | int:
    """`auto` is the default rule; digits are a number; anything else must be a rule."""
    from gpla_assets.psychometrics.errors import MatrixError
    from gpla_assets.psychometrics.retention import RULES

    if factors == "auto":
        return DEFAULTS.n_factors
    if factors.isdigit():
        return int(factors)
    for rule in RULES:
        if rule == factors:
            return rule
    raise MatrixError(
        f"--factors {factors}: expected auto, a number, or one of {', '.join(RULES)}."
    )


def _print(result: Json, shown_cautions: int = 0) -> None:
    console.print(f"{result['n']} subjects x {result['p']} values, KMO {shown(result['kmo'])}")
    suggested = ", ".join(f"{rule} {number}" for rule, number in result["suggested"].items())
    console.print(f"factors suggested: {suggested}")
    table = Table("factor", "values", "variance", "alpha", "omega", "leading values")
    for one in result["factors"]:
        leading = ", ".join(f"{v['value']} {v['loading']:.2f}" for v in one["values"][:4])
        row = (one["variance_explained"], one["alpha"], one["omega"])
        table.add_row(one["name"], str(len(one["values"])), *(shown(x, 2) for x in row), leading)
    console.print(table)
    console.print(f"{len(result['removed'])} values removed")
    for caution in result["cautions"][shown_cautions:]:
        console.print(f"[yellow]caution:[/yellow] {caution}", soft_wrap=True)


@app.command("simulate-structure", epilog="Example: gpla simulate-structure --seeds 20")
def simulate_structure(
    seeds: Annotated[int, typer.Option(min=1, help="Simulated data sets.")] = 20,
    correlation: Annotated[
        float, typer.Option(min=0, max=0.9, help="Between the true factors.")
    ] = 0.2,
    rotation: Annotated[Rotate, typer.Option(help="Of factors.")] = Rotate(DEFAULTS.rotation),
    out: Annotated[Path | None, typer.Option(help="CSV of all rows to write.")] = None,
) -> None:
    """Simulate the paper's Table 10 and say how well its factors are found again."""
    with readable_errors():
        import pandas as pd

        from gpla_assets.psychometrics.simulation import recovery, simulated_subjects
        from gpla_assets.studies import dbt_folder

        truth = pd.read_csv(dbt_folder() / "seeds" / "paper_loadings.csv")
        rows = pd.concat(
            recovery(
                truth,
                simulated_subjects(truth, seed, factor_correlation=correlation),
                StructureSettings(rotation=rotation.value),
                seed,
            ).assign(seed=seed)
            for seed in range(seeds)
        )
        if out is not None:
            rows.to_csv(out, index=False)
        _print_recovery(rows)


def _print_recovery(rows: pd.DataFrame) -> None:
    rows = rows.assign(off=(rows["alpha"] - rows["true_alpha"]).abs())
    table = Table("factor", "values", "congruence: lowest", "mean", "alpha off by at most")
    for factor, own in rows.groupby("factor", sort=False):
        numbers = (own["congruence"].min(), own["congruence"].mean(), own["off"].max())
        table.add_row(
            str(factor), str(own["true_values"].iloc[0]), *(f"{number:.3f}" for number in numbers)
        )
    console.print(table)
    each = rows.drop_duplicates("seed")
    console.print(
        f"factors recommended {each['recommended'].min()} to {each['recommended'].max()}; weak "
        f"values removed {each['weak_removed'].min():.0%} to {each['weak_removed'].max():.0%}; "
        f"others removed {each['others_removed'].min():.1%} to {each['others_removed'].max():.1%}"
    )
