"""What is known of a study's validity by known groups, halves of its questions, and samples."""

import pandas as pd

from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.validation.by_question import response_cells
from gpla_assets.validation.generalizability import DESIGN
from gpla_assets.validation.generalizability import generalizability as generalized
from gpla_assets.validation.study_validity import SHARE, STEERING, study_validity

EXPRESSIONS = """
select e.* exclude (agent_id), a.model as agent from evidence.expressions e
left join internal.agents a using (agent_id) order by e.lexicon, e.response_id, e."value"
"""
RESPONSES = """
select subject_id, question_id, answer as content from evidence.responses
where answer <> '' order by subject_id, question_id, sample
"""
SUBJECTS = """
select s.subject_id, s.llm, s.profile, p.asks
from evidence.subjects s left join evidence.profiles p using (profile) order by s.subject_id
"""

NAMED = {"units": "subjects", "between_units": "between_subjects", "within": "between_samples"}
GENERALIZABILITY = ["lexicon", "rule", *DESIGN]


@step(
    stage="10_validation",
    tables=("validity",),
    upstream=("subjects", "responses", "measurements"),
    settings=("seed",),
)
def validity(made: Making) -> None:
    """Steering by profiles and reliability across LLMs, by every measurement rule."""
    expressions = made.read(EXPRESSIONS)
    agents = sorted(set(expressions["agent"].dropna()))
    rows = study_validity(
        *(expressions.drop(columns="agent"), made.read(RESPONSES), made.read(SUBJECTS)),
        agent=", ".join(agents),
        seed=made.study.seed,
    )
    made.write("validity", rows)
    steered = rows[(rows["check"] == STEERING) & (rows["measure"] == SHARE)]
    made.details = {
        f"{row.measure}, {row.data}, {row.rule or row.agent}": float(row.number)
        for row in steered.itertuples()
    }


@step(
    stage="10_validation",
    tables=("generalizability",),
    upstream=("measurements",),
    settings=("measurement.rule",),
)
def generalizability(made: Making) -> None:
    """Variance of scores between subjects, questions and samples, and what more of them bring."""
    every, rule = made.read(EXPRESSIONS), made.study.measurement.rule
    parts = [
        generalized(response_cells(own, "subject_id", rule)).assign(lexicon=name, rule=rule)
        for name, own in every.groupby("lexicon", sort=True)
    ]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
    made.write("generalizability", rows.reindex(columns=GENERALIZABILITY).rename(columns=NAMED))
