"""Tables of looking on a terminal: profiles, two LLMs or studies, sentences in their answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from gpla_assets.cli.commands import console
from gpla_assets.cli.showing import bar
from gpla_assets.common.visible import visible

if TYPE_CHECKING:
    import pandas as pd

    from gpla_assets.looking import PublishedStudy
    from gpla_assets.validation.two_studies import Agreement

ENDS = 12
"""Values shown from either end of a profile, unless all are asked for."""
LONGEST_NAME, INTERVAL_WIDTH, COUNTS_WIDTH = 28, 23, 46
"""Columns of a profile's table: names of values, one interval, and what stands after them."""
LEAST_BAR, LONGEST_BAR = 13, 41
AROUND = 240
"""Characters of an answer that are shown on either side of a sentence."""


def print_profile(opened: PublishedStudy, llm: str, rows: pd.DataFrame, every: bool) -> None:
    """One LLM's values, or a subject's: the ends of the profile unless `every`."""
    unit = opened.unit(llm)
    others = "LLMs" if unit.is_llm else "subjects"
    apart = bool(rows["difference"].notna().any())
    measure = "difference" if apart else "score"
    shown, left_out = (rows, 0) if every or len(rows) <= 2 * ENDS else _ends(rows)
    console.print(_told(f"{unit.name}, study {opened.name}, rule {opened.rule}"), soft_wrap=True)
    console.print(interval_table(shown, measure, console.width))
    if left_out:
        console.print(f"{left_out} values between these: --all shows them", highlight=False)
    if apart:
        clear = clearly_apart(rows).sum()
        console.print(
            f"Difference: from the mean of the other {others}, on the same questions, with its 95% "
            f"interval. Bold: it leaves out 0, in {clear} of {len(rows)} values; by chance alone "
            f"in about {math.ceil(0.05 * len(rows))}. Often: share of sentences that bear on the "
            "value; way: for it (+1) or against it (-1).",
            soft_wrap=True,
            highlight=False,
        )
    else:
        console.print(f"There are no other {others} to differ from: by score.", soft_wrap=True)
    _say_few(rows)


def _ends(rows: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    import pandas as pd

    return pd.concat([rows.head(ENDS), rows.tail(ENDS)]), len(rows) - 2 * ENDS


def interval_table(rows: pd.DataFrame, measure: str, width: int) -> Table:
    """Rows of a profile as a table: `measure` (difference or score) as a bar and in numbers.

    Columns as `PublishedStudy.profile` gives them; `width` is the terminal's.
    """
    low, high = (
        (f"{measure}_low", f"{measure}_high") if measure == "difference" else ("low", "high")
    )
    names = max((len(str(one)) for one in rows["value"]), default=5)
    room = width - min(names, LONGEST_NAME) - INTERVAL_WIDTH - COUNTS_WIDTH
    # on a narrow screen the score gives way, then the bar
    both = measure != "score" and room >= LEAST_BAR + INTERVAL_WIDTH
    room = min(room - INTERVAL_WIDTH * both, LONGEST_BAR)
    sure = rows[~rows["few"]] if not rows["few"].all() else rows
    ends = [*sure[low].dropna(), *sure[high].dropna(), *rows[measure].dropna()]
    span = (min([*ends, 0.0]), max([*ends, 0.0]))
    table = Table(box=None, pad_edge=False)
    table.add_column("value", max_width=LONGEST_NAME, no_wrap=True)
    if room >= LEAST_BAR:
        table.add_column("", no_wrap=True)
    for head in (f"{measure} [95%]", *["score [95%]"] * both):
        table.add_column(head, justify="right", no_wrap=True)
    for head in ("often", "way", "sentences", "questions", ""):
        table.add_column(head, justify="right", no_wrap=True)
    clear = clearly_apart(rows)
    for row, bold in zip(rows.to_dict("records"), clear, strict=True):
        cells = [visible(str(row["value"]))]
        if room >= LEAST_BAR:
            cells.append(bar(row[low], row[measure], row[high], span, room))
        cells.append(interval_text(row[measure], row[low], row[high], "+" if low != "low" else ""))
        if both:
            cells.append(interval_text(row["score"], row["low"], row["high"]))
        way = "-" if math.isnan(row["direction"]) else f"{row['direction']:+.2f}"
        often = "-" if math.isnan(row["share"]) else f"{row['share']:.{int(row['share'] < 0.1)}%}"
        counts = (f"{row['n_relevant']}/{row['n']}", str(row["n_questions"]))
        cells += [often, way, *counts, "few" if row["few"] else ""]
        style = "bold" if bold else "dim" if row["few"] else ""
        table.add_row(*(Text(one, style=style) for one in cells))
    return table


def clearly_apart(rows: pd.DataFrame) -> pd.Series:
    """Whether a row's difference has an interval that leaves out 0."""
    return (rows["difference_low"] > 0) | (rows["difference_high"] < 0)


def interval_text(mid: float, low: float, high: float, sign: str = "") -> str:
    """A number with its interval; a dash where there is none."""
    if math.isnan(mid):
        return "-"
    ends = "" if math.isnan(low) else f" [{low:{sign}.2f}, {high:{sign}.2f}]"
    return f"{mid:{sign}.2f}{ends}"


def print_comparison(opened: PublishedStudy, first: str, second: str, rows: pd.DataFrame) -> None:
    """Two LLMs' differences by value."""
    names = [opened.unit(one).name for one in (first, second)]
    a, b = (visible(one) for one in names)
    console.print(_told(f"A {a}, B {b}, study {opened.name}, rule {opened.rule}"), soft_wrap=True)
    table = Table(box=None, pad_edge=False)
    table.add_column("value", max_width=LONGEST_NAME, no_wrap=True)
    heads = ("A - B [95%]", "A", "B", "often A, B", "way A, B", "sentences", "questions", "")
    for head in heads:
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        bold = row["low"] > 0 or row["high"] < 0
        both = {name: [row[f"{name}_a"], row[f"{name}_b"]] for name in ("share", "direction")}
        cells = [
            visible(str(row["value"])),
            interval_text(row["difference"], row["low"], row["high"], "+"),
            *(f"{row[one]:.2f}" for one in ("score_a", "score_b")),
            ", ".join("-" if math.isnan(one) else f"{one:.0%}" for one in both["share"]),
            ", ".join("-" if math.isnan(one) else f"{one:+.2f}" for one in both["direction"]),
            f"{row['n_relevant_a']}, {row['n_relevant_b']}",
            str(row["n_questions"]),
            "few" if row["few"] else "",
        ]
        style = "bold" if bold else "dim" if row["few"] else ""
        table.add_row(*(Text(one, style=style) for one in cells))
    console.print(table)
    console.print(
        "Sentences: those that bear on the value. Bold: the interval leaves out 0; by chance alone "
        f"in about {math.ceil(0.05 * len(rows))} of {len(rows)} values.",
        soft_wrap=True,
        highlight=False,
    )
    _say_few(rows)


def print_agreement(opened: PublishedStudy, beside: PublishedStudy, found: Agreement) -> None:
    """How far two studies agree on the LLMs that both have, and what changed most."""
    console.print(_told(f"A {opened.name} ({opened.rule}), B {beside.name} ({beside.rule})"))
    table = Table(box=None, pad_edge=False)
    table.add_column("value", max_width=LONGEST_NAME, no_wrap=True)
    for head in ("r over LLMs [95%]", "LLMs", "mean A", "mean B"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in found.values.to_dict("records"):
        cells = [
            visible(str(row["value"])),
            "-"
            if math.isnan(row["r"])
            else interval_text(row["r"], row["r_low"], row["r_high"], "+"),
            str(row["n_llms"]),
            *(f"{row[name]:.2f}" for name in ("mean_a", "mean_b")),
        ]
        style = "bold" if row["r_low"] > 0 else ""
        table.add_row(*(Text(one, style=style) for one in cells))
    console.print(table)
    ranks = found.llms["rank"].dropna()
    if len(ranks):
        console.print(
            f"An LLM's profile in A finds its own in B at rank {ranks.mean():.1f} of "
            f"{len(found.llms)} (chance {found.chance:.1f}).",
            soft_wrap=True,
            highlight=False,
        )
    console.print("What changed most (B less A, of the difference from the other LLMs):")
    console.print(_changes(found.cells.head(ENDS)))
    console.print(
        f"One LLM alone: gpla compare LLM --study {opened.name} --with {beside.name}",
        soft_wrap=True,
        highlight=False,
    )


def print_changes(
    opened: PublishedStudy, beside: PublishedStudy, llm: str, rows: pd.DataFrame
) -> None:
    """What changed of one LLM between two studies."""
    console.print(
        _told(f"{visible(llm)}, less the other LLMs: A {opened.name}, B {beside.name}"),
        soft_wrap=True,
    )
    console.print(_changes(rows))
    console.print(
        "Bold: the interval leaves out 0; by chance alone in about "
        f"{math.ceil(0.05 * len(rows))} of {len(rows)}. Its errors are taken as independent.",
        soft_wrap=True,
        highlight=False,
    )


def _changes(rows: pd.DataFrame) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("LLM", max_width=LONGEST_NAME, no_wrap=True)
    table.add_column("value", max_width=LONGEST_NAME, no_wrap=True)
    for head in ("B - A [95%]", "A", "B"):
        table.add_column(head, justify="right", no_wrap=True)
    for row in rows.to_dict("records"):
        cells = [
            *(visible(str(row[name])) for name in ("llm", "value")),
            interval_text(row["change"], row["low"], row["high"], "+"),
            *(f"{row[name]:+.2f}" for name in ("difference_a", "difference_b")),
        ]
        style = "bold" if row["low"] > 0 or row["high"] < 0 else ""
        table.add_row(*(Text(one, style=style) for one in cells))
    return table


def _say_few(rows: pd.DataFrame) -> None:
    from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS

    few = int(rows["few"].sum())
    if few:
        console.print(
            f"[yellow]few:[/yellow] {few} of {len(rows)} rest on fewer than {FEWEST_QUESTIONS} "
            "questions; `gpla plan` says how many are needed.",
            soft_wrap=True,
            highlight=False,
        )


def print_sentences(
    opened: PublishedStudy, llm: str, value: str, rows: pd.DataFrame, limit: int
) -> None:
    """The sentences behind a score, marked in their answers."""
    unit, named = opened.unit(llm), opened.value(value)
    own = opened.profile(llm)
    own = own[own["value"] == named]
    console.print(
        _told(
            f"{unit.name}, {named}: {len(rows)} sentences bear on it"
            + (f", of {own['n'].item():,} that the score rests on" if len(own) else "")
        )
    )
    if len(own):
        console.print(interval_table(own, "score", console.width))
    for number, row in enumerate(rows.head(limit).to_dict("records"), start=1):
        side = _side(row["direction"])
        console.print(
            Text.assemble(
                (f"\n{number}. ", "dim"),
                (visible(" ".join(str(row["question"]).split())), "italic"),
            ),
            soft_wrap=True,
        )
        console.print(marked(row["answer"], int(row["start_offset"]), int(row["end_offset"])))
        console.print(
            Text(
                f"relevance {row['relevance']:.2f}, {side}; {visible(str(row['evaluator']))}; "
                f"profile {visible(str(row['profile']))}; {row['response_id']}",
                style="dim",
            ),
            soft_wrap=True,
        )
    if len(rows) > limit:
        console.print(f"\n{len(rows) - limit} more: --limit, or a pipe, which gets all")


def _side(direction: float | None) -> str:
    if direction is None or math.isnan(direction):
        return "takes no side"
    return f"{'supports' if direction > 0 else 'opposes'} ({direction:+.2f})"


def marked(answer: str, start: int, end: int) -> Text:
    """A sentence in what stands around it in its answer, as it may be shown."""
    first, last = max(start - AROUND, 0), min(end + AROUND, len(answer))
    before, after = answer[first:start], answer[end:last]
    return Text.assemble(
        "…" if first else "",
        visible(before, "\n"),
        (visible(answer[start:end], "\n"), "bold reverse"),
        visible(after, "\n"),
        "…" if last < len(answer) else "",
    )


def _told(text: str) -> Text:
    return Text(visible(text), style="bold")
