"""Preferences between responses, and what both sides of each say of values."""

import pandas as pd

from gpla_assets.administration.preferences import of_laden_prompts, paired_responses
from gpla_assets.agents import make_evaluator, make_parser
from gpla_assets.alignment.spaces import space
from gpla_assets.assets.measurements import LEXICON
from gpla_assets.content import definitions_of, published_factors, schwartz, vocabulary
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.perceiving import perceive
from gpla_assets.sources import SOURCES, locate, read
from gpla_assets.sources.preferences import COLUMNS, drawn_pairs
from gpla_assets.studies import data_dir

LEVELS = {"lower": "Schwartz-10", "higher": "Schwartz-4"}
NO_PAIRS = "The study names no source of preferences (targets.source): no target is distilled."

PARENTS = """
select response as parent, content, null as subject, 'preferences' as source,
    prompt as question_text
from preference_responses order by response
"""
FOUND = "select perception, content from preference_perceptions order by perception"


@step(
    stage="11_targets",
    tables=("preferences", "preference_responses"),
    settings=("targets.source", "targets.columns", "targets.prompts", "targets.count", "seed"),
    agents=("parser if targets.prompts",),
    inputs=("preferences",),
    asked_by="targets.source",
)
def preferences(made: Making) -> None:
    """One row per pair of responses to a prompt of which one was preferred."""
    settings = made.study
    own, pairs = settings.targets, pd.DataFrame(columns=COLUMNS)
    if own.source is None:
        made.details = {"why none": NO_PAIRS}
    else:
        source = SOURCES[own.source]
        found = read(own.source, locate(source, data_dir(), own.file), own.columns)
        pairs = found.rows
        made.details = {"pairs of the source": len(pairs), "left out": found.skipped}
        if own.prompts is not None:
            parser = make_parser(settings.parser, made.asking())
            before = parser.inferences
            pairs = of_laden_prompts(pairs, own.prompts, parser, settings.seed)
            made.inferences = parser.inferences - before
    rows, responses = paired_responses(drawn_pairs(pairs, own.count, settings.seed))
    made.write("preferences", rows)
    made.write("preference_responses", responses)


@step(
    stage="11_targets",
    tables=("preference_perceptions",),
    upstream=("preferences",),
    agents=("parser",),
    asked_by="targets.source",
)
def preference_perceptions(made: Making) -> None:
    """One row per perception of a response in the pairs; equal responses are parsed once."""
    settings = made.study.parser
    parents = made.read(PARENTS)
    parser = make_parser(settings, made.asking())
    before = parser.inferences
    with progress("responses", len(parents)) as advance:
        rows = perceive(parents, parser, "preference", advance)
    made.inferences = parser.inferences - before
    rows["agent"] = made.made_by("parser", parser, settings)
    columns = ["perception", "response", "sentence", "content", "attitude", "agent"]
    made.write("preference_perceptions", rows.rename(columns={"parent": "response"})[columns])


@step(
    stage="11_targets",
    tables=("preference_measurements",),
    upstream=("preference_perceptions", "lexicon", "factor_names if targets.reading=direct"),
    settings=("lexicon.size", "targets.reading"),
    agents=("evaluator",),
    asked_by="targets.source",
)
def preference_measurements(made: Making) -> None:
    """One row per perception of a paired response and value that it is relevant to."""
    settings, found = made.study, made.read(FOUND)
    agent = make_evaluator(settings.evaluator, made.asking())
    before, frames = agent.inferences, []
    for lexicon, values in measured_values(made).items() if len(found) else ():
        scored = agent.evaluate(
            list(found["content"]), list(values["value"]), list(values["definition"])
        )
        keys = found["perception"].to_numpy()[scored["row"].to_numpy()]
        frames.append(scored.assign(perception=keys, lexicon=lexicon))
    made.inferences = agent.inferences - before
    columns = ["perception", "lexicon", "value", "relevance", "score"]
    rows = pd.concat(frames)[columns] if frames else pd.DataFrame(columns=columns)
    maker = made.made_by("evaluator", agent, settings.evaluator)
    made.write("preference_measurements", rows.assign(agent=maker))


def measured_values(made: Making) -> dict[str, pd.DataFrame]:
    """Values with definitions that paired responses are measured on, by the lexicon they are of."""
    settings, levels = made.study, schwartz()
    lists = {name: levels[levels["level"] == level] for level, name in LEVELS.items()}
    if settings.targets.reading == "direct":
        names = made.read('select name as "value" from factor_names where chosen')["value"]
        return lists | {
            "published, direct": published_factors().rename(columns={"factor": "value"}),
            "ours, direct": _defined(names.drop_duplicates()),
        }
    own, (_, published) = made.read(LEXICON), space("published")
    return lists | {
        "lexicon": own.head(settings.lexicon.size or len(own)),
        "published": pd.DataFrame(published.items(), columns=["value", "definition"]),
    }


def _defined(values: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "definition": definitions_of(values, vocabulary())})
