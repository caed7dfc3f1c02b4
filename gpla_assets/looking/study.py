"""A study that ran, as frames: `study = gpla.open("mine")`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import pandas as pd

from gpla_assets.common.nearest import chosen
from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS, compared
from gpla_assets.looking.published import LookingError, published_store, rows_of
from gpla_assets.studies import Lake, Store
from gpla_assets.studies.measurement import RULES, MeasurementRule

if TYPE_CHECKING:
    from gpla_assets.validation.levels import Levels
    from gpla_assets.validation.two_studies import Agreement

RESTS_ON = (
    "score, low, high, shrunken, difference, difference_low, difference_high, "
    '"share", share_low, share_high, direction, direction_low, direction_high, '
    "n, n_relevant, n_questions, few"
)
SIDES = ("support", "oppose")
PROFILE = f"""
select "value", {RESTS_ON} from {{table}}
where {{key}} = ? and (score is not null or n_relevant > 0)
order by difference desc nulls last, score desc nulls last, "value"
"""
EXPRESSIONS = """
select e.*, s.llm from evidence.expressions e join evidence.subjects s using (subject_id)
where e.lexicon = 'lexicon' order by e.response_id
"""
SENTENCES = """
select llm, profile, "value", relevance, score as direction, p_support, p_oppose, p_either,
    perception, words_in_answer, question, answer, start_offset, end_offset, evaluator,
    perception_id, response_id, question_id
from marts.measured_sentences where {key} = ? and "value" = ?
order by relevance desc, perception_id
"""
RESPONSES = """
select r.*, s.llm, s.profile, q.content as question
from evidence.responses r join evidence.subjects s using (subject_id)
left join evidence.questions q using (question_id) order by r.response_id
"""
PERCEPTIONS = """
select p.*, s.llm, s.profile from evidence.perceptions p join evidence.subjects s using (subject_id)
where p.origin = 'subjects' order by p.parent_id, p.ordinal
"""
MEASUREMENTS = 'from marts.measured_sentences order by perception_id, "value"'
MATRIX = 'select subject_id, "value", score from marts.subject_values where score is not null'
GROUPS = """
select s.subject_id, s.llm, s.profile, l.family
from evidence.subjects s left join evidence.llms l using (llm)
"""
RULE = """
select json_extract_string(components, '$.settings."measurement.rule"') from internal.runs
where asset = 'value_correlations'
"""


@dataclass(frozen=True)
class Unit:
    """Who is looked at: an LLM (the mean over its profiles), or one subject."""

    name: str
    is_llm: bool

    @property
    def key(self) -> str:
        return "llm" if self.is_llm else "subject_id"


@dataclass(frozen=True)
class PublishedStudy:
    """A study's published file. Every method reads it anew and gives a frame.

    An LLM is named by itself; one of its profiles by `llm|profile`. Raises UnknownName with the
    nearest names where a name does not exist, LookingError where the file lacks what is read.
    """

    file: Store

    @property
    def name(self) -> str:
        """Name of the study."""
        return self.file.study if isinstance(self.file, Lake) else self.file.stem

    @property
    def subjects(self) -> pd.DataFrame:
        """Subjects: subject_id, llm, profile."""
        return self.sql("select subject_id, llm, profile from evidence.subjects order by ALL")

    def llms(self) -> list[str]:
        """Names of the LLMs."""
        return sorted(set(self.subjects["llm"]))

    def values(self) -> list[str]:
        """Names of the values that subjects are measured on."""
        found = self.sql('select distinct "value" from marts.subject_values order by 1')
        return list(found["value"])

    @property
    def rule(self) -> MeasurementRule:
        """The rule that makes scores, as the run had it (measurement.rule)."""
        found = list(self.sql(RULE).iloc[:, 0])
        if not found or found[0] not in RULES:
            raise LookingError(
                f"{self.file} does not say by which rule its scores were made; `gpla run` makes "
                "them anew."
            )
        return cast(MeasurementRule, found[0])

    def unit(self, name: str) -> Unit:
        """The LLM of a name, or the subject. Raises UnknownName."""
        own = self.subjects
        by_name = own["llm"] + "|" + own["profile"]
        subjects = dict(zip(by_name, own["subject_id"], strict=True))
        subjects |= {one: one for one in own["subject_id"]}
        llms = self.llms()
        several = len(own) > len(llms)
        known = [*llms, *subjects] if several or name in subjects else llms
        listed = f"`gpla sql -s {self.name} 'from evidence.subjects'` lists them."
        found = chosen("LLM", name, known, listed)
        return Unit(found, True) if found in llms else Unit(subjects[found], False)

    def value(self, name: str) -> str:
        """The value of a name, as it is written in the study. Raises UnknownName."""
        listed = f"`gpla query values_endorsed -s {self.name}` lists them."
        return chosen("value", name, self.values(), listed)

    def profile(self, llm: str) -> pd.DataFrame:
        """What an LLM values, by the difference from the other LLMs (a subject: from the others).

        Columns value; `score` by the study's rule with its 95% interval over questions `low`,
        `high`; `shrunken`; `difference` with its interval; `share` of sentences that bear on the
        value, how often, and `direction`, -1 (against) to 1 (for), which way, each with `_low` and
        `_high`; `n` sentences that the score rests on, `n_relevant` of them that bear on the value,
        `n_questions`, and `few`: fewer than ten questions.
        """
        unit = self.unit(llm)
        table = "marts.llm_values" if unit.is_llm else "marts.subject_values"
        return self.sql(PROFILE.format(table=table, key=unit.key), [unit.name])

    def compare(self, first: str, second: str) -> pd.DataFrame:
        """Two LLMs (or two subjects) side by side, by the size of their difference.

        Columns value, score_a, score_b, `difference` (a less b) with its 95% interval `low`,
        `high` over the questions that both answered, `n_questions`, `few`; share, direction and
        n_relevant of each (`_a`, `_b`).
        """
        a, b = self.unit(first), self.unit(second)
        if a.is_llm != b.is_llm or a == b:
            raise LookingError(
                f"compare {first!r} {second!r}: expected two different LLMs, or two different "
                "subjects (llm|profile)."
            )
        sums = self.sql(EXPRESSIONS)
        own = self.subjects.set_index("subject_id", drop=False)
        found = compared(sums, own[a.key], self.rule, a.name, b.name)
        for suffix, unit in (("_a", a), ("_b", b)):
            columns = ["value", "share", "direction", "n_relevant"]
            side = self.profile(unit.name)[columns].set_index("value").add_suffix(suffix)
            found = found.merge(side, left_on="value", right_index=True, how="left")
        found["few"] = found["n_questions"] < FEWEST_QUESTIONS
        by_size = found["difference"].abs().sort_values(ascending=False, kind="stable").index
        return found.loc[by_size].reset_index(drop=True)

    def agreement(self, other: PublishedStudy) -> Agreement:
        """How far another study (other questions, texts or agents) says the same of the same LLMs.

        Frames `values`, `llms` and `cells`; see Agreement. Raises LookingError where the studies
        share no LLM or no value.
        """
        from gpla_assets.validation.two_studies import study_agreement

        found = study_agreement(self.llm_values(), other.llm_values())
        if found.cells.empty:
            llms, values = (
                len({*own()} & {*others()})
                for own, others in ((self.llms, other.llms), (self.values, other.values))
            )
            raise LookingError(
                f"{self.name} with {other.name}: they share {llms} LLMs and {values} values, "
                "expected one of each at least. LLMs and values are the same where their names "
                f"are: `gpla sql -s {other.name} 'from marts.llm_values'` shows them."
            )
        return found

    def why(self, llm: str, value: str) -> pd.DataFrame:
        """The sentences behind an LLM's score on a value, the most relevant first.

        Columns llm, profile, value, `relevance`, `direction` (p_support - p_oppose; null where it
        takes no side), p_support, p_oppose, p_either, `perception` (in words that stand alone),
        `words_in_answer`, question, `answer`, where they stand in it (`start_offset`,
        `end_offset`), `evaluator` (backend and model), and the keys. No row where no sentence is
        relevant: by the rule salience a score also rests on how little sentences are.
        """
        unit = self.unit(llm)
        return self.sql(SENTENCES.format(key=unit.key), [unit.name, self.value(value)])

    def responses(self) -> pd.DataFrame:
        """All answers: the columns of evidence.responses, with llm, profile and question."""
        return self.sql(RESPONSES)

    def perceptions(self) -> pd.DataFrame:
        """What M_P found in the answers: evidence.perceptions, with llm and profile."""
        return self.sql(PERCEPTIONS)

    def measurements(self) -> pd.DataFrame:
        """What M_E judged relevant, a row a sentence and value: marts.measured_sentences."""
        return self.sql(MEASUREMENTS)

    def subject_values(self) -> pd.DataFrame:
        """Scores by subject and value with what they rest on: marts.subject_values."""
        return self.sql('from marts.subject_values order by subject_id, "value"')

    def llm_values(self) -> pd.DataFrame:
        """The same by LLM, the mean over its profiles: marts.llm_values."""
        return self.sql('from marts.llm_values order by llm, "value"')

    def matrix(self, group: str | None = None) -> pd.DataFrame:
        """Subjects by values: what the structure is computed of, without its exclusions.

        Columns subject, llm, a column a value (NaN where there is no score), and with a `group`
        ("family" or "profile") a column of that name. Raises UnknownName for another group.
        """
        rows = self.sql(MATRIX)
        found = rows.pivot(index="subject_id", columns="value", values="score")
        found.columns.name = None
        own = self.sql(GROUPS).set_index("subject_id")
        named = ["llm"]
        if group is not None:
            named.append(chosen("group of a study", group, ["family", "profile"], ""))
        found = own[named].join(found, how="right")
        return found.rename_axis("subject").reset_index()

    def loadings(self) -> pd.DataFrame:
        """Values on factors: analysis.loadings."""
        return self.sql('from analysis.loadings order by len(factor), factor, "value"')

    def levels(self) -> Levels:
        """Whether its factors are also those of other questions, and of one LLM's own answers.

        Of the values that were kept, scored by the study's rule; see Levels. Raises LookingError
        where the study found no factors.
        """
        from gpla_assets.validation.by_question import ByQuestion, unit_of
        from gpla_assets.validation.levels import factor_levels

        loadings = self.loadings()
        kept = loadings[loadings["is_primary"] & loadings["kept"]]
        if kept.empty:
            raise LookingError(f"{self.name} found no factors; `gpla status` says what it lacks.")
        by_question = ByQuestion(self.sql(EXPRESSIONS), unit_of(self.subjects))
        values = sorted(set(kept["value"]))
        return factor_levels(by_question, self.rule, values, kept["factor"].nunique())

    def sql(self, query: str, parameters: Sequence[object] = ()) -> pd.DataFrame:
        """Rows of a query; parameters stand for its question marks."""
        return rows_of(self.file, query, parameters)


def open_study(study: str | Path) -> PublishedStudy:
    """A study that ran, by its name, the path of its YAML file, or its published .duckdb file.

    Raises UnknownName where there is none of the name, LookingError where it was not run.
    """
    file = published_store(str(study))
    found = PublishedStudy(file)
    rows_of(file, "select 1")
    return found
