"""Perceptions of all origins x values -> measurements (M_E): ours, Schwartz's, the paper's."""

import pandas as pd

from gpla_assets.agents import contract
from gpla_assets.alignment.spaces import space
from gpla_assets.content import definitions_of, published_factors, schwartz, vocabulary
from gpla_assets.evaluator import scoring
from gpla_assets.evaluator.backends import make_evaluator
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.validation.texts import CONVERSATIONS, SETS

LEXICON = "lexicon"
LEVELS = {"lower": "Schwartz-10", "higher": "Schwartz-4"}
"""Lists of values, by the name that measurements give them."""

SUBJECTS = """
select perception_id, subject_id, content from evidence.perceptions
where subject_id in (select unnest(?)) order by subject_id, perception_id
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

COLUMNS = [*scoring.COLUMNS[1:], "perception_id", "subject_id", "lexicon"]

Measured = tuple[pd.DataFrame, dict[str, pd.DataFrame]]
"""Perceptions, and the lists of values (value, definition) that they are measured on, by name."""


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
    tables=("measurements",),
    upstream=("subject_perceptions", "lexicon"),
    settings=("lexicon.size",),
    agents=("evaluator",),
    partitions="subjects",
    origin="subjects",
)
def measurements(made: Making) -> None:
    """One row per perception and value of the lexicon, or of Schwartz's, that it is relevant to."""
    found = made.read(SUBJECTS, [made.keys])
    measure(made, [(found, {LEXICON: measured_lexicon(made), **schwartz_lists()})])


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
            (talk, {LEXICON: made.read(IN_LEXICON), LEVELS["lower"]: ten}),
            (answers, {LEXICON: measured_lexicon(made)}),
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
    measure(made, [(made.read(PREFERENCES), dimension_lists(made))])


# decision 0013: one table for all origins, steps apart
def measure(made: Making, parts: list[Measured]) -> None:
    """Write what M_E says of each part's perceptions on each of its lists of values."""
    settings = made.study.evaluator
    agent = make_evaluator(settings, made.asking())
    before, frames = agent.inferences, [pd.DataFrame(columns=COLUMNS)]
    for perceptions, lists in parts:
        for name, values in lists.items():
            scored = agent.evaluate(
                list(perceptions["content"]), list(values["value"]), list(values["definition"])
            )
            found = contract.measured(scored, agent, len(perceptions))
            frames.append(joined(perceptions, found).assign(lexicon=name))
    made.inferences = agent.inferences - before
    rows = pd.concat([frame for frame in frames if len(frame)] or frames, ignore_index=True)
    rows["agent_id"] = made.made_by("evaluator", agent, settings)
    made.write_origin("measurements", rows)


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
