"""One reader a source: its published columns -> ours.

Corpus and answers: (llm, profile, item, question_text, content), as far as the source has them.
Items: (value, definition, stance, statement, inventory); ratings: these without inventory, and
(llm, question, answer, rating).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gpla_assets.sources.errors import SourceError
from gpla_assets.sources.reading import ReadResult, file_rows, renamed, require, usable

Columns = Mapping[str, str]
ANSWER = "_answer"
RATING = "_rating"
STANCE_OF = {1: "support", -1: "oppose", 0: "either"}


def read_valuebench(path: Path, columns: Columns) -> ReadResult:
    """ValueBench's QA workbook: a question a row, a column `<llm>_answer` for each LLM."""
    rows = file_rows(path)
    require(rows, ["question"], path)
    llms = [str(name).removesuffix(ANSWER) for name in rows.columns if str(name).endswith(ANSWER)]
    if not llms:
        raise SourceError(f"{path} has no column that ends in {ANSWER!r}, expected one an LLM.")
    parts = [
        pd.DataFrame(
            {
                "llm": llm,
                "question_text": rows["question"],
                "content": rows[f"{llm}{ANSWER}"],
                "item": [str(row) for row in range(len(rows))],
            }
        )
        for llm in llms
    ]
    # items may share a question, and each of them has its answer: the item is part of the key
    return usable(pd.concat(parts, ignore_index=True), ["llm", "item"])


def read_valuebench_items(path: Path, columns: Columns) -> ReadResult:
    """ValueBench's questionnaire items; definitions are in the file beside it."""
    rows = file_rows(path)
    require(rows, ["questionnaire", "item", "value", "agreement"], path)
    agreement = pd.to_numeric(rows["agreement"], errors="coerce")
    stance = agreement.map(STANCE_OF)
    if stance.isna().any():
        row = stance.isna().idxmax()
        raise SourceError(
            f"{path}, row {row}: agreement {rows['agreement'][row]!r}, expected 1, -1 or 0."
        )
    items = pd.DataFrame(
        {
            "value": rows["value"].str.strip(),
            "definition": "",
            "stance": stance,
            "statement": rows["item"],
            "inventory": rows["questionnaire"].str.strip(),
        }
    )
    items["definition"] = _definitions(path, items["value"])
    return usable(items, ["value", "statement"], text="statement")


def read_valuebench_ratings(path: Path, columns: Columns) -> ReadResult:
    """Answers of the QA workbook with their ratings: an item and LLM a row.

    `rating` 0 to 10 says how far the answer agrees with the item; `stance` is the item's.
    """
    rows = file_rows(path)
    require(rows, ["question", "scenario description", "corresponding value", "Agreement"], path)
    llms = [str(name).removesuffix(RATING) for name in rows.columns if str(name).endswith(RATING)]
    if not llms:
        raise SourceError(f"{path} has no column that ends in {RATING!r}, expected one an LLM.")
    values = rows["corresponding value"].str.strip()
    definitions = _definitions(path, values)
    parts = [
        pd.DataFrame(
            {
                "llm": llm,
                "question": rows["question"].str.strip(),
                "answer": rows[f"{llm}{ANSWER}"],
                "rating": pd.to_numeric(rows[f"{llm}{RATING}"], errors="coerce"),
                "statement": rows["scenario description"].str.strip(),
                "stance": pd.to_numeric(rows["Agreement"], errors="coerce").map(STANCE_OF),
                "value": values,
                "definition": definitions,
                "item": [str(row) for row in range(len(rows))],
            }
        )
        for llm in llms
    ]
    rated = pd.concat(parts, ignore_index=True).dropna(subset=["rating", "stance"])
    return usable(rated.reset_index(drop=True), ["llm", "item"], text="answer")


def _definitions(path: Path, values: pd.Series) -> list[str]:
    """Definitions of the file beside ValueBench's other files; '' where it has none."""
    beside = path.with_name("value_definitions.csv")
    if not beside.is_file():
        return [""] * len(values)
    known = file_rows(beside)
    require(known, ["value dimension", "corresponding definition/description"], beside)
    names = known["value dimension"].str.strip().str.casefold()
    definitions = dict(zip(names, known.iloc[:, 2], strict=True))
    return [" ".join(definitions.get(name, "").split()) for name in values.str.casefold()]


def read_gpv(path: Path, columns: Columns) -> ReadResult:
    """GPV's question-answer-perception table; an answer stands once, whatever its perceptions."""
    rows = renamed(file_rows(path), {"question_text": "question", "content": "answer"}, path)
    return usable(rows.drop_duplicates(), ["question_text", "content"])


def read_beavertails(path: Path, columns: Columns) -> ReadResult:
    """BeaverTails: a prompt and a response a row; a pair is repeated for every annotator."""
    rows = renamed(file_rows(path), {"question_text": "prompt", "content": "response"}, path)
    return usable(rows.drop_duplicates(), ["question_text", "content"])


def read_valuelex(path: Path, columns: Columns) -> ReadResult:
    """ValueLex's generated values; columns differ by release, so that a mapping may be given."""
    mapping = {"llm": "model", "content": "response"} | dict(columns)
    return usable(renamed(file_rows(path), mapping, path), ["llm", "content"])


def read_salad_bench(path: Path, columns: Columns) -> ReadResult:
    """SALAD-Bench's prompts (JSON) or its table of scores (CSV with model and score)."""
    rows = file_rows(path)
    if "question" in rows:
        prompts = renamed(rows, {"question_text": "question"}, path)
        return usable(prompts.assign(content=prompts["question_text"]), ["question_text"])
    require(rows, ["model", "score"], path)
    scores = pd.DataFrame({"llm": rows["model"], "content": rows["score"].astype(str)})
    return usable(scores, ["llm"])


def read_lmsys_chat(path: Path, columns: Columns) -> ReadResult:
    """LMSYS-Chat-1M: the first turn of each English conversation."""
    rows = file_rows(path)
    require(rows, ["conversation_id", "model", "conversation", "language"], path)
    english = rows[rows["language"] == "English"]
    turns = [_first_turn(list(conversation)) for conversation in english["conversation"]]
    first = pd.DataFrame(turns, columns=["question_text", "content"], index=english.index)
    found = usable(
        first.assign(llm=english["model"], conversation=english["conversation_id"]),
        ["conversation"],
    )
    skipped = dict(found.skipped)
    if len(rows) > len(english):
        skipped["not in English"] = len(rows) - len(english)
    return ReadResult(found.rows[["llm", "question_text", "content"]], skipped)


def read_demo(path: Path, columns: Columns) -> ReadResult:
    """The demo's texts, which the project made."""
    rows = file_rows(path)
    wanted = ["llm", "profile", "question_text", "content"]
    require(rows, wanted, path)
    return usable(rows[wanted], ["llm", "profile", "question_text"])


def _first_turn(conversation: list[Mapping[str, object]]) -> tuple[str, str]:
    def said(role: str) -> str:
        return next((str(turn["content"]) for turn in conversation if turn["role"] == role), "")

    return said("user"), said("assistant")
