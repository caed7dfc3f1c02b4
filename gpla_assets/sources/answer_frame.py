"""Rows of answers as every reader gives them: columns, profiles, samples, what is of note."""

from __future__ import annotations

import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.sources.records import Record
from gpla_assets.sources.said import UNCLOSED

COLUMNS = [
    *("llm", "profile", "system", "question", "question_id", "sample"),
    *("answer", "reasoning", "refused", "finish"),
]
KINDS = {"sample": int, "refused": bool}
DEFAULT_PROFILE = "Default"
LONGEST_NAME = 60
"""Characters of a profile's name; a longer text is a prompt, named by its beginning."""
REFUSALS, UNFINISHED = "refusals", "answers cut off at their limit of tokens"
APART, OPEN_REASONING = "with reasoning set apart", "with reasoning alone and no answer"
MENDED = "with characters that no text can hold, read as U+FFFD"


def profile_of(record: Record) -> tuple[str | None, str | None]:
    if record.profile is None:
        return None, record.system
    text = record.profile
    if len(text) <= LONGEST_NAME and "\n" not in text:
        return text, record.system
    return _name_of(text), text


def _name_of(text: str) -> str:
    """A system prompt's name: its beginning, and a hash that tells it from others."""
    return f"{' '.join(text.split())[:40].rstrip()} … {key_of(text)[:6]}"


def with_profiles(frame: pd.DataFrame, notes: list[str]) -> pd.DataFrame:
    """System messages become profiles where answers differ in them."""
    unnamed = frame["profile"].isna()
    systems = frame.loc[unnamed, "system"]
    if systems.nunique(dropna=False) > 1:
        names = {text: _name_of(text) for text in systems.dropna().unique()}
        frame.loc[unnamed, "profile"] = systems.map(names)
    elif systems.notna().any():
        notes.append("one system message stands before all questions")
    return frame.assign(profile=frame["profile"].fillna(DEFAULT_PROFILE))


def numbered(frame: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Samples of a subject's answers to a question numbered from 1, and how many rows were twice.

    Equal rows without a number, or with the same one, are one row that stands twice. Further
    answers under a number that is taken are numbered on.
    """
    key = ["llm", "profile", "question", "question_id"]
    text = ["answer", "reasoning"]
    twice = frame.duplicated([*key, "sample", *text])
    rows = frame[~twice].reset_index(drop=True)
    order = rows.assign(place=range(len(rows)), first=rows["sample"].fillna(float("inf")))
    order = order.sort_values([*key, "first", "place"], kind="stable", na_position="first")
    sample = order.groupby(key, dropna=False, sort=False).cumcount() + 1
    return rows.assign(sample=sample.sort_index().astype(int)), int(twice.sum())


def of_note(frame: pd.DataFrame, mended: int) -> dict[str, int]:
    """What is in the frame and of note, counted."""
    reasoned, empty = frame["reasoning"] != "", frame["answer"] == ""
    counts = {
        REFUSALS: frame["refused"].sum(),
        OPEN_REASONING: (empty & ~frame["refused"]).sum(),
        APART: (reasoned & ~empty).sum(),
        UNFINISHED: (frame["finish"] == "length").sum(),
        MENDED: mended,
    }
    return {what: int(count) for what, count in counts.items() if count}


def with_an_answer(frame: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The rows that answer, and how many refuse or are empty."""
    refused = frame["refused"]
    empty = (frame["answer"] == "") & ~refused
    counts = {REFUSALS: int(refused.sum()), UNCLOSED: int(empty.sum())}
    return frame[~empty & ~refused], {why: count for why, count in counts.items() if count}
