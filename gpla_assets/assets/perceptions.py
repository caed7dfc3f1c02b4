"""Texts and responses -> perceptions (M_P)."""

import dagster as dg

from gpla_assets.agents import make_parser
from gpla_assets.assets.shown import shown
from gpla_assets.assets.texts import counts_by, responses, texts
from gpla_assets.partitions import SINGLE_RUN, SUBJECTS
from gpla_assets.perceiving import perceive
from gpla_assets.progress import progress
from gpla_assets.resources import StudyResource, making

GROUP = "stage_2_perceptions"

RESPONSES = """
select r.response as parent, r.content, r.subject, q.source, q.text as question_text
from responses r join questions q using (question)
where r.subject in (select unnest(?)) order by r.subject, r.question
"""
TEXTS = """
select "text" as parent, content, null as subject, source, question_text from texts order by "text"
"""


@dg.asset(group_name=GROUP, **shown("perceptions"), deps=[texts])
def perceptions(study: StudyResource) -> dg.MaterializeResult:
    """One row per perception of the corpus's texts."""
    with making(study, "perceptions") as made:
        settings = study.load().parser
        parser = make_parser(settings, study.asking())
        before = parser.inferences
        parents = study.read(TEXTS)
        with progress("texts", len(parents)) as advance:
            rows = perceive(parents, parser, "text", advance)
        made.inferences = parser.inferences - before
        rows["agent"] = made.made_by("parser", parser, settings)
        made.write("perceptions", rows, "origin", ["text"])
    assert made.result is not None
    return made.result


@dg.asset(
    group_name=GROUP,
    **shown("subject_perceptions", "perceptions"),
    partitions_def=SUBJECTS,
    backfill_policy=SINGLE_RUN,
    deps=[responses],
)
def subject_perceptions(
    context: dg.AssetExecutionContext, study: StudyResource
) -> dg.MaterializeResult:
    """One row per perception of the subjects' responses."""
    keys = list(context.partition_keys)
    with making(study, "subject_perceptions", keys) as made:
        settings = study.load().parser
        parser = make_parser(settings, study.asking())
        before = parser.inferences
        parents = study.read(RESPONSES, [keys])
        with progress("responses", len(parents)) as advance:
            rows = perceive(parents, parser, "response", advance)
        made.inferences = parser.inferences - before
        rows["agent"] = made.made_by("parser", parser, settings)
        made.write("perceptions", rows, "subject", keys)
        made.counts = counts_by(rows, "subject")
    assert made.result is not None
    return made.result
