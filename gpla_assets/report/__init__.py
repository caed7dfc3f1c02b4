"""The report: one HTML page on a study's value system that needs no network."""

from gpla_assets.report.page import report_path, write_report

__all__ = ["report_path", "write_report"]
