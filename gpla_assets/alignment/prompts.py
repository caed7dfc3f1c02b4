"""Prompts that a policy learns from, and prompts held out to see what it learnt."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from gpla_assets.content import questions
from gpla_assets.sources import SOURCES, SourceError, locate
from gpla_assets.sources.reading import file_rows
from gpla_assets.studies import StudyError, data_dir
from gpla_assets.studies.ppo import Alignment

PROMPT_SOURCES = {
    "valuebench": ("valuebench_items", "question"),
    "alpaca_eval": ("alpaca_eval", "instruction"),
    "pku_saferlhf": ("pku_saferlhf", "prompt"),
}
"""Sources of prompts, with the column that holds them."""
SHORTEST = 13
"""Characters; shorter prompts ask nothing."""
DRAW_SEED = 0


def held_out_prompts(settings: Alignment) -> list[str]:
    """Prompts from which no policy learns: the project's questions, or the study's file."""
    rows = questions(settings.held_out) if settings.held_out else questions()
    return list(dict.fromkeys(rows["question"]))


def training_prompts(settings: Alignment) -> list[str]:
    """What the policy answers while it learns: distinct, none too long, none held out, drawn.

    Raises SourceMissing or SourceError where the prompts cannot be had, StudyError where none is
    left.
    """
    if settings.prompts == "file":
        if settings.prompts_file is None or not settings.prompts_file.is_file():
            raise StudyError(
                f"alignment.prompts_file = {settings.prompts_file}: expected a text file with a "
                "prompt a line."
            )
        found: Iterable[str] = settings.prompts_file.read_text("utf-8").splitlines()
    else:
        source, column = PROMPT_SOURCES[settings.prompts]
        path = locate(SOURCES[source], data_dir(), None)
        rows = file_rows(path)
        if column not in rows:
            raise SourceError(f"{path} has no column {column!r}, expected the prompts there.")
        found = rows[column].dropna().astype(str)
    return drawn(found, settings.longest_prompt, settings.n_prompts, held_out_prompts(settings))


def drawn(found: Iterable[str], longest: int, n: int, held_out: Iterable[str]) -> list[str]:
    """At most `n` distinct prompts of at most `longest` characters, in an order drawn by a seed.

    >>> drawn(["What should I do today?", "Why?", "What should I do today?"], 140, 5, [])
    ['What should I do today?']
    """
    kept_out = {prompt.casefold() for prompt in held_out}
    distinct = {prompt.strip() for prompt in found}
    usable = sorted(
        prompt
        for prompt in distinct
        if SHORTEST <= len(prompt) <= longest and prompt.casefold() not in kept_out
    )
    if not usable:
        raise StudyError(
            f"alignment: of {len(distinct)} prompts none has {SHORTEST} to {longest} characters "
            "and is not held out; expected at least one."
        )
    order = np.random.default_rng(DRAW_SEED).permutation(len(usable))[:n]
    return [usable[int(place)] for place in order]
