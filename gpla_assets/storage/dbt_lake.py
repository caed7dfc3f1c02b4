"""A plugin of dbt-duckdb: what a file was begun from, dbt sees too (`lake_build`)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from dbt.adapters.duckdb.plugins import BasePlugin


class Plugin(BasePlugin):
    """Attaches the lake beside a file; nothing where there is none."""

    def configure_connection(self, conn: Any) -> None:
        """Called by dbt-duckdb for each connection that it opens."""
        file = Path(self.creds.path if self.creds else "")
        if file.with_name("lake.json").exists():
            from gpla_assets.storage.lake_build import see_lake

            see_lake(conn, file)
