"""Readers of the content files; a damaged file is an error that names it."""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path

import pandas as pd
import yaml

from gpla_assets.common.errors import KnownError
from gpla_assets.common.yaml_text import load_yaml

CONTENT = Path(__file__).resolve().parent
STANCES = ("support", "oppose", "either")
PAPER_LIST = "GPLA Table 10"
"""Origin of the vocabulary's values that the paper's factors are made of."""


class ContentError(KnownError, ValueError):
    """A content file that is missing or not as its reader expects."""


def vocabulary(path: Path = CONTENT / "vocabulary.csv") -> pd.DataFrame:
    """Values to name perceptions with: rows (value, definition, lack, origin), one a value.

    `lack` says what the value's lack or opposite looks like; '' where that was not written.
    """
    rows = _read(path, ("value", "definition", "lack", "origin"))
    _check_unique(rows, "value", path)
    return rows


def value_items(path: Path = CONTENT / "value_items.csv") -> pd.DataFrame:
    """Statements about values that M_E is trained on: rows (value, stance, statement)."""
    rows = _read(path, ("value", "stance", "statement"))
    check_stances(rows["stance"], str(path))
    return rows


def value_statements(path: Path = CONTENT / "value_statements.csv") -> pd.DataFrame:
    """Statements for, against and beside values, for M_E's cross-encoder.

    Rows (value, definition, stance, form, statement); `form` is item (as in a questionnaire) or
    prose (as an LLM would answer).
    """
    rows = _read(path, ("value", "definition", "stance", "form", "statement"))
    check_stances(rows["stance"], str(path))
    return rows


def rival_statements(path: Path = CONTENT / "rival_statements.csv") -> pd.DataFrame:
    """Statements that oppose a value by a rival one, no word denied; as many that support it.

    Rows (value, definition, stance, form, statement), none of which names its value; `form` is
    action (what somebody does) or prose (a view or advice).
    """
    rows = _read(path, ("value", "definition", "stance", "form", "statement"))
    check_stances(rows["stance"], str(path))
    return rows


def plain_lines(path: Path = CONTENT / "plain_lines.csv") -> pd.DataFrame:
    """One-liners for and against values, each side with and without a negation.

    Rows (value, definition, stance, form, statement); those of `plain_statements` are a test.
    """
    rows = _read(path, ("value", "definition", "stance", "form", "statement"))
    check_stances(rows["stance"], str(path))
    return rows


def persona_traits(path: Path = CONTENT / "persona_traits.csv") -> pd.DataFrame:
    """The traits of Anthropic's persona statements as values: rows (trait, value, definition,
    cluster), one a trait; traits of like meaning share a cluster."""
    rows = _read(path, ("trait", "value", "definition", "cluster"))
    _check_unique(rows, "trait", path)
    return rows


def plain_statements(path: Path = CONTENT / "plain_statements.csv") -> pd.DataFrame:
    """One-liners whose side nobody doubts, to test M_E with: rows (statement, value, stance).

    Nothing is trained on them.
    """
    rows = _read(path, ("statement", "value", "stance"))
    check_stances(rows["stance"], str(path))
    return rows


def proposition_values(path: Path = CONTENT / "proposition_values.csv") -> pd.DataFrame:
    """What propositions of the Political Compass bear on, labelled by hand once.

    Rows (proposition, value, stance): who agrees with it supports or opposes the value.
    """
    rows = _read(path, ("proposition", "value", "stance"))
    check_stances(rows["stance"], str(path))
    return rows


def touche_categories(path: Path = CONTENT / "touche_categories.csv") -> pd.DataFrame:
    """Touché's 20 categories of values, defined in our words: rows (value, definition)."""
    rows = _read(path, ("value", "definition"))
    _check_unique(rows, "value", path)
    return rows


def neutral_sentences(path: Path = CONTENT / "neutral_sentences.csv") -> pd.DataFrame:
    """Sentences that state no attitude, which M_P is trained to drop: rows (kind, sentence)."""
    return _read(path, ("kind", "sentence"))


def labelled_sentences(path: Path = CONTENT / "labelled_sentences.csv") -> pd.DataFrame:
    """Sentences of real texts, labelled by hand in two passes.

    Rows (source, llm, text, start, end, attitudes_1, attitudes_2): how many attitudes each pass
    found in the characters start to end of the text whose hash is `text`.
    """
    columns = ("source", "llm", "text", "start", "end", "attitudes_1", "attitudes_2")
    rows = _read(path, columns)
    numbers = ["start", "end", "attitudes_1", "attitudes_2"]
    return rows.astype(dict.fromkeys(numbers, int))


def labelled_pairs(path: Path = CONTENT / "labelled_pairs.csv") -> pd.DataFrame:
    """How labelled sentences bear on values: rows (text, start, end, value, definition, ...).

    `relation_1` and `relation_2` are s, o, e or - (support, oppose, either, irrelevant) by the two
    passes; '' where a pass found no attitude in the sentence.
    """
    columns = ("text", "start", "end", "value", "definition", "relation_1", "relation_2")
    return _read(path, columns).astype({"start": int, "end": int})


def labelled_perceptions(path: Path = CONTENT / "labelled_perceptions.csv") -> pd.DataFrame:
    """Perceptions that M_P found in AlpacaEval's texts drawn at random, one a text, labelled once.

    Rows (text, start, end, attitude, value, relation), four values a perception: `attitude` is 1
    where it states one, else 0; `relation` is s, o, e or - (see `labelled_pairs`).
    """
    return _perception_labels(path)


def training_perceptions(path: Path = CONTENT / "training_perceptions.csv") -> pd.DataFrame:
    """Sentences of other AlpacaEval texts, on other questions, labelled once for training.

    Rows as in `labelled_perceptions`, six values a sentence; of 3,840 sentences two thirds are
    perceptions that M_P had found, and the others such as it had dropped.
    """
    return _perception_labels(path)


def opposing_perceptions(path: Path = CONTENT / "opposing_perceptions.csv") -> pd.DataFrame:
    """Sentences of AlpacaEval in which M_E's two modes saw a value opposed, labelled once.

    Rows as in `labelled_perceptions`, four values a sentence, the two that seemed opposed most and
    two near ones; on other texts and questions than the tests'. For M_E alone: they were not drawn
    at random, as M_P's are.
    """
    return _perception_labels(path)


def labelled_oppositions(path: Path = CONTENT / "labelled_oppositions.csv") -> pd.DataFrame:
    """Perceptions of AlpacaEval in which a mode of M_E sees a value opposed, labelled for the test.

    Rows as in `labelled_perceptions`, four values a perception, and `relation_2`: that of a second
    pass, '' where there was none. Of other texts on the test's questions, none of them trained on.
    """
    rows = _perception_labels(path)
    second = _read(path, ("text", "relation_2"))["relation_2"]
    return rows.assign(relation_2=second)


def _perception_labels(path: Path) -> pd.DataFrame:
    rows = _read(path, ("text", "start", "end", "attitude", "value", "relation"))
    return rows.astype(dict.fromkeys(("start", "end", "attitude"), int))


def questions(path: Path = CONTENT / "questions.csv") -> pd.DataFrame:
    """Value-eliciting questions in the order to take them: rows (question_id, value, question)."""
    rows = _read(path, ("question_id", "value", "question"))
    _check_unique(rows, "question_id", path)
    return rows


def profiles(path: Path = CONTENT / "profiles.yaml") -> pd.DataFrame:
    """Profiling prompts (the paper's Table 7 names them): rows (profile, prompt, asks).

    Default first. `asks` is the one of Schwartz's ten values that the profile asks for, or None.
    """
    try:
        content = load_yaml(path.read_text("utf-8"))
        names = ["profile", "prompt", "asks"]
        # a user's file may leave out what a profile asks for, in either of YAML's ways
        known = [
            one if isinstance(one, dict) else dict(zip(names, one, strict=False))
            for one in content["profiles"]
        ]
        rows = pd.DataFrame(known, columns=names)
        rows["prompt"] = rows["prompt"].str.strip()
        rows["asks"] = rows["asks"].astype(object).where(rows["asks"].notna(), None)
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as e:
        raise ContentError(
            f"{path}: expected a list `profiles`, each with a profile and its prompt: {e!r}."
        ) from e
    _check_unique(rows, "profile", path)
    levels = schwartz()
    ten = list(levels.loc[levels["level"] == "lower", "value"])
    for row in rows.dropna(subset=["asks"]).itertuples():
        if row.asks not in ten:
            raise ContentError(
                f"{path}, profile {row.profile!r}: asks {row.asks!r}, expected one of "
                f"{', '.join(ten)}, or no such line."
            )
    return rows


def llm_family(name: str) -> str | None:
    """The pretrained LLMs that an LLM descends from, by its name; None where none is known.

    Families are those of llm_families.csv: LLMs of one family are no independent cases, whoever
    tuned them. The first pattern that the name holds decides, whatever the case.

    >>> llm_family("vicuna-13b-v1.3"), llm_family("openai/gpt-4o-2024-11-20"), llm_family("mine")
    ('LLaMA', 'GPT', None)
    """
    folded = name.casefold()
    return next((family for found, family in _families() if found.search(folded)), None)


@lru_cache(maxsize=1)
def _families() -> tuple[tuple[re.Pattern[str], str], ...]:
    rows = _read(CONTENT / "llm_families.csv", ("pattern", "family"))
    return tuple((re.compile(row.pattern), str(row.family)) for row in rows.itertuples())


def llm_aliases(path: Path = CONTENT / "llm_aliases.csv") -> pd.DataFrame:
    """Names of LLMs in criteria and what they are called here: rows (name, llm, match, source).

    `match` is same (one model under two names), version (another release of it) or near (a
    relative, such as another context length). `source` is the criterion whose name it is; '' where
    the name means the same LLM everywhere.
    """
    return _read(path, ("name", "llm", "match", "source"))


def topics(path: Path = CONTENT / "topics.csv") -> pd.DataFrame:
    """Topics of conversations for zero-shot labels: rows (topic, description, value_laden)."""
    rows = _read(path, ("topic", "description", "value_laden"))
    _check_unique(rows, "topic", path)
    return rows.assign(value_laden=rows["value_laden"] == "yes")


def published_factors(path: Path = CONTENT / "published_factors.csv") -> pd.DataFrame:
    """The paper's five factors with definitions of the project's own: rows (factor, definition)."""
    rows = _read(path, ("factor", "definition"))
    _check_unique(rows, "factor", path)
    return rows


def check_stances(stances: pd.Series, where: str) -> None:
    """Raises ContentError at the first stance that is none of STANCES."""
    unknown = stances[~stances.isin(STANCES)]
    if len(unknown):
        raise ContentError(
            f"{where} holds stance {unknown.iloc[0]!r} at row {unknown.index[0]}, "
            f"expected one of {', '.join(STANCES)}."
        )


def definitions_of(values: pd.Series, known: pd.DataFrame) -> list[str]:
    """Definitions by name whatever the case; '' where the vocabulary has none."""
    by_name = dict(zip(known["value"].str.casefold(), known["definition"], strict=True))
    return [by_name.get(str(value).casefold(), "") for value in values]


def value_list(name: str) -> pd.DataFrame:
    """Values to measure, by the name of a list that ships or a CSV: rows of `vocabulary`.

    paper has those of Table 10, schwartz his ten. A CSV has the column value and may have
    definition; what it leaves blank is the vocabulary's, or ''. Raises ContentError.
    """
    known = vocabulary()
    if name == "paper":
        return known[known["origin"] == PAPER_LIST].reset_index(drop=True)
    if name == "schwartz":
        levels = schwartz()
        rows = levels.loc[levels["level"] == "lower", ["value", "definition"]]
        return rows.assign(lack="", origin="Schwartz").reset_index(drop=True)
    path = Path(name)
    rows = _read(path, ("value",), optional=("definition",))
    rows = rows[rows["value"] != ""].reset_index(drop=True)
    if rows.empty:
        raise ContentError(f"{path} names no value, expected one a row in the column value.")
    _check_unique(rows, "value", path)
    looked_up = pd.Series(definitions_of(rows["value"], known), dtype=object)
    rows["definition"] = rows["definition"].mask(rows["definition"] == "", looked_up)
    return rows.assign(lack="", origin=path.name)[list(known.columns)]


def _check_unique(rows: pd.DataFrame, column: str, path: Path) -> None:
    repeated = rows.loc[rows[column].str.casefold().duplicated(), column]
    if len(repeated):
        raise ContentError(
            f"{path} holds {column} {repeated.iloc[0]!r} twice, expected one row each."
        )


@lru_cache
def _cached(path: Path, stamp: int) -> pd.DataFrame:
    return pd.read_csv(path, dtype=str, keep_default_na=False)


def _read(path: Path, columns: tuple[str, ...], optional: tuple[str, ...] = ()) -> pd.DataFrame:
    if not path.is_file():
        raise ContentError(f"{path} is missing, expected a CSV with columns {', '.join(columns)}.")
    rows = _cached(path, path.stat().st_mtime_ns)
    missing = [column for column in columns if column not in rows]
    if missing:
        raise ContentError(
            f"{path} has columns {', '.join(rows.columns)}, expected {', '.join(columns)}."
        )
    if rows.empty:
        raise ContentError(f"{path} has no rows, expected at least one.")
    rows = rows.assign(**{column: "" for column in optional if column not in rows})
    return rows[[*columns, *optional]].apply(lambda column: column.str.strip())


@lru_cache
def schwartz(path: Path = CONTENT / "schwartz.yaml") -> pd.DataFrame:
    """Schwartz's values: rows (level, value, definition, higher), in the order of the circle.

    `level` is lower (ten values) or higher (four); `higher` the higher value of a lower one, and
    of a higher one itself.
    """
    try:
        levels = load_yaml(path.read_text("utf-8"))
        rows = [
            (level, value, entry["definition"], entry.get("higher", value))
            for level in ("lower", "higher")
            for value, entry in levels[level].items()
        ]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as e:
        raise ContentError(
            f"{path}: expected lower and higher, each value with a definition: {e!r}."
        ) from e
    return pd.DataFrame(rows, columns=["level", "value", "definition", "higher"])
