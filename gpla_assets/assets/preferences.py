"""Preferences between responses, and what both sides of each say of values."""

import dagster as dg
import pandas as pd

from gpla_assets.administration.preferences import of_laden_prompts, paired_responses
from gpla_assets.agents import make_evaluator, make_parser
from gpla_assets.alignment.spaces import space
from gpla_assets.assets.factors import factor_names
from gpla_assets.assets.measurements import LEXICON, evaluator
from gpla_assets.assets.shown import shown
from gpla_assets.content import definitions_of, published_factors, schwartz, vocabulary
from gpla_assets.perceiving import perceive
from gpla_assets.progress import progress
from gpla_assets.resources import StudyResource, making
from gpla_assets.sources import SOURCES, locate, read
from gpla_assets.sources.preferences import COLUMNS, drawn_pairs
from gpla_assets.studies import data_dir

GROUP = "stage_11_targets"
LEVELS = {"lower": "Schwartz-10", "higher": "Schwartz-4"}
NO_PAIRS = "The study names no source of preferences (targets.source): no target is distilled."

PARENTS = """
select response as parent, content, null as subject, 'preferences' as source,
    prompt as question_text
from preference_responses order by response
"""
FOUND = "select perception, content from preference_perceptions order by perception"


@dg.asset(group_name=GROUP, **shown("preferences"))
def preferences(study: StudyResource) -> dg.MaterializeResult:
    """One row per pair of responses to a prompt of which one was preferred."""
    with making(study, "preferences") as made:
        settings = study.load()
        own, pairs = settings.targets, pd.DataFrame(columns=COLUMNS)
        if own.source is None:
            made.details = {"why none": NO_PAIRS}
        else:
            source = SOURCES[own.source]
            found = read(own.source, locate(source, data_dir(), own.file), own.columns)
            pairs = found.rows
            made.details = {"pairs of the source": len(pairs), "left out": found.skipped}
            if own.prompts is not None:
                parser = make_parser(settings.parser, study.asking())
                before = parser.inferences
                pairs = of_laden_prompts(pairs, own.prompts, parser, settings.seed)
                made.inferences = parser.inferences - before
        rows, responses = paired_responses(drawn_pairs(pairs, own.count, settings.seed))
        made.write("preferences", rows)
        made.write("preference_responses", responses)
    assert made.result is not None
    return made.result


@dg.asset(group_name=GROUP, **shown("preference_perceptions"), deps=[preferences])
def preference_perceptions(study: StudyResource) -> dg.MaterializeResult:
    """One row per perception of a response in the pairs; equal responses are parsed once."""
    with making(study, "preference_perceptions") as made:
        settings = study.load().parser
        parents = study.read(PARENTS)
        parser = make_parser(settings, study.asking())
        before = parser.inferences
        with progress("responses", len(parents)) as advance:
            rows = perceive(parents, parser, "preference", advance)
        made.inferences = parser.inferences - before
        rows["agent"] = made.made_by("parser", parser, settings)
        columns = ["perception", "response", "sentence", "content", "attitude", "agent"]
        made.write("preference_perceptions", rows.rename(columns={"parent": "response"})[columns])
    assert made.result is not None
    return made.result


@dg.asset(
    group_name=GROUP,
    **shown("preference_measurements"),
    deps=[preference_perceptions, evaluator, factor_names, dg.AssetKey("lexicon")],
)
def preference_measurements(study: StudyResource) -> dg.MaterializeResult:
    """One row per perception of a paired response and value that it is relevant to."""
    with making(study, "preference_measurements") as made:
        settings, found = study.load(), study.read(FOUND)
        agent = make_evaluator(settings.evaluator, study.asking())
        before, frames = agent.inferences, []
        for lexicon, values in measured_values(study).items() if len(found) else ():
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
    assert made.result is not None
    return made.result


def measured_values(study: StudyResource) -> dict[str, pd.DataFrame]:
    """Values with definitions that paired responses are measured on, by the lexicon they are of."""
    settings, levels = study.load(), schwartz()
    lists = {name: levels[levels["level"] == level] for level, name in LEVELS.items()}
    if settings.targets.reading == "direct":
        names = study.read('select name as "value" from factor_names where chosen')["value"]
        return lists | {
            "published, direct": published_factors().rename(columns={"factor": "value"}),
            "ours, direct": _defined(names.drop_duplicates()),
        }
    own, (_, published) = study.read(LEXICON), space("published")
    return lists | {
        "lexicon": own.head(settings.lexicon.size or len(own)),
        "published": pd.DataFrame(published.items(), columns=["value", "definition"]),
    }


def _defined(values: pd.Series) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "definition": definitions_of(values, vocabulary())})
