"""Asset checks on the tables that Python assets write; dbt's tests check its own models."""

from dataclasses import dataclass

import dagster as dg

from gpla_assets.resources import StudyResource


@dataclass(frozen=True)
class Rule:
    """A fact that must hold of an asset's table: `violations` counts the rows that break it."""

    asset: str
    name: str
    description: str
    violations: str


def _reference(asset: str, table: str, column: str, other: str, filter: str = "true") -> Rule:
    return Rule(
        asset,
        f"{column}_is_in_{other}",
        f"Every {column} of {table} has its row in {other}.",
        f'select count(*) from "{table}" as t where {filter} and t."{column}" is not null '
        f'and t."{column}" not in (select "{COLUMN_OF.get(other, column)}" from "{other}")',
    )


COLUMN_OF = {"subjects": "subject", "questions": "question", "lexicon": "value"}

RULES = (
    _reference("responses", "responses", "subject", "subjects"),
    _reference("responses", "responses", "question", "questions"),
    Rule(
        "perceptions",
        "words_stand_in_the_text",
        "A perception's offsets give its words in the text that it was found in.",
        'select count(*) from perceptions p join texts t on p.parent = t."text" '
        "where p.origin = 'text' and substring(t.content, p.start_offset + 1, "
        "p.end_offset - p.start_offset) <> p.sentence",
    ),
    Rule(
        "perceptions",
        "parents_are_texts",
        "Every corpus perception has its text.",
        "select count(*) from perceptions where origin = 'text' "
        'and parent not in (select "text" from texts)',
    ),
    Rule(
        "subject_perceptions",
        "words_stand_in_the_response",
        "A perception's offsets give its words in the response that it was found in.",
        "select count(*) from perceptions p join responses r on p.parent = r.response "
        "where p.origin = 'response' and substring(r.content, p.start_offset + 1, "
        "p.end_offset - p.start_offset) <> p.sentence",
    ),
    Rule(
        "subject_perceptions",
        "parents_are_responses",
        "Every subject's perception has its response.",
        "select count(*) from perceptions where origin = 'response' "
        "and parent not in (select response from responses)",
    ),
    _reference("perception_values", "perception_values", "perception", "perceptions"),
    _reference("perception_values", "perception_values", "value", "values"),
    _reference("measurements", "measurements", "perception", "perceptions"),
    _reference("measurements", "measurements", "subject", "subjects"),
    _reference("measurements", "measurements", "value", "lexicon"),
    Rule(
        "measurements",
        "probabilities_add_to_one",
        "p_support, p_oppose and p_either add to 1, and the score is their difference.",
        "select count(*) from measurements where abs(p_support + p_oppose + p_either - 1) > 1e-4 "
        "or abs(score - (p_support - p_oppose)) > 1e-6",
    ),
    _reference("reference_measurements", "reference_measurements", "subject", "subjects"),
    _reference("reference_measurements", "reference_measurements", "perception", "perceptions"),
    _reference("schwartz_relations", "schwartz_scores", "subject", "subjects"),
    Rule(
        "factor_names",
        "one_name_a_factor",
        "Every factor has one chosen name.",
        "select count(*) from (select factor from loadings group by factor) as f left join "
        "(select factor, count(*) as n from factor_names where chosen group by factor) as c "
        "using (factor) where n is distinct from 1",
    ),
    Rule(
        "stability",
        "congruence_is_a_cosine",
        "Congruence of matched factors lies between 0 and 1.",
        "select count(*) from stability_factors where congruence not between 0 and 1.0000001",
    ),
    _reference("factors", "factor_scores", "subject", "subjects"),
    Rule(
        "factors",
        "one_primary_loading",
        "Every value of the loadings has one primary factor.",
        'select count(*) from (select "value" from loadings group by "value" '
        "having count(*) filter (where is_primary) <> 1)",
    ),
)


def _check(rule: Rule) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=rule.asset, name=rule.name, description=rule.description, blocking=True)
    def check(study: StudyResource) -> dg.AssetCheckResult:
        found = int(study.read(rule.violations).iloc[0, 0])
        return dg.AssetCheckResult(passed=found == 0, metadata={"violations": found})

    return check


CHECKS: list[dg.AssetChecksDefinition] = [_check(rule) for rule in RULES]
