"""Everything that Dagster sees of the study that GPLA_STUDY names."""

import os

from gpla_assets.orchestration.asset_keys import named_study
from gpla_assets.orchestration.dagster_assets import definitions

defs = definitions(named_study(), automate=os.environ.get("GPLA_AUTOMATE") == "1")
