"""What the evaluator learns from, as rows of one shape.

Statements: (text, value, definition, support, oppose, either, source, group, inventory); the three
are target probabilities, `inventory` is '' where a statement is of none. Answers: (text, value,
definition, asserts, denies, open, stance, llm, group); `text` is the question and the answer to it,
the three tell what the answer makes of what is asked, and `stance` is 1 or -1 where asserting it
supports or opposes the value. `group` names what must not be on both sides of a split besides the
value: an item that stands under several values. Taught: (text, value, definition, related, support,
oppose, either), the last four a cross-encoder's probabilities. Pairs: sentences of LLMs with the
labels (text, value, definition, related, support, oppose, either); `related` is 0 or 1, and the
last three are 0 where it is 0.
"""

from __future__ import annotations

import pandas as pd

from gpla_assets.content import STANCES

CLASSES = (*STANCES, "unrelated")
"""What the cross-encoder tells apart."""
STATEMENT_COLUMNS = ["text", "value", "definition", *STANCES, "source", "group", "inventory"]
ATTITUDES = ("asserts", "denies", "open")
ANSWER_COLUMNS = [
    "text",
    "question",
    "value",
    "definition",
    *ATTITUDES,
    "stance",
    "rating",
    "llm",
    "group",
]
TAUGHT_COLUMNS = ["text", "value", "definition", "related", *STANCES]
PAIR_COLUMNS = ["text", "value", "definition", "related", *STANCES]
NEUTRAL_RATING = 5
"""Of 0 to 10: the answer neither agrees nor disagrees with the item."""


def statement_examples(items: pd.DataFrame, source: str) -> pd.DataFrame:
    """Items (value, definition, stance, statement) -> statements with certain targets."""
    targets = {name: (items["stance"] == name).astype(float) for name in STANCES}
    return pd.DataFrame(
        {
            "text": items["statement"].to_numpy(),
            "value": items["value"].to_numpy(),
            "definition": items["definition"].to_numpy(),
            **{name: target.to_numpy() for name, target in targets.items()},
            "source": source,
            "group": items["statement"].to_numpy(),
            "inventory": items["inventory"].to_numpy() if "inventory" in items else "",
        },
        columns=STATEMENT_COLUMNS,
    )


def question_examples(ratings: pd.DataFrame) -> pd.DataFrame:
    """The questions of rated answers as statements: what they ask has the item's stance."""
    asked = ratings.drop_duplicates(["value", "statement"])
    rows = statement_examples(asked, "ValueBench questions")
    return rows.assign(text=asked["question"].to_numpy())


def answer_examples(ratings: pd.DataFrame) -> pd.DataFrame:
    """Rated answers (question, answer, rating 0-10, value, stance, statement, llm) -> answers.

    A rating of 10 asserts what is asked, 0 denies it, 5 leaves it open; between them linearly.
    """
    lean = (ratings["rating"] - NEUTRAL_RATING) / NEUTRAL_RATING
    return pd.DataFrame(
        {
            "text": (ratings["question"] + " " + ratings["answer"]).to_numpy(),
            "question": ratings["question"].to_numpy(),
            "value": ratings["value"].to_numpy(),
            "definition": ratings["definition"].to_numpy(),
            "asserts": lean.clip(lower=0).to_numpy(),
            "denies": (-lean).clip(lower=0).to_numpy(),
            "open": (1 - lean.abs()).to_numpy(),
            "stance": ratings["stance"].map({"support": 1, "oppose": -1}).to_numpy(),
            "rating": ratings["rating"].to_numpy(),
            "llm": ratings["llm"].to_numpy(),
            "group": ratings["statement"].to_numpy(),
        },
        columns=ANSWER_COLUMNS,
    )


CODES = dict(zip(STANCES, "soe", strict=True))
"""Codes of the labels; - is irrelevant."""


def relations(pairs: pd.DataFrame) -> list[str]:
    """The codes of pairs."""
    stances = pairs[list(CODES)].astype(float).idxmax(axis=1).map(CODES)
    return list(stances.where(pairs["related"] > 0, "-"))


def pair_examples(labels: pd.DataFrame) -> pd.DataFrame:
    """Labelled pairs (content, value, definition, relation: s, o, e or -) -> pairs."""
    return pd.DataFrame(
        {
            "text": labels["content"].to_numpy(),
            "value": labels["value"].to_numpy(),
            "definition": labels["definition"].to_numpy(),
            "related": (labels["relation"] != "-").to_numpy(float),
            **{n: (labels["relation"] == code).to_numpy(float) for n, code in CODES.items()},
        },
        columns=PAIR_COLUMNS,
    )
