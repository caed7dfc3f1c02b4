"""The explorer of a study: one HTML page that needs no network."""

from gpla_assets.report.page import write_explorer, write_report

__all__ = ["write_explorer", "write_report"]
