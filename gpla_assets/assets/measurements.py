"""Perceptions x lexicon -> measurements (M_E)."""

import pandas as pd

from gpla_assets.agents import make_evaluator
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step

PERCEPTIONS = """
select perception, subject, content from perceptions
where subject in (select unnest(?)) order by subject, perception
"""
LEXICON = 'select "value", definition from lexicon order by rank'


@step(
    stage="5_measurements",
    tables=("agent_quality",),
)
def evaluator(made: Making) -> None:
    """How good the shipped M_E is on values that it was not trained on."""
    rows = held_out_quality()
    made.write("agent_quality", rows, "held_out", ["values"])
    made.details = {f"{row.data}: {row.measure}": row.number for row in rows.itertuples()}


@step(
    stage="5_measurements",
    tables=("measurements",),
    upstream=("subject_perceptions", "lexicon"),
    settings=("lexicon.size",),
    agents=("evaluator",),
    partitions="subjects",
)
def measurements(made: Making) -> None:
    """One row per perception and value that it is relevant to: relevance, stance and score."""
    settings = made.study
    found = made.read(PERCEPTIONS, [made.keys])
    lexicon = made.read(LEXICON).head(settings.lexicon.size or 10**9)
    agent = make_evaluator(settings.evaluator, made.asking())
    before = agent.inferences
    scored = agent.evaluate(
        list(found["content"]), list(lexicon["value"]), list(lexicon["definition"])
    )
    made.inferences = agent.inferences - before
    rows = joined_measurements(found, scored)
    rows["agent"] = made.made_by("evaluator", agent, settings.evaluator)
    made.write("measurements", rows, "subject", made.keys)


def joined_measurements(perceptions: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Scored pairs with their perceptions' keys and subjects; a NaN score becomes null."""
    at = scored["row"].to_numpy()
    rows = scored.drop(columns="row").assign(
        perception=perceptions["perception"].to_numpy()[at],
        subject=perceptions["subject"].to_numpy()[at],
    )
    return rows
