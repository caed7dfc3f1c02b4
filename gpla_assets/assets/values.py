"""Perceptions -> values (M_G), and the similarities that the lexicon is filtered by."""

import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.content import vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.generator.backends import make_generator
from gpla_assets.lexicon import spelled_alike, unread
from gpla_assets.lexicon import value_similarities as similarities
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step

CORPUS_PERCEPTIONS = (
    "select perception_id, source, content from evidence.perceptions where origin = 'corpus' "
    "order by perception_id"
)


@step(
    stage="3_values",
    tables=("values",),
)
def values(made: Making) -> None:
    """One row per value of the vocabulary."""
    made.write("values", vocabulary())


@step(
    stage="3_values",
    tables=("perception_values",),
    upstream=("perceptions", "values"),
    agents=("generator",),
)
def perception_values(made: Making) -> None:
    """One row per corpus perception and value that M_G sees in it."""
    settings = made.study.generator
    generator = make_generator(settings, made.asking())
    before = generator.inferences
    found = made.read(CORPUS_PERCEPTIONS)
    generated = contract.generated(
        generator.generate(list(found["content"])), generator, len(found)
    )
    made.inferences = generator.inferences - before
    alike = spelled_alike(generated)
    merged = generated["value"].nunique() - alike["value"].nunique()
    made.details = {"spellings that another stands for": merged} if merged else {}
    rows = joined_values(found, alike)
    rows["agent_id"] = made.made_by("generator", generator, settings)
    made.write("perception_values", rows)


def joined_values(perceptions: pd.DataFrame, generated: pd.DataFrame) -> pd.DataFrame:
    """Generated values (row, value, probability) with their perceptions' keys and sources."""
    at = generated["row"].to_numpy()
    return pd.DataFrame(
        {
            "perception_id": perceptions["perception_id"].to_numpy()[at],
            "value": generated["value"].to_numpy(),
            "source": perceptions["source"].to_numpy()[at],
            "probability": generated["probability"].to_numpy(float),
        }
    )


@step(
    stage="3_values",
    tables=("value_similarities",),
    upstream=("perception_values",),
    settings=("lexicon.listed_cosine",),
)
def value_similarities(made: Making) -> None:
    """One row per candidate pair of near-duplicate values: rouge and cosine."""
    names = list(
        made.read('select distinct "value" from evidence.perception_values order by 1')["value"]
    )
    embedder = make_embedder()
    made.inferences = len(names)
    found = similarities(names, embedder.encode(names), made.study.lexicon.listed_cosine)
    if unknown := unread(names):
        made.details = {"names that the encoder cannot read, never near-duplicates": unknown[:20]}
    made.write("value_similarities", found)
