"""A lexicon of values that LLMs name when asked directly (the paper's appendix C, ValueLex)."""

from __future__ import annotations

import re

import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.common.keys import key_of
from gpla_assets.lexicon import filter_names
from gpla_assets.psychometrics.naming import Encode
from gpla_assets.studies import LexiconSettings

MOST_WORDS = 3
COLUMNS = ["llm", "profile", "prompt", "content"]
ITEM = re.compile(r"^\s*(?:[-*•–]|\(?\d{1,3}[.):])\s*(?P<item>.+)$")
BOLD = re.compile(r"\*\*([^*\n]{2,40})\*\*")
AFTER_NAME = re.compile(r"\s*(?::|\(| [-–—] ).*$")
MARKS = " \t*_\"'“”‘’`.,;:!?()[]"
NAME = re.compile(r"[^\W\d_][^\W\d_'’-]*(?:[ '’-][^\W\d_'’-]+)*")
FILLERS = frozenset(
    (
        "a",
        "an",
        "the",
        "to",
        "i",
        "we",
        "my",
        "is",
        "are",
        "be",
        "that",
        "this",
        "in",
        "but",
        "not",
        "when",
        "with",
    )
)


class DirectListError(KnownError, ValueError):
    """Lists that cannot be used; the message names what was found and what is expected."""


def terms_of(content: str) -> list[str]:
    """Values named in an answer, in order, each once, casefolded.

    Items of a numbered or bulleted list, without what explains them; else what is set in bold; else
    the parts of a line that commas divide. Names of up to three words; of a line without commas
    only a single word.

    >>> terms_of("My values: \\n1. Honesty: I never lie.\\n2. **Family ties**")
    ['honesty', 'family ties']
    >>> terms_of("Honesty, courage and love")
    ['honesty', 'courage', 'love']
    >>> terms_of("I am a large language model.")
    []
    """
    lines = [line for line in content.splitlines() if line.strip()]
    items = [found["item"] for found in map(ITEM.match, lines) if found]
    if not items:
        items = BOLD.findall(content)
    if not items:
        items = [part for line in lines for part in _divided(line)]
    found = (_name(item) for item in items)
    return list(dict.fromkeys(name for name in found if name))


def _divided(line: str) -> list[str]:
    """The parts of a line that commas divide; none where one of them is longer than a name."""
    parts = re.split(r",|;|\band\b", line.rsplit(":", 1)[-1])
    parts = [part for part in parts if part.strip(MARKS)]
    short = all(len(part.split()) <= MOST_WORDS for part in parts)
    return parts if short and (len(parts) > 1 or len(line.split()) == 1) else []


def _name(item: str) -> str:
    """The value that an item names; '' where it is a sentence or no word."""
    bold = BOLD.match(item.strip())
    name = (bold[1] if bold else AFTER_NAME.sub("", item.strip("* "))).strip(MARKS).casefold()
    words = name.split()
    if not words or len(words) > MOST_WORDS or not NAME.fullmatch(name) or len(name) < 3:
        return ""
    return "" if FILLERS & set(words) else name


def direct_terms(lists: pd.DataFrame) -> pd.DataFrame:
    """Answers (llm, profile, prompt, content) -> one row (list_id, llm, profile, term) a value.

    Raises DirectListError for a missing column, or where no answer names any value.
    """
    missing = [name for name in COLUMNS if name not in lists]
    if missing:
        raise DirectListError(
            f"Direct lists have columns {', '.join(map(str, lists.columns))}, expected "
            f"{', '.join(COLUMNS)}."
        )
    rows = [
        (key_of(row.llm, row.profile, row.prompt, row.content), row.llm, row.profile, term)
        for row in lists.drop_duplicates(COLUMNS).itertuples()
        for term in terms_of(str(row.content))
    ]
    if not rows:
        raise DirectListError(
            f"None of {len(lists)} direct lists names a value, expected lists such as "
            "'1. Honesty'; was the LLM asked with `gpla ask-directly`?"
        )
    return pd.DataFrame(rows, columns=["list_id", "llm", "profile", "term"])


def filtered_terms(terms: pd.DataFrame, encode: Encode, settings: LexiconSettings) -> list[str]:
    """The direct lexicon: terms by the lists that name them, near-duplicates dropped as in ours."""
    counts = terms["term"].value_counts()
    names = sorted(counts.index)
    frequencies = pd.DataFrame({"value": names, "frequency": counts[names].to_numpy()})
    ledger = filter_names(frequencies, encode(names), settings)
    return list(ledger.loc[ledger["kept"], "value"])


def schwartz_coverage(
    values: list[str], schwartz: list[str], encode: Encode, floor: float
) -> pd.DataFrame:
    """Rows (schwartz, nearest, cosine, missing): which Schwartz values no value comes near.

    `floor`: the cosine below which two names are not one value (C.1). Raises ValueError without any
    value.
    """
    if not values:
        raise ValueError("A lexicon without values, expected one or more to compare.")
    cosines = encode(schwartz) @ encode(values).T
    best = cosines.argmax(1)
    found = cosines.max(1).astype(float)
    return pd.DataFrame(
        {
            "schwartz": schwartz,
            "nearest": [values[place] for place in best],
            "cosine": found,
            "missing": found < floor,
        }
    )


def lists_as_schwartz(terms: pd.DataFrame, schwartz: list[str], encode: Encode) -> pd.DataFrame:
    """Rows (list_id, schwartz): each term as the Schwartz value most like it, as in C.2.

    No floor: the paper pairs every value. A list counts a Schwartz value once.
    """
    names = sorted(set(terms["term"]))
    best = (encode(names) @ encode(schwartz).T).argmax(1)
    nearest = dict(zip(names, (schwartz[place] for place in best), strict=True))
    rows = terms[["list_id"]].assign(schwartz=terms["term"].map(nearest))
    return rows.drop_duplicates(ignore_index=True)
