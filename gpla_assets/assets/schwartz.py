"""Schwartz's values beside ours: measured directly, and mapped from the lexicon's values."""

import dagster as dg

from gpla_assets.agents import make_embedder, make_evaluator
from gpla_assets.assets.factors import SUBJECTS as SUBJECT_ROWS
from gpla_assets.assets.factors import factor_names, factors
from gpla_assets.assets.measurements import PERCEPTIONS, evaluator, joined_measurements
from gpla_assets.assets.perceptions import subject_perceptions
from gpla_assets.assets.shown import shown
from gpla_assets.assets.texts import counts_by
from gpla_assets.content import schwartz
from gpla_assets.partitions import SINGLE_RUN, SUBJECTS
from gpla_assets.psychometrics.schwartz import (
    mapping_rows,
    relation_rows,
    schwartz_scores,
    with_paper,
)
from gpla_assets.resources import StudyResource, making

GROUP = "stage_8_schwartz"

DIRECT = """
select subject, "value", avg(score) as score, count(score) as n
from reference_measurements group by subject, "value"
"""
PAPER = """
unpivot paper_table12 on columns(* exclude schwartz_value)
into name paper_factor value paper_r
"""


@dg.asset(
    group_name=GROUP,
    **shown("reference_measurements"),
    partitions_def=SUBJECTS,
    backfill_policy=SINGLE_RUN,
    deps=[subject_perceptions, evaluator],
)
def reference_measurements(
    context: dg.AssetExecutionContext, study: StudyResource
) -> dg.MaterializeResult:
    """One row per perception and Schwartz value that it is relevant to, as in measurements."""
    keys = list(context.partition_keys)
    with making(study, "reference_measurements", keys) as made:
        settings = study.load()
        found, values = study.read(PERCEPTIONS, [keys]), schwartz()
        agent = make_evaluator(settings.evaluator, study.asking())
        before = agent.inferences
        scored = agent.evaluate(
            list(found["content"]), list(values["value"]), list(values["definition"])
        )
        made.inferences = agent.inferences - before
        rows = joined_measurements(found, scored)
        rows["agent"] = made.made_by("evaluator", agent, settings.evaluator)
        made.write("reference_measurements", rows, "subject", keys)
        made.counts = counts_by(rows, "subject")
    assert made.result is not None
    return made.result


@dg.asset(group_name=GROUP, **shown("schwartz_mapping"), deps=[dg.AssetKey("lexicon")])
def schwartz_mapping(study: StudyResource) -> dg.MaterializeResult:
    """One row per value of the lexicon and level: its most similar Schwartz value."""
    with making(study, "schwartz_mapping") as made:
        values = list(study.read('select "value" from lexicon order by rank')["value"])
        made.write("schwartz_mapping", mapping_rows(values, schwartz(), make_embedder().encode))
    assert made.result is not None
    return made.result


@dg.asset(
    group_name=GROUP,
    **shown("schwartz_relations"),
    deps=[factors, factor_names, reference_measurements, schwartz_mapping],
)
def schwartz_relations(study: StudyResource) -> dg.MaterializeResult:
    """One row per factor and Schwartz value: their correlation, beside the paper's Table 12."""
    with making(study, "schwartz_relations") as made:
        scores = schwartz_scores(
            study.read(DIRECT),
            study.read('select subject, "value", score from subject_values'),
            study.read("select * from schwartz_mapping"),
            schwartz(),
        )
        subjects = study.read(SUBJECT_ROWS).set_index("subject")["llm"]
        factor_rows = study.read("select subject, factor, score from factor_scores")
        rows = relation_rows(factor_rows, scores, subjects, study.load().seed)
        matches = study.read("select factor, paper_factor from paper_congruence")
        made.write("schwartz_scores", scores)
        made.write("schwartz_relations", with_paper(rows, matches, study.read(PAPER)))
    assert made.result is not None
    return made.result
