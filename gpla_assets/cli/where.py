"""Says which folder the warehouses are in, where that is not plain."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape


def say_where(console: Console) -> None:
    """Print the warehouses' folder if it depends on the current folder: another finds nothing."""
    from gpla_assets.studies.places import folder_depends_on_place, warehouse_folder

    if folder_depends_on_place():
        console.print(
            f"warehouses {escape(str(warehouse_folder()))} "
            "(warehouse/ of the current folder; GPLA_WAREHOUSE_DIR names another)",
            soft_wrap=True,
        )
