"""Perceptions x lexicon -> measurements (M_E)."""

import dagster as dg
import pandas as pd

from gpla_assets.agents import make_evaluator
from gpla_assets.assets.perceptions import subject_perceptions
from gpla_assets.assets.shown import shown
from gpla_assets.assets.texts import counts_by
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.partitions import SINGLE_RUN, SUBJECTS
from gpla_assets.resources import StudyResource, making

GROUP = "stage_5_measurements"

PERCEPTIONS = """
select perception, subject, content from perceptions
where subject in (select unnest(?)) order by subject, perception
"""
LEXICON = 'select "value", definition from lexicon order by rank'


@dg.asset(group_name=GROUP, **shown("evaluator", "agent_quality"))
def evaluator(study: StudyResource) -> dg.MaterializeResult:
    """How good the shipped M_E is on values that it was not trained on."""
    with making(study, "evaluator") as made:
        rows = held_out_quality()
        made.write("agent_quality", rows, "held_out", ["values"])
        made.details = {f"{row.data}: {row.measure}": row.number for row in rows.itertuples()}
    assert made.result is not None
    return made.result


@dg.asset(
    group_name=GROUP,
    **shown("measurements"),
    partitions_def=SUBJECTS,
    backfill_policy=SINGLE_RUN,
    deps=[subject_perceptions, evaluator, dg.AssetKey("lexicon")],
)
def measurements(context: dg.AssetExecutionContext, study: StudyResource) -> dg.MaterializeResult:
    """One row per perception and value that it is relevant to: relevance, stance and score."""
    keys = list(context.partition_keys)
    with making(study, "measurements", keys) as made:
        settings = study.load()
        found = study.read(PERCEPTIONS, [keys])
        lexicon = study.read(LEXICON).head(settings.lexicon.size or 10**9)
        agent = make_evaluator(settings.evaluator, study.asking())
        before = agent.inferences
        scored = agent.evaluate(
            list(found["content"]), list(lexicon["value"]), list(lexicon["definition"])
        )
        made.inferences = agent.inferences - before
        rows = joined_measurements(found, scored)
        rows["agent"] = made.made_by("evaluator", agent, settings.evaluator)
        made.write("measurements", rows, "subject", keys)
        made.counts = counts_by(rows, "subject")
    assert made.result is not None
    return made.result


def joined_measurements(perceptions: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Scored pairs with their perceptions' keys and subjects; a NaN score becomes null."""
    at = scored["row"].to_numpy()
    rows = scored.drop(columns="row").assign(
        perception=perceptions["perception"].to_numpy()[at],
        subject=perceptions["subject"].to_numpy()[at],
    )
    return rows
