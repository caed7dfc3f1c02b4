"""The tables around the value system: its history, stability, names and relations."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, column, key, share
from gpla_assets.storage.columns import score as score_of


class StoredSystem(SQLModel, table=True):
    __tablename__ = "value_systems"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per value system that was ever found: the history.",
    }
    system_id: str = key("Hash of its values, factors and loadings.")
    made_at: datetime = column("When it was first found (UTC).")
    last_made_at: datetime = column("When it was found last; the current one has the latest.")
    n_subjects: int = column("Subjects that it rests on.")
    n_llms: int = column("LLMs that it rests on.")
    n_values: int = column("Values kept.")
    n_factors: int = column("Factors.")
    factor_score: str = column("How subjects are scored on it.")


class StoredLoading(SQLModel, table=True):
    __tablename__ = "value_system_loadings"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per stored system, factor and value."}
    system_id: str = key("The system.")
    factor: str = key("The factor.")
    value: str = key("The value.")
    loading: float = column("Loading.")
    weight: float = column("Weight of the standardised value in a regression or Bartlett score.")
    mean: float = column("Mean of the value over the system's subjects.")
    sd: float = column("Its standard deviation.")


class SystemCongruence(SQLModel, table=True):
    __tablename__ = "system_congruence"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per pair of systems and matched factor: is it the same?",
    }
    system_id: str = key("The system.")
    other_id: str = key("An older system.")
    factor: str = key("The system's factor.")
    other_factor: str = column("Its match in the older one.")
    congruence: float = score_of("Tucker's congruence over the shared values.")
    shared_values: int = column("Values that both have.")


class FrozenScore(SQLModel, table=True):
    __tablename__ = "frozen_scores"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per subject and factor of the study's frozen system.",
    }
    system_id: str = key("The stored system.")
    subject_id: str = key("The subject.")
    factor: str = key("The factor of that system.")
    score: float | None = column("Score with its loadings, means and sds.", default=None)
    n_values: int = column("Its values that the subject has.")


class StabilityLoading(SQLModel, table=True):
    __tablename__ = "stability_loadings"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per unit resampled, factor and value.",
    }
    resampled: str = key("llm (with all its profiles) or subject.", among=("llm", "subject"))
    factor: str = key("The factor.")
    value: str = key("The value.")
    loading: float = column("Loading in the full solution.")
    ci_low: float = column("Lower end of its 95% bootstrap interval.")
    ci_high: float = column("Upper end.")
    primary_share: float = share("Share of resamples in which it is the value's largest loading.")
    is_primary: bool = column("Whether it is in the full solution.")


class StabilityFactor(SQLModel, table=True):
    __tablename__ = "stability_factors"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per unit resampled and factor."}
    resampled: str = key("llm or subject.", among=("llm", "subject"))
    factor: str = key("The factor.")
    n_values: int = column("Its values.")
    congruence: float = score_of("Mean Tucker's congruence with the full solution.")
    congruence_low: float = column("2.5th percentile.")
    congruence_high: float = column("97.5th percentile.")
    alpha_low: float | None = column("Lower end of alpha's bootstrap interval.", default=None)
    alpha_high: float | None = column("Upper end.", default=None)
    resamples: int = column("Resamples that could be solved.")


class StabilityRetention(SQLModel, table=True):
    __tablename__ = "stability_retention"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per unit resampled, rule and number of factors.",
    }
    resampled: str = key("llm or subject.", among=("llm", "subject"))
    rule: str = key("The rule for the number of factors.")
    n_factors: int = key("Number of factors.")
    share: float = share("Share of resamples in which the rule recommends it.")


class LlmInfluence(SQLModel, table=True):
    __tablename__ = "leave_one_out"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per LLM left out and factor."}
    llm: str = key("The LLM that was left out.")
    factor: str = key("The factor.")
    congruence: float = score_of("Tucker's congruence of the factor with the full solution.")


class FactorName(SQLModel, table=True):
    __tablename__ = "factor_names"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per factor and source of a name."}
    factor: str = key("The factor.")
    source: str = key("study, llm, centroid or leading values; the first there is wins.")
    name: str = column("The name.")
    cosine: float | None = score_of("Of the name with the centroid of the values.", default=None)
    chosen: bool = column("Whether it is the factor's name.")


class PaperCongruence(SQLModel, table=True):
    __tablename__ = "paper_congruence"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per factor matched with one of the paper's (Table 10).",
    }
    factor: str = key("The factor.")
    paper_factor: str = column("The paper's factor.")
    congruence: float = score_of("Tucker's congruence over shared values; its sign kept.")
    shared_values: int = column("Values that both systems have.")
    shared_primary: int = column("Of these, values of the paper's factor.")


class SchwartzMapping(SQLModel, table=True):
    __tablename__ = "schwartz_mapping"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per level and value: the most similar Schwartz value.",
    }
    level: str = key("lower (ten values) or higher (four).", among=("lower", "higher"))
    value: str = key("The value of the lexicon.")
    schwartz: str = column("The most similar Schwartz value.")
    cosine: float = score_of("Cosine of their embeddings.")
    runner_up: str | None = column("The second most similar.", default=None)
    runner_up_cosine: float | None = score_of("Its cosine.", default=None)


class SchwartzScore(SQLModel, table=True):
    __tablename__ = "schwartz_scores"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per reading, level, subject and Schwartz value.",
    }
    reading: str = key(
        "direct (measured as a value) or mapped (mean of the values mapped to it).",
        among=("direct", "mapped"),
    )
    level: str = key("lower or higher.", among=("lower", "higher"))
    subject_id: str = key("The subject.")
    schwartz: str = key("The Schwartz value.")
    score: float | None = column("Score, -1 to 1.", default=None)
    n: int = column("Measurements (direct) or values (mapped) behind it.")


class SchwartzRelation(SQLModel, table=True):
    __tablename__ = "schwartz_relations"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per reading, level, factor and Schwartz value.",
    }
    reading: str = key("direct or mapped.", among=("direct", "mapped"))
    level: str = key("lower or higher.", among=("lower", "higher"))
    factor: str = key("The factor.")
    schwartz: str = key("The Schwartz value.")
    r: float | None = score_of("Correlation over subjects.", default=None)
    n: int = column("Subjects that have both.")
    ci_low: float | None = column("Lower end of its 95% interval, by LLM.", default=None)
    ci_high: float | None = column("Upper end.", default=None)
    p: float | None = share("p of no correlation, by the bootstrap.", default=None)
    p_adjusted: float | None = share("Holm's correction over the table.", default=None)
    paper_factor: str | None = column("The paper's factor that ours is matched with.", default=None)
    paper_r: float | None = score_of("The paper's correlation (Table 12).", default=None)


SYSTEM_TABLES: tuple[type[SQLModel], ...] = (
    StoredSystem,
    StoredLoading,
    SystemCongruence,
    FrozenScore,
    StabilityLoading,
    StabilityFactor,
    StabilityRetention,
    LlmInfluence,
    FactorName,
    PaperCongruence,
    SchwartzMapping,
    SchwartzScore,
    SchwartzRelation,
)
