"""The files of a group's deployment: they fit together, and what they describe starts."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

import gpla_assets
from gpla_assets.studies.stores import Lake, lake_of
from tests.compose_services import DEPLOY, STARTED, compose, services
from tests.postgres import lacking

LACKING = lacking()


def variables() -> set[str]:
    """Environment variables of ours that the code reads."""
    package = Path(gpla_assets.__file__).parent
    found = " ".join(path.read_text("utf-8") for path in package.rglob("*.py"))
    return set(re.findall(r"\bGPLA_[A-Z0-9_]+", found))


def test_services_of_compose_fit_together() -> None:
    every = compose()["services"]
    workspace = yaml.safe_load((DEPLOY / "workspace.yaml").read_text("utf-8"))
    hosts = {one["grpc_server"]["host"] for one in workspace["load_from"]}
    assert hosts == {name for name in every if name.startswith("worker-")}
    for name in STARTED:
        given = every[name]["environment"]
        assert {one for one in given if one.startswith("GPLA_")} <= variables()
        lake = lake_of(given["GPLA_WAREHOUSE"], "demo")
        assert isinstance(lake, Lake) and dict(lake.server)["host"] in every
    # nothing listens beyond this machine, and no password is written down
    assert all(
        port.startswith("127.0.0.1:") for one in every.values() for port in one.get("ports", [])
    )
    assert "PASSWORD: gpla" not in (DEPLOY / "compose.yaml").read_text("utf-8")


def test_values_of_helm_name_what_the_code_reads() -> None:
    values = yaml.safe_load((DEPLOY / "values.yaml").read_text("utf-8"))
    (one,) = values["dagster-user-deployments"]["deployments"]
    given = {pair["name"]: pair["value"] for pair in one["env"]}
    assert set(given) <= variables()
    assert isinstance(lake_of(given["GPLA_WAREHOUSE"], "survey"), Lake)
    launched = values["runLauncher"]["config"]["k8sRunLauncher"]
    assert launched["envSecrets"] == one["envSecrets"]
    assert launched["volumeMounts"] == one["volumeMounts"]


@pytest.mark.long
@pytest.mark.slow
@pytest.mark.skipif(LACKING is not None, reason=str(LACKING))
def test_the_services_of_compose_start_on_loopback() -> None:
    with services() as found:
        assert found.locations() == {
            "worker-a": "RepositoryLocation",
            "worker-b": "RepositoryLocation",
        }
