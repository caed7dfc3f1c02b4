"""Command of planning: how many questions a study needs, from one that ran."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from gpla_assets.cli.commands import StudyOption, app, console, readable_errors, shown

if TYPE_CHECKING:
    import pandas as pd

EXPRESSIONS = """
select e.*, s.llm from evidence.expressions e join evidence.subjects s using (subject_id)
"""


@app.command(epilog="Example: gpla plan --study survey --reliability 0.7")
def plan(
    study: StudyOption = "demo",
    reliability: Annotated[
        float, typer.Option(min=0.01, max=0.99, help="That scores shall have across LLMs.")
    ] = 0.7,
    lexicon: Annotated[str, typer.Option(help="A list of values that was measured.")] = "lexicon",
) -> None:
    """Say from a study that ran how many questions its scores need, value by value."""
    with readable_errors():
        from gpla_assets.cli.queries import QueryError
        from gpla_assets.looking.published import rows_of
        from gpla_assets.studies import load_study
        from gpla_assets.validation.by_question import ByQuestion, unit_of
        from gpla_assets.validation.generalizability import components, planned

        settings = load_study(study)
        rows = rows_of(settings.store, EXPRESSIONS)
        lists = sorted(set(rows["lexicon"]))
        if lexicon not in lists:
            raise QueryError(f"--lexicon {lexicon!r}: expected one of {', '.join(lists)}.")
        own, unit = rows[rows["lexicon"] == lexicon], unit_of(rows)
        rule = settings.measurement.rule
        found = planned(components(ByQuestion(own, unit).cells(rule)), reliability)
        console.print(_plan(found.sort_values("needed"), reliability))
        for line in plan_words(found, reliability, "LLMs" if unit == "llm" else "subjects", rule):
            console.print(line, soft_wrap=True)


def _plan(found: pd.DataFrame, wanted: float) -> Table:
    parts = ["between_units", "between_questions", "interaction"]
    table = Table("value", "LLM", "question", "rest", "reliability", f"for {wanted:g}", box=None)
    for _, row in found.iterrows():
        total = float(row[parts].astype(float).sum())
        shares = [f"{float(row[part]) / total:.0%}" if total > 0 else "-" for part in parts]
        now = None if math.isnan(row["reliability"]) else float(row["reliability"])
        table.add_row(row["value"], *shares, shown(now, 2), questions_in_words(row["needed"]))
    return table


def questions_in_words(needed: float) -> str:
    """How many questions, rounded up; "none will do" where it is infinite.

    >>> questions_in_words(12.1), questions_in_words(math.inf), questions_in_words(math.nan)
    ('13', 'none will do', '-')
    """
    if math.isnan(needed):
        return "-"
    return "none will do" if math.isinf(needed) else f"{math.ceil(needed):,}"


def plan_words(found: pd.DataFrame, wanted: float, units: str, rule: str) -> list[str]:
    """What `planned` components say in sentences."""
    known = found.dropna(subset=["needed"])
    if known.empty:
        return [f"Nothing can be planned: it takes two {units} and questions that they share."]
    n, questions = int(known["units"].max()), int(known["questions"].max())
    middle = float(known["needed"].median())
    never = int(known["needed"].map(math.isinf).sum())
    lines = [
        f"Shares of variance between {n} {units}, between {questions} questions, and the rest, by "
        f"rule {rule}; reliability of {questions} questions "
        f"(median {known['reliability'].median():.2f}).",
        f"For {wanted:g} the median value needs {questions_in_words(middle)} questions."
        if math.isfinite(middle)
        else f"For {wanted:g} no number of questions will do for the median value.",
    ]
    if never:
        lines.append(
            f"{never} of {len(known)} values show no difference between {units}: more questions of "
            "this kind will not help; other prompts, profiles or another rule may."
        )
    return lines
