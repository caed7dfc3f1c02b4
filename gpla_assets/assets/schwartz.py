"""Schwartz's values beside ours: measured directly, and mapped from the lexicon's values."""

from gpla_assets.agents import make_embedder, make_evaluator
from gpla_assets.assets.factors import SUBJECTS as SUBJECT_ROWS
from gpla_assets.assets.measurements import PERCEPTIONS, joined_measurements
from gpla_assets.content import schwartz
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.psychometrics.schwartz import (
    mapping_rows,
    relation_rows,
    schwartz_scores,
    with_paper,
)

DIRECT = """
select subject, "value", avg(score) as score, count(score) as n
from reference_measurements group by subject, "value"
"""
PAPER = """
unpivot paper_table12 on columns(* exclude schwartz_value)
into name paper_factor value paper_r
"""


@step(
    stage="8_schwartz",
    tables=("reference_measurements",),
    upstream=("subject_perceptions",),
    agents=("evaluator",),
    partitions="subjects",
)
def reference_measurements(made: Making) -> None:
    """One row per perception and Schwartz value that it is relevant to, as in measurements."""
    settings = made.study
    found, values = made.read(PERCEPTIONS, [made.keys]), schwartz()
    agent = make_evaluator(settings.evaluator, made.asking())
    before = agent.inferences
    scored = agent.evaluate(
        list(found["content"]), list(values["value"]), list(values["definition"])
    )
    made.inferences = agent.inferences - before
    rows = joined_measurements(found, scored)
    rows["agent"] = made.made_by("evaluator", agent, settings.evaluator)
    made.write("reference_measurements", rows, "subject", made.keys)


@step(
    stage="8_schwartz",
    tables=("schwartz_mapping",),
    upstream=("lexicon",),
)
def schwartz_mapping(made: Making) -> None:
    """One row per value of the lexicon and level: its most similar Schwartz value."""
    values = list(made.read('select "value" from lexicon order by rank')["value"])
    made.write("schwartz_mapping", mapping_rows(values, schwartz(), make_embedder().encode))


@step(
    stage="8_schwartz",
    tables=("schwartz_relations", "schwartz_scores"),
    upstream=(
        "subjects",
        "value_correlations",
        "factors",
        "factor_names",
        "reference_measurements",
        "schwartz_mapping",
    ),
    settings=("seed",),
)
def schwartz_relations(made: Making) -> None:
    """One row per factor and Schwartz value: their correlation, beside the paper's Table 12."""
    scores = schwartz_scores(
        made.read(DIRECT),
        made.read('select subject, "value", score from subject_values'),
        made.read("select * from schwartz_mapping"),
        schwartz(),
    )
    subjects = made.read(SUBJECT_ROWS).set_index("subject")["llm"]
    factor_rows = made.read("select subject, factor, score from factor_scores")
    rows = relation_rows(factor_rows, scores, subjects, made.study.seed)
    matches = made.read("select factor, paper_factor from paper_congruence")
    made.write("schwartz_scores", scores)
    made.write("schwartz_relations", with_paper(rows, matches, made.read(PAPER)))
