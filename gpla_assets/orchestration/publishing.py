"""The published file and the report: what users read, made anew when it is not what is stored."""

from __future__ import annotations

from gpla_assets.orchestration.making import State, state_of
from gpla_assets.orchestration.versions import asked_steps
from gpla_assets.storage import Warehouse
from gpla_assets.studies import Study


def fault(study: Study) -> str | None:
    """Why the published file or the report is not what is stored; None where both are."""
    warehouse = Warehouse(study.warehouse_path)
    if not warehouse.working.exists() and not warehouse.path.exists():
        return None
    wrong = warehouse.published_fault()
    if wrong is not None:
        return f"the published file {wrong}"
    if not reportable(study, state_of(warehouse)):
        return None
    report = study.report_path
    if not report.exists() or report.stat().st_size == 0:
        return "the report is missing"
    if report.stat().st_mtime_ns < warehouse.path.stat().st_mtime_ns:
        return "the report is older than the published file"
    return None


def publish(study: Study) -> None:
    """Copy the working file to where users read, and write the report of it.

    There is no report before every step was made once.
    """
    warehouse = Warehouse(study.warehouse_path)
    warehouse.publish()
    if reportable(study, state_of(warehouse)):
        from gpla_assets.report import write_report

        write_report(study)


def reportable(study: Study, state: State) -> bool:
    """Whether a report can be written: all steps without partitions were made once."""
    names = [one.name for one in asked_steps(study) if one.partitions is None]
    return all((name, "") in state.stored for name in names)
