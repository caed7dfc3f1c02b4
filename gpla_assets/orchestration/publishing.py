"""The published file and the report: what users read, made anew when it is not what is stored."""

from __future__ import annotations

from gpla_assets.orchestration.making import State, state_of
from gpla_assets.orchestration.steps import all_steps
from gpla_assets.orchestration.versions import asked_steps
from gpla_assets.storage import warehouse_of
from gpla_assets.storage.publication import Publication, View
from gpla_assets.studies import Lake, Study
from gpla_assets.studies.places import sql_folder


def fault(study: Study) -> str | None:
    """Why the published file or the report is not what is stored; None where both are."""
    warehouse = warehouse_of(study.store)
    if not warehouse.exists():
        return None
    kind = "state" if isinstance(study.store, Lake) else "file"
    wrong = warehouse.published_fault(publication(study))
    if wrong is not None:
        return f"the published {kind} {wrong}"
    if not reportable(study, state_of(warehouse)):
        return None
    report = study.report_path
    if not report.exists() or report.stat().st_size == 0:
        return "the report is missing"
    if report.stat().st_mtime_ns < warehouse.published_at():
        return f"the report is older than the published {kind}"
    return None


def publish(study: Study) -> None:
    """Copy the working file to where users read, and write the report of it.

    There is no report before every step was made once.
    """
    warehouse = warehouse_of(study.store)
    warehouse.publish(publication(study))
    if reportable(study, state_of(warehouse)):
        from gpla_assets.report import write_report

        write_report(study)


def reportable(study: Study, state: State) -> bool:
    """Whether a report can be written: all steps without partitions were made once."""
    names = [one.name for one in asked_steps(study) if one.partitions is None]
    return all((name, "") in state.stored for name in names)


def publication(study: Study) -> Publication:
    """What is published beside the rows: the views of sql/views, and no unasked empty tables."""
    asked = asked_steps(study)
    needed = {table for one in asked for table in one.tables}
    unasked = {table for one in all_steps() for table in one.tables} - needed
    paths = sorted((sql_folder() / "views").glob("*.sql"))
    return Publication(tuple(View.of(path) for path in paths), tuple(sorted(unasked)))
