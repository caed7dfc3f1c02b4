"""What Dagster does by itself where a study is watched (`gpla ui STUDY --automate`).

A sensor sees that the LLMs of the study are others, or that their answers are, and has `subjects`
made, which registers partitions. From there automation conditions carry on: a subject's partitions
when its answers or questions are new, the aggregates when all partitions are there and measured.

Dagster's own `eager()` asks whether something upstream was updated. That would make the aggregates
once for each table of a new LLM, some of them before it is measured, and none of them when an LLM
leaves. Here the same condition asks what `gpla status` asks: whether the rows are stale.
"""

from datetime import datetime
from functools import lru_cache

import dagster as dg

from gpla_assets.orchestration.asset_keys import asset_keys, named_study
from gpla_assets.orchestration.making import state_of
from gpla_assets.orchestration.mirror import mirror
from gpla_assets.orchestration.plan import ADD_LLM, job_steps, stale_in
from gpla_assets.orchestration.steps import Step, all_steps, step_named
from gpla_assets.orchestration.versions import Versions
from gpla_assets.storage import WarehouseLocked, warehouse_of
from gpla_assets.studies import Study, StudyError, load_study

SECONDS = 5
"""Between two looks of a sensor; a look costs half a second."""
FOLLOWING = job_steps(ADD_LLM) - {"subjects"}
"""The steps that are made by themselves."""


# decision 0001: what is asked is what `gpla status` asks
class RowsStale(dg.AutomationCondition[dg.AssetKey]):
    """The partitions that `gpla status` calls stale; none before Dagster knows all subjects."""

    @property
    def description(self) -> str:
        """What Dagster's page of an evaluation says of it."""
        return "Rows are not what the study implies (gpla status)"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """The stale partitions among the candidates."""
        view, found = context.asset_graph_view, context.get_empty_subset()
        name = context.key.path[-1] if isinstance(context.key, dg.AssetKey) else ""
        keys = _stale_at(context).get(name)
        if keys and context.partitions_def is None:
            found = view.get_full_subset(key=context.key)
        elif keys and context.partitions_def is not None:
            found = view.get_subset_from_partition_keys(context.key, context.partitions_def, keys)
        return dg.AutomationResult(context, context.candidate_subset.compute_intersection(found))


class ReadsStale(dg.AutomationCondition[dg.AssetKey]):
    """Whether what a step reads is to be made before its run: true of all candidates or of none."""

    def __init__(self, step: Step) -> None:
        self.first = made_before(step)

    @property
    def description(self) -> str:
        """What Dagster's page of an evaluation says of it."""
        return "The subjects, or something else that is read, are to be made first"

    def evaluate(
        self, context: dg.AutomationContext[dg.AssetKey]
    ) -> dg.AutomationResult[dg.AssetKey]:
        """All candidates, where a step above is stale that is not made in the same run."""

        stale = _stale_at(context)
        behind = any(key.path[-1] in stale for name in self.first for key in asset_keys(name))
        found = context.candidate_subset if behind else context.get_empty_subset()
        return dg.AutomationResult(context, found)


def made_before(step: Step) -> set[str]:
    """What is made before a step's run: of what it reads that which is not made by itself, the
    subjects, and before an aggregate all their partitions."""
    found = {one.name for one in upstream(step) if one.name not in FOLLOWING}
    if step.partitions is None:
        found |= {one.name for one in all_steps() if one.partitions == "subjects"}
    return found | {"subjects"}


def upstream(step: Step) -> set[Step]:
    """The steps that a step reads, and those that these read, and so on."""
    found = {step_named(name) for name in step.reads}
    return found.union(*(upstream(one) for one in found))


def _stale_at(context: dg.AutomationContext[dg.AssetKey]) -> dict[str, frozenset[str]]:
    known = context.asset_graph_view.instance.get_dynamic_partitions("subjects")
    return stale_keys(context.evaluation_time, frozenset(known))


# every condition of a look asks: one reading of the warehouse a look
@lru_cache(maxsize=1)
def stale_keys(moment: datetime, known: frozenset[str]) -> dict[str, frozenset[str]]:
    """The stale partitions of each asset at a look; none where Dagster has other subjects."""

    try:
        study = load_study(named_study())
        state = state_of(warehouse_of(study.store))
        # between a registered partition and its rows the two disagree for a moment: nothing is made
        # on that
        if known != frozenset(state.subjects):
            return {}
        stale = stale_in(study, state)
    except (StudyError, WarehouseLocked):  # being edited, or written: the next look is soon
        return {}
    found: dict[str, frozenset[str]] = {}
    for step in dict.fromkeys(one.step for one in stale):
        keys = frozenset(one.partition_key for one in stale if one.step == step)
        found |= {key.path[-1]: keys for key in asset_keys(step)}
    return found


def condition(step: Step) -> dg.AutomationCondition[dg.AssetKey] | None:
    """When a step is made without being asked for: never, of the corpus and lexicon.

    An aggregate waits for all subjects. Where a step failed, it is not made before something that
    it reads, or its code or settings, are others.
    """
    if step.name not in FOLLOWING:
        return None
    its = dg.AutomationCondition
    changed = its.any_deps_updated() | its.code_version_changed()
    return (
        RowsStale()
        & ~ReadsStale(step)
        & ~its.any_deps_match(RowsStale() & ~its.will_be_requested())
        & ~its.any_deps_in_progress()
        & ~its.in_progress()
        & its.all_deps_blocking_checks_passed()
        & ~its.execution_failed().newly_true().since(changed)
    ).with_label("stale, and all that it reads is fresh")


def sensors(study: Study) -> list[dg.SensorDefinition]:
    """The sensor of answers, and the one that evaluates the conditions; both on."""

    @dg.sensor(
        name="new_answers",
        job_name=ADD_LLM,
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Sees LLMs that were added or have left, and answers that changed.",
    )
    def new_answers(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:

        now = load_study(named_study())
        # before the state: a run that ends in between gives no second request
        made = context.instance.get_latest_materialization_event(dg.AssetKey("subjects"))
        state = state_of(warehouse_of(now.store))
        mirror(context.instance, now)
        stale = [one for one in stale_in(now, state) if one.step == "subjects"]
        if not stale:
            return dg.SkipReason("The study's LLMs are those that are stored.")
        wanted = Versions(now).expected(state.subjects)["subjects", ""].fingerprint
        return dg.RunRequest(
            # asked for once, until the LLMs are others again; also where they are as before
            run_key=f"{wanted} after {made.timestamp if made else 'nothing'}",
            asset_selection=[dg.AssetKey("subjects")],
            tags={"gpla/study": now.name, "gpla/reason": f"subjects: {stale[0].reason}"[:250]},
        )

    automation = dg.AutomationConditionSensorDefinition(
        "automation",
        target=dg.AssetSelection.all(),
        minimum_interval_seconds=SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Makes stale partitions of subjects, then the aggregates; see the conditions.",
        run_tags={"gpla/study": study.name, "gpla/reason": "automation: rows are stale"},
        use_user_code_server=True,  # the condition is our own
    )
    return [new_answers, automation]
