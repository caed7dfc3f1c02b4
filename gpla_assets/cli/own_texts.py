"""The agents on a user's own files, without Dagster or a warehouse: perceive, values, score."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.common.errors import KnownError
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.reliance import confident
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.parser.protocol import PerceptionParser, Utterance
from gpla_assets.sources.languages import ENGLISH, language_of
from gpla_assets.sources.recorded import replies
from gpla_assets.studies.study import RELEVANT

PERCEPTION_COLUMNS = ["line", "perception", "sentence", "start", "end", "attitude"]
SCORE_COLUMNS = ["relevance", "p_support", "p_oppose", "p_either", "score"]
CONFIDENT = "confident"


class AgentFileError(KnownError, ValueError):
    """A user's file that cannot be read as asked; the message says what was expected."""


@dataclass(frozen=True)
class Perceived:
    """Perceptions of a file's texts, `read` of them; `counts` says what held none, and why."""

    rows: pd.DataFrame
    read: int
    counts: Mapping[str, int]


def perceive_file(
    path: Path,
    parser: PerceptionParser,
    columns: Mapping[str, str] | None = None,
    part: str = "answer",
) -> Perceived:
    """Perceptions of the texts of a file of any format of answers; a question is not needed.

    Rows (line, perception, sentence, start, end, attitude) in the order of the file, `line` its
    row from 1; `answer[start:end] == sentence`, of the answer, or of the reasoning where `part`
    says so. Refusals and what is empty are counted, and texts in other languages without a
    perception. Raises SourceError.
    """
    texts, counts = {}, Counter[str]()
    for line, record, one in replies(path, columns):
        counts[record.skip or ""] += bool(record.skip)
        if one is None:
            continue
        text = one.reasoning if part == "reasoning" else one.answer
        if one.refused and part == "answer":
            counts["refusal"] += 1
        elif not text:
            counts[one.problem or "no reasoning"] += 1
        else:
            texts[str(line)] = Utterance(str(line), text, record.question)
    found = parser.parse(list(texts.values()))
    rows = [
        (int(one.parent), one.content, one.sentence, one.start, one.end, one.attitude)
        for one in found
    ]
    without = texts.keys() - {one.parent for one in found}
    languages = Counter(language_of(texts[key].content) for key in without)
    for code, count in languages.items():
        if code not in (None, ENGLISH):
            counts[f"without a perception, in language {code}"] += count
    return Perceived(
        pd.DataFrame(rows, columns=PERCEPTION_COLUMNS),
        len(texts),
        {reason: count for reason, count in counts.items() if count},
    )


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


def score_file(
    path: Path, evaluator: ValueEvaluator, known: pd.DataFrame, cut: float = RELEVANT
) -> pd.DataFrame:
    """Relevance and valence of the pairs of a CSV: perception,value and optionally definition.

    The same rows in the same order with relevance, p_support, p_oppose, p_either and score =
    p_support - p_oppose, which is given here also where p_either is the largest, and `confident`
    (see `evaluator.reliance`; a pair is relevant above `cut`). Columns that a scored file has
    already are made anew. A blank definition
    is looked up in `known` (value, definition) by the value's name. Raises AgentFileError.
    """
    rows = read_csv(path, ["perception", "value"])
    rows = rows.drop(columns=[*SCORE_COLUMNS, CONFIDENT], errors="ignore")
    if not len(rows):
        none = {name: pd.Series(dtype=float) for name in SCORE_COLUMNS}
        return rows.assign(**none, confident=pd.Series(dtype=object))
    definitions = dict(zip(known["value"].str.casefold(), known["definition"], strict=True))
    given = rows["definition"] if "definition" in rows else pd.Series("", index=rows.index)
    found = [
        text.strip() or definitions.get(value.strip().casefold())
        for value, text in zip(rows["value"], given, strict=True)
    ]
    scores = evaluator.score(list(rows["perception"]), list(rows["value"]), found)
    scores = scores[SCORE_COLUMNS].set_index(rows.index)
    sure = confident(scores, rows["value"], evaluator.model, cut)
    return pd.concat([rows, scores.assign(confident=sure)], axis=1)


def read_csv(path: Path, expected: list[str]) -> pd.DataFrame:
    """A CSV's rows as text; raises AgentFileError for a missing column or a blank cell in one."""
    try:
        rows = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise AgentFileError(f"{path} cannot be read as CSV: {error}") from error
    missing = [name for name in expected if name not in rows]
    if missing:
        raise AgentFileError(
            f"{path} has columns {', '.join(rows.columns)}: {missing[0]!r} is missing, expected "
            f"{','.join(expected)}."
        )
    for name in expected:
        blank = rows[name].str.strip() == ""
        if blank.any():
            raise AgentFileError(
                f"{path}, row {int(blank.to_numpy().argmax()) + 1}: {name} is blank, expected text."
            )
    return rows
