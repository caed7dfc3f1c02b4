"""Settings of the benchmarks of value systems."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Settings, UserPath

Match = Literal["same", "version", "near"]


class CfaSettings(Settings):
    """Confirmatory factor analysis (points 16 and 17)."""

    halves: Literal["subject", "llm"] = Field(
        "subject",
        description="Point 16: what the comparison `paper` halves; `fair` always halves LLMs.",
    )
    splits: int = Field(50, ge=1, description="Point 16: random halves by LLM, not inflated.")
    nulls: int = Field(10, ge=0, description="Random groupings of the same sizes, per split.")
    floor: float = Field(
        -1.0, ge=-1, le=1, description="Point 17: values less similar to a Schwartz value stay out."
    )


class CriterionSource(Settings):
    """A criterion that values are to predict: scores of LLMs."""

    source: Literal[
        "paper_table11",
        "alpaca_leaderboard",
        "salad_bench",
        "sorry_bench",
        "or_bench",
        "or_bench_over_refusal",
        "s_eval",
        "trustllm",
        "decodingtrust",
        "flames",
        "file",
    ]
    part: str | None = Field(
        None,
        description="Of sources with parts: a category of SORRY-Bench, a metric of TrustLLM and so "
        "on; the whole, or the first, where absent.",
    )
    name: str | None = Field(
        None, description="Its name; the source's own where absent, with the part."
    )
    kind: Literal["safety", "helpfulness", "control", "other"] | None = Field(
        None, description="What is measured; the source's own where absent, `other` of a file."
    )
    file: UserPath | None = Field(None, description="CSV llm,score of `file`, or the source's.")


class Probe(Settings):
    """Prediction of criteria from value systems (point 18)."""

    criteria: list[CriterionSource] = Field(
        [CriterionSource(source="paper_table11")], description="Point 18 and beyond."
    )
    matches: list[Match] = Field(
        ["same", "version"],
        description="Names of LLMs that count as ours: the same model, another version of it, or "
        "a near relative; llm_aliases.csv says which is which.",
    )
    repeats: int = Field(100, ge=10, description="Point 18: random splits of the LLMs.")
    test_share: float = Field(0.3, gt=0, lt=1, description="LLMs held out in each split.")
    exact_below: int = Field(20, ge=5, description="With fewer LLMs, each pair is left out once.")
    permutations: int = Field(199, ge=0, description="Draws of permuted scores.")
    partitions: int = Field(99, ge=0, description="Random partitions of our values.")


class Validation(Settings):
    """Validation studies (appendices B and C)."""

    conversations: Literal["responses", "alpaca_eval", "lmsys_chat_1m"] = Field(
        "responses", description="Conversations for coverage; the study's own responses by default."
    )
    conversations_file: UserPath | None = None
    n_conversations: int = Field(512, ge=1, description="B.1: of value-laden topics, drawn.")
    prompt_sets: bool = Field(
        False, description="B.3: measure AlpacaEval's subsets against each other, and ValueBench."
    )
    n_llms: int = Field(40, ge=3, description="LLMs whose further answers are measured for that.")
    prompts_per_set: int = Field(12, ge=1, description="Prompts of each subset.")
    valuebench_answers: int = Field(200, ge=1, description="Answers per LLM of ValueBench.")
    direct_file: UserPath | None = Field(
        None,
        description="C: CSV llm,profile,prompt,content of values named when asked; the project's "
        "own lists where absent.",
    )

    @property
    def further_texts(self) -> bool:
        """Whether texts beyond the subjects' responses are asked for."""
        return self.conversations != "responses" or self.prompt_sets
