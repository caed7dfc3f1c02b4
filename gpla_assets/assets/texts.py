"""Texts of the corpus, and who is asked what: LLMs, profiles, subjects, questions, responses."""

import pandas as pd

from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.subjects import (
    answered,
    answers_asked,
    choose_questions,
    corpus_texts,
    study_subjects,
)


@step(
    stage="1_texts",
    tables=("texts",),
    settings=("corpus", "seed"),
    inputs=("corpus",),
)
def texts(made: Making) -> None:
    """One row per corpus text, from which the lexicon is drawn."""
    rows, skipped = corpus_texts(made.study)
    made.write("texts", rows)
    made.details = {"skipped": skipped}


@step(
    stage="1_texts",
    tables=("questions",),
    settings=("questions",),
    agents=("parser if questions.pilot_llms",),
    inputs=("questions",),
)
def questions(made: Making) -> None:
    """One row per question that subjects answer; prompts of a source are chosen by M_P."""
    rows, made.inferences = choose_questions(made.study, made.asking())
    made.write("questions", rows)


@step(
    stage="1_texts",
    tables=("subjects", "llms", "profiles"),
    inputs=("subjects", "profiles"),
)
def subjects(made: Making) -> None:
    """One row per subject, an LLM under a profile; those that left leave every table."""
    llms, profiles, rows = study_subjects(made.study)
    made.write("llms", llms)
    made.write("profiles", profiles)
    made.write("subjects", rows)
    made.keep_only(rows["subject_id"])


@step(
    stage="1_texts",
    tables=("responses",),
    upstream=("questions",),
    inputs=("answers",),
    partitions="subjects",
)
def responses(made: Making) -> None:
    """One row per subject, question and sample: the subject's answer."""
    asked = made.read("select * from evidence.questions")
    with progress("answers", len(asked) * answers_asked(made.study, made.keys)) as advance:
        given = answered(made.study, made.keys, asked, made.asking(), advance, made.subject_version)
    made.inferences = given.inferences
    made.write("responses", given.rows, "subject_id", made.keys)
    agents = pd.DataFrame(given.agents)
    if len(agents):
        made.write("agents", agents, "agent_id", list(agents["agent_id"]))
    made.details = {"skipped": given.skipped, "without attitudes": given.noted}
