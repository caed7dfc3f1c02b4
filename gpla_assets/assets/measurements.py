"""Perceptions of all origins x values -> measurements (M_E): ours, Schwartz's, the paper's."""

from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from functools import partial

import numpy as np
import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.alignment.spaces import space
from gpla_assets.content import definitions_of, published_factors, schwartz, vocabulary
from gpla_assets.evaluator.backends import make_evaluator
from gpla_assets.evaluator.expression import (
    NO_TOP,
    Cuts,
    expressions,
    leading_weights,
    samples,
)
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.progress import progress
from gpla_assets.orchestration.steps import step
from gpla_assets.storage.shards import Shards
from gpla_assets.validation.texts import CONVERSATIONS, SETS

LEXICON = "lexicon"
LEVELS = {"lower": "Schwartz-10", "higher": "Schwartz-4"}
"""Lists of values, by the name that measurements give them."""

SUBJECTS = """
select p.perception_id, p.subject_id, p.content, p.ordinal, r.response_id, r.question_id,
    q.content as question
from evidence.perceptions p join evidence.responses r on p.parent_id = r.response_id
join evidence.questions q using (question_id)
where p.subject_id in (select unnest(?))
order by p.subject_id, r.response_id, p.ordinal, p.part
"""
VALIDATION = """
select perception_id, subject_id, content, source as sample from evidence.perceptions
where origin = 'validation' order by perception_id
"""
PREFERENCES = """
select perception_id, subject_id, content from evidence.perceptions
where origin = 'preferences' order by perception_id
"""
IN_LEXICON = 'select "value", definition from marts.lexicon order by rank'

Measured = tuple[Sized, Iterable[pd.DataFrame], dict[str, pd.DataFrame]]
"""Perceptions: all, which know their number, and in parts; and the lists of values (value,
definition) that they are measured on, by name."""


@step(
    stage="5_measurements",
    tables=("agent_quality",),
)
def evaluator(made: Making) -> None:
    """How good the shipped M_E is on values that it was not trained on."""
    rows = held_out_quality()
    made.write("agent_quality", rows, "held_out", ["values"])
    made.details = {f"{row.data}: {row.measure}": row.number for row in rows.itertuples()}


@step(
    stage="5_measurements",
    tables=("measurements", "expressions"),
    upstream=("responses", "subject_perceptions", "lexicon"),
    settings=("lexicon.size", "measurement.top_relevance", "measurement.follow_on"),
    agents=("evaluator",),
    partitions="subjects",
    origin="subjects",
)
def measurements(made: Making) -> None:
    """One row per perception and value of the lexicon, or of Schwartz's, that it is relevant to.

    And of all pairs the sums by response and value, which subjects' scores are made of.
    """
    lists = {LEXICON: measured_lexicon(made), **schwartz_lists()}
    sums, found = made.shards("expressions"), made.spooled(SUBJECTS, [made.keys])
    weighed = partial(with_weights, follow_on=made.study.measurement.follow_on)
    # whole subjects: an answer's weight hangs on how often the subject was asked the same
    subjects = found.parts(made.study.compute.shard_rows, by="subject_id")
    parts = [(found, map(weighed, subjects), lists)]
    agent_id = measure(made, parts, made.study.measurement.top_relevance, sums)
    made.write("expressions", sums.assign(agent_id=agent_id), "subject_id", made.keys)


def with_weights(perceptions: pd.DataFrame, follow_on: float) -> pd.DataFrame:
    """All perceptions of some subjects with the weights that they count with."""
    leading = leading_weights(
        perceptions["content"], perceptions["question"], perceptions["ordinal"], follow_on
    )
    return perceptions.assign(weight=leading / samples(perceptions))


@step(
    stage="10_validation",
    tables=("measurements",),
    upstream=("validation_perceptions", "lexicon"),
    settings=("lexicon.size",),
    agents=("evaluator",),
    asked_by="validation.further_texts",
    origin="validation",
)
def validation_measurements(made: Making) -> None:
    """Perceptions by values: conversations by all of the lexicon, answers by what is measured."""
    found, ten = made.read(VALIDATION), schwartz_lists()[LEVELS["lower"]]
    talk, answers = (found[found["sample"] == one] for one in (CONVERSATIONS, SETS))
    measure(
        made,
        [
            (talk, [talk], {LEXICON: made.read(IN_LEXICON), LEVELS["lower"]: ten}),
            (answers, [answers], {LEXICON: measured_lexicon(made)}),
        ],
    )


@step(
    stage="11_targets",
    tables=("measurements",),
    upstream=("preference_perceptions", "lexicon", "factor_names if targets.reading=direct"),
    settings=("lexicon.size", "targets.reading"),
    agents=("evaluator",),
    asked_by="targets.source",
    origin="preferences",
)
def preference_measurements(made: Making) -> None:
    """One row per perception of a paired response and value that it is relevant to."""
    found = made.spooled(PREFERENCES)
    parts = found.parts(made.study.compute.shard_rows)
    measure(made, [(found, parts, dimension_lists(made))])


# decision 0013: one table for all origins, steps apart
def measure(
    made: Making,
    parts: Sequence[Measured],
    top_relevance: float = NO_TOP,
    sums: Shards | None = None,
) -> str:
    """Write what M_E says of each part's perceptions on each of its lists of values.

    `sums` takes their sums by response and value. Gives the evaluator's key.
    """
    settings, least = made.study.evaluator, made.study.compute.shard_rows
    workers = made.workers(make_evaluator, settings)
    cuts = Cuts(settings.minimum_relevance, top_relevance)
    rows = made.shards("measurements")
    total = sum(len(every) * len(lists) for every, _, lists in parts)
    with progress("perceptions", total) as advance:
        for _, some, lists in parts:
            work = partial(judged, lists=lists, cuts=cuts, summed=sums is not None)
            own = (part for whole in some for part in in_parts(whole, least))
            for found in workers.rows(work, own, advance):
                rows.add(found["measurements"])
                if sums is not None:
                    sums.add(found["expressions"])
    agent_id = made.made_by("evaluator", workers, settings)
    made.write_origin("measurements", rows.assign(agent_id=agent_id))
    return agent_id


def judged(
    agent: ValueEvaluator,
    perceptions: pd.DataFrame,
    advance: Callable[[int], None],
    lists: dict[str, pd.DataFrame],
    cuts: Cuts,
    summed: bool,
) -> dict[str, pd.DataFrame]:
    """Measurements of some perceptions on lists of values, and, if `summed`, the expressions:
    their sums by response and value, of weighted perceptions."""
    pairs, sums = [], []
    for name, listed in lists.items():
        values = list(listed["value"])
        reading = agent.read(
            *(list(perceptions["content"]), values, list(listed["definition"])),
            top_relevance=cuts.top_relevance,
        )
        found = reading.pairs(values, cuts.minimum_relevance)
        found = contract.measured(found, agent, len(perceptions))
        pairs.append(joined(perceptions, found).assign(lexicon=name))
        if summed:
            groups, weights = perceptions["response_id"], perceptions["weight"].to_numpy(float)
            rows = expressions(reading, values, groups.to_numpy(), cuts, weights)
            sums.append(of_responses(rows, perceptions).assign(lexicon=name))
        advance(len(perceptions))
    made = {"measurements": pd.concat(pairs, ignore_index=True)}
    return made | ({"expressions": pd.concat(sums, ignore_index=True)} if summed else {})


def in_parts(perceptions: pd.DataFrame, least: int) -> Iterator[pd.DataFrame]:
    """Some `least` perceptions at a time, those of a response together."""
    column = "response_id" if "response_id" in perceptions else "perception_id"
    begins = np.flatnonzero(~perceptions[column].eq(perceptions[column].shift()))
    first = 0
    for begin in [*begins[1:], len(perceptions)]:
        if begin - first >= least or begin == len(perceptions) > first:
            yield perceptions.iloc[first:begin]
            first = begin


def of_responses(sums: pd.DataFrame, perceptions: pd.DataFrame) -> pd.DataFrame:
    """Sums by response with their subjects and questions."""
    known = perceptions.drop_duplicates("response_id").set_index("response_id")
    of = known.loc[sums["group"], ["subject_id", "question_id"]].reset_index()
    return pd.concat([of, sums.drop(columns="group")], axis=1)


def joined(perceptions: pd.DataFrame, scored: pd.DataFrame) -> pd.DataFrame:
    """Scored pairs with their perceptions' keys and subjects."""
    at = scored["row"].to_numpy(int)
    return scored.drop(columns="row").assign(
        perception_id=perceptions["perception_id"].to_numpy()[at],
        subject_id=perceptions["subject_id"].to_numpy()[at],
    )


def measured_lexicon(made: Making) -> pd.DataFrame:
    """The values of the lexicon that subjects are measured on: its first by rank."""
    every = made.read(IN_LEXICON)
    return every.head(made.study.lexicon.size or len(every))


def schwartz_lists() -> dict[str, pd.DataFrame]:
    """Schwartz's ten values and his four, by the name of the list."""
    levels = schwartz()
    return {name: levels[levels["level"] == level] for level, name in LEVELS.items()}


def dimension_lists(made: Making) -> dict[str, pd.DataFrame]:
    """Values that paired responses are measured on: those of the systems that have targets."""
    if made.study.targets.reading == "direct":
        names = made.read('select name as "value" from analysis.factor_names where chosen')
        ours = names["value"].drop_duplicates()
        return schwartz_lists() | {
            "published, direct": published_factors().rename(columns={"factor": "value"}),
            "ours, direct": pd.DataFrame(
                {"value": ours, "definition": definitions_of(ours, vocabulary())}
            ),
        }
    _, published = space("published")
    return schwartz_lists() | {
        LEXICON: measured_lexicon(made),
        "published": pd.DataFrame(published.items(), columns=["value", "definition"]),
    }
