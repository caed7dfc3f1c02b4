"""Which study Dagster is told of, and under which keys its steps stand there."""

import os

import dagster as dg

from gpla_assets.orchestration.dbt import model_parents
from gpla_assets.orchestration.steps import step_named


def named_study() -> str:
    """The study that this process is about: GPLA_STUDY, or the demo."""
    return os.environ.get("GPLA_STUDY", "demo")


def asset_keys(step: str) -> list[dg.AssetKey]:
    """The keys of a step's assets: of one that dbt builds, all its models and seeds."""
    one = step_named(step)
    return [dg.AssetKey(name) for name in (model_parents(one.models) if one.models else [step])]
