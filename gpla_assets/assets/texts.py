"""Texts of the corpus, and who is asked what: LLMs, profiles, subjects, questions, responses."""

import dagster as dg
import pandas as pd

from gpla_assets.administration import (
    answered,
    choose_questions,
    corpus_texts,
    study_subjects,
)
from gpla_assets.assets.shown import shown
from gpla_assets.partitions import SINGLE_RUN, SUBJECTS
from gpla_assets.progress import progress
from gpla_assets.resources import StudyResource, making

GROUP = "stage_1_texts"


@dg.asset(group_name=GROUP, **shown("texts"))
def texts(study: StudyResource) -> dg.MaterializeResult:
    """One row per corpus text, from which the lexicon is drawn."""
    with making(study, "texts") as made:
        rows, skipped = corpus_texts(study.load())
        made.write("texts", rows)
        made.details = {"skipped": skipped}
    assert made.result is not None
    return made.result


@dg.asset(group_name=GROUP, **shown("questions"))
def questions(study: StudyResource) -> dg.MaterializeResult:
    """One row per question that subjects answer; prompts of a source are chosen by M_P."""
    with making(study, "questions") as made:
        rows, made.inferences = choose_questions(study.load(), study.asking())
        made.write("questions", rows)
    assert made.result is not None
    return made.result


@dg.asset(group_name=GROUP, **shown("subjects"))
def subjects(context: dg.AssetExecutionContext, study: StudyResource) -> dg.MaterializeResult:
    """One row per subject, an LLM under a profile; registers the partitions."""
    with making(study, "subjects") as made:
        llms, profiles, rows = study_subjects(study.load())
        gone = sorted(set(study.read("from subjects")["subject"]) - set(rows["subject"]))
        for table in ("responses", "perceptions", "measurements") if gone else ():
            made.write(table, study.read(f"from {table} limit 0"), "subject", gone)
        made.write("llms", llms)
        made.write("profiles", profiles)
        made.write("subjects", rows)
        context.instance.add_dynamic_partitions(str(SUBJECTS.name), list(rows["subject"]))
    assert made.result is not None
    return made.result


@dg.asset(
    group_name=GROUP,
    **shown("responses"),
    partitions_def=SUBJECTS,
    backfill_policy=SINGLE_RUN,
    deps=[questions, subjects],
)
def responses(context: dg.AssetExecutionContext, study: StudyResource) -> dg.MaterializeResult:
    """One row per subject and question: the subject's answer."""
    keys = list(context.partition_keys)
    with making(study, "responses", keys) as made:
        asked = study.read("select * from questions")
        with progress("answers", len(keys) * len(asked)) as advance:
            given = answered(study.load(), keys, asked, study.asking(), advance)
        made.inferences = given.inferences
        made.write("responses", given.rows, "subject", keys)
        agents = pd.DataFrame(given.agents)
        if len(agents):
            made.write("agents", agents, "agent", list(agents["agent"]))
        made.counts = counts_by(given.rows, "subject")
        made.details = {"skipped": given.skipped}
    assert made.result is not None
    return made.result


def counts_by(rows: pd.DataFrame, column: str) -> dict[str, int]:
    """Rows per partition."""
    return {str(key): int(count) for key, count in rows[column].value_counts().items()}
