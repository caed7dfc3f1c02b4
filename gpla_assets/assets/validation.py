"""Texts, perceptions and measurements of the validation studies (appendices B and C)."""

import pandas as pd

from gpla_assets.administration.validation import (
    COLUMNS,
    CONVERSATIONS,
    SETS,
    conversations,
    drawn_conversations,
    prompt_set_texts,
)
from gpla_assets.agents import make_embedder, make_evaluator, make_parser
from gpla_assets.assets.measurements import LEXICON
from gpla_assets.benchmarks.coverage import labelled
from gpla_assets.content import llm_aliases, schwartz, topics
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.perceiving import perceive
from gpla_assets.sources.criteria import criterion_path, read_paper_table11
from gpla_assets.studies import data_dir

SCHWARTZ = "Schwartz-10"
TOPIC_COLUMNS = ["topic", "topic_cosine", "value_laden"]

PARENTS = """
select "text" as parent, content, null as subject, sample as source,
    case when sample = 'conversations' then null else question_text end as question_text
from validation_texts order by "text"
"""
FOUND = """
select p.perception, p.content, t.sample from validation_perceptions p
join validation_texts t using ("text") order by p.perception
"""


@step(
    stage="10_validation",
    tables=("validation_texts",),
    settings=("validation", "questions.pilot_llms", "subjects", "seed"),
    agents=("parser",),
    inputs=("validation",),
    asked_by="validation.further_texts",
)
def validation_texts(made: Making) -> None:
    """Texts beyond the subjects' responses: conversations, and answers to further prompts."""
    settings = made.study
    own, frames = settings.validation, [pd.DataFrame(columns=COLUMNS)]
    if own.conversations != "responses":
        candidates = conversations(own, settings.seed)
        asked = sorted(set(candidates["question_text"]))
        found = labelled(asked, topics(), make_embedder().encode).set_axis(asked)
        made.details = {"topics": found["topic"].value_counts().to_dict()}
        frames.append(drawn_conversations(candidates, found, own.n_conversations, settings.seed))
    if own.prompt_sets:
        aliases = llm_aliases()
        parser = make_parser(settings.parser, made.asking())
        scored = criterion_path("paper_table11", data_dir())
        needed = sorted({*aliases["llm"], *read_paper_table11(scored)["name"]})
        llms = [llm for one in settings.subjects for llm in one.llms or []]
        frames.append(
            prompt_set_texts(
                *(own, aliases, llms, needed, settings.questions.pilot_llms, parser),
                settings.seed,
            )
        )
        made.inferences = parser.inferences
    rows = pd.concat(frames, ignore_index=True)
    made.write("validation_texts", rows.reindex(columns=[*COLUMNS, *TOPIC_COLUMNS]))


@step(
    stage="10_validation",
    tables=("validation_perceptions",),
    upstream=("validation_texts",),
    agents=("parser",),
    asked_by="validation.further_texts",
)
def validation_perceptions(made: Making) -> None:
    """One row per perception of a validation text."""
    settings = made.study.parser
    parser = make_parser(settings, made.asking())
    before = parser.inferences
    parents = made.read(PARENTS)
    with progress("texts", len(parents)) as advance:
        rows = perceive(parents, parser, "text", advance)
    made.inferences = parser.inferences - before
    rows["agent"] = made.made_by("parser", parser, settings)
    columns = ["perception", "text", "sentence", "content", "attitude", "agent"]
    made.write("validation_perceptions", rows.rename(columns={"parent": "text"})[columns])


@step(
    stage="10_validation",
    tables=("validation_measurements",),
    upstream=("validation_perceptions", "lexicon"),
    settings=("lexicon.size",),
    agents=("evaluator",),
    asked_by="validation.further_texts",
)
def validation_measurements(made: Making) -> None:
    """Perceptions by values: conversations by all of the lexicon, answers by what is measured."""
    settings = made.study
    found, lexicon = made.read(FOUND), made.read(LEXICON)
    ten = schwartz().query("level == 'lower'")
    few = lexicon.head(settings.lexicon.size or len(lexicon))
    agent = make_evaluator(settings.evaluator, made.asking())
    before, frames = agent.inferences, []
    for sample, values, name in (
        (CONVERSATIONS, lexicon, "lexicon"),
        (CONVERSATIONS, ten, SCHWARTZ),
        (SETS, few, "lexicon"),
    ):
        rows = found[found["sample"] == sample]
        if rows.empty:
            continue
        scored = agent.evaluate(
            list(rows["content"]), list(values["value"]), list(values["definition"])
        )
        keys = rows["perception"].to_numpy()[scored["row"].to_numpy()]
        frames.append(scored.assign(perception=keys, lexicon=name))
    made.inferences = agent.inferences - before
    maker = made.made_by("evaluator", agent, settings.evaluator)
    columns = ["perception", "value", "lexicon", "relevance", "score"]
    rows = pd.concat(frames) if frames else pd.DataFrame(columns=columns)
    made.write("validation_measurements", rows[columns].assign(agent=maker))
