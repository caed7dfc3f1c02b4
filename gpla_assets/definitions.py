"""Everything that Dagster sees of the study that GPLA_STUDY names."""

import os

from gpla_assets.orchestration.dagster_assets import definitions, named_study

defs = definitions(named_study(), automate=os.environ.get("GPLA_AUTOMATE") == "1")
