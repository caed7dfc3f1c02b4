"""Commands of the structure: on a user's own matrix, and how well the method finds known ones."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress
from rich.table import Table

from gpla_assets.cli.commands import app, console, errors, readable_errors
from gpla_assets.cli.reading import FILE_HELP, Reader, reads_matrix
from gpla_assets.cli.structure_print import print_structure
from gpla_assets.studies.structure import Rule, StructureSettings

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.psychometrics.naming import Encode
    from gpla_assets.psychometrics.own_matrix import Structured

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
    listwise = "listwise"
    mean = "mean"
    em = "em"


class Correlate(StrEnum):
    """How values are correlated."""

    pearson = "pearson"
    polychoric = "polychoric"


class Centred(StrEnum):
    """What is taken off scores."""

    none = "none"
    subject = "subject"
    value = "value"


class Redundant(StrEnum):
    """What is done with values that stand for one another."""

    report = "report"
    remove = "remove"


class Score(StrEnum):
    """How subjects are scored on factors."""

    keyed_mean = "keyed_mean"
    regression = "regression"
    bartlett = "bartlett"


ROTATION_HELP = (
    "Of factors, with Kaiser normalisation: varimax; oblimin with gamma 0 (as GPArotation's, to "
    "1e-6); promax with power 4 (as R's)."
)
SCORE_HELP = "Of subjects: mean of keyed values, or Thurstone's or Bartlett's weights (z)."
SCALE_HELP = "Leave out each LLM, or each subject where none is named; unasked LLMs alone."


@app.command(epilog="Example: gpla structure scores.csv --json system.json --html system.html")
@reads_matrix
def structure(
    reader: Reader,
    file: Annotated[Path | None, typer.Argument(help=FILE_HELP)] = None,
    factors: Annotated[
        str, typer.Option(help="auto, a number, or the rule: map, ekc, hull, ega, kaiser ...")
    ] = "auto",
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write.")] = None,
    html_out: Annotated[Path | None, typer.Option("--html", help="Report to write.")] = None,
    scores_out: Annotated[
        Path | None, typer.Option("--scores", help="CSV of subjects' scores to write.")
    ] = None,
    r_out: Annotated[
        Path | None, typer.Option("--r-script", help="R (psych) script of the analysis to write.")
    ] = None,
    extraction: Annotated[
        Extract, typer.Option(help="Of factors: principal components, minimum residuals, ML.")
    ] = Extract(DEFAULTS.extraction),
    rotation: Annotated[Rotate, typer.Option(help=ROTATION_HELP)] = Rotate(DEFAULTS.rotation),
    missing: Annotated[Fill, typer.Option(help="Cells without a measurement.")] = Fill(
        DEFAULTS.missing
    ),
    correlation: Annotated[
        Correlate, typer.Option(help="Of values; polychoric of up to ten ordered categories.")
    ] = Correlate(DEFAULTS.correlation),
    centre: Annotated[
        Centred, typer.Option(help="Take each subject's, or value's, mean off scores.")
    ] = Centred(DEFAULTS.centre),
    redundancy: Annotated[
        Redundant, typer.Option(help="Values that stand for one another: all but one removed?")
    ] = Redundant(DEFAULTS.redundancy),
    score: Annotated[Score, typer.Option(help=SCORE_HELP)] = Score(DEFAULTS.factor_score),
    resamples: Annotated[int, typer.Option(min=50, help="Of the bootstrap.")] = DEFAULTS.resamples,
    leave_one_out: Annotated[bool | None, typer.Option(help=SCALE_HELP)] = None,
    purify: Annotated[bool, typer.Option(help="Remove values that load unclearly.")] = (
        DEFAULTS.purify
    ),
    names: Annotated[
        bool, typer.Option("--names", help="Name factors by embedding (loads a model).")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of parallel analysis and bootstrap.")] = 0,
) -> None:
    """Find the value system of your own matrix of subjects x values.

    All numbers are of one sample, which is printed. Alpha has Feldt's 95% interval; omega is
    McDonald's total by the variance that one factor implies, omega (observed) by that of the sum as
    it is (psych's). Fit is as psych::fa prints it.
    """
    with readable_errors():
        from gpla_assets.psychometrics.own_matrix import structure_of
        from gpla_assets.psychometrics.structure_json import as_json, score_rows

        settings = StructureSettings(
            n_factors=_rule(factors),
            extraction=extraction.value,
            rotation=rotation.value,
            missing=missing.value,
            correlation=correlation.value,
            centre=centre.value,
            redundancy=redundancy.value,
            factor_score=score.value,
            resamples=resamples,
            purify=purify,
        )
        own = reader.read(file)
        with resampling_progress() as progress:
            found = structure_of(
                own, settings, _encode() if names else None, (), seed, leave_one_out, progress
            )
        result = as_json(found)
        result["cautions"] = [*own.cautions, *result["cautions"]]
        result["read"] = list(own.said)
        if json_out is not None:
            json_out.write_text(json.dumps(result, indent=2, allow_nan=False), "utf-8")
        if scores_out is not None:
            score_rows(found).to_csv(scores_out, index=False)
        if r_out is not None:
            _write_r(r_out, reader, file, found)
        if html_out is not None:
            _write_page(html_out, reader.source(file).name, found)
        print_structure(result, len(own.cautions))


def _write_page(out: Path, name: str, found: Structured) -> None:
    from gpla_assets.report.structure_page import write_structure_page

    write_structure_page(out, name, found)


def _encode() -> Encode:
    from gpla_assets.embedding.embedder import make_embedder

    return make_embedder().encode


def _write_r(out: Path, reader: Reader, file: Path | None, found: Structured) -> None:
    from gpla_assets.psychometrics.r_script import r_script

    source = reader.source(file)
    if reader.options["study"] is not None:
        source = reader.keep_study(out.with_suffix(".csv"))
    of_correlations = reader.options["correlations"] is not None
    out.write_text(r_script(found, source, of_correlations), "utf-8")


@contextmanager
def resampling_progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on the terminal that goes away when resampling is done."""
    with Progress(console=errors, transient=True) as bar:
        task = bar.add_task("resampling", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


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
