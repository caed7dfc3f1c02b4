"""Sentences behind scores as the page holds them: each answer once, cut to what is marked in it."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from gpla_assets.common.json_data import Json
from gpla_assets.report.columns import columns, places

MOST_SENTENCES = 50_000
"""Rows that a page holds; of more the most relevant of every LLM and value."""
WHOLE, AROUND = 1200, 200
"""Characters of an answer that is held whole, and those kept on either side of a marked sentence
of a longer one."""
GAP = " […] "


def excerpt(text: str, spans: Sequence[tuple[int, int]]) -> tuple[str, list[tuple[int, int]]]:
    """A text cut to its spans and what stands around them, and where they stand in it now.

    >>> excerpt("a" * 2000, [(1000, 1010)])[1]
    [(205, 215)]
    >>> excerpt("Be kind.", [(0, 7)])
    ('Be kind.', [(0, 7)])
    """
    if len(text) <= WHOLE:
        return text, list(spans)
    kept: list[list[int]] = []
    for start, end in sorted(spans):
        first, last = max(start - AROUND, 0), min(end + AROUND, len(text))
        if kept and first <= kept[-1][1]:
            kept[-1][1] = max(kept[-1][1], last)
        else:
            kept.append([first, last])
    parts, moved, length = [], [], 0
    for first, last in kept:
        # what is left out before a part is told by a mark of its own
        lead = GAP if first else ""
        parts.append(lead + text[first:last])
        moved.append((first, last, length + len(lead) - first))
        length += len(parts[-1])
    tail = GAP if kept and kept[-1][1] < len(text) else ""
    shift = {
        (start, end): next(by for first, last, by in moved if first <= start and end <= last)
        for start, end in spans
    }
    found = [(start + shift[start, end], end + shift[start, end]) for start, end in spans]
    return "".join(parts) + tail, found


def in_browser(text: str, place: int) -> int:
    """A place in a text as JavaScript counts, where some letters count twice.

    >>> in_browser("🙂 yes", 2)
    3
    """
    return len(text[:place].encode("utf-16-le", "surrogatepass")) // 2


def most_relevant(rows: pd.DataFrame, most: int = MOST_SENTENCES) -> pd.DataFrame:
    """As many rows of each LLM and value, the most relevant ones, as make at most `most` rows.

    `rows`: llm, value, relevance. Rows as they come.
    """
    if len(rows) <= most:
        return rows
    place = rows.groupby(["llm", "value"])["relevance"].rank(method="first", ascending=False)
    per_cell = place.value_counts().sort_index().cumsum()
    allowed = per_cell[per_cell <= most].index.max()
    return rows[place <= (0 if pd.isna(allowed) else allowed)]


def sentence_columns(
    rows: pd.DataFrame,
    subjects: Sequence[str],
    values: Sequence[str],
    questions: Sequence[str],
    most: int = MOST_SENTENCES,
) -> Json:
    """Sentences and answers as columns; a sentence names its subject, value and answer by place.

    `rows` of marts.measured_sentences. `n` is their number before the most relevant were chosen.
    """
    kept = most_relevant(rows, most).sort_values(
        ["response_id", "part", "start_offset", "perception_id", "value"], kind="stable"
    )
    answers: list[list[object]] = []
    starts, ends, answer_of = [], [], []
    for _, own in kept.groupby(["response_id", "part"], sort=False):
        first = own.iloc[0]
        text = str(first["answer"] or "")
        spans = [
            (min(max(int(start), 0), len(text)), min(max(int(end), 0), len(text)))
            for start, end in zip(own["start_offset"], own["end_offset"], strict=True)
        ]
        short, moved = excerpt(text, spans)
        starts += [in_browser(short, start) for start, _ in moved]
        ends += [in_browser(short, end) for _, end in moved]
        answer_of += [len(answers)] * len(own)
        answers.append([short, first["question_id"], first["response_id"], first["part"]])
    evaluators = sorted(kept["evaluator"].dropna().astype(str).unique())
    held = pd.DataFrame(answers, columns=["text", "question", "response_id", "part"])
    same = kept["perception"].astype(str).str.strip() == kept["words_in_answer"].astype(str)
    numbers = ["relevance", "score", "p_support", "p_oppose", "p_either"]
    return {
        "n": len(rows),
        "sentences": {
            "subject": places(kept["subject_id"], subjects),
            "value": places(kept["value"], values),
            "answer": answer_of,
            "start": starts,
            "end": ends,
            "perception": columns(kept[["perception"]].mask(same))["perception"],
            "evaluator": places(kept["evaluator"], evaluators),
            **columns(kept[numbers].astype(float), 2),
        },
        "answers": columns(held.assign(question=places(held["question"], questions))),
        "evaluators": evaluators,
    }
