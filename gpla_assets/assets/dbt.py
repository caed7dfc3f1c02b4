"""The dbt models as assets: frequencies and lexicon; subject values and correlations."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, dbt_assets

from gpla_assets.pipeline import folder_stamp
from gpla_assets.resources import StudyResource, making
from gpla_assets.studies import PROJECT_ROOT

DBT = PROJECT_ROOT / "dbt"
MANIFEST = DBT / "target" / "manifest.json"
STAMP = DBT / "target" / "gpla-stamp"


def prepared_manifest() -> Path:
    """dbt's manifest, parsed again only when a model changed (a parse costs 3 s of CPU)."""
    stamp = folder_stamp(DBT, "*.[sy][qm]l")
    if not MANIFEST.exists() or not STAMP.exists() or STAMP.read_text("utf-8") != stamp:
        command = [dbt_executable(), "parse", "--quiet", "--no-partial-parse"]
        done = subprocess.run(
            [*command, "--project-dir", str(DBT), "--profiles-dir", str(DBT)],
            env=dbt_environment(Path("/nonexistent/parse.duckdb")),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"dbt parse failed in {DBT}:\n{done.stdout}{done.stderr}")
        STAMP.write_text(stamp, "utf-8")
    return MANIFEST


def dbt_executable() -> str:
    """dbt of this environment, whatever the PATH."""
    beside = Path(sys.executable).with_name("dbt")
    return str(beside) if beside.exists() else "dbt"


def dbt_environment(warehouse: Path) -> dict[str, str]:
    """Environment that points dbt at a warehouse file."""
    return os.environ | {
        "GPLA_WAREHOUSE": str(warehouse),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
    }


class GroupTranslator(DagsterDbtTranslator):
    """Puts the models into the pipeline's groups."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """stage_4_lexicon for models tagged `lexicon`, stage_6_structure for the others."""
        tags = dbt_resource_props.get("tags", [])
        return "stage_4_lexicon" if "lexicon" in tags else "stage_6_structure"

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """Assets share the tables' names."""
        meta = dbt_resource_props.get("meta", {}) | dbt_resource_props.get("config", {}).get(
            "meta", {}
        )
        key = meta.get("dagster", {}).get("asset_key")
        return dg.AssetKey(key or [dbt_resource_props["name"]])


def _variables(resource: StudyResource) -> dict[str, Any]:
    lexicon = resource.load().lexicon
    return {
        "rouge_threshold": lexicon.rouge_threshold,
        "cosine_threshold": lexicon.cosine_threshold,
        "minimum_frequency": lexicon.minimum_frequency,
    }


def _build(context: dg.AssetExecutionContext, study: StudyResource, step: str) -> Iterator[Any]:
    warehouse = study.warehouse()
    warehouse.create()
    with making(study, step) as made:
        with warehouse.locked() as file:
            os.environ["GPLA_WAREHOUSE"] = str(file)
            dbt = DbtCliResource(
                project_dir=str(DBT), profiles_dir=str(DBT), dbt_executable=dbt_executable()
            )
            arguments = ["build", "--vars", json.dumps(_variables(study))]
            yield from dbt.cli(arguments, context=context).stream()
        made.counts[""] = int(study.read(f"select count(*) from {step}").iloc[0, 0])
        made.details = {"variables": _variables(study)}


@dbt_assets(
    manifest=prepared_manifest(),
    select="tag:lexicon",
    name="lexicon_models",
    dagster_dbt_translator=GroupTranslator(),
)
def lexicon_models(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[Any]:
    """Frequencies of values, the filtered lexicon and its ledger."""
    yield from _build(context, study, "lexicon")


@dbt_assets(
    manifest=prepared_manifest(),
    select="tag:structure",
    name="structure_models",
    dagster_dbt_translator=GroupTranslator(),
)
def structure_models(context: dg.AssetExecutionContext, study: StudyResource) -> Iterator[Any]:
    """Subjects' values and the correlations between values."""
    yield from _build(context, study, "value_correlations")
