"""Where things lie: what ships with the program, and the user's warehouses and data.

A wheel holds copies of dbt/, sql/ and dagster.yaml inside the package, as `_dbt`, `_sql` and
`_dagster.yaml`; a checkout (also one installed as editable) has them beside it.
"""

from __future__ import annotations

import os
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]


def shipped(name: str) -> Path:
    """A file or folder of the program: the package's own copy if there is one, else the checkout's.

    >>> shipped("dagster.yaml").name in ("dagster.yaml", "_dagster.yaml")
    True
    """
    packaged = PACKAGE / f"_{name}"
    return packaged if packaged.exists() else PACKAGE.parent / name


def dbt_folder() -> Path:
    """dbt's project: models, seeds, tests. Nothing is written there."""
    return shipped("dbt")


def sql_folder() -> Path:
    """The queries that users run."""
    return shipped("sql")


def dagster_yaml() -> Path:
    """The settings of a Dagster home."""
    return shipped("dagster.yaml")


def installed() -> bool:
    """Whether the program came as a wheel, so that there is no checkout to write into."""
    return (PACKAGE / "_dbt").exists()


def absolute(path: str | Path, folder: Path | None = None) -> Path:
    """A path of the user's: `~` is the home folder, a relative one begins at `folder` or here.

    Folders are followed through links, since `..` behind a link is not what the text suggests; the
    last name is kept, link or not, because it is what the user calls the thing.
    """
    full = os.path.join(folder or os.getcwd(), os.path.expanduser(path))
    above, name = os.path.split(os.path.normpath(full) if full.endswith(("/", "/.")) else full)
    return Path(os.path.realpath(above)) / name


def warehouse_folder() -> Path:
    """The folder of the warehouses, as an absolute path.

    GPLA_WAREHOUSE_DIR; else warehouse/ of the checkout, or of the current folder where the program
    is installed.
    """
    chosen = os.environ.get("GPLA_WAREHOUSE_DIR")
    if chosen:
        return absolute(chosen)
    return (Path.cwd() if installed() else PACKAGE.parent) / "warehouse"


def folder_depends_on_place() -> bool:
    """Whether the warehouses are found by the current folder alone: a user should be told which."""
    return installed() and not os.environ.get("GPLA_WAREHOUSE_DIR")


def data_dir() -> Path | None:
    """The folder of downloaded data, from GPLA_DATA_DIR, as an absolute path."""
    folder = os.environ.get("GPLA_DATA_DIR")
    return absolute(folder) if folder else None


def child_environment(study: str) -> dict[str, str]:
    """What a child process needs to find the same study, warehouses and data from any folder."""
    # a name that ships is no path; anything else was found as a file before a child is started
    path = absolute(study)
    found = {
        "GPLA_STUDY": str(path) if path.is_file() else study,
        "GPLA_WAREHOUSE_DIR": str(warehouse_folder()),
    }
    data = data_dir()
    return found | ({"GPLA_DATA_DIR": str(data)} if data else {})
