"""Readers of answers that many LLMs gave to the same questions.

Each serves as a corpus and as subjects' recorded answers: columns llm, question_text, content, and
item where a LLM answered a question more than once. Of these a study's subject gives the first.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gpla_assets.sources.reading import ReadResult, column_or_none, file_rows, require, usable

Columns = Mapping[str, str]
_END_OF_TURN = re.compile(r"</s>|<\|(?:endoftext|im_end|prompter|user)\|>|<human>")
_ROLE = re.compile(r"^\s*<\|(?:assistant|im_start)\|>(?:assistant)?")
LABEL_ONLY = "only answer with the label"
FIRST_SAMPLING = "greedy"


def read_speechmap(path: Path, columns: Columns) -> ReadResult:
    """SpeechMap's answers: model, question_id, question, response; domain or theme if given."""
    rows = file_rows(path)
    require(rows, ["model", "question_id", "question", "response"], path)
    theme = column_or_none(rows, "domain").fillna(column_or_none(rows, "theme"))
    found = pd.DataFrame(
        {
            "llm": rows["model"],
            "item": rows["question_id"],
            "question_text": _plain(rows["question"]),
            "content": rows["response"],
            "theme": theme,
        }
    )
    return usable(found, ["llm", "question_text"])


def read_llm_values_pct(path: Path, columns: Columns) -> ReadResult:
    """Answers to propositions of the political compass, under templates and additions.

    A question is a prompt as it was sent: proposition, template, addition. Prompts that ask for a
    label alone are left out and counted: their answers say nothing in words. What is left: ten LLMs
    with the choices before them, eight with open templates (a debate, a blog).
    """
    rows = file_rows(path)
    require(rows, ["model", "pct_id", "templ_id", "jail_prompt", "full_prompt", "completion"], path)
    label = rows["jail_prompt"].fillna("").str.casefold().str.contains(LABEL_ONLY, regex=False)
    rows = rows[~label]
    found = usable(
        pd.DataFrame(
            {
                "llm": rows["model"],
                "question_text": _plain(rows["full_prompt"]),
                "content": rows["completion"].str.replace(_ROLE, "", regex=True),
                "theme": rows["pct_id"] + " " + rows["templ_id"],
            }
        ),
        ["llm", "question_text"],
    )
    skipped = dict(found.skipped)
    if label.any():
        skipped["asks for a label alone"] = int(label.sum())
    return ReadResult(found.rows, skipped)


def read_oasst_model_eval(path: Path, columns: Columns) -> ReadResult:
    """Open-Assistant's sampling reports: up to six samples of a checkpoint and prompt.

    Samples are items, the greedy one first; what a LLM wrote behind its end of turn is cut off.
    Checkpoints are near-duplicates of each other: `content.llm_family` says of which.
    """
    rows = file_rows(path)
    wanted = ["report", "model", "sampling_config", "sample", "prompt", "output"]
    require(rows, wanted, path)
    order = rows.assign(later=rows["sampling_config"] != FIRST_SAMPLING)
    keys = ["model", "prompt", "later", "sampling_config", "report", "sample"]
    rows = order.sort_values(keys, kind="stable")
    sample = rows["sample"].astype(str)
    found = pd.DataFrame(
        {
            "llm": rows["model"],
            "item": rows["report"] + "|" + rows["sampling_config"] + "|" + sample,
            "question_text": _plain(rows["prompt"]),
            "content": [_END_OF_TURN.split(text, maxsplit=1)[0] for text in rows["output"]],
        }
    )
    return usable(found, ["llm", "question_text", "item"])


def read_value_portrait(path: Path, columns: Columns) -> ReadResult:
    """Value Portrait: 104 people's queries with five answers each; who wrote them is not said.

    A file with a row an answer and value has each answer once.
    """
    rows = file_rows(path)
    require(rows, ["portrait_id", "option_id", "title", "query", "response"], path)
    rows = rows.drop_duplicates(["portrait_id", "option_id"])
    title = rows["title"].fillna("").astype(str)
    asked = (title + "\n\n" + rows["query"].fillna("")).str.strip()
    found = pd.DataFrame(
        {
            "item": rows["portrait_id"].astype(str) + "|" + rows["option_id"].astype(str),
            "question_text": _plain(asked),
            "content": rows["response"],
        }
    )
    return usable(found, ["item"])


def _plain(texts: pd.Series) -> pd.Series:
    """One wording whatever the ends of its lines: LLMs of one question are to share it."""
    return texts.str.replace("\r\n", "\n", regex=False).str.strip()
