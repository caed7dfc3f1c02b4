"""The tables of criteria and of their prediction from value systems."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, column, key, share


class Criterion(SQLModel, table=True):
    __tablename__ = "criteria"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per criterion: scores of LLMs to be predicted.",
    }
    criterion: str = key("Name of the criterion.")
    kind: str = column(
        "What it measures: safety, helpfulness, a control or other.",
        among=("safety", "helpfulness", "control", "other"),
    )
    unit: str = column("The unit of its scores; more of it is higher.")
    source: str = column("Where its scores come from.")
    n_names: int = column("LLMs that it has scores of.")
    n_llms: int = column("Of them, LLMs that the study measured.")
    caution: str | None = column("Why it could not be predicted, or what limits it.", default=None)


class CriterionScore(SQLModel, table=True):
    __tablename__ = "criterion_scores"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per criterion and LLM that it has a score of.",
    }
    criterion: str = key("The criterion.")
    name: str = key("The LLM as the criterion names it.")
    score: float = column("Its score; higher is safer, or more helpful.")
    llm: str | None = column("The LLM of the study that it is; null where none is.", default=None)
    match: str | None = column(
        "same, version or near; see llm_aliases.csv.",
        default=None,
        among=("same", "version", "near"),
    )


class ProbeAccuracy(SQLModel, table=True):
    __tablename__ = "probe_accuracies"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per criterion, features, controls and design: pairs told apart.",
    }
    criterion: str = key("The criterion.")
    features: str = key("The value system, or the baseline.")
    controls: str = key("What stands beside the features in the same probe; '' where nothing does.")
    design: str = key(
        "splits (LLMs held out at random), leave pairs out, or leave families out (both LLMs of a "
        "pair with all their relatives)."
    )
    role: str = column("system or baseline.", among=("system", "baseline"))
    n_llms: int = column("LLMs with a score, values and the controls.")
    n_pairs: int = column("Pairs of LLMs that were told apart, each unseen in training.")
    n_features: int = column("Features of the probe, controls not counted.")
    repeats: int = column("Splits, or pairs left out.")
    accuracy: float = share("Mean share of pairs told apart rightly, 0 to 1; a tie is a half.")
    sd: float | None = column("Standard deviation over repeats; of pairs left out, of 0s and 1s.")
    low: float | None = column("Lower end of the 95% interval over LLMs drawn with replacement.")
    high: float | None = column("Upper end of it.")
    p_permuted: float | None = share(
        "p of no relation: share of permuted criteria that are predicted as well; beside controls, "
        "of no gain: share of draws, each LLM with another's features, that do as well.",
        default=None,
    )
    gain: float | None = column(
        "Accuracy less that of the controls alone on the same LLMs and splits; null beside none.",
        default=None,
    )


class ProbeParameter(SQLModel, table=True):
    __tablename__ = "probe_parameters"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per criterion, value system and factor: its weight.",
    }
    criterion: str = key("The criterion.")
    features: str = key("The value system.")
    factor: str = key("The factor.")
    weight: float = column("Mean weight over repeats, per standard deviation of the factor.")
    low: float = column("Lower end of its 95% interval over LLMs drawn with replacement.")
    high: float = column("Upper end of it.")


class ProbeNull(SQLModel, table=True):
    __tablename__ = "probe_nulls"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per criterion, null and draw: accuracy by chance.",
    }
    criterion: str = key("The criterion.")
    features: str = key("The value system.")
    null: str = key("permuted labels, or random partition of our values into as many factors.")
    draw: int = key("Number of the draw; -1 is what was observed, scored alike.")
    accuracy: float = share("Mean share of pairs told apart rightly.")


PROBE_TABLES: tuple[type[SQLModel], ...] = (
    Criterion,
    CriterionScore,
    ProbeAccuracy,
    ProbeParameter,
    ProbeNull,
)
