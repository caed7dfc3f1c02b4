"""Texts of all origins -> perceptions (M_P): the corpus, subjects, validation, preferences."""

from collections.abc import Callable

import pandas as pd

from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.perceptions import perceive
from gpla_assets.parser.protocol import PerceptionParser

CORPUS = """
select text_id as parent_id, content, null as subject_id, source, question_text, null as part
from evidence.texts order by text_id
"""
RESPONSES = """
select r.response_id as parent_id, p.content, r.subject_id, q.source, q.content as question_text,
    p.part
from evidence.responses r join evidence.questions q using (question_id),
    lateral (
        select 'answer' as part, r.answer as content where not r.refused
        union all select 'reasoning', r.reasoning
    ) as p
where p.content <> '' and r.subject_id in (select unnest(?)) and {read}
order by r.subject_id, r.question_id, r.sample, p.part
"""
READ = {"answer": "p.part = 'answer'", "reasoning": "p.part = 'reasoning'", "both": "true"}
"""What of a response is parsed, by `parser.read`; of a refusal only what was thought."""
VALIDATION = """
select text_id as parent_id, content, null as subject_id, sample as source,
    case when sample = 'conversations' then null else question_text end as question_text,
    null as part
from evidence.validation_texts order by text_id
"""
PREFERENCES = """
select response_id as parent_id, content, null as subject_id, 'preferences' as source,
    prompt as question_text, null as part
from evidence.preference_responses order by response_id
"""


@step(
    stage="2_perceptions",
    tables=("perceptions",),
    upstream=("texts",),
    agents=("parser",),
    asked_by="corpus",
    origin="corpus",
)
def perceptions(made: Making) -> None:
    """One row per perception of the corpus's texts."""
    parse(made, CORPUS)


@step(
    stage="2_perceptions",
    tables=("perceptions",),
    upstream=("responses",),
    agents=("parser",),
    partitions="subjects",
    origin="subjects",
)
def subject_perceptions(made: Making) -> None:
    """One row per perception of the subjects' responses."""
    parse(made, RESPONSES.format(read=READ[made.study.parser.read]))


@step(
    stage="10_validation",
    tables=("perceptions",),
    upstream=("validation_texts",),
    agents=("parser",),
    asked_by="validation.further_texts",
    origin="validation",
)
def validation_perceptions(made: Making) -> None:
    """One row per perception of a validation text."""
    parse(made, VALIDATION)


@step(
    stage="11_targets",
    tables=("perceptions",),
    upstream=("preferences",),
    agents=("parser",),
    asked_by="targets.source",
    origin="preferences",
)
def preference_perceptions(made: Making) -> None:
    """One row per perception of a response in the pairs; equal responses are parsed once."""
    parse(made, PREFERENCES)


def parse(made: Making, parents_sql: str) -> None:
    """Write the perceptions of the parents that a query gives, of the step's subjects if any."""
    settings = made.study.parser
    workers = made.workers(make_parser, settings)
    parents = made.spooled(parents_sql, [made.keys] if made.keys else [])
    rows, parts = made.shards("perceptions"), parents.parts(made.study.compute.shard_rows)
    with progress("texts", len(parents)) as advance:
        for found in workers.rows(parsed, parts, advance):
            rows.add(found["perceptions"])
    agent_id = made.made_by("parser", workers, settings)
    made.write_origin("perceptions", rows.assign(agent_id=agent_id))


def parsed(
    parser: PerceptionParser, parents: pd.DataFrame, advance: Callable[[int], None]
) -> dict[str, pd.DataFrame]:
    """The perceptions of some parents."""
    return {"perceptions": perceive(parents, parser, advance)}
