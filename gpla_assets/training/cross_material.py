"""What the cross-encoder is trained on: statements of all sets, and texts beside strange values.

Rows have the columns of statements (see `examples`) and `unrelated`, the share of the target that
says the text is not about the value. Values are held out by fold with all their rows; traits of
persona statements with all of their cluster.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.content import (
    STANCES,
    persona_traits,
    plain_lines,
    rival_statements,
    training_perceptions,
)
from gpla_assets.training import folds
from gpla_assets.training.examples import STATEMENT_COLUMNS, statement_examples
from gpla_assets.training.material import (
    FOLDS,
    NO_FOLD,
    cross_examples,
    known_folds,
    labelled_pairs_of,
    prose_examples,
    source_rows,
)

COLUMNS = [*STATEMENT_COLUMNS, "unrelated"]
RANDOM_VALUE = 0.95
"""Target of unrelated for a value drawn at random: one in twenty bears on the text after all."""
VIRTUE_ABSENT = 0.7
"""The same where a sentence does not show a trait: some of these show its opposite."""
ANSWER_CHARACTERS = 400
"""Of an answer so much is read: an attitude stands at its beginning, and batches stay short."""


def cross_material(seed: int = 0) -> pd.DataFrame:
    """All rows at hand; sets that need GPLA_DATA_DIR are left out without it."""
    statements = pd.concat(
        [
            cross_examples(),
            prose_examples(),
            statement_examples(rival_statements(), "rival"),
            statement_examples(plain_lines(), "plain"),
            persona_examples(),
            fulcra_examples(),
        ],
        ignore_index=True,
    ).assign(unrelated=0.0)
    parts = [
        statements,
        strangers(statements, seed),
        prose_strangers(),
        virtue_examples(),
    ]
    rows = pd.concat([part for part in parts if len(part)], ignore_index=True)
    return rows.drop_duplicates(["value", "text"], ignore_index=True)[COLUMNS]


def material_folds(rows: pd.DataFrame) -> pd.Series:
    """Each row's fold: by its value as everywhere, of persona's values by their cluster."""
    found = known_folds(rows)
    of_trait = trait_folds()
    ours = rows["source"].str.startswith("persona")
    of_value = rows["value"].str.casefold().map(lambda value: of_trait.get(value, NO_FOLD))
    return found.where(~ours, of_value)


def trait_folds() -> dict[str, int]:
    """The fold of each of persona's values by its cluster, names in lower case."""
    traits = persona_traits()
    dealt = folds.fold_of(traits["cluster"], FOLDS, 0)
    return dict(zip(traits["value"].str.casefold(), dealt, strict=True))


def persona_examples() -> pd.DataFrame:
    """Persona statements beside their traits as values; none without the data."""
    rows = source_rows("anthropic_persona")
    if rows is None:
        return pd.DataFrame(columns=STATEMENT_COLUMNS)
    return statement_examples(rows.merge(persona_traits(), on="trait"), "persona")


def fulcra_examples(seed: int = 0) -> pd.DataFrame:
    """LLMs' answers that oppose one of Schwartz's values, and as many that support one."""
    rows = source_rows("value_fulcra")
    if rows is None:
        return pd.DataFrame(columns=STATEMENT_COLUMNS)
    names = rows["value"].str.replace(r"^(?:be|have)\s+", "", regex=True).str.capitalize()
    rows = rows.assign(value=names, definition="", statement=rows["text"].str[:ANSWER_CHARACTERS])
    sides = [rows[rows["stance"] == side] for side in STANCES[:2]]
    least = min(map(len, sides))
    both = pd.concat([side.sample(least, random_state=seed) for side in sides])
    return statement_examples(both.reset_index(drop=True), "FULCRA")


def virtue_examples() -> pd.DataFrame:
    """Sentences beside traits of character that they show, or do not: which side is not known."""
    rows = source_rows("ethics_virtue")
    if rows is None:
        return pd.DataFrame(columns=COLUMNS)
    shown = rows["shown"].to_numpy() == 1
    # as many that show a trait as do not: four in five rows do not
    absent = rows[~shown].sample(int(shown.sum()), random_state=0)
    both = pd.concat([rows[shown], absent], ignore_index=True)
    return pd.DataFrame(
        {
            "text": both["text"],
            "value": both["trait"].str.capitalize(),
            "definition": "",
            **dict.fromkeys(STANCES, 0.0),
            "source": "virtue",
            "group": both["text"],
            "inventory": "",
            "unrelated": np.where(both["shown"] == 1, 0.0, VIRTUE_ABSENT),
        }
    )


def prose_strangers() -> pd.DataFrame:
    """Labelled sentences of LLMs beside values that they do not bear on."""
    pairs = labelled_pairs_of(training_perceptions().query("relation == '-'"))
    rows = pairs.assign(
        source="LLM prose, unrelated", group=pairs["text"], inventory="", unrelated=RANDOM_VALUE
    )
    return rows[COLUMNS]


def strangers(statements: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Statements beside a value drawn from their own set; of persona one of another cluster.

    One a statement; `source` says whose, ", unrelated".
    """
    rng = np.random.default_rng(seed)
    traits = persona_traits()
    cluster = dict(zip(traits["value"], traits["cluster"], strict=True))
    every = statements.assign(
        kind=np.where(statements["source"] == "persona", "persona", "statements")
    )
    found = []
    for kind, rows in every.groupby("kind", sort=True):
        values = rows.drop_duplicates("value")[["value", "definition"]].reset_index(drop=True)
        drawn = values.iloc[rng.integers(len(values), size=len(rows))].reset_index(drop=True)
        rows = rows.reset_index(drop=True)
        alike = drawn["value"].map(cluster).eq(rows["value"].map(cluster))
        same = drawn["value"].str.casefold() == rows["value"].str.casefold()
        part = rows.assign(
            value=drawn["value"],
            definition=drawn["definition"],
            source=f"{kind}, unrelated",
            unrelated=RANDOM_VALUE,
            **dict.fromkeys(STANCES, 0.0),
        )
        found.append(part[~(alike | same)])
    return pd.concat(found, ignore_index=True)[COLUMNS]
