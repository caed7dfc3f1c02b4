"""Studies: the configuration of the whole pipeline."""

from gpla_assets.studies.study import (
    PROJECT_ROOT,
    SHIPPED,
    Calls,
    Evaluator,
    Generator,
    Model,
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
    "Evaluator",
    "Generator",
    "Model",
    "Parser",
    "Price",
    "Study",
    "StudyError",
    "SubjectSource",
    "data_dir",
    "fingerprint",
    "load_study",
    "parse_study",
    "warehouse_folder",
]
