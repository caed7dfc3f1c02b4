"""Perceptions -> values (M_G), and the similarities that the lexicon is filtered by."""

from collections.abc import Callable

import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.content import value_list, vocabulary
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.generator.backends import make_generator
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.lexicon import common_spellings, respelled, unread
from gpla_assets.lexicon import value_similarities as similarities
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step

CORPUS_PERCEPTIONS = (
    "select perception_id, source, content from evidence.perceptions where origin = 'corpus' "
    "order by perception_id"
)


@step(
    stage="3_values",
    tables=("values",),
    settings=("lexicon.values",),
    inputs=("values",),
)
def values(made: Making) -> None:
    """One row per value of the vocabulary, or of the study's own list."""
    own = made.study.lexicon.values
    made.write("values", value_list(own) if own else vocabulary())


@step(
    stage="3_values",
    tables=("perception_values",),
    asked_by="corpus",
    upstream=("perceptions", "values"),
    agents=("generator",),
)
def perception_values(made: Making) -> None:
    """One row per corpus perception and value that M_G sees in it."""
    settings = made.study.generator
    workers = made.workers(make_generator, settings)
    perceptions = made.spooled(CORPUS_PERCEPTIONS)
    parts = perceptions.parts(made.study.compute.shard_rows)
    named, rows = made.shards("perception_values"), made.shards("perception_values")
    with progress("perceptions", len(perceptions)) as advance:
        for found in workers.rows(generated, parts, advance):
            named.add(found["perception_values"])
    # which spelling is common is known once all are named
    frequencies = named.counts("value")
    spellings = common_spellings(pd.Series(frequencies, dtype=int))
    for part in named.parts():
        rows.add(respelled(part, spellings, "perception_id"))
    agent_id = made.made_by("generator", workers, settings)
    if merged := len(frequencies) - len(set(spellings.values())):
        made.details["spellings that another stands for"] = merged
    made.write("perception_values", rows.assign(agent_id=agent_id))


def generated(
    generator: ValueGenerator, perceptions: pd.DataFrame, advance: Callable[[int], None]
) -> dict[str, pd.DataFrame]:
    """What M_G sees in some perceptions, as it spells it."""
    found = generator.generate(list(perceptions["content"]))
    rows = joined_values(perceptions, contract.generated(found, generator, len(perceptions)))
    advance(len(perceptions))
    return {"perception_values": rows}


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
    asked_by="corpus",
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
