"""What the scores of subjects and LLMs rest on: the numbers that stand beside every score."""

import pandas as pd

from gpla_assets.evaluator.estimates import estimates
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step

EXPRESSIONS = "select * from evidence.expressions where lexicon = 'lexicon' order by response_id"
SUBJECTS = "select subject_id, llm from evidence.subjects order by subject_id"


@step(
    stage="6_structure",
    tables=("value_estimates",),
    upstream=("subjects", "measurements"),
    settings=("measurement.rule",),
)
def value_estimates(made: Making) -> None:
    """Questions, standard error, interval, shrunken score and difference from the others."""
    sums = made.read(EXPRESSIONS)
    subjects = made.read(SUBJECTS).set_index("subject_id", drop=False)
    rule = made.study.measurement.rule
    levels = {"subject": subjects["subject_id"], "llm": subjects["llm"]}
    found = [estimates(sums, units, rule).assign(level=name) for name, units in levels.items()]
    made.write("value_estimates", pd.concat(found, ignore_index=True).drop(columns="direction"))
