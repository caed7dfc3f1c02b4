"""What a run would do, without doing it: steps, texts through models, calls and money."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from gpla_assets.chat import Budget
from gpla_assets.orchestration.counting import Tally, counting
from gpla_assets.orchestration.making import Making, Own, State, state_of
from gpla_assets.orchestration.parts import Workers
from gpla_assets.orchestration.plan import stale_in
from gpla_assets.orchestration.steps import Step, step_named
from gpla_assets.orchestration.versions import Stale, agents_of, upstream_of
from gpla_assets.storage import Warehouse, warehouse_of
from gpla_assets.studies import Compute, Model, Study
from gpla_assets.subjects import answers_asked

COUNTED = ("parser", "generator", "evaluator")
"""Agents whose work is counted by giving them their rows; subjects that are asked are, too."""
UNCOUNTED = ("kaleido", "valuellama")
"""Backends that load their weights when they are made: one text a perception is assumed."""


@dataclass(frozen=True)
class Estimate:
    """One stale step: how many partitions, why, and what would run.

    `texts` and `calls` by model; `known` texts and calls that were done before; `cost` in the
    currency of the study's prices, at most, None without a price. `basis` says what was counted:
    present rows, rows that will change, or nothing yet.
    """

    step: str
    partitions: int
    reason: str
    texts: dict[str, int]
    calls: dict[str, int]
    known: int
    tokens: int
    cost: float | None
    basis: str


class _Counting(Making):
    """A making that stores nothing."""

    def write(
        self, table: str, rows: pd.DataFrame, column: str | None = None, keys: Sequence[str] = ()
    ) -> None:
        return

    def made_by(self, role: str, workers: Workers[Own], settings: Model) -> str:
        return ""


def estimate(study: Study) -> list[Estimate]:
    """What a run would make now, step by step, from the state of the stores and caches."""
    warehouse = warehouse_of(study.store)
    state = state_of(warehouse)
    stale = stale_in(study, state)
    steps = {one.step for one in stale}
    return [
        _of_step(study, state, warehouse, name, [one for one in stale if one.step == name], steps)
        for name in dict.fromkeys(one.step for one in stale)
    ]


def _of_step(
    study: Study,
    state: State,
    warehouse: Warehouse,
    name: str,
    own: list[Stale],
    stale: set[str],
) -> Estimate:
    step = step_named(name)
    keys = [one.partition_key for one in own if one.partition_key]
    tally, basis = Tally(), ""
    if _counts(step, study):
        upstream = [one.name for one in upstream_of(step, study)]
        made = {at for at, _ in state.stored}
        missing = [one for one in upstream if one not in made]
        # its rows are not there to be counted
        if missing or (step.partitions and not keys):
            basis = f"known when {missing[0] if missing else 'subjects'} is made"
        else:
            changing = [one for one in upstream if one in stale]
            basis = f"of the present {changing[0]}" if changing else ""
            tally = tally_of(step, study, warehouse, keys)
    prices = study.calls.prices
    asked = list(tally.calls)
    cost = None
    if asked and all(model in prices for model in asked):
        cost = (
            sum(
                tally.prompt_tokens[model] * prices[model].prompt
                + tally.completion_tokens[model] * prices[model].completion
                for model in asked
            )
            / 1e6
        )
    tokens = sum(tally.prompt_tokens.values()) + sum(tally.completion_tokens.values())
    reason = Counter(one.reason for one in own).most_common(1)[0][0]
    return Estimate(
        *(name, len(keys), reason, tally.texts, tally.calls),
        *(sum(tally.known.values()), tokens, cost, basis),
    )


def _counts(step: Step, study: Study) -> bool:
    asks = any(one.backend != "recorded" for one in study.subjects)
    return bool(set(agents_of(step, study)) & set(COUNTED)) or (step.name == "responses" and asks)


def tally_of(step: Step, study: Study, warehouse: Warehouse, keys: list[str]) -> Tally:
    """What a step's partitions `keys` would have models do, by the rows that are there."""
    tally = Tally()
    # counted here, wherever it will run
    here = study.model_copy(update={"compute": Compute()})
    made = _Counting(step, here, list(keys), warehouse, Budget(study.calls))
    agents = agents_of(step, study)
    heavy = [settings for settings in agents.values() if settings.backend in UNCOUNTED]
    if heavy:
        tables = [one.table for one in upstream_of(step, study)]
        rows = made.read(f'select count(*) as n from "{tables[0]}"')
        tally.texts[heavy[0].model or heavy[0].backend] = int(rows["n"].iloc[0])
        return tally
    if step.name == "responses":
        made.keys = _not_here(made, tally)
    with counting(tally):
        step.function()(made)
    return tally


def _not_here(made: Making, tally: Tally) -> list[str]:
    """The subjects of a making that do not run here; the answers of those that do are counted."""
    own = [one for one in made.study.subjects if one.backend == "transformers"]
    rows = made.read(
        "select subject_id from evidence.subjects where llm in (select unnest(?))",
        [[llm for one in own for llm in one.llms or []]],
    )
    here = set(made.keys) & set(rows["subject_id"])
    if here:
        asked = int(made.read("select count(*) as n from evidence.questions")["n"].iloc[0])
        tally.texts["transformers"] = asked * answers_asked(made.study, sorted(here))
    return [key for key in made.keys if key not in here]
