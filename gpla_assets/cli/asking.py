"""Commands that ask a study's LLMs: now, or by batch files."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gpla_assets.cli.commands import StudyName, app, console, readable_errors

if TYPE_CHECKING:
    from gpla_assets.orchestration.counting import Tally
    from gpla_assets.studies import Study

ANSWERS = ("questions", "subjects", "responses")
"""The steps that ask the subjects, and what they read."""


@app.command(
    epilog="Examples: gpla ask mine.yaml --batch-out batches; "
    "gpla ask mine.yaml --batch-in results.jsonl --batch-in errors.jsonl"
)
def ask(
    study: StudyName,
    batch_out: Annotated[
        Path | None, typer.Option(help="Folder for request files, as OpenAI's Batch takes them.")
    ] = None,
    batch_in: Annotated[
        list[Path] | None, typer.Option(help="A result file of a batch, or a folder of them.")
    ] = None,
) -> None:
    """Ask a study's LLMs: its subjects now, or what endpoints would be asked next by batch files.

    Files hold the subjects' questions and, where their texts are there already, the calls of agents
    behind an endpoint. Results go where replies are kept: `gpla run` asks none of them again. What
    follows from them (a second try after a useless reply, the next agent) is in the next files.
    """
    with readable_errors():
        from gpla_assets.cli.running import made
        from gpla_assets.studies import load_study

        settings = load_study(study)
        if batch_out is None and not batch_in:
            from gpla_assets.cli.summary import print_made

            print_made(console, made(study, settings, ANSWERS))
            return
        if batch_in:
            _take(study, settings, batch_in)
        if batch_out is not None:
            _write(study, settings, batch_out)


@app.command(epilog="Example: gpla administer demo_texts --out demo_texts.parquet")
def administer(
    study: StudyName,
    out: Annotated[Path, typer.Option(help="Parquet file to write.")],
) -> None:
    """Ask a study's subjects its questions and write their answers as a source."""
    with readable_errors():
        from gpla_assets.cli.running import made
        from gpla_assets.storage import warehouse_of
        from gpla_assets.studies import load_study
        from gpla_assets.subjects import answers_as_source

        settings = load_study(study)
        made(study, settings, ANSWERS)
        warehouse = warehouse_of(settings.store)
        rows = answers_as_source(warehouse.table("responses"), warehouse.table("questions"))
        rows.to_parquet(out, index=False)
        console.print(f"{len(rows)} answers in {out}")


@app.command(epilog="Example: gpla questions --out q.csv")
def questions(
    out: Annotated[Path, typer.Option(help="CSV to write, with columns question_id, question.")],
    count: Annotated[int, typer.Option(help="How many, each of another value.")] = 60,
) -> None:
    """Write questions that elicit values, to ask any LLM and give its answers to `gpla`."""
    with readable_errors():
        import pandas as pd

        from gpla_assets.subjects.administration import first_questions

        asked = first_questions(count)
        rows = pd.DataFrame(asked)[["question_id", "question"]]
        rows.to_csv(out, index=False)
        console.print(f"{len(rows)} questions: {escape(str(out))}", soft_wrap=True)


def _write(name: str, study: Study, folder: Path) -> None:
    from gpla_assets.chat.batch import write_batches

    calls = _waiting(name, study)
    if not calls.pending:
        console.print("No call waits for a reply: no file was written.")
        return
    _within_budget(study, calls)
    written = write_batches(folder, study.name, calls.pending.values())
    asked = ", ".join(f"{count:,} of {model}" for model, count in calls.calls.items())
    console.print(
        f"{len(calls.pending):,} calls ({escape(asked)}; {_money(study, calls)}) in {len(written)} "
        f"file{'s' * (len(written) != 1)}:",
        soft_wrap=True,
    )
    for path in written:
        console.print(f"  {escape(str(path))}", soft_wrap=True)
    console.print(f"then      gpla ask {escape(name)} --batch-in RESULTS", soft_wrap=True)


def _take(name: str, study: Study, paths: list[Path]) -> None:
    from gpla_assets.chat import Budget
    from gpla_assets.chat.batch import result_files, take_batches
    from gpla_assets.storage import WarehouseCalls, warehouse_of

    result_files(paths)  # what is missing is said before anything is made
    calls = _waiting(name, study)
    budget = Budget(study.calls)
    cache = WarehouseCalls(warehouse_of(study.store))
    taken = take_batches(paths, calls.pending, cache, budget, study.calls.batch_price)
    totals = budget.totals
    cost = "no price is set" if totals.cost is None else f"cost {totals.cost:,.4g}"
    told = ", ".join(f"{count:,} of {model}" for model, count in taken.replies.items()) or "none"
    console.print(
        f"{taken.replies.total():,} replies taken ({escape(told)}): {totals.prompt_tokens:,} + "
        f"{totals.completion_tokens:,} tokens, {cost}.",
        soft_wrap=True,
    )
    if taken.skipped:
        console.print(f"not taken: {escape(_reasons(taken.skipped))}", soft_wrap=True)
    left = len(calls.pending) - taken.replies.total()
    console.print(f"{left:,} calls wait." if left else "Every call that waited is answered.")


def _waiting(name: str, study: Study) -> Tally:
    from gpla_assets.orchestration.asking import waiting
    from gpla_assets.orchestration.progress import showing

    with showing() as say:
        return waiting(name, study, say)


def _reasons(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {reason}" for reason, count in counts.most_common())


def _cost(study: Study, calls: Tally) -> float | None:
    """The most that calls cost in batches; None where a model has no price."""
    prices = study.calls.prices
    if not calls.calls.keys() <= prices.keys():
        return None
    used = sum(
        calls.prompt_tokens[model] * prices[model].prompt
        + calls.completion_tokens[model] * prices[model].completion
        for model in calls.calls
    )
    return study.calls.batch_price * used / 1e6


def _money(study: Study, calls: Tally) -> str:
    cost = _cost(study, calls)
    tokens = sum(calls.prompt_tokens.values()) + sum(calls.completion_tokens.values())
    money = "no price is set" if cost is None else f"{cost:,.2f}"
    return f"at most {tokens:,} tokens, {money}"


def _within_budget(study: Study, calls: Tally) -> None:
    """Raise ChatStopped where the calls may pass a limit of the study."""
    from gpla_assets.chat import Budget, ChatStopped

    limits = study.calls
    for model in calls.calls:
        Budget(limits).require_price(model)
    tokens = sum(calls.prompt_tokens.values()) + sum(calls.completion_tokens.values())
    found = {
        "max_calls": (len(calls.pending), limits.max_calls),
        "max_tokens": (tokens, limits.max_tokens),
        "max_cost": (_cost(study, calls), limits.max_cost),
    }
    for key, (most, limit) in found.items():
        if limit is not None and most is not None and most > limit:
            raise ChatStopped(
                f"calls.{key} = {limit:g}, but {len(calls.pending):,} calls wait that may take "
                f"{most:,.4g}: no file was written. Set a higher limit, or ask fewer questions."
            )
