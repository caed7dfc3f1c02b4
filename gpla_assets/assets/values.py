"""Perceptions -> values (M_G), and the similarities that the lexicon is filtered by."""

import dagster as dg
import pandas as pd

from gpla_assets.agents import make_embedder, make_generator
from gpla_assets.assets.perceptions import perceptions
from gpla_assets.assets.shown import shown
from gpla_assets.content import vocabulary
from gpla_assets.lexicon import value_similarities as similarities
from gpla_assets.resources import StudyResource, making

GROUP = "stage_3_values"

CORPUS_PERCEPTIONS = (
    "select perception, source, content from perceptions where origin = 'text' order by perception"
)


@dg.asset(group_name=GROUP, **shown("values"))
def values(study: StudyResource) -> dg.MaterializeResult:
    """One row per value of the vocabulary."""
    with making(study, "values") as made:
        made.write("values", vocabulary())
    assert made.result is not None
    return made.result


@dg.asset(group_name=GROUP, **shown("perception_values"), deps=[perceptions, values])
def perception_values(study: StudyResource) -> dg.MaterializeResult:
    """One row per corpus perception and value that M_G sees in it."""
    with making(study, "perception_values") as made:
        settings = study.load().generator
        generator = make_generator(settings, study.asking())
        before = generator.inferences
        found = study.read(CORPUS_PERCEPTIONS)
        generated = generator.generate(list(found["content"]))
        made.inferences = generator.inferences - before
        rows = joined_values(found, generated)
        rows["agent"] = made.made_by("generator", generator, settings)
        made.write("perception_values", rows)
    assert made.result is not None
    return made.result


def joined_values(perceptions: pd.DataFrame, generated: pd.DataFrame) -> pd.DataFrame:
    """Generated values (row, value, probability) with their perceptions' keys and sources."""
    at = generated["row"].to_numpy()
    return pd.DataFrame(
        {
            "perception": perceptions["perception"].to_numpy()[at],
            "value": generated["value"].to_numpy(),
            "source": perceptions["source"].to_numpy()[at],
            "probability": generated["probability"].to_numpy(float),
        }
    )


@dg.asset(group_name=GROUP, **shown("value_similarities"), deps=[perception_values])
def value_similarities(study: StudyResource) -> dg.MaterializeResult:
    """One row per candidate pair of near-duplicate values: rouge and cosine."""
    with making(study, "value_similarities") as made:
        names = list(
            study.read('select distinct "value" from perception_values order by 1')["value"]
        )
        embedder = make_embedder()
        made.inferences = len(names)
        made.write("value_similarities", similarities(names, embedder.encode(names)))
    assert made.result is not None
    return made.result
