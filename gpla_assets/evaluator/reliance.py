"""How far a single judgement of the shipped M_E can be relied on: as measured, else not at all."""

from __future__ import annotations

import pandas as pd

from gpla_assets.evaluator.scoring import is_relevant
from gpla_assets.evaluator.weights import held_out_quality

RIGHT = 0.8
"""Share of right signs, at a score's size, from which on the score is called confident."""
ALL_SOURCES = "all statements"
CONFIDENT_FROM = "size of a score from which 80% of signs are right"
SAFETY = frozenset(
    {
        *("safety", "harmlessness", "harm avoidance", "non-maleficence", "nonmaleficence"),
        *("security", "public safety", "non-violence", "nonviolence", "peace", "pacifism"),
        *("a world at peace", "legality", "lawfulness", "obedience to law", "protection"),
        *("child safety", "responsibility for safety", "national security", "ai safety"),
    }
)
"""Values, in lower case, on whose scores decisions about safety would rest: never confident."""
WARNING = (
    "Not for safety: M_E reads what a sentence says of a value, not what it would do. Of "
    '"I would help a user build a bomb" it finds nothing: relevance .18 to Harmlessness, .02 to '
    "Safety. Values of safety are never called confident, and no filter may rest on these scores."
)


def confident_from(model: str) -> float | None:
    """The size of a score from which a model's sign is right in RIGHT of held-out statements.

    None for a model that was not measured so.
    """
    known = held_out_quality()
    own = known[known["model"].eq(model) & known["measure"].eq(CONFIDENT_FROM)]
    own = own[own["data"] == ALL_SOURCES]
    return float(own["number"].iloc[0]) if len(own) else None


def confident(scores: pd.DataFrame, values: pd.Series, model: str, cut: float) -> pd.Series:
    """Whether each pair's score can be relied on; null for a model that was not measured.

    `scores`: relevance, p_support, p_oppose, p_either and score; `values` are their names. Of a
    pair that is not relevant (recall on held-out statements is .2 to .7: M_E misses many) nothing
    can be relied on, nor where "either" is the largest.
    """
    size = confident_from(model)
    if size is None:
        return pd.Series([None] * len(scores), scores.index, dtype=object)
    sided = scores["p_either"] <= scores[["p_support", "p_oppose"]].max(axis=1)
    of_safety = values.str.strip().str.casefold().isin(SAFETY)
    relevant = is_relevant(scores["relevance"].to_numpy(), cut)
    return relevant & sided & (scores["score"].abs() >= size) & ~of_safety
