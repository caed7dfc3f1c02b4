"""The agents on a user's own files, without Dagster or a warehouse: perceive, values, score."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.common.errors import KnownError
from gpla_assets.common.tables import TableError, TableOptions, read_table
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.parser.protocol import PerceptionParser, Utterance

PERCEPTION_COLUMNS = ["line", "perception", "sentence", "start", "end", "attitude"]
SCORE_COLUMNS = ["relevance", "p_support", "p_oppose", "p_either", "score"]


class AgentFileError(KnownError, ValueError):
    """A user's file that cannot be read as asked; the message says what was expected."""


def perceive_file(path: Path, parser: PerceptionParser) -> pd.DataFrame:
    """Perceptions of the texts of a JSONL file: {"text": ..., "question": ... or absent} a line.

    Rows (line from 1, perception, sentence, start, end, attitude) in the order of the file;
    `text[start:end] == sentence`. Raises AgentFileError naming the line.
    """
    utterances = []
    for number, line in enumerate(_lines(path), start=1):
        if line.strip():
            utterances.append(_utterance(path, number, line))
    rows = [
        (int(found.parent), found.content, found.sentence, found.start, found.end, found.attitude)
        for found in parser.parse(utterances)
    ]
    return pd.DataFrame(rows, columns=PERCEPTION_COLUMNS)


def values_file(path: Path, generator: ValueGenerator) -> pd.DataFrame:
    """Values of the perceptions of a CSV with the column perception.

    Rows (perception, value, probability), in the order of the file; a perception without a value
    has none. Raises AgentFileError.
    """
    perceptions = list(read_csv(path, ["perception"])["perception"])
    found = contract.generated(generator.generate(perceptions), generator, len(perceptions))
    found = found.sort_values("row", kind="stable")
    at = found["row"].to_numpy()
    return pd.DataFrame(
        {
            "perception": [perceptions[row] for row in at],
            "value": found["value"].to_numpy(),
            "probability": found["probability"].to_numpy(),
        }
    )


def score_file(path: Path, evaluator: ValueEvaluator, known: pd.DataFrame) -> pd.DataFrame:
    """Relevance and valence of the pairs of a CSV: perception,value and optionally definition.

    The same rows in the same order with relevance, p_support, p_oppose, p_either and score =
    p_support - p_oppose, which is given here also where p_either is the largest. A blank definition
    is looked up in `known` (value, definition) by the value's name. Raises AgentFileError.
    """
    # a file that was scored before has these columns already
    rows = read_csv(path, ["perception", "value"]).drop(columns=SCORE_COLUMNS, errors="ignore")
    if not len(rows):
        return rows.assign(**{name: pd.Series(dtype=float) for name in SCORE_COLUMNS})
    definitions = dict(zip(known["value"].str.casefold(), known["definition"], strict=True))
    given = rows["definition"] if "definition" in rows else pd.Series("", index=rows.index)
    found = [
        text.strip() or definitions.get(value.strip().casefold())
        for value, text in zip(rows["value"], given, strict=True)
    ]
    scores = evaluator.score(list(rows["perception"]), list(rows["value"]), found)
    return pd.concat([rows, scores[SCORE_COLUMNS].set_index(rows.index)], axis=1)


def _lines(path: Path) -> list[str]:
    try:
        # Only line feeds end a line of JSONL: texts may hold U+2028 and its like.
        return path.read_text("utf-8-sig").split("\n")
    except (OSError, UnicodeDecodeError) as error:
        raise AgentFileError(f"{path} cannot be read as UTF-8 text: {error}") from error


def _utterance(path: Path, number: int, line: str) -> Utterance:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        raise AgentFileError(f"{path}, line {number} is not JSON: {error}") from error
    text = row.get("text") if isinstance(row, dict) else None
    question = row.get("question") if isinstance(row, dict) else None
    if not isinstance(text, str) or not isinstance(question, str | None):
        raise AgentFileError(
            f"{path}, line {number} is {line[:80]!r}, expected an object with a string 'text' and, "
            "if it answers one, a string 'question'."
        )
    return Utterance(str(number), text, question)


def read_csv(path: Path, expected: list[str]) -> pd.DataFrame:
    """A table's rows as text; raises AgentFileError for a missing column or a blank cell in one."""
    try:
        table = read_table(path, TableOptions(names=tuple(expected)))
    except TableError as error:
        raise AgentFileError(str(error)) from error
    for name in expected:
        for row, cell in enumerate(table.columns[name]):
            if not cell:
                raise AgentFileError(f"{path}, {table.place(row)}: {name} is blank, expected text.")
    return pd.DataFrame(table.columns, dtype=str)
