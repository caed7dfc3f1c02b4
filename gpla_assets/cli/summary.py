"""What a run says at its end."""

from __future__ import annotations

import os
import shutil
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pandas as pd
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gpla_assets.looking.published import reading

if TYPE_CHECKING:
    from gpla_assets.orchestration.estimate import Estimate
    from gpla_assets.orchestration.running import Done
    from gpla_assets.orchestration.versions import Stale
    from gpla_assets.studies import Study
    from gpla_assets.subjects import Added

COUNTED = {
    name: f"select count(*) from {found}"
    for name, found in {
        "llms": "evidence.llms",
        "profiles": "evidence.profiles",
        "subjects": "evidence.subjects",
        "questions": "evidence.questions",
        "responses": "evidence.responses",
        "perceptions": "evidence.perceptions where origin in ('corpus', 'subjects')",
        "value_frequencies": "marts.value_frequencies",
        "lexicon": "marts.lexicon",
        "measurements": "evidence.measurements where origin = 'subjects' and lexicon = 'lexicon'",
    }.items()
}
SHOWN_FACTORS = 3
SHOWN_CAUTIONS = 2
STEERED = """
select number, low, high, (
    select number from analysis.validity
    where "check" = 'steering' and measure = 'share of pairs' and data = 'Schwartz-10'
        and "rule" = ''
) as ceiling
from analysis.validity
where "check" = 'steering' and measure = 'share of pairs' and data = 'Schwartz-10' and "rule" = ?
"""
FACTORS = """
select factor, coalesce(name, leading_values) as name, n_values, alpha, ci_low, ci_high,
    interpretable, caution, "values" as top_values
from marts.factors order by len(factor), factor
"""


def print_summary(console: Console, name: str, study: Study, done: Done) -> None:
    """What was made and what was found, in ten lines; where things are, what next."""
    print_made(console, done)
    with reading(study.store) as connection:
        for line in [*_found(connection), *_steered(connection, study.measurement.rule)]:
            console.print(line, soft_wrap=True)
    gpla = command()
    console.print(f"warehouse {escape(str(study.store))}", soft_wrap=True)
    console.print(f"explorer  {escape(str(study.report_path))}", soft_wrap=True)
    console.print(
        f"go on     {gpla} show LLM -s {name} | {gpla} why LLM VALUE -s {name} | {gpla} ui {name}",
        soft_wrap=True,
        markup=False,
    )


def command() -> str:
    """How this program was called: its name, or its path where it is not on the PATH."""
    called = Path(sys.argv[0])
    if called.name != "gpla" or shutil.which("gpla") == str(called):
        return "gpla"
    return os.path.relpath(called) if called.is_relative_to(Path.cwd()) else str(called)


def _found(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The study in a few sentences: who was asked, what was found, what it is worth."""
    n = {name: (connection.execute(query).fetchone() or (0,))[0] for name, query in COUNTED.items()}
    measured = connection.execute(
        'select count(distinct "value"), count(*), median(n) from marts.subject_values'
    ).fetchone()
    values, cells, sentences = measured or (0, 0, None)
    total = "select texts from marts.corpus_statistics where source = 'Total'"
    (texts,) = connection.execute(total).fetchone() or (None,)
    asked = f"to {n['questions']:,} questions"
    lines = [
        f"{n['subjects']:,} subjects ({n['llms']:,} LLM{'s' * (n['llms'] != 1)}, "
        f"{n['profiles']:,} profile{'s' * (n['profiles'] != 1)}) gave {n['responses']:,} responses "
        + (f"{asked}; {texts:,} texts gave the lexicon." if texts else f"{asked}."),
        f"{n['perceptions']:,} perceptions; "
        + (f"{n['value_frequencies']:,} values in those of the texts, " if texts else "")
        + f"{n['lexicon']:,} in the lexicon"
        + ("." if texts else ", which the study lists."),
        f"{n['measurements']:,} measurements: {values:,} values, {cells:,} cells of subject and "
        f"value, a median of {sentences or 0:.0f} sentences a cell.",
    ]
    # it imports what computes, which a status does not wait for
    from gpla_assets.psychometrics.matrix import distinct_sentences

    cautions: list[str] = []
    named = []
    for row in connection.execute(FACTORS).df().itertuples():
        has = row.alpha is not None and row.alpha == row.alpha
        interval = f"alpha {row.alpha:.2f} [{row.ci_low:.2f}, {row.ci_high:.2f}]"
        alpha = interval if has else "no alpha"
        mark = "" if row.interpretable else "*"
        named.append(f"{row.factor}{mark} {row.name} ({row.n_values} values, {alpha})")
        if isinstance(row.caution, str):
            cautions.append(row.caution)
    more = f"; and {len(named) - SHOWN_FACTORS} more" if len(named) > SHOWN_FACTORS else ""
    lines.append(
        f"{len(named)} factor{'s' * (len(named) != 1)}: "
        + escape("; ".join(named[:SHOWN_FACTORS]))
        + more
    )
    told = distinct_sentences(cautions)
    lines += [f"[yellow]*[/yellow] {escape(one)}" for one in told[:SHOWN_CAUTIONS]]
    if len(told) > SHOWN_CAUTIONS:
        lines[-1] += f" ({len(told) - SHOWN_CAUTIONS} more in the explorer)"
    return lines


def _steered(connection: duckdb.DuckDBPyConnection, rule: str) -> list[str]:
    """Whether profiles come out as they ask, where they ask for anything."""
    row = connection.execute(STEERED, [rule]).fetchone()
    if row is None or row[0] is None:
        return []
    number, low, high, ceiling = row
    most = "" if ceiling is None else f"; a classifier of the texts {ceiling:.0%}"
    return [
        f"The value that a profile asks for is higher under it in {number:.0%} of pairs "
        rf"\[{low:.0%}, {high:.0%}] (chance 50%{most})."
    ]


def print_estimate(console: Console, estimates: Sequence[Estimate]) -> None:
    """What a run would make, a line a step, and the sums."""
    if not estimates:
        console.print("Nothing is stale: a run would make nothing.")
        return
    for one in estimates:
        keys = f", {one.partitions} partitions" if one.partitions else ""
        console.print(f"[bold]{one.step}[/bold]{keys}: {escape(one.reason)}", soft_wrap=True)
        runs = [f"{count:,} texts through {model}" for model, count in one.texts.items() if count]
        runs += [f"{count:,} calls of {model}" for model, count in one.calls.items()]
        if one.calls:
            money = "no price is set" if one.cost is None else f"at most {one.cost:,.2f}"
            runs.append(f"at most {one.tokens:,} tokens, {money}")
        runs += [f"{one.known:,} known already"] * bool(one.known) + [one.basis] * bool(one.basis)
        if runs:
            console.print(f"    {escape('; '.join(runs))}", soft_wrap=True)
    calls = sum(sum(one.calls.values()) for one in estimates)
    costs = [one.cost for one in estimates if one.calls]
    known = [cost for cost in costs if cost is not None]
    money = f", at most {sum(known):,.2f}" if known and len(known) == len(costs) else ""
    texts = sum(sum(one.texts.values()) for one in estimates)
    later = sum(one.basis.startswith("known when") for one in estimates)
    more = f"; {later} steps are counted when what they read is made" if later else ""
    console.print(
        f"{len(estimates)} steps, {texts:,} texts through models here, "
        f"{calls:,} calls{money}{more}.",
        soft_wrap=True,
    )


def print_quality(console: Console, quality: pd.DataFrame) -> None:
    """The table `agent_quality`, a line a measure."""
    table = Table("role", "model", "measured on", "measure", "number", "n", "held out", box=None)
    order = ["role", "backend", "model", "data", "measure"]
    for row in quality.sort_values(order).itertuples(index=False):
        number = f"{row.number:,.3f}" if abs(row.number) < 100 else f"{row.number:,.0f}"
        table.add_row(row.role, row.model, row.data, row.measure, number, str(row.n), row.held_out)
    console.print(table)


def print_added(console: Console, added: Added, questions: int) -> None:
    """What was read of an LLM that was added, and what it came to."""
    read = added.read
    lines = [read.said, *([read.counts] if read.counts else [])]
    lines.append(
        f"{added.llm}: {added.answers} answers to {added.questions} of {questions} questions"
        + (", in the place of those that were added before" if added.replaced else "")
    )
    console.print(escape("\n".join(lines)), soft_wrap=True, highlight=False)


def print_reliance(console: Console, rows: pd.DataFrame, model: str) -> None:
    """How many scored pairs are confident, what that means, and what scores are not for."""
    from gpla_assets.evaluator.reliance import RIGHT, WARNING, confident_from

    size = confident_from(model)
    if size is None:
        said = f"{model} was not measured on held-out values: column confident is empty."
    else:
        said = (
            f"{int(rows['confident'].sum())} of {len(rows)} are confident: relevant, and a score "
            f"of at least {size:.2f} either way, from where on {RIGHT:.0%} or more of the signs "
            "are right on values held out in training. The others abstain."
        )
    console.print(escape(said), soft_wrap=True, highlight=False)
    console.print(f"[yellow]caution:[/yellow] {escape(WARNING)}", soft_wrap=True, highlight=False)


def print_made(console: Console, done: Done) -> None:
    """How many steps ran, and how many texts went through a model."""
    if not done.made:
        said = " The published file and the report were made anew." if done.published else ""
        console.print(f"Nothing is stale: no step ran and no model inference was done.{said}")
        return
    total = sum(one.inferences for one in done.made)
    console.print(
        f"{len(done.made)} steps made, {total:,} texts through a model, {done.seconds:.0f} s."
    )


def print_status(console: Console, stale: Sequence[Stale], wrong: str | None = None) -> None:
    """Stale steps by reason, partitions counted; what is wrong with what was published."""
    if wrong:
        console.print(f"To be published anew: {escape(wrong)}.", soft_wrap=True)
    if not stale:
        console.print("Nothing is stale.")
        return
    counts = Counter((item.step, item.reason) for item in stale)
    partitioned = {item.step for item in stale if item.partition_key}
    table = Table("step", "partitions", "why", show_edge=False)
    for (step, reason), count in counts.items():
        table.add_row(step, str(count) if step in partitioned else "", escape(reason))
    console.print(table)
