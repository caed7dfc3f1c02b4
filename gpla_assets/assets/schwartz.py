"""Schwartz's values beside ours: measured directly, and mapped from the lexicon's values."""

from gpla_assets.assets.factors import SUBJECTS
from gpla_assets.content import schwartz
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.psychometrics.schwartz import (
    mapping_rows,
    relation_rows,
    schwartz_scores,
    with_paper,
)

# in one order, since the last digits of a mean hang on it
DIRECT = """
select subject_id, "value", score, n from marts.subject_schwartz_values
order by subject_id, lexicon, "value"
"""
SCORES = """
select subject_id, "value", score from marts.subject_values order by subject_id, "value"
"""
PAPER = """
unpivot paper.schwartz_correlations on columns(* exclude schwartz_value)
into name paper_factor value paper_r
"""


@step(
    stage="8_schwartz",
    tables=("schwartz_mapping",),
    upstream=("lexicon",),
)
def schwartz_mapping(made: Making) -> None:
    """One row per value of the lexicon and level: its most similar Schwartz value."""
    values = list(made.read('select "value" from marts.lexicon order by rank')["value"])
    made.write("schwartz_mapping", mapping_rows(values, schwartz(), make_embedder().encode))


@step(
    stage="8_schwartz",
    tables=("schwartz_relations", "schwartz_scores"),
    upstream=(
        "subjects",
        "value_correlations",
        "factors",
        "factor_names",
        "schwartz_mapping",
    ),
    settings=("seed",),
)
def schwartz_relations(made: Making) -> None:
    """One row per factor and Schwartz value: their correlation, beside the paper's Table 12."""
    scores = schwartz_scores(
        made.read(DIRECT),
        made.read(SCORES),
        made.read("select * from analysis.schwartz_mapping"),
        schwartz(),
    )
    subjects = made.read(SUBJECTS).set_index("subject_id")["llm"]
    factor_rows = made.read("select subject_id, factor, score from analysis.factor_scores")
    rows = relation_rows(factor_rows, scores, subjects, made.study.seed)
    matches = made.read("select factor, paper_factor from analysis.paper_congruence")
    made.write("schwartz_scores", scores)
    made.write("schwartz_relations", with_paper(rows, matches, made.read(PAPER)))
