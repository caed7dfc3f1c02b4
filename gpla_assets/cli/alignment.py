"""Commands of value alignment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors, shown
from gpla_assets.studies.alignment import TargetSettings

DEFAULTS = TargetSettings()


@app.command(epilog="Example: gpla target pairs.csv --json targets.json --bootstrap 200")
def target(
    file: Annotated[
        Path, typer.Argument(help="CSV pair,dimension,winning,losing: a row a pair and dimension.")
    ],
    json_out: Annotated[Path | None, typer.Option("--json", help="JSON to write.")] = None,
    mask_below: Annotated[
        float, typer.Option(min=0, max=1, help="Leave out measurements nearer to 0 than this.")
    ] = DEFAULTS.mask_below,
    bootstrap: Annotated[
        int, typer.Option(min=0, help="Resamples of the pairs, for intervals; 0 makes none.")
    ] = 0,
) -> None:
    """Distil a target from measured preferences: per dimension near winners and far from losers."""
    with readable_errors():
        from gpla_assets.alignment.own_pairs import read_measured_pairs, target_json

        winning, losing = read_measured_pairs(file)
        settings = TargetSettings(mask_below=mask_below, resamples=bootstrap)
        result = target_json(winning, losing, settings)
        if json_out is not None:
            json_out.write_text(json.dumps(result, indent=2, allow_nan=False), "utf-8")
        table = Table("dimension", "target", "interval", "objective", "pairs", "flat")
        for name, x in result["targets"].items():
            low, high = result.get("intervals", {}).get(name, (None, None))
            table.add_row(
                escape(name),
                shown(x),
                f"{shown(low)} to {shown(high)}" if bootstrap else "",
                shown(result["objective"][name]),
                str(result["pairs"][name]),
                result["flat"][name] or "",
            )
        console.print(table)
        for name, caution in result.get("cautions", {}).items():
            if caution:
                console.print(
                    f"[yellow]caution:[/yellow] {escape(name)}: {escape(caution)}", soft_wrap=True
                )
