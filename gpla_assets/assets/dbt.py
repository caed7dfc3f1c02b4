"""The steps that dbt builds: frequencies and lexicon; subject values and correlations."""

from gpla_assets.orchestration.steps import step
from gpla_assets.studies import Study


@step(
    stage="4_lexicon",
    tables=("lexicon",),
    upstream=("texts", "perceptions", "values", "perception_values", "value_similarities"),
    settings=(
        "lexicon.values",
        "lexicon.rouge_threshold",
        "lexicon.cosine_threshold",
        "lexicon.minimum_frequency",
    ),
    models="lexicon",
)
def lexicon(study: Study) -> dict[str, object]:
    """Frequencies of values, the filtered lexicon and its ledger: dbt's variables."""
    own = study.lexicon
    return {
        "values_are_given": own.values is not None,
        "rouge_threshold": own.rouge_threshold,
        "cosine_threshold": own.cosine_threshold,
        "minimum_frequency": own.minimum_frequency,
    }


@step(
    stage="6_structure",
    tables=("value_correlations",),
    upstream=("subjects", "measurements", "value_estimates"),
    settings=("measurement.rule",),
    models="structure",
)
def value_correlations(study: Study) -> dict[str, object]:
    """Subjects' values and the correlations between values: dbt's variables."""
    return {"measurement_rule": study.measurement.rule}
