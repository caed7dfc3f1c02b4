"""Studies: the configuration of the whole pipeline."""

from gpla_assets.studies.benchmarks import CriterionSource, Validation
from gpla_assets.studies.settings import Model
from gpla_assets.studies.study import (
    PROJECT_ROOT,
    SHIPPED,
    Calls,
    Evaluator,
    Generator,
    Parser,
    Price,
    Study,
    StudyError,
    SubjectSource,
    data_dir,
    fingerprint,
    load_study,
    parse_study,
    warehouse_folder,
)

__all__ = [
    "PROJECT_ROOT",
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
    "data_dir",
    "fingerprint",
    "load_study",
    "parse_study",
    "warehouse_folder",
]
