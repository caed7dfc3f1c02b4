"""The tables of preferences and of the targets distilled from them."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, EVIDENCE, column, key, score, share


class Preference(SQLModel, table=True):
    __tablename__ = "preferences"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per pair of responses of which one was preferred.",
    }
    pair_id: str = key("Key of the pair: a hash of its source, prompt and responses.")
    place: int = column("Its place in the order in which pairs are taken, from 0.")
    source: str = column("Where it comes from, with the annotator or the kind of preference.")
    prompt: str = column("What both responses answer.")
    winning_id: str = column("Key of the preferred response.")
    losing_id: str = column("Key of the other response.")
    winning_llm: str | None = column("The LLM that wrote the preferred one.", default=None)
    losing_llm: str | None = column("The LLM that wrote the other.", default=None)
    annotations: int = column("Annotations of these two responses; those with ties are left out.")


class PreferenceResponse(SQLModel, table=True):
    __tablename__ = "preference_responses"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per different response in the pairs."}
    response_id: str = key("Key of the response: a hash of its prompt and content.")
    prompt: str = column("What it answers.")
    content: str = column("Its text.")


class TargetRow(SQLModel, table=True):
    __tablename__ = "targets"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per value system and dimension: the distilled target.",
    }
    system: str = key("ours; published: the paper's five factors; Schwartz-10; Schwartz-4.")
    dimension: str = key("The factor or value.")
    reading: str = column(
        "keyed: mean of keyed values; direct: measured by its own name.", among=("keyed", "direct")
    )
    target: float | None = score("The target, -1 to 1; null where no pair was measured.")
    low: float | None = column("Lower end of its 95% interval over resampled prompts.")
    high: float | None = column("Upper end.")
    same_sign: float | None = share("Share of resamples with the target's sign, 0 to 1.")
    objective: float | None = column("The objective f at the target (equation 3).")
    spread: float | None = column("Largest less smallest objective over the measured values.")
    minimiser_low: float | None = score("Smallest measured value that is as good.")
    minimiser_high: float | None = score("Largest measured value that is as good.")
    pairs: int = column("Pairs measured on both sides.")
    excluded: int = column("Pairs in which a side was not measured, or masked.")
    winning_mean: float | None = score("Mean score of preferred responses, in these pairs or not.")
    losing_mean: float | None = score("Mean score of the others.")
    flat: str | None = column("Why the objective leaves the target open; null where it does not.")
    stable: bool = column("Whether the target has settled.")
    caution: str | None = column("Why it has not.", default=None)


class TargetConvergence(SQLModel, table=True):
    __tablename__ = "target_convergence"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system, dimension and step: the target so far.",
    }
    system: str = key("The value system.")
    dimension: str = key("The factor or value.")
    seen: int = key("Pairs so far.")
    pairs: int = column("Of these, measured on both sides.")
    target: float | None = score("The target of these.")
    objective: float | None = column("Its objective.")
    low: float | None = column("Lower end of its 95% interval over resampled prompts.")
    high: float | None = column("Upper end.")
    same_sign: float | None = share("Share of resamples with the target's sign, 0 to 1.")
    flat: str | None = column("Why the objective leaves the target open; null where it does not.")


class TargetCheck(SQLModel, table=True):
    __tablename__ = "target_checks"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system and predictor of held-out preferences.",
    }
    system: str = key("The value system.")
    predictor: str = key("target, longer response, random target, or shuffled preferences.")
    accuracy: float = share("Share of pairs that it is right on, an undecided one as 1/2.")
    low: float | None = column("Lower end of its 95% interval over prompts, or lowest draw.")
    high: float | None = column("Upper end, or highest draw.")
    n_pairs: int = column("Pairs, each held out once.")
    n_prompts: int = column("Prompts; no prompt is both distilled from and predicted.")
    decided: float = share("Share of pairs that it decides.")
    accuracy_decided: float | None = share("Share right among these.")
    accuracy_longer_won: float | None = share("Accuracy where the longer response was preferred.")
    accuracy_shorter_won: float | None = share("Accuracy where the shorter one was.")
    draws: int = column("Draws of random or shuffled targets; 1 of the others.")
    p: float | None = share("Share of draws as good as the target, itself included.")


TARGET_TABLES: tuple[type[SQLModel], ...] = (
    Preference,
    PreferenceResponse,
    TargetRow,
    TargetConvergence,
    TargetCheck,
)
