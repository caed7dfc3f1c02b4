"""Who is asked what and how: texts, subjects, questions, and the calls of endpoints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from gpla_assets.studies.settings import Model, Settings, UserPath, user_model


class Price(Settings):
    """Money per million tokens, in the currency that the budget is in."""

    prompt: float = Field(ge=0)
    completion: float = Field(ge=0)


class Calls(Settings):
    """How endpoints are asked, and when to stop."""

    concurrency: int = Field(8, ge=1, le=512)
    requests_per_minute: float | None = Field(None, gt=0)
    tokens_per_minute: float | None = Field(None, gt=0)
    timeout_s: float = Field(60, gt=0)
    attempts: int = Field(6, ge=1, description="Tries of one call before the run stops.")
    max_calls: int | None = Field(None, ge=1, description="Budget of one run.")
    max_tokens: int | None = Field(None, ge=1, description="Budget of one run.")
    max_cost: float | None = Field(None, gt=0, description="Budget of one run, by `prices`.")
    prices: dict[str, Price] = Field(default_factory=dict, description="By model name.")
    batch_price: float = Field(
        0.5, ge=0, le=1, description="Share of `prices` that calls in batch files cost."
    )


COLUMNS: dict[str, str] = Field(
    default_factory=dict,
    description="Of `table` and `alpaca_eval`: the file's names of llm, question, answer and the "
    "like, where they cannot be told.",
)


class CorpusSource(Settings):
    """A source of corpus texts, from which the lexicon is drawn."""

    source: str
    file: UserPath | None = Field(None, description="Read this file instead of the source's own.")
    sample: int | None = Field(
        None, ge=1, description="Point 1: a seeded sample of so many texts; their keys are stored."
    )
    columns: dict[str, str] = COLUMNS


class SubjectSource(Model):
    """Who is measured, and where the answers come from; an LLM's name is its model."""

    backend: Literal["recorded", "transformers", "openai"] = "recorded"
    source: str = Field("alpaca_eval", description="The source of recorded answers.")
    file: UserPath | None = None
    columns: dict[str, str] = COLUMNS
    llms: list[str] | None = Field(None, description="LLMs by name; all of the source if absent.")
    profiles: list[str] = Field(["Default"], description="Profiles by name, or ['all'].")
    max_new_tokens: int = Field(200, ge=1, le=4096, description="Point 8: at most 200.")
    temperature: float = Field(
        0, ge=0, le=2, description="Point 8: greedy, so that it repeats; above 0 it is sampled."
    )
    samples: int = Field(
        1,
        ge=1,
        le=1000,
        description="Answers of each subject to each question; several need a temperature.",
    )

    @field_validator("samples")
    @classmethod
    def _sampled(cls, samples: int, info: ValidationInfo) -> int:
        """Several answers that differ: not of greedy decoding, nor beyond what a file holds."""
        if samples == 1:
            return samples
        if info.data.get("backend") == "recorded":
            raise ValueError("recorded answers have as many samples as their file holds: remove it")
        if not info.data.get("temperature"):
            raise ValueError(
                "at temperature 0 all samples are one answer; expected samples 1, or a temperature "
                "above 0 and up to 2, such as 1"
            )
        return samples

    @field_validator("llms", mode="before")
    @classmethod
    def _folders(cls, llms: object, info: ValidationInfo) -> object:
        """LLMs that run here may be folders; elsewhere a name is a name."""
        if info.data.get("backend") != "transformers" or not isinstance(llms, list):
            return llms
        return [user_model(llm, info) for llm in llms]


class Questions(Settings):
    """What subjects are asked."""

    origin: Literal["project", "source"] = Field(
        "project", description="The project's own questions, or prompts of the subjects' source."
    )
    file: UserPath | None = Field(
        None, description="CSV question_id,value,question in the place of the project's own."
    )
    count: int | None = Field(None, ge=1, description="How many; all if absent.")
    pilot_llms: list[str] = Field(
        default_factory=list,
        description="Prompts of a source are chosen by the share of these LLMs' sentences that M_P "
        "keeps: a prompt whose answers state no attitude measures no value.",
    )
