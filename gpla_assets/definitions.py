"""Everything that Dagster sees, gathered."""

import dagster as dg

from gpla_assets.assets import (
    alignment,
    cfa,
    dbt,
    factors,
    measurements,
    perceptions,
    preferences,
    probes,
    schwartz,
    targets,
    texts,
    validation,
    validity,
    values,
)
from gpla_assets.checks import CHECKS
from gpla_assets.resources import StudyResource

ASSETS: list[dg.AssetsDefinition] = [
    texts.texts,
    texts.questions,
    texts.subjects,
    texts.responses,
    perceptions.perceptions,
    perceptions.subject_perceptions,
    values.values,
    values.perception_values,
    values.value_similarities,
    dbt.lexicon_models,
    measurements.evaluator,
    measurements.measurements,
    dbt.structure_models,
    factors.factors,
    factors.stability,
    factors.factor_names,
    schwartz.reference_measurements,
    schwartz.schwartz_mapping,
    schwartz.schwartz_relations,
    cfa.cfa_fits,
    probes.criteria,
    probes.probes,
    validation.validation_texts,
    validation.validation_perceptions,
    validation.validation_measurements,
    validity.coverage,
    validity.consistency,
    validity.direct_lexicon,
    validity.external_validity,
    preferences.preferences,
    preferences.preference_perceptions,
    preferences.preference_measurements,
    targets.targets,
    targets.target_checks,
    alignment.policies,
    alignment.judgements,
    alignment.alignment_results,
]

defs = dg.Definitions(
    assets=ASSETS,
    asset_checks=CHECKS,
    resources={"study": StudyResource()},
    executor=dg.in_process_executor,
)
