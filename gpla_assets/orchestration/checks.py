"""Facts that must hold of a step's new rows before they count; dbt's tests check its own models.

Where a step has partitions, a check looks at the partitions that are written: `written` holds their
keys. What other partitions hold is their own matter.
"""

from __future__ import annotations

from gpla_assets.storage import Check, relation

COLUMN_OF = {"lexicon": "value"}
OWN = "t.subject_id in (select key from written)"


def _reference(table: str, column: str, other: str, scope: str = "true") -> Check:
    return Check(
        f"{column}_is_in_{other}",
        f"Every {column} of {table} has its row in {other}.",
        f'select count(*) from {relation(table)} as t where {scope} and t."{column}" is not null '
        f'and t."{column}" not in (select "{COLUMN_OF.get(other, column)}" from {relation(other)})',
    )


CHECKS: dict[str, tuple[Check, ...]] = {
    "responses": (
        _reference("responses", "subject_id", "subjects", OWN),
        _reference("responses", "question_id", "questions", OWN),
    ),
    "perceptions": (
        Check(
            "words_stand_in_the_text",
            "A perception's offsets give its words in the text that it was found in.",
            "select count(*) from evidence.perceptions t "
            "join evidence.texts p on t.parent_id = p.text_id "
            "where t.origin = 'corpus' and substring(p.content, t.start_offset + 1, "
            "t.end_offset - t.start_offset) <> t.sentence",
        ),
        Check(
            "parents_are_texts",
            "Every corpus perception has its text.",
            "select count(*) from evidence.perceptions t where t.origin = 'corpus' "
            "and t.parent_id not in (select text_id from evidence.texts)",
        ),
    ),
    "subject_perceptions": (
        Check(
            "words_stand_in_the_response",
            "A perception's offsets give its words in the response that it was found in.",
            "select count(*) from evidence.perceptions t "
            "join evidence.responses r on t.parent_id = r.response_id "
            f"where {OWN} and substring(case t.part when 'reasoning' then r.reasoning "
            "else r.answer end, t.start_offset + 1, t.end_offset - t.start_offset) <> t.sentence",
        ),
        Check(
            "parents_are_responses",
            "Every subject's perception has its response.",
            f"select count(*) from evidence.perceptions t where {OWN} "
            "and t.parent_id not in (select response_id from evidence.responses)",
        ),
    ),
    "perception_values": (_reference("perception_values", "perception_id", "perceptions"),),
    "measurements": (
        _reference("measurements", "perception_id", "perceptions", OWN),
        _reference("measurements", "subject_id", "subjects", OWN),
        _reference("measurements", "value", "lexicon", f"{OWN} and t.lexicon = 'lexicon'"),
        _reference("expressions", "response_id", "responses", OWN),
        Check(
            "probabilities_add_to_one",
            "p_support, p_oppose and p_either add to 1, and the score is their difference.",
            f"select count(*) from evidence.measurements t where {OWN} and "
            "(abs(t.p_support + t.p_oppose + t.p_either - 1) > 1e-4 "
            "or abs(t.score - (t.p_support - t.p_oppose)) > 1e-6)",
        ),
    ),
    "schwartz_relations": (_reference("schwartz_scores", "subject_id", "subjects"),),
    "factor_names": (
        Check(
            "one_name_a_factor",
            "Every factor has one chosen name.",
            "select count(*) from (select distinct factor from analysis.loadings) as f left join "
            "(select factor, count(*) as n from analysis.factor_names where chosen group by 1) "
            "as c using (factor) where n is distinct from 1",
        ),
    ),
    "value_estimates": (
        _reference("value_estimates", "value", "lexicon"),
        Check(
            "scores_lie_in_their_intervals",
            "Every score lies within its interval.",
            "select count(*) from evidence.value_estimates "
            "where score not between low - 1e-9 and high + 1e-9",
        ),
    ),
    "stability": (
        Check(
            "congruence_is_a_cosine",
            "Congruence of matched factors lies between 0 and 1.",
            "select count(*) from analysis.stability_factors "
            "where congruence not between 0 and 1.0000001",
        ),
    ),
    "factors": (
        _reference("factor_scores", "subject_id", "subjects"),
        Check(
            "one_primary_loading",
            "Every value of the loadings has one primary factor.",
            'select count(*) from (select "value" from analysis.loadings group by "value" '
            "having count(*) filter (where is_primary) <> 1)",
        ),
    ),
}
"""By step; a check's name is unique within its step."""
