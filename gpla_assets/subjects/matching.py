"""Whose answer it is to which question: by its wording, else by its key."""

from __future__ import annotations

import unicodedata
from difflib import SequenceMatcher, get_close_matches

import pandas as pd

NEAR = 0.6
"""Least likeness of a wording that is shown as the nearest."""


def plain_wording(text: str) -> str:
    """A question's wording without what does not change it: blanks, ends of lines, Unicode form."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def matched(answers: pd.DataFrame, questions: pd.DataFrame) -> pd.Series:
    """The question_id that each answer (question, question_id) is to, of questions (question_id,
    content); null where to none.

    The wording tells; the file's own question_id counts where it gives no wording.
    """
    by_wording = {
        plain_wording(text): key
        for key, text in zip(questions["question_id"], questions["content"], strict=True)
    }
    known = set(questions["question_id"])
    wordings = {
        text: by_wording.get(plain_wording(text)) for text in answers["question"].dropna().unique()
    }
    found = [
        wordings[text] if isinstance(text, str) else (own if own in known else None)
        for text, own in zip(answers["question"], answers["question_id"], strict=True)
    ]
    return pd.Series(found, answers.index, dtype=object)


def why_none(answers: pd.DataFrame, questions: pd.DataFrame) -> str:
    """In words, why no answer is to one of the questions: the wordings side by side."""
    asked = [text for text in answers["question"].dropna().unique()]
    if not asked:
        return "its answers come without the questions' wording, and under no key of the study's"
    known = [plain_wording(text) for text in questions["content"]]
    for text in asked[:20]:
        own = plain_wording(text)
        inside = next((one for one in known if one in own), None)
        if inside is not None:
            before, _, after = own.partition(inside)
            around = " and ".join(repr(one.strip()[:60]) for one in (before, after) if one.strip())
            return f"its wordings have {around} around the study's, as in {own[:120]!r}"
    near = get_close_matches(plain_wording(asked[0]), known, 1, NEAR)
    if near:
        ratio = SequenceMatcher(None, plain_wording(asked[0]), near[0]).ratio()
        return f"the nearest to its {asked[0][:100]!r} is {near[0][:100]!r} (likeness {ratio:.2f})"
    return f"it asks e.g. {asked[0][:100]!r}, the study e.g. {known[0][:100]!r}"
