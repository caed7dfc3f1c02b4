"""Studies: the configuration of the whole pipeline."""

from gpla_assets.studies.alignment import TargetSettings
from gpla_assets.studies.asking import Calls, CorpusSource, Price, SubjectSource
from gpla_assets.studies.benchmarks import CfaSettings, CriterionSource, Probe, Validation
from gpla_assets.studies.compute import Compute
from gpla_assets.studies.lexicon import LexiconSettings
from gpla_assets.studies.loading import load_study, parse_study, settings_of_options
from gpla_assets.studies.measurement import MeasurementSettings
from gpla_assets.studies.places import (
    child_environment,
    dagster_yaml,
    data_dir,
    dbt_folder,
    sql_folder,
    warehouse_folder,
)
from gpla_assets.studies.settings import Model
from gpla_assets.studies.stores import Lake, Store, store_of
from gpla_assets.studies.structure import StructureSettings
from gpla_assets.studies.study import (
    SHIPPED,
    Evaluator,
    Generator,
    Parser,
    Study,
    StudyError,
    fingerprint,
)

__all__ = [
    "SHIPPED",
    "Calls",
    "CfaSettings",
    "Compute",
    "CorpusSource",
    "CriterionSource",
    "Evaluator",
    "Generator",
    "Lake",
    "LexiconSettings",
    "MeasurementSettings",
    "Model",
    "Parser",
    "Price",
    "Probe",
    "Store",
    "StructureSettings",
    "Study",
    "StudyError",
    "SubjectSource",
    "TargetSettings",
    "Validation",
    "child_environment",
    "dagster_yaml",
    "data_dir",
    "dbt_folder",
    "fingerprint",
    "load_study",
    "parse_study",
    "settings_of_options",
    "sql_folder",
    "store_of",
    "warehouse_folder",
]
