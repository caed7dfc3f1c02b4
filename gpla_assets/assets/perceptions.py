"""Texts and responses -> perceptions (M_P)."""

from gpla_assets.agents import make_parser
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.perceiving import perceive

RESPONSES = """
select r.response as parent, r.content, r.subject, q.source, q.text as question_text
from responses r join questions q using (question)
where r.subject in (select unnest(?)) order by r.subject, r.question
"""
TEXTS = """
select "text" as parent, content, null as subject, source, question_text from texts order by "text"
"""


@step(
    stage="2_perceptions",
    tables=("perceptions",),
    upstream=("texts",),
    agents=("parser",),
)
def perceptions(made: Making) -> None:
    """One row per perception of the corpus's texts."""
    settings = made.study.parser
    parser = make_parser(settings, made.asking())
    before = parser.inferences
    parents = made.read(TEXTS)
    with progress("texts", len(parents)) as advance:
        rows = perceive(parents, parser, "text", advance)
    made.inferences = parser.inferences - before
    rows["agent"] = made.made_by("parser", parser, settings)
    made.write("perceptions", rows, "origin", ["text"])


@step(
    stage="2_perceptions",
    tables=("perceptions",),
    upstream=("responses",),
    agents=("parser",),
    partitions="subjects",
)
def subject_perceptions(made: Making) -> None:
    """One row per perception of the subjects' responses."""
    settings = made.study.parser
    parser = make_parser(settings, made.asking())
    before = parser.inferences
    parents = made.read(RESPONSES, [made.keys])
    with progress("responses", len(parents)) as advance:
        rows = perceive(parents, parser, "response", advance)
    made.inferences = parser.inferences - before
    rows["agent"] = made.made_by("parser", parser, settings)
    made.write("perceptions", rows, "subject", made.keys)
