"""The wheel: installed without its checkout it works from any folder, and writes nowhere else."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from gpla_assets.orchestration.versions import asked_steps
from gpla_assets.studies import load_study

pytestmark = pytest.mark.slow

CHECKOUT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Installed:
    """A fresh environment with the wheel in it, and an empty folder to stand in."""

    wheel: Path
    binaries: Path
    folder: Path

    def __call__(self, *command: str, expected: int = 0) -> str:
        """Run a command of the environment in the empty folder; its output."""
        # PYTHONPATH would put the checkout first; dbt stays that of the tests' environment
        hidden = ("PYTHONPATH", "GPLA_WAREHOUSE_DIR", "GPLA_DATA_DIR", "DAGSTER_HOME")
        environment = {name: text for name, text in os.environ.items() if name not in hidden}
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
        done = subprocess.run(
            [str(self.binaries / command[0]), *command[1:]],
            cwd=self.folder,
            env=environment | {"PATH": path, "COLUMNS": "160"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == expected, (done.stdout + done.stderr)[-4000:]
        return done.stdout + done.stderr

    def package(self) -> set[str]:
        """The files of the installed package, compiled ones left out."""
        place = self("python", "-c", "import gpla_assets; print(gpla_assets.__path__[0])").strip()
        files = (path for path in Path(place).rglob("*") if path.is_file())
        return {str(path) for path in files if "__pycache__" not in path.parts}


def assets() -> set[str]:
    """The names of the demo's assets: its steps, the models and seeds of dbt, the answers."""
    own = {step.name for step in asked_steps(load_study("demo")) if not step.models}
    files = [*(CHECKOUT / "dbt/models").rglob("*.sql"), *(CHECKOUT / "dbt/seeds").glob("*.csv")]
    return own | {path.stem for path in files} | {"answers"}


def made(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel of this checkout, installed into a new environment.

    Everything else comes from the tests' own environment, by a .pth file: its folder is searched
    after the new one's, and its own .pth files, the editable install's among them, are not read.
    """
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    build = ["wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    made([*pip, *build, str(CHECKOUT)])
    (wheel,) = folder.glob("gpla-*.whl")
    made([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")])
    binaries = folder / "venv" / "bin"
    python = ["--python", str(binaries / "python"), "install", "--no-deps", "--no-compile"]
    made([*pip, *python, str(wheel)])
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    packages = folder / "venv" / "lib" / version / "site-packages"
    (packages / "tests_environment.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    (folder / "empty").mkdir()
    return Installed(wheel, binaries, folder / "empty")


def test_the_wheel_holds_what_the_program_reads_and_nothing_that_dbt_wrote(
    installed: Installed,
) -> None:
    names = zipfile.ZipFile(installed.wheel).namelist()
    for name in (
        "_dbt/dbt_project.yml",
        "_dbt/profiles.yml",
        "_dbt/seeds/paper_consistency.csv",
        "_sql/factors.sql",
        "_dagster.yaml",
        "studies/demo.yaml",
        "docs/open_points.md",
        "content/demo_texts.parquet",
        "evaluator/weights.safetensors",
        "evaluator/cross_adapter/adapter_model.safetensors",
    ):
        assert f"gpla_assets/{name}" in names
    for folder, copy in (
        ("sql", "_sql"),
        ("dbt/models", "_dbt/models"),
        ("dbt/tests", "_dbt/tests"),
    ):
        files = [path for path in (CHECKOUT / folder).rglob("*") if path.is_file()]
        for path in files:
            assert f"gpla_assets/{copy}/{path.relative_to(CHECKOUT / folder)}" in names
    assert not [name for name in names if "/target/" in name or "/logs/" in name]


def test_the_package_comes_from_the_wheel(installed: Installed) -> None:
    assert all(str(installed.binaries.parent) in path for path in installed.package())


def test_queries_are_listed_and_the_demo_is_ready(installed: Installed) -> None:
    assert "factors" in installed("gpla", "query", "list")
    output = installed("gpla", "check", "demo")
    assert "missing" not in output
    assert str(installed.binaries.parent / "lib") in output


def test_warehouses_lie_in_the_current_folder_and_that_is_said(installed: Installed) -> None:
    output = installed("gpla", "status", "demo")
    assert f"warehouses {installed.folder / 'warehouse'}" in output
    assert "never made" in output


def test_dbt_reads_the_package_and_writes_beside_the_warehouses(installed: Installed) -> None:
    before = installed.package()
    output = installed(
        "python",
        "-c",
        "from gpla_assets.definitions import defs; "
        "print(*sorted(key.to_user_string() for key in defs.resolve_all_asset_keys()))",
    )
    assert set(output.splitlines()[-1].split()) == assets()
    assert list((installed.folder / "warehouse/work/dbt").glob("*/manifest.json"))
    assert installed.package() == before
    assert [path.name for path in installed.folder.iterdir()] == ["warehouse"]
