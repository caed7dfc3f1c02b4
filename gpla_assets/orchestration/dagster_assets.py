"""The steps as Dagster sees them: assets, checks, jobs, and the study as their resource.

All of it comes from the steps' declarations. An asset's code version is the fingerprint that the
study implies at loading; a making reports, as its data version and code version, the fingerprint of
what it used. So Dagster calls stale what `gpla status` calls stale.
"""

import warnings
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import dagster as dg
from dagster._core.definitions.data_version import CODE_VERSION_TAG
from dagster_dbt import DagsterDbtTranslator, dbt_assets
from pydantic import PrivateAttr

from gpla_assets.chat import Budget
from gpla_assets.common.errors import KnownError
from gpla_assets.orchestration.asset_keys import asset_keys, named_study
from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.orchestration.dbt import DbtFailed, NodeResult, asset_of, prepared_manifest
from gpla_assets.orchestration.dead_runs import PROCESS_TAG, this_process
from gpla_assets.orchestration.forgetting import forget
from gpla_assets.orchestration.making import Made, State, make, state_of
from gpla_assets.orchestration.mirror import ANSWERS, mirror
from gpla_assets.orchestration.plan import JOBS, job_steps, stale_in
from gpla_assets.orchestration.publishing import publish
from gpla_assets.orchestration.session import current
from gpla_assets.orchestration.shown import (
    PAPER_GROUP,
    Shown,
    code_at,
    code_of,
    group_of,
    stale_text,
    stored_tables,
    table_schema,
    told,
)
from gpla_assets.orchestration.steps import Step
from gpla_assets.orchestration.versions import Expected, Key, Versions, asked_steps, upstream_of
from gpla_assets.storage import RowsRefused, Warehouse, WarehouseLocked, warehouse_of
from gpla_assets.studies import Study, dbt_folder, load_study
from gpla_assets.studies.settings import bearing

# single-run backfills are marked beta; each of our partitioned assets would warn at import
warnings.filterwarnings("ignore", category=dg.BetaWarning)

Condition = dg.AutomationCondition[dg.AssetKey]
Node = Mapping[str, Any]
"""A model or seed as dbt's manifest has it."""
Event = dg.AssetCheckResult | dg.MaterializeResult[None]
OWNERS = ["team:gpla"]
PYTHON = {"dagster/kind/duckdb": "", "dagster/kind/python": ""}
LOADING_WAITS_S = 5.0
"""Seconds that loading waits for a warehouse which a run has locked, before it shows no reasons."""
PARTITIONS = {
    "subjects": dg.DynamicPartitionsDefinition(name="subjects"),
    "runs": dg.DynamicPartitionsDefinition(name="runs"),
}


class StudyResource(dg.ConfigurableResource["StudyResource"]):
    """The study of a run. At the run's end its rows are published, whoever started it."""

    study: str = ""
    _study: Study = PrivateAttr()
    _budget: Budget = PrivateAttr()
    _warehouse: Warehouse = PrivateAttr()
    _made: int = PrivateAttr(default=0)

    def setup_for_execution(self, context: dg.InitResourceContext) -> None:
        """Read the study as it is now; forget what it no longer asks for."""
        self._study = load_study(self.study or named_study())
        session = current()
        self._budget = session.budget if session else Budget(self._study.calls)
        self._made = 0
        self._warehouse = warehouse_of(self._study.store)
        self._warehouse.create()
        # before anything is computed: rows of a step that is asked no more must not be read
        forget(self._study, self._warehouse, state_of(self._warehouse))
        if session is None and context.instance is not None and context.run_id:
            context.instance.add_run_tags(context.run_id, {PROCESS_TAG: this_process()})

    def make(self, step: Step, keys: list[str]) -> Made:
        """Make a step's rows and store them; see `making.make`."""
        session = current()
        if session:
            session.begin(step.name, step.partitions, len(keys))
        tell = session.tell if session else (lambda line: None)
        done = make(step, self._study, self._warehouse, self._budget, keys, tell)
        self._made += 1
        if session:
            session.made.append(done)
        return done

    def stored(self, assets: Sequence[str]) -> dict[str, Shown]:
        """What the warehouse says of the tables that dbt built, by asset."""
        return stored_tables(self._warehouse, assets)

    def teardown_after_execution(self, context: dg.InitResourceContext) -> None:
        """The run's last act: publish what it made, and have Dagster know all of it."""
        if not self._made:
            return
        if context.instance is not None:
            mirror(context.instance, self._study)
        # `gpla run` is several runs of Dagster, and publishes after the last
        if current() is None:
            publish(self._study)


def _loaded(name: str) -> tuple[Study, State, dict[Key, Expected], dict[Key, str]]:
    """The study, its state, what it implies and why what is stale is so, at loading."""
    study = load_study(name)
    try:
        state = state_of(warehouse_of(study.store), LOADING_WAITS_S)
    except WarehouseLocked:
        state = State([], {})
    reasons = {(one.step, one.partition_key): one.reason for one in stale_in(study, state)}
    return study, state, Versions(study).expected(state.subjects), reasons


def shared_version(step: Step, expected: Mapping[Key, Expected], study: Study) -> str:
    """A step's code version: the part of the fingerprint that all its partitions share."""
    for (name, _), one in expected.items():
        if name == step.name:
            return one.shared
    # no subject is known yet: what a first one would share
    found = Versions(study).expected(["|"])
    return next((one.shared for (name, _), one in found.items() if name == step.name), "")


def definitions(name: str, automate: bool = False) -> dg.Definitions:
    """Everything of a study that Dagster sees; `automate` has it follow new answers by itself."""
    study, _, expected, reasons = _loaded(name)
    # of the daemon alone: it costs a second to import
    from gpla_assets.orchestration.automation import condition, sensors

    steps = asked_steps(study)
    assets = [
        (_dbt_asset if one.models else _python_asset)(
            one,
            study,
            shared_version(one, expected, study),
            stale_text(one, reasons),
            condition(one) if automate else None,
        )
        for one in steps
    ]
    jobs = [
        dg.define_asset_job(
            job,
            selection=dg.AssetSelection.assets(
                *(
                    key
                    for one in steps
                    if one.name in job_steps(job)
                    for key in asset_keys(one.name)
                )
            ),
            tags={"gpla/study": study.name},
            description=JOBS[job],
        )
        for job in JOBS
        if any(one.name in job_steps(job) for one in steps)
    ]
    return dg.Definitions(
        assets=[*assets, answers_spec(study)],
        jobs=jobs,
        sensors=sensors(study) if automate else [],
        resources={"study": StudyResource(study=name)},
        # a process a step would load models and Dagster again at each
        executor=dg.in_process_executor,
    )


def answers_spec(study: Study) -> dg.AssetSpec:
    """Where each subject's answers come from: outside Dagster, watched by it."""
    return dg.AssetSpec(
        ANSWERS,
        partitions_def=PARTITIONS["subjects"],
        group_name=group_of("1_texts"),
        description="One subject's recorded answers, or the profile it is asked under.",
        owners=OWNERS,
        metadata={"sources": dg.MetadataValue.json(bearing(study.subjects, "subjects"))},
    )


def _python_asset(
    step: Step, study: Study, version: str, stale: str, condition: Condition | None
) -> dg.AssetsDefinition:
    deps = [
        dg.AssetKey(one.name if not one.models else one.table) for one in upstream_of(step, study)
    ]
    if step.partitions == "subjects":
        deps.append(dg.AssetKey(ANSWERS))
    checks = CHECKS.get(step.name, ())

    @dg.asset(
        name=step.name,
        description=step.description,
        group_name=group_of(step.stage),
        deps=deps,
        code_version=version,
        partitions_def=PARTITIONS[step.partitions] if step.partitions else None,
        # one run for a range of partitions, so that models load once
        backfill_policy=dg.BackfillPolicy.single_run() if step.partitions else None,
        check_specs=[
            dg.AssetCheckSpec(one.name, asset=step.name, description=one.description, blocking=True)
            for one in checks
        ],
        metadata={
            "dagster/column_schema": table_schema(step.table),
            "dagster/code_references": code_of(step),
            "tables": ", ".join(step.tables),
            "stale": stale,
            "report": dg.MetadataValue.path(str(study.report_path)),
        },
        tags=PYTHON,
        owners=OWNERS,
        automation_condition=condition,
    )
    def compute(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[Event]:
        keys = list(context.partition_keys) if step.partitions else []
        try:
            done = study.make(step, keys)
        except RowsRefused as error:
            for name, count in error.violations.items():
                yield dg.AssetCheckResult(
                    passed=count == 0, check_name=name, metadata={"violations": count}
                )
            raise dg.Failure(str(error), allow_retries=False) from error
        except KnownError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        for one in checks:
            yield dg.AssetCheckResult(passed=True, check_name=one.name, metadata={"violations": 0})
        version = reported_version(done)
        yield dg.MaterializeResult(
            metadata=told(done),
            data_version=dg.DataVersion(version),
            tags={CODE_VERSION_TAG: version},
        )

    return compute


def reported_version(done: Made) -> str:
    """The version of a making for Dagster, which has one for all partitions of a run.

    Where the partitions differ (some read older rows), no version is right for all: Dagster is told
    of each by `mirror`, at the run's end.
    """
    shared = {one.shared for one in done.versions.values()}
    return shared.pop() if len(shared) == 1 else "differs by partition"


class _Translator(DagsterDbtTranslator):
    """dbt's models under the tables' names, in the pipeline's groups, with the step's version."""

    def __init__(self, step: Step, version: str, stale: str, condition: Condition | None) -> None:
        super().__init__()
        self.step, self.version, self.stale, self.condition = step, version, stale, condition

    def get_asset_key(self, dbt_resource_props: Node) -> dg.AssetKey:
        return dg.AssetKey(asset_of(dbt_resource_props))

    def get_group_name(self, dbt_resource_props: Node) -> str | None:
        if dbt_resource_props["resource_type"] == "seed":
            return PAPER_GROUP
        return group_of(self.step.stage)

    def get_code_version(self, dbt_resource_props: Node) -> str | None:
        return self.version

    def get_automation_condition(self, dbt_resource_props: Node) -> Condition | None:
        return self.condition

    def get_metadata(self, dbt_resource_props: Node) -> Mapping[str, object]:
        file = dbt_folder() / dbt_resource_props["original_file_path"]
        return {
            **super().get_metadata(dbt_resource_props),
            "dagster/code_references": code_at(file, dbt_resource_props["name"]),
            "stale": self.stale,
        }


def _dbt_asset(
    step: Step, study: Study, version: str, stale: str, condition: Condition | None
) -> dg.AssetsDefinition:
    translator = _Translator(step, version, stale, condition)

    @dbt_assets(
        manifest=prepared_manifest(),
        select=f"tag:{step.models}",
        name=f"{step.models}_models",
        dagster_dbt_translator=translator,
    )
    def compute(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[Event]:
        try:
            done = study.make(step, [])
        except DbtFailed as error:
            yield from _dbt_checks(context, error.results)
            raise dg.Failure(str(error), allow_retries=False) from error
        except KnownError as error:
            raise dg.Failure(str(error), allow_retries=False) from error
        version = reported_version(done)
        # in the order in which dbt built them, which is that of their dependencies
        wanted = {key.path[-1] for key in context.selected_asset_keys}
        stored = study.stored(sorted(wanted))
        for node in done.nodes:
            # dbt builds all models whichever were selected; `mirror` tells Dagster of the others
            if node.kind not in ("model", "seed") or node.name not in wanted:
                continue
            yield dg.MaterializeResult(
                asset_key=dg.AssetKey(node.name),
                metadata={
                    **(told(done) if node.name == step.table else {}),
                    **stored.get(node.name, {}),
                    "seconds": round(node.seconds, 1),
                },
                data_version=dg.DataVersion(version),
                tags={CODE_VERSION_TAG: version},
            )
        yield from _dbt_checks(context, done.nodes)

    return compute


def _dbt_checks(
    context: dg.AssetExecutionContext, nodes: list[NodeResult]
) -> Iterator[dg.AssetCheckResult]:
    """What dbt's tests found, as the checks that dagster-dbt made of them."""
    results = {node.name: node for node in nodes if node.kind == "test"}
    for key in sorted(context.selected_asset_check_keys):
        node = results.get(key.name)
        if node is not None:
            yield dg.AssetCheckResult(
                passed=node.passed,
                asset_key=key.asset_key,
                check_name=key.name,
                metadata={"violations": node.failures},
            )
