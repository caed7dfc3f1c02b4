"""Commands of the agents: on a user's own files, how good they are, and how they are trained."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from gpla_assets.cli.commands import StudyOption, app, console, readable_errors

Out = Annotated[Path, typer.Option(help="CSV to write.")]


class Mode(StrEnum):
    """How M_E judges valence."""

    fast = "fast"
    accurate = "accurate"


class Part(StrEnum):
    """What of an answer is read."""

    answer = "answer"
    reasoning = "reasoning"


@app.command(epilog="Example: gpla perceive texts.jsonl --out perceptions.csv")
def perceive(
    file: Annotated[
        Path,
        typer.Argument(help="Texts (column text, answer ...) in any format that add-llm takes."),
    ],
    out: Out,
    study: StudyOption = "demo",
    columns: Annotated[
        str | None, typer.Option(help="The file's columns where they cannot be told: answer=said")
    ] = None,
    part: Annotated[Part, typer.Option(help="What was said, or thought before it.")] = Part.answer,
) -> None:
    """M_P: write the perceptions of texts, with their places."""
    with readable_errors():
        from gpla_assets.cli.own_texts import perceive_file
        from gpla_assets.parser.backends import make_parser
        from gpla_assets.sources.columns import as_mapping
        from gpla_assets.studies import load_study

        parser = make_parser(load_study(study).parser)
        found = perceive_file(file, parser, as_mapping(columns), part.value)
        found.rows.to_csv(out, index=False)
        told = f"{len(found.rows)} perceptions of {found.rows['line'].nunique()} of {found.read} "
        console.print(escape(f"{told}texts: {out}"), soft_wrap=True)
        if found.counts:
            why = ", ".join(f"{count} {reason}" for reason, count in found.counts.items())
            console.print(escape(f"not parsed, or without a perception: {why}"), soft_wrap=True)


@app.command(epilog="Example: gpla values perceptions.csv --out values.csv")
def values(
    file: Annotated[Path, typer.Argument(help="CSV with a column perception.")],
    out: Out,
    study: StudyOption = "demo",
) -> None:
    """M_G: write the values that perceptions express."""
    with readable_errors():
        from gpla_assets.cli.own_texts import values_file
        from gpla_assets.generator.backends import make_generator
        from gpla_assets.studies import load_study

        rows = values_file(file, make_generator(load_study(study).generator))
        rows.to_csv(out, index=False)
        console.print(f"{len(rows)} values, {rows['value'].nunique()} different: {out}")


@app.command(epilog="Example: gpla score pairs.csv --mode fast --out scores.csv")
def score(
    file: Annotated[
        Path, typer.Argument(help="CSV with columns perception,value and optionally definition.")
    ],
    out: Out,
    mode: Annotated[Mode, typer.Option(help="How valence is judged.")] = Mode.fast,
    study: StudyOption = "demo",
) -> None:
    """M_E: write relevance and valence of pairs, row by row; any value will do."""
    with readable_errors():
        from gpla_assets.cli.own_texts import score_file
        from gpla_assets.cli.summary import print_reliance
        from gpla_assets.content import vocabulary
        from gpla_assets.evaluator.backends import make_evaluator
        from gpla_assets.studies import load_study

        settings = load_study(study).evaluator.model_copy(update={"mode": mode.value})
        agent = make_evaluator(settings)
        rows = score_file(file, agent, vocabulary(), settings.minimum_relevance)
        rows.to_csv(out, index=False)
        console.print(f"{len(rows)} pairs: {out}", soft_wrap=True)
        print_reliance(console, rows, agent.model)


@app.command(
    "generate-questions",
    epilog="Example: gpla generate-questions values.csv --model gpt-4o-mini --out questions.csv",
)
def generate_questions(
    file: Annotated[Path, typer.Argument(help="CSV with a column value.")],
    out: Out,
    model: Annotated[str, typer.Option(help="The LLM that writes them.")],
    backend: Annotated[str, typer.Option(help="openai or transformers.")] = "openai",
    base_url: Annotated[str | None, typer.Option(help="Endpoint, if not OpenAI's own.")] = None,
    study: StudyOption = "demo",
) -> None:
    """Write one value-eliciting question a value; the file suits `questions.file` of a study."""
    with readable_errors():
        from gpla_assets.agents.backends import Asking, make_chat
        from gpla_assets.cli.own_texts import read_csv
        from gpla_assets.content import vocabulary
        from gpla_assets.embedding.embedder import make_embedder
        from gpla_assets.storage import WarehouseCalls, warehouse_of
        from gpla_assets.studies import Model, load_study
        from gpla_assets.subjects.question_generator import generate_questions as generate

        settings = load_study(study)
        cache = WarehouseCalls(warehouse_of(settings.store))
        asking = Asking(settings.calls, cache, seed=settings.seed)
        chat = make_chat(Model(backend=backend, model=model, base_url=base_url), asking)
        known = dict(vocabulary()[["value", "definition"]].itertuples(index=False))
        values = list(read_csv(file, ["value"])["value"])
        rows = generate(values, chat, make_embedder().encode, known)
        made = rows[rows["problem"].isna()]
        made[["question_id", "value", "question"]].to_csv(out, index=False)
        for row in rows[rows["problem"].notna()].itertuples():
            console.print(f"[yellow]no question[/yellow] for {row.value}: {row.problem}")
        console.print(f"{len(made)} of {len(rows)} questions: {out}")


@app.command("ask-directly", epilog="Example: gpla ask-directly demo_texts --out direct_lists.csv")
def ask_directly(
    study: Annotated[str, typer.Argument(help="A study whose subjects can be asked.")],
    out: Out,
) -> None:
    """Ask every subject which values it holds; the file suits `validation.direct_file`."""
    with readable_errors():
        from gpla_assets.agents.backends import Asking
        from gpla_assets.orchestration.progress import progress
        from gpla_assets.storage import WarehouseCalls, warehouse_of
        from gpla_assets.studies import load_study
        from gpla_assets.subjects.roster import study_subjects
        from gpla_assets.validation.direct import PROMPTS
        from gpla_assets.validation.direct import ask_directly as ask

        settings = load_study(study)
        cache = WarehouseCalls(warehouse_of(settings.store))
        asking = Asking(settings.calls, cache, seed=settings.seed)
        total = len(study_subjects(settings)[2]) * len(PROMPTS)
        with progress("answers", total) as advance:
            rows = ask(settings, asking, advance)
        rows.to_csv(out, index=False)
        console.print(f"{len(rows)} answers: {out}")


@app.command(epilog="Example: gpla quality --study survey")
def quality(study: StudyOption = "demo") -> None:
    """Measure the agents that run here, store the table and print it (some minutes)."""
    with readable_errors():
        from gpla_assets.cli.summary import print_quality
        from gpla_assets.evaluator.weights import held_out_quality
        from gpla_assets.orchestration.publishing import publication
        from gpla_assets.storage import Write, warehouse_of
        from gpla_assets.studies import load_study
        from gpla_assets.training.quality import LABELS, SPEED, measure_agents

        settings = load_study(study)
        measured = measure_agents(settings, console.print)
        warehouse = warehouse_of(settings.store)
        writes = [
            Write("agent_quality", measured, "held_out", (LABELS, SPEED)),
            Write("agent_quality", held_out_quality(), "held_out", ("values",)),
        ]
        warehouse.replace_partition(writes)
        warehouse.publish(publication(settings))
        print_quality(console, warehouse.table("agent_quality"))


@app.command("train-parser", epilog="Example: gpla train-parser head.safetensors")
def train_parser(
    out: Annotated[Path, typer.Argument(help="Safetensors file to write.")],
    ship: Annotated[bool, typer.Option(help="Replace the head that ships.")] = False,
) -> None:
    """Train M_P's head on the labelled sentences (half a minute; needs AlpacaEval's data)."""
    with readable_errors():
        from gpla_assets.embedding.embedder import make_embedder
        from gpla_assets.parser.attitude import SHIPPED_HEAD
        from gpla_assets.training.parser import train_parser as train

        head = train(make_embedder())
        for path in (out, SHIPPED_HEAD) if ship else (out,):
            head.save(path)
        console.print(f"{len(head.weights)} weights: {out}")


@app.command("train-evaluator", epilog="Example: gpla train-evaluator training/")
def train_evaluator(
    folder: Annotated[Path, typer.Argument(help="Where folds and weights are kept.")],
    mode: Annotated[Mode, typer.Option(help="Which of M_E's models.")] = Mode.fast,
    folds: Annotated[
        int | None, typer.Option(help="How many folds; all if absent.", min=1, max=5)
    ] = None,
    everything: Annotated[
        bool,
        typer.Option(help="Train on all values for the weights; else they are the first fold's."),
    ] = True,
    ship: Annotated[bool, typer.Option(help="Replace the weights that ship.")] = False,
) -> None:
    """Train M_E with folds of values held out, and on all (one to two hours on two cores).

    Train mode accurate first: mode fast learns from its folds where the folder has them.
    """
    with readable_errors():
        from gpla_assets.embedding.packaged import base_model
        from gpla_assets.evaluator.cross_weights import SHIPPED_CROSS, CrossWeights
        from gpla_assets.evaluator.weights import SHIPPED, EvaluatorWeights, ship_held_out
        from gpla_assets.training import accurate, fast
        from gpla_assets.training.material import FOLDS

        weights: CrossWeights | EvaluatorWeights
        if mode == Mode.accurate:
            base = base_model()
            weights = accurate.train_cross_encoder(
                folder, base, tell=console.print, folds_to_run=folds or FOLDS, everything=everything
            )
            table = accurate.held_out_table(folder)
        else:
            weights = fast.train_evaluator(
                folder, folds_to_run=folds or FOLDS, everything=everything
            )
            table = fast.held_out_table(folder)
        table.to_csv(folder / f"held_out_{mode.value}.csv", index=False)
        if ship:
            weights.save(SHIPPED_CROSS if mode == Mode.accurate else SHIPPED)
            ship_held_out(table)
        console.print(table.to_string(index=False))


@app.command("external-validity", epilog="Example: gpla external-validity training/")
def external_validity(
    folder: Annotated[Path, typer.Argument(help="Folder of `gpla train-evaluator`.")],
    out: Annotated[Path | None, typer.Option(help="CSV to write.")] = None,
    ship: Annotated[bool, typer.Option(help="Replace the table that ships.")] = False,
    study: StudyOption = "demo",
) -> None:
    """Compare M_E, on values held out in training, with ValueBench's ratings (some minutes)."""
    with readable_errors():
        from gpla_assets.evaluator.weights import ship_external_validity
        from gpla_assets.parser.backends import make_parser
        from gpla_assets.studies import load_study
        from gpla_assets.training.external_validity import external_validity as measure

        settings = load_study(study)
        rows = measure(folder, make_parser(settings.parser), settings.seed, console.print)
        if out:
            rows.round(4).to_csv(out, index=False)
        if ship:
            ship_external_validity(rows)
        shown = rows[rows["value"] == ""].drop(columns="value").to_string(index=False)
        console.print(shown, soft_wrap=True)
