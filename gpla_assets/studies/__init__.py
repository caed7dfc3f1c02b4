"""Studies: the configuration of the whole pipeline."""

from gpla_assets.studies.benchmarks import CriterionSource, Validation
from gpla_assets.studies.places import (
    child_environment,
    dagster_yaml,
    data_dir,
    dbt_folder,
    sql_folder,
    warehouse_folder,
)
from gpla_assets.studies.settings import Model
from gpla_assets.studies.study import (
    SHIPPED,
    Calls,
    Evaluator,
    Generator,
    Parser,
    Price,
    Study,
    StudyError,
    SubjectSource,
    fingerprint,
    load_study,
    parse_study,
)

__all__ = [
    "SHIPPED",
    "Calls",
    "CriterionSource",
    "Evaluator",
    "Generator",
    "Model",
    "Parser",
    "Price",
    "Study",
    "StudyError",
    "SubjectSource",
    "Validation",
    "child_environment",
    "dagster_yaml",
    "data_dir",
    "dbt_folder",
    "fingerprint",
    "load_study",
    "parse_study",
    "sql_folder",
    "warehouse_folder",
]
