"""The validity of M_E and of the measurement rules by known answers: rows of findings.

What a check needs and this machine has not (GPLA_DATA_DIR) is said and left out.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from gpla_assets.content import (
    definitions_of,
    labelled_oppositions,
    labelled_perceptions,
    neutral_sentences,
    persona_traits,
    plain_statements,
    proposition_values,
    questions,
    rival_statements,
    schwartz,
    touche_categories,
    value_statements,
    vocabulary,
)
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.evaluator.expression import Cuts, Reading
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.evaluator.weights import external_validity_rows, held_out_quality
from gpla_assets.parser.protocol import PerceptionParser
from gpla_assets.studies.measurement import RULES, MeasurementRule
from gpla_assets.training.labels import (
    LLM_PROSE,
    OPPOSED_PROSE,
    RANDOM_PROSE,
    agreed_pairs,
    labelled_relations,
    labelled_texts,
    texts_with_hash,
    wordings,
)
from gpla_assets.training.material import project_items, source_rows
from gpla_assets.validation.findings import Finding, Floats
from gpla_assets.validation.held_out_findings import external_findings, item_findings
from gpla_assets.validation.judged_direction import (
    balanced,
    direction_findings,
    proposition_rows,
)
from gpla_assets.validation.judged_relevance import (
    labelled_findings,
    portrait_findings,
    touche_findings,
)
from gpla_assets.validation.planted_check import (
    LABELS,
    SIGN,
    Planting,
    known_reading,
    planted_findings,
    relevance_findings,
    signed_reading,
)
from gpla_assets.validation.planted_texts import (
    STATEMENTS_AN_ANSWER,
    Planted,
    as_prose,
    as_statements,
    plantable,
)

Tell = Callable[[str], None]
OWN, PROSE, PERSONA = "the project's statements", "the project's statements as prose", "persona"
PLAIN, PROPOSITIONS = "plain one-liners", "answers to propositions"
RIGHT = {"fast": "at least .90", "accurate": "at least .95"}
"""What plain one-liners ask of the modes (issue 24)."""
FEWEST = {OWN: 10, PROSE: 6, PERSONA: 12}
"""Statements of each side that a value needs to be planted."""


EVERY = ("planted", "direction", "relevance", "portrait", "held_out")
"""The checks; held_out is what training measured, as it ships."""


@dataclass(frozen=True)
class Checks:
    """What is checked, and how much of it.

    `pairs`: at most so many pairs of texts and values are judged for one check of direction;
    `values` are planted. `held_out`: names in lower case, where no others are to be planted or
    tested for direction, since the agents were trained on these.
    """

    names: Sequence[str] = EVERY
    rules: Sequence[MeasurementRule] = RULES
    seeds: int = 5
    pairs: int = 2000
    values: int = 50
    cuts: Cuts = field(default_factory=Cuts)
    held_out: Container[str] | None = None


def agent_findings(
    agents: Sequence[ValueEvaluator],
    parser: PerceptionParser,
    encoder: Encoder,
    checks: Checks = Checks(),
    tell: Tell = lambda line: None,
) -> Iterator[Finding]:
    """All findings of the checks; an agent is named by its model, which ends in its mode."""
    if "planted" in checks.names:
        yield from _planted(agents, parser, encoder, checks, tell)
    if "held_out" in checks.names:
        yield from item_findings(held_out_quality())
        yield from external_findings(external_validity_rows())
    for evaluator in agents:
        for name, of in CHECKS.items():
            if name in checks.names:
                yield from of(evaluator, checks, tell)
                tell(f"{name}, {evaluator.model}: done")


def project_statements() -> pd.DataFrame:
    """All statements of the project on values: rows (value, definition, stance, statement)."""
    columns = ["value", "definition", "stance", "statement"]
    parts = [project_items(), value_statements(), rival_statements()]
    rows = pd.concat([part[columns] for part in parts], ignore_index=True)
    # one spelling and definition a value
    first = rows.groupby(rows["value"].str.casefold())[["value", "definition"]].transform("first")
    known = definitions_of(first["value"], vocabulary())
    definition = [one or own for one, own in zip(known, first["definition"], strict=True)]
    return rows.assign(value=first["value"], definition=definition)


def persona_statements() -> pd.DataFrame | None:
    """Persona statements beside their traits as values; None without the data."""
    rows = source_rows("anthropic_persona")
    if rows is None:
        return None
    return rows.merge(persona_traits(), on="trait")[["value", "definition", "stance", "statement"]]


def _plantings(
    parser: PerceptionParser, encoder: Encoder, checks: Checks, tell: Tell
) -> Iterator[Planting]:
    def vectors(planted: Planted) -> Floats:
        return encoder.encode(value_texts(planted.values["value"], planted.values["definition"]))

    random = np.random.default_rng(0)
    own = _held_out(project_statements(), checks)
    found = as_statements(plantable(own, checks.values, random, FEWEST[OWN]))
    yield Planting(_named(OWN, checks), found, vectors(found))
    rows = plantable(own, checks.values, random, FEWEST[PROSE])
    fillers = list(neutral_sentences()["sentence"])
    found = as_prose(rows, questions(), fillers, parser, random)
    data = _named(PROSE, checks)
    yield Planting(data, found, vectors(found), STATEMENTS_AN_ANSWER, unequal=True)
    persona = persona_statements()
    if persona is None:
        tell("Persona statements are not at hand: set GPLA_DATA_DIR to plant traits.")
        return
    persona = _held_out(persona, checks)
    found = as_statements(plantable(persona, checks.values, random, FEWEST[PERSONA]))
    yield Planting(_named(PERSONA, checks), found, vectors(found))


def _held_out(statements: pd.DataFrame, checks: Checks) -> pd.DataFrame:
    known = checks.held_out
    if known is None:
        return statements
    return statements[[value.casefold() in known for value in statements["value"]]]


def _named(data: str, checks: Checks) -> str:
    return data if checks.held_out is None else f"{data}, values held out"


def _planted(
    agents: Sequence[ValueEvaluator],
    parser: PerceptionParser,
    encoder: Encoder,
    checks: Checks,
    tell: Tell,
) -> Iterator[Finding]:
    cuts = checks.cuts
    for one in _plantings(parser, encoder, checks, tell):
        planted, values = one.planted, one.planted.values
        readings: dict[str, Reading] = {LABELS: known_reading(planted)}
        about = np.maximum(planted.own, 0)
        own = values.iloc[about]
        for evaluator in agents:
            agent = evaluator.model
            leans = _scored(evaluator, own.assign(content=planted.perceptions))["score"]
            readings[SIGN + agent] = signed_reading(planted, leans.to_numpy(float))
            names, definitions = list(values["value"]), list(values["definition"])
            reading = evaluator.read(planted.perceptions, names, definitions, cuts.top_relevance)
            readings[agent] = reading
            yield from relevance_findings(planted, reading, one.data, agent, cuts.minimum_relevance)
            tell(f"{one.data}, {agent}: {len(planted.perceptions)} perceptions read")
        yield from planted_findings(one, readings, checks.rules, cuts, checks.seeds)
        tell(f"{one.data}: planted")


def _direction(evaluator: ValueEvaluator, checks: Checks, tell: Tell) -> Iterator[Finding]:
    definitions = dict(vocabulary()[["value", "definition"]].itertuples(index=False, name=None))
    plain = plain_statements().rename(columns={"statement": "content"})
    plain["definition"] = definitions_of(plain["value"], vocabulary())
    sets = {PLAIN: plain.assign(unit=plain["value"])}
    answers = source_rows("llm_values_pct_agreement")
    if answers is None:
        tell("Answers to propositions are not at hand: set GPLA_DATA_DIR to test on them.")
    else:
        readings = proposition_rows(answers, proposition_values(), definitions)
        sets |= {f"{PROPOSITIONS}, {name}": rows for name, rows in readings.items()}
    for data, statements in ((OWN, project_statements()), (PERSONA, persona_statements())):
        if statements is not None:
            sets[_named(data, checks)] = balanced(_held_out(statements, checks), checks.pairs)
    for data, rows in sets.items():
        leans = _scored(evaluator, rows)["score"].to_numpy(float)
        right = RIGHT.get(evaluator.model.rsplit(", ")[-1], "1") if data == PLAIN else "1"
        yield from direction_findings(rows, leans, data, evaluator.model, right)
    for data, labelled in _labelled(tell):
        pairs = labelled.sample(min(len(labelled), checks.pairs), random_state=0)
        pairs = pairs.reset_index(drop=True)
        found = _scored(evaluator, pairs)
        relevance = found["relevance"].to_numpy(float)
        yield from labelled_findings(
            pairs, relevance, data, evaluator.model, checks.cuts.minimum_relevance
        )
        sided = pairs["relation"].isin(["s", "o"]).to_numpy()
        rows = pairs[sided].assign(unit=pairs["content"])
        rows["stance"] = rows["relation"].map({"s": "support", "o": "oppose"})
        yield from direction_findings(
            rows, found.loc[sided, "score"].to_numpy(), data, evaluator.model
        )


def _scored(evaluator: ValueEvaluator, rows: pd.DataFrame) -> pd.DataFrame:
    found = evaluator.score(list(rows["content"]), list(rows["value"]), list(rows["definition"]))
    return found.reset_index(drop=True)


def _labelled(tell: Tell) -> Iterator[tuple[str, pd.DataFrame]]:
    """Hand-labelled pairs by data set: rows (content, value, definition, relation)."""
    texts = labelled_texts()
    if texts is None:
        tell("The labelled texts are not at hand: set GPLA_DATA_DIR to test on them.")
        return
    yield LLM_PROSE, agreed_pairs(wordings(texts)).reset_index(drop=True)
    tests = ((RANDOM_PROSE, labelled_perceptions()), (OPPOSED_PROSE, labelled_oppositions()))
    for data, labels in tests:
        found = texts_with_hash("alpaca_eval", set(labels["text"]))
        if found is not None:
            yield data, labelled_relations(found, labels).reset_index(drop=True)


def _touche(evaluator: ValueEvaluator, checks: Checks, tell: Tell) -> Iterator[Finding]:
    arguments = source_rows("touche")
    if arguments is None:
        tell("Touché's arguments are not at hand: set GPLA_DATA_DIR to test on them.")
        return
    drawn = arguments.sample(min(len(arguments), checks.pairs), random_state=0)
    cut = checks.cuts.minimum_relevance
    yield from touche_findings(drawn, touche_categories(), evaluator, cut)


def _portrait(evaluator: ValueEvaluator, checks: Checks, tell: Tell) -> Iterator[Finding]:
    labels, ratings = (
        source_rows(f"value_portrait_{name}") for name in ("correlations", "ratings")
    )
    if labels is None or ratings is None:
        tell("Value Portrait is not at hand: set GPLA_DATA_DIR to test on it.")
        return
    every = labels["item"].drop_duplicates()
    most = checks.pairs // labels["value"].nunique()
    drawn = set(every.sample(min(len(every), most), random_state=0))
    definitions = dict(schwartz()[["value", "definition"]].itertuples(index=False, name=None))
    own = labels[labels["item"].isin(drawn)]
    yield from portrait_findings(own, ratings, definitions, evaluator)


CHECKS = {"direction": _direction, "relevance": _touche, "portrait": _portrait}
"""Checks of one agent by name."""
