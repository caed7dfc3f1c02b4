"""Does M_E hear which way a text leans? Texts whose side is known, beside their value.

Answers to one proposition, or statements of one trait, are not independent: intervals are over
whole propositions, traits or values.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from gpla_assets.parser.sentences import plain, sentence_spans
from gpla_assets.validation.findings import Finding, Floats, Places, auc, with_interval

DIRECTION = "direction"
TITLE = re.compile(r"^\s*title:[^\n]*\n", re.IGNORECASE)
MOST_OF_A_SIDE = 20
ALONE, ASKED = "first sentence", "first sentence after the question"


def direction_findings(
    rows: pd.DataFrame, leans: Floats, data: str, agent: str, right: str = "1"
) -> Iterator[Finding]:
    """Findings on rows (stance, unit), `stance` support or oppose, with M_E's leans (n,).

    Share right by the sign of the lean, share called support, AUC over all and mean AUC within
    units that have both sides. `right` is what the share right should be, in words.
    """
    truth, units = (rows["stance"] == "support").to_numpy(), list(rows["unit"].astype(str))
    said, share = leans > 0, f"{truth.mean():.2f}"

    def within(places: Places) -> float:
        of_unit = pd.Series(places).groupby(np.array(units, object)[places]).agg(list)
        return float(np.nanmean([auc(truth[own], leans[own]) for own in of_unit.map(np.array)]))

    measures: dict[str, tuple[Callable[[Places], float], str]] = {
        "share right": (lambda places: float((said == truth)[places].mean()), right),
        "share called support": (lambda places: float(said[places].mean()), share),
        "AUC": (lambda places: auc(truth[places], leans[places]), "1; chance .5"),
    }
    both = pd.Series(truth).groupby(np.array(units, object)).nunique()
    if (both > 1).mean() > 0.5:
        measures["mean AUC within values"] = (within, "1; chance .5")
    for measure, (statistic, known) in measures.items():
        numbers = with_interval(statistic, units)
        yield Finding(DIRECTION, data, agent, "", measure, *numbers, len(rows), known)


def proposition_rows(
    answers: pd.DataFrame, values: pd.DataFrame, definitions: dict[str, str]
) -> dict[str, pd.DataFrame]:
    """Rows (content, value, definition, stance, unit): first sentences alone, and after their
    question.

    `answers`: rows (proposition, statement, content, agrees 1 or -1); `values`: rows (proposition,
    value, stance), the side of who agrees.
    """
    rows = answers.merge(values, on="proposition")
    agrees = (rows["agrees"] > 0) == (rows["stance"] == "support")
    first = [first_sentence(text) for text in rows["content"]]
    asked = [
        f"Do you agree that {statement[:1].lower()}{statement[1:].rstrip('.')}? {said}"
        for statement, said in zip(rows["statement"], first, strict=True)
    ]
    found = pd.DataFrame(
        {
            "content": first,
            "value": rows["value"],
            "definition": [definitions.get(value, "") for value in rows["value"]],
            "stance": np.where(agrees, "support", "oppose"),
            "unit": rows["proposition"],
        }
    )
    return {ALONE: found, ASKED: found.assign(content=asked)}


def first_sentence(text: str) -> str:
    """The first sentence of an answer, but for a title.

    >>> first_sentence("Title: On Lying\\n\\nI disagree. It is never right.")
    'I disagree.'
    """
    rest = TITLE.sub("", text).strip()
    spans = sentence_spans(rest)
    return plain(rest[spans[0].start : spans[0].end]) if spans else plain(rest)


def balanced(statements: pd.DataFrame, pairs: int, seed: int = 0) -> pd.DataFrame:
    """At most `pairs` statements, as many of each side of each value, drawn at random.

    Rows (value, definition, stance, statement) -> the same with content and unit, the value. Of
    values with fewer statements of a side than are drawn there are none; with more values than
    pairs, values are drawn too.
    """
    sided = statements[statements["stance"] != "either"].sample(frac=1, random_state=seed)
    per_side = min(max(pairs // (2 * sided["value"].nunique()), 1), MOST_OF_A_SIDE)
    drawn = sided.groupby(["value", "stance"]).head(per_side)
    whole = drawn.groupby("value")["stance"].transform("size") == 2 * per_side
    values = drawn.loc[whole, "value"].unique()[: pairs // (2 * per_side)]
    rows = drawn[drawn["value"].isin(set(values))].sort_values(["value", "stance"], kind="stable")
    return rows.rename(columns={"statement": "content"}).assign(unit=rows["value"])
