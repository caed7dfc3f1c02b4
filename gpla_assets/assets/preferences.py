"""Preferences between responses, from which targets are distilled."""

import pandas as pd

from gpla_assets.alignment.preferences import of_laden_prompts, paired_responses
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.parser.backends import make_parser
from gpla_assets.sources import SOURCES, locate, read
from gpla_assets.sources.preferences import COLUMNS, drawn_pairs
from gpla_assets.studies import data_dir

NO_PAIRS = "The study names no source of preferences (targets.source): no target is distilled."


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
