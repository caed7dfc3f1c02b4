"""Targets distilled from the pairs (equations 3 and 4), and whether they predict preferences."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from gpla_assets.alignment import (
    Dimensions,
    Pairs,
    convergence,
    dimension_scores,
    distil,
    settled,
    target_check,
)
from gpla_assets.alignment.spaces import published_system
from gpla_assets.assets.measurements import LEVELS
from gpla_assets.assets.preferences import NO_PAIRS
from gpla_assets.content import schwartz
from gpla_assets.orchestration.making import Making
from gpla_assets.orchestration.steps import step
from gpla_assets.storage import TABLES

OURS = """
select coalesce(n.name, l.factor) as name, l.factor, l."value", l.keyed from analysis.loadings l
left join analysis.factor_names n on l.factor = n.factor and n.chosen
where l.is_primary order by len(l.factor), l.factor, l."value"
"""
MEASURED = """
select p.parent_id as response_id, m.lexicon, m."value", m.score
from evidence.measurements m join evidence.perceptions p using (perception_id)
where m.origin = 'preferences'
"""
PAIRS = """
select p.pair_id, p.prompt, p.winning_id as winning, p.losing_id as losing,
    sign(length(w.content) - length(l.content)) as longer
from evidence.preferences p join evidence.preference_responses w on p.winning_id = w.response_id
join evidence.preference_responses l on p.losing_id = l.response_id order by p.place
"""


@dataclass(frozen=True)
class Scored:
    """The pairs on one value system's dimensions."""

    system: str
    reading: str
    pairs: Pairs


@step(
    stage="11_targets",
    tables=("targets", "target_convergence"),
    upstream=(
        "preferences",
        "preference_perceptions",
        "preference_measurements",
        "factors",
        "factor_names",
    ),
    settings=("targets.reading", "targets.mask_below", "targets.step", "targets.resamples", "seed"),
    asked_by="targets.source",
)
def targets(made: Making) -> None:
    """One row per value system and dimension: the target, its interval, what leaves it open."""
    settings = made.study
    own, rows, steps = settings.targets, [], []
    for scored in scored_pairs(made):
        winning, losing = scored.pairs.winning, scored.pairs.losing
        step = convergence(winning, losing, own, scored.pairs.prompts, settings.seed)
        found = distil(winning, losing, own.mask_below).rename(
            columns={"low": "minimiser_low", "high": "minimiser_high"}
        )
        last = step.groupby("dimension", sort=False).tail(1)
        found = found.merge(last[["dimension", "low", "high", "same_sign"]]).merge(settled(step))
        found["winning_mean"] = winning.mean().to_numpy()
        found["losing_mean"] = losing.mean().to_numpy()
        rows.append(found.assign(system=scored.system, reading=scored.reading))
        steps.append(step.assign(system=scored.system))
    made.write("targets", _stacked(rows, "targets"))
    made.write("target_convergence", _stacked(steps, "target_convergence"))
    made.details = {
        one["system"].iloc[0]: f"{int(one['stable'].sum())} of {len(one)} settled" for one in rows
    } or {"why none": NO_PAIRS}


@step(
    stage="11_targets",
    tables=("target_checks",),
    upstream=(
        "preferences",
        "preference_perceptions",
        "preference_measurements",
        "factors",
        "factor_names",
    ),
    settings=(
        "targets.reading",
        "targets.mask_below",
        "targets.folds",
        "targets.permutations",
        "targets.random_targets",
        "seed",
    ),
    asked_by="targets.source",
)
def target_checks(made: Making) -> None:
    """One row per value system and predictor: how often it names the preferred response."""
    settings = made.study
    rows = [
        target_check(scored.pairs, settings.targets, settings.seed).assign(system=scored.system)
        for scored in scored_pairs(made)
    ]
    made.write("target_checks", _stacked(rows, "target_checks"))
    made.details = {} if rows else {"why none": NO_PAIRS}


def _stacked(frames: list[pd.DataFrame], table: str) -> pd.DataFrame:
    columns = list(TABLES[table].model_fields)
    return (
        pd.concat(frames, ignore_index=True)[columns] if frames else pd.DataFrame(columns=columns)
    )


def scored_pairs(made: Making) -> Iterator[Scored]:
    """The pairs as each value system scores them; nothing where there are no pairs."""
    pairs = made.read(PAIRS)
    if pairs.empty:
        return
    measured = made.read(MEASURED)
    responses = sorted({*pairs["winning"], *pairs["losing"]})
    longer = pairs["longer"].to_numpy(float)
    for system, reading, lexicon, dimensions in value_systems(made):
        rows = measured[measured["lexicon"] == lexicon]
        scores = dimension_scores(rows, dimensions, responses)
        winning, losing = (
            scores.loc[pairs[side]].reset_index(drop=True) for side in ("winning", "losing")
        )
        yield Scored(system, reading, Pairs(winning, losing, list(pairs["prompt"]), longer))


def value_systems(made: Making) -> list[tuple[str, str, str, Dimensions]]:
    """Systems with their reading, the lexicon that their values were measured as, and dimensions.

    Ours is there where the study has factors. Schwartz's values are measured directly.
    """
    reading, levels = made.study.targets.reading, schwartz()
    ours = made.read(OURS)
    # two factors may have one name
    several = ours.groupby("name")["factor"].nunique().reindex(ours["name"]).to_numpy() > 1
    ours["factor"] = np.where(several, ours["factor"] + " " + ours["name"], ours["name"])
    published = published_system().factors
    found: list[tuple[str, str, str, Dimensions]]
    if reading == "direct":
        names = dict(zip(ours["factor"], ours["name"], strict=True))
        by_name = {factor: {name: 1} for factor, name in names.items()}
        as_is = {factor: {factor: 1} for factor in published}
        found = [
            ("ours", reading, "ours, direct", by_name),
            ("published", reading, "published, direct", as_is),
        ]
    else:
        found = [
            ("ours", reading, "lexicon", _keyed(ours)),
            ("published", reading, "published", published),
        ]
    for level, name in LEVELS.items():
        own = levels[levels["level"] == level]["value"]
        found.append((name, "direct", name, {value: {value: 1} for value in own}))
    return [one for one in found if one[3]]


def _keyed(rows: pd.DataFrame) -> Dimensions:
    return {
        str(factor): {str(v): int(k) for v, k in zip(own["value"], own["keyed"], strict=True)}
        for factor, own in rows.groupby("factor", sort=False)
    }
