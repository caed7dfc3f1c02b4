"""Commands of judges: training the one that ships, and judging a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors


@app.command(epilog="Example: gpla judge responses.csv --judge toxicity --out judged.csv")
def judge(
    file: Annotated[Path, typer.Argument(help="CSV with columns prompt and response.")],
    out: Annotated[Path, typer.Option(help="CSV to write: the rows with judge and score.")],
    judge: Annotated[
        str,
        typer.Option(help="preference_model, toxicity, beaver_reward or beaver_cost."),
    ] = "preference_model",
    model: Annotated[str | None, typer.Option(help="A hub name or folder of Beaver's.")] = None,
) -> None:
    """Score responses by a judge; higher is better."""
    with readable_errors():
        from gpla_assets.cli.own_texts import AgentFileError
        from gpla_assets.judges import make_judge
        from gpla_assets.sources.reading import file_rows, require
        from gpla_assets.studies.judges import JudgeSettings

        rows = file_rows(file)
        require(rows, ["prompt", "response"], file)
        try:
            settings = JudgeSettings.model_validate({"backend": judge, "model": model})
        except ValueError as error:
            raise AgentFileError(
                f"--judge {judge}: expected preference_model, toxicity, beaver_reward or "
                "beaver_cost."
            ) from error
        made = make_judge(settings)
        if made.pairwise:
            raise AgentFileError(f"--judge {judge} compares pairs; it judges runs of a study only.")
        scores = made.score(list(rows["prompt"]), list(rows["response"]))
        rows.assign(judge=made.name, score=scores).to_csv(out, index=False)
        console.print(f"{len(rows)} responses judged for {made.measure} by {made.name} in {out}")


@app.command("train-judge", epilog="Example: gpla train-judge /tmp/judge --pairs 6000")
def train_judge(
    folder: Annotated[Path, typer.Argument(help="Where weights and held-out table go.")],
    pairs: Annotated[int, typer.Option(min=100, help="Pairs drawn of AlpacaEval's.")] = 8000,
    seed: int = 0,
) -> None:
    """Train the preference model on AlpacaEval's pairs; prints how often it is right."""
    with readable_errors():
        from gpla_assets.training.preference_judge_run import train_preference_models

        found = train_preference_models(folder, pairs, seed, console.print)
        table = Table(*map(str, found.columns))
        for row in found.itertuples(index=False):
            table.add_row(*(f"{x:.3f}" if isinstance(x, float) else str(x) for x in row))
        console.print(table)
