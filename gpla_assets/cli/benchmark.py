"""What the program itself costs: `gpla benchmark scale`, `gpla benchmark agents`."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gpla_assets.cli.commands import app, console, readable_errors

if TYPE_CHECKING:
    import pandas as pd


class Benchmark(StrEnum):
    """What of the program is measured."""

    scale = "scale"
    agents = "agents"


@app.command(epilog="Example: gpla benchmark scale --rows 1e6 --rows 1e7 --values 1e3")
def benchmark(
    what: Annotated[
        Benchmark,
        typer.Argument(
            help="scale: time and memory of the pipeline's parts by size; agents: perceptions and "
            "pairs a second, on a GPU where there is one."
        ),
    ],
    rows: Annotated[
        list[float] | None, typer.Option(min=1e4, help="Stored rows of expressions; again, a size.")
    ] = None,
    subjects: Annotated[int, typer.Option(min=20, help="Subjects that these are of.")] = 700,
    correlated: Annotated[
        list[float] | None, typer.Option(min=3, help="Subjects that values are correlated over.")
    ] = None,
    values: Annotated[
        list[float] | None, typer.Option(min=10, help="Names that the lexicon is filtered from.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Where tables are made (a temporary folder without).")
    ] = None,
    texts: Annotated[int, typer.Option(min=8, help="agents: of the demo's texts.")] = 400,
    listed: Annotated[int, typer.Option(min=1, help="agents: values that pairs are of.")] = 40,
    out: Annotated[Path | None, typer.Option(help="CSV to write, with all numbers.")] = None,
) -> None:
    """Seconds, peak memory and growth of the pipeline's parts beside plain DuckDB, pandas, loops.

    Only what sizes are given for is measured. `agents` measures the models' speed instead.
    """
    with readable_errors():
        if what is Benchmark.agents:
            found = _agents(texts, listed)
        else:
            found = _scale(values or (), correlated or (), rows or (), subjects, folder)
        if out is not None:
            found.to_csv(out, index=False)


def _scale(
    values: Sequence[float],
    correlated: Sequence[float],
    rows: Sequence[float],
    subjects: int,
    folder: Path | None,
) -> pd.DataFrame:
    """Print what each part costs at each size, and how that grows."""
    from tempfile import TemporaryDirectory

    import pandas as pd

    from gpla_assets.orchestration import scale as sizes
    from gpla_assets.orchestration.scale_data import filled

    found: list[sizes.Measured] = []
    cases = ((sizes.NAMES, values), (sizes.SUBJECTS, correlated), (sizes.ROWS, rows))
    for case, size in ((case, int(one)) for case, given in cases for one in given):
        with TemporaryDirectory(dir=folder) as made:
            if case is sizes.ROWS:
                filled(Path(made) / "scale.duckdb", size, subjects)
            for one in sizes.measured(case, size, Path(made)):
                found.append(one)
                console.print(
                    f"{one.what:<24} {one.way:<17} {one.size:>12,} {one.seconds:>9.3f} s "
                    f"{one.cpu_seconds:>9.3f} s of CPU {one.peak_mib:>7,.0f} MiB",
                    highlight=False,
                )
    if not found:
        raise typer.BadParameter("give a size: --rows, --correlated or --values.")
    grown = sizes.exponents(found)
    for (part, way), exponent in grown.items():
        console.print(f"{part:<24} {way:<17} grows as size^{exponent:.2f}", highlight=False)
    return pd.DataFrame([vars(one) | {"exponent": grown.get((one.what, one.way))} for one in found])


def _agents(texts: int, listed: int) -> pd.DataFrame:
    """Print how fast each agent is."""
    import pandas as pd

    from gpla_assets.orchestration.speed import here, speeds

    console.print(here(), soft_wrap=True)
    rows = []
    for one in speeds(texts, listed, lambda line: console.print(line, soft_wrap=True)):
        peak = "" if one.peak is None else f" {one.peak:.1f} GiB"
        console.print(
            f"{one.agent:<42} {one.device:<5} {one.a_second:>10,.1f} {one.kind} a second "
            f"({one.items:,} in {one.seconds:.1f} s){peak}",
            highlight=False,
            soft_wrap=True,
        )
        rows.append(vars(one) | {"a_second": one.a_second})
    return pd.DataFrame(rows)
