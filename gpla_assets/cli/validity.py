"""Command of validity: known answers beside what the agents, rules and a study give."""

from __future__ import annotations

from collections.abc import Container, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from gpla_assets.cli.commands import app, console, readable_errors
from gpla_assets.common.errors import KnownError

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.evaluator.protocol import ValueEvaluator
    from gpla_assets.studies import Study


MODES = ("fast", "accurate")


class ChoiceError(KnownError, ValueError):
    """A choice that there is not."""


OF_STUDY = """
select * from analysis.validity
order by data, "check" != 'steering', "check", measure like '% under %', measure, "rule"
"""


@app.command(
    epilog="Examples: gpla validity --agents fast --seeds 2 --out validity.csv; "
    "gpla validity --study demo"
)
def validity(
    study: Annotated[
        str | None,
        typer.Option("--study", "-s", help="Show what is known of a study that ran instead."),
    ] = None,
    agents: Annotated[str, typer.Option(help="Modes of M_E: fast, accurate, by commas.")] = "fast",
    rules: Annotated[str, typer.Option(help="Measurement rules by commas; all if empty.")] = "",
    checks: Annotated[
        str,
        typer.Option(
            help="planted, direction, relevance, portrait, held_out by commas; all if empty."
        ),
    ] = "",
    seeds: Annotated[int, typer.Option(min=1, help="Plantings of each kind.")] = 5,
    pairs: Annotated[
        int, typer.Option(min=200, help="Most pairs that M_E judges of one set of texts.")
    ] = 2000,
    folder: Annotated[
        Path | None,
        typer.Option(help="Of `gpla train-evaluator`: read each value by the fold without it."),
    ] = None,
    unseen: Annotated[
        bool, typer.Option(help="Only values of the first fold, which shipped weights may lack.")
    ] = False,
    out: Annotated[Path | None, typer.Option(help="CSV to write.")] = None,
    ship: Annotated[bool, typer.Option(help="Replace these rows of the table that ships.")] = False,
) -> None:
    """Measure M_E and the rules where the answer is known (minutes; accurate a quarter of an hour).

    Needs GPLA_DATA_DIR for what people judged; what the project wrote is always there.
    """
    with readable_errors():
        if study is not None:
            _of_study(study, out)
            return
        from gpla_assets.embedding.embedder import make_embedder
        from gpla_assets.evaluator.expression import Cuts
        from gpla_assets.evaluator.weights import ship_validity
        from gpla_assets.parser.backends import make_parser
        from gpla_assets.studies import load_study
        from gpla_assets.studies.measurement import RULES
        from gpla_assets.training.agent_validity import EVERY, Checks, agent_findings
        from gpla_assets.training.by_fold import unseen_values
        from gpla_assets.validation.findings import table

        demo = load_study("demo")
        names, modes = _chosen(checks, EVERY, "checks"), _chosen(agents, MODES, "agents")
        kept = _chosen(rules, RULES, "rules")
        # what training measured needs no agent here
        measured, held_out = _agents(modes if names != ["held_out"] else [], demo, folder)
        if unseen and folder is None:
            held_out = unseen_values()
        wanted = Checks(
            names=names,
            rules=[rule for rule in RULES if rule in kept],
            seeds=seeds,
            pairs=pairs,
            cuts=Cuts(demo.evaluator.minimum_relevance, demo.measurement.top_relevance),
            held_out=held_out,
        )
        parser, encoder = make_parser(demo.parser), make_embedder()
        rows = table(agent_findings(measured, parser, encoder, wanted, console.print))
        if out:
            rows.round(4).to_csv(out, index=False)
        if ship:
            ship_validity(rows)
        print_validity(rows)


def _of_study(name: str, out: Path | None) -> None:
    """The study's table `validity`; raises QueryError where the study was not run."""
    from gpla_assets.looking.published import rows_of
    from gpla_assets.studies import load_study

    rows = rows_of(load_study(name).store, OF_STUDY)
    if out:
        rows.round(4).to_csv(out, index=False)
    print_validity(rows)
    console.print(f"`gpla plan --study {name}` says how many questions are needed.")


def _chosen(words: str, known: Sequence[str], option: str) -> list[str]:
    """Words by commas, all of them known; all that are known if empty. Raises ChoiceError."""
    chosen = [word.strip() for word in words.split(",") if word.strip()] or list(known)
    for word in chosen:
        if word not in known:
            raise ChoiceError(f"--{option} {word}: expected some of {', '.join(known)}.")
    return chosen


def _agents(
    modes: Sequence[str], study: Study, folder: Path | None
) -> tuple[list[ValueEvaluator], Container[str] | None]:
    """M_E in these modes, as it ships or by folds; and the values that its folds held out."""
    from gpla_assets.evaluator.backends import make_evaluator
    from gpla_assets.training.by_fold import held_out_evaluators

    if folder is None or not modes:
        settings = [study.evaluator.model_copy(update={"mode": mode}) for mode in modes]
        return [make_evaluator(one) for one in settings], None
    by_mode = held_out_evaluators(folder)
    missing = [mode for mode in modes if mode not in by_mode]
    if missing:
        raise ChoiceError(
            f"--agents {missing[0]}: {folder} has {', '.join(by_mode)}; train that mode there."
        )
    chosen = [by_mode[mode] for mode in modes]
    return list(chosen), chosen[0].fold_of


def print_validity(rows: pd.DataFrame) -> None:
    """Findings by check, data and agent, the rules side by side."""
    for (check, data, agent), own in rows.groupby(["check", "data", "agent"], sort=False):
        rules = list(dict.fromkeys(own["rule"]))
        table = Table("measure", "n", "known", *(rule or "number" for rule in rules), box=None)
        for measure, part in own.groupby("measure", sort=False):
            by_rule = {row.rule: _number(row) for row in part.itertuples()}
            first = part.iloc[0]
            cells = (by_rule.get(rule, "") for rule in rules)
            table.add_row(escape(str(measure)), str(first["n"]), first["known"], *cells)
        console.print(f"[bold]{escape(f'{check}: {data}, {agent}')}[/bold]")
        console.print(table)


def _number(row: object) -> str:
    number, low, high = (float(getattr(row, name)) for name in ("number", "low", "high"))
    if number != number:
        return "-"
    interval = "" if low != low else f" [{low:.2f}, {high:.2f}]"
    return f"{number:.2f}{interval}"
