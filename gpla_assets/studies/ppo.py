"""Settings of the alignment of an LLM to a target (open point 20: the paper names no settings)."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from gpla_assets.studies.judges import JudgeSettings
from gpla_assets.studies.settings import RUN_ONLY, Settings, UserModel, UserPath


class Lora(Settings):
    """Low-rank adapters in the place of all weights (Hu et al. 2021)."""

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1, description="Twice the rank, as is usual.")
    modules: Literal["attention", "all-linear"] = Field(
        "all-linear", description="All linear layers: 135M parameters leave no room for fewer."
    )
    layers: int | None = Field(
        None,
        ge=1,
        description="Only the last so many layers: a gradient step ends where they begin.",
    )


class Ppo(Settings):
    """Proximal policy optimisation on the distance to a target (equation 5)."""

    updates: int = Field(150, ge=1, description="Batches of responses at most.")
    batch: int = Field(32, ge=2, description="Responses an update.")
    responses_per_prompt: int = Field(
        4,
        ge=1,
        description="So many of a batch answer one prompt, and their mean reward is taken from "
        "each: what a prompt gives any response teaches nothing. 1: reward as it is.",
    )
    reward_scaling: Literal["running", "none"] = Field(
        "running",
        description="Divide the reward by its standard deviation over all updates so far. A "
        "distance varies by .05 to .2 between responses, less than its price in nats would.",
    )
    minibatch: int = Field(16, ge=1, description="Responses a gradient step.")
    epochs: int = Field(2, ge=1, description="Passes over a batch; more leave the trust region.")
    max_new_tokens: int = Field(64, ge=1)
    max_prompt_tokens: int = Field(256, ge=8, description="Longer prompts lose their beginning.")
    prompt_format: str = Field(
        "{prompt}\n\n",
        pattern=r"\{prompt\}",
        description="Of an LLM that has no chat template of its own.",
    )
    temperature: float = Field(
        0.7, gt=0, description="Of the policy itself: responses and probabilities alike."
    )
    learning_rate: float = Field(2e-4, gt=0, description="Of LoRA; all weights want about 1e-5.")
    warmup: int = Field(5, ge=0, description="Updates until the learning rate is full.")
    clip: float = Field(0.2, gt=0, description="Schulman et al. 2017, equation 7.")
    clip_value: float = Field(0.2, gt=0, description="Values move at most so far an update.")
    value_weight: float = Field(0.1, ge=0)
    entropy_weight: float = Field(0.0, ge=0, description="Bonus for entropy.")
    discount: float = Field(1.0, gt=0, le=1, description="1: the reward comes at the end.")
    gae_lambda: float = Field(0.95, ge=0, le=1, description="Schulman et al. 2016.")
    kl: Literal["adaptive", "fixed"] = "adaptive"
    kl_weight: float = Field(
        0.05, ge=0, description="First, or fixed, price of a nat, in units of the scaled reward."
    )
    kl_target: float = Field(8.0, gt=0, description="Nats a response that `adaptive` aims at.")
    kl_horizon: float = Field(
        0.1, gt=0, description="Largest relative change of the price an update (Ziegler 2019)."
    )
    stop_kl: float = Field(
        0.1, gt=0, description="A batch's passes end where its policy has moved so far (a token)."
    )
    missing_end: float = Field(
        0.0, ge=0, description="Taken from the reward of a response without an end."
    )
    minimum_tokens: int = Field(8, ge=0, description="Shorter responses lose the price of `short`.")
    short: float = Field(
        0.1, ge=0, description="Taken from their reward, or `missing_end`'s price if larger."
    )
    silence: float = Field(
        0.1,
        ge=0,
        description="Taken from the reward of a response on which no dimension is measured. "
        "Without it silence, nearer to a target's zeros than most speech, is what is learnt first.",
    )
    reuse_sampling: bool = Field(
        False,
        description="Take the probabilities before the update from sampling, not from a pass of "
        "their own: a quarter of the time, and rounding of bfloat16 in the ratios.",
    )
    max_gradient: float = Field(1.0, gt=0)
    plateau: int = Field(
        40,
        ge=2,
        description="Stop when the mean reward of so many updates is no better than "
        "that of as many before.",
    )
    plateau_gain: float = Field(0.002, ge=0, description="The least gain that counts.")
    least_updates: int = Field(150, ge=1, description="No stop for a plateau before these.")
    checkpoint_every: int = Field(10, ge=1, json_schema_extra=RUN_ONLY)
    lora: Lora | None = Lora()
    dtype: Literal["float32", "bfloat16"] = "float32"
    device: str = Field(
        "auto", description="auto: the GPU where there is one.", json_schema_extra=RUN_ONLY
    )

    @model_validator(mode="after")
    def _whole_prompts(self) -> Ppo:
        if self.batch % self.responses_per_prompt:
            raise ValueError(
                f"ppo.batch is {self.batch}, expected a multiple of ppo.responses_per_prompt "
                f"({self.responses_per_prompt}). Change one of them."
            )
        return self


class Alignment(Settings):
    """Alignment of an LLM to a target in the space of a value system (the paper's 5.3)."""

    policy: UserModel | None = Field(
        None,
        description="The LLM to align: a folder, hub name or packaged model; none aligns none.",
    )
    revision: str | None = None
    systems: list[Literal["published", "Schwartz-10"]] = Field(
        ["published", "Schwartz-10"],
        description="In whose space: the paper's five factors (Table 10), Schwartz's ten values.",
    )
    target: Literal["published", "distilled"] = Field(
        "published",
        description="The paper's targets (Tables 8 and 9), or those of the table `targets`.",
    )
    seeds: list[int] = Field([0, 1], min_length=1, description="A run each, per system.")
    prompts: Literal["valuebench", "alpaca_eval", "pku_saferlhf", "file"] = Field(
        "valuebench",
        description="What the policy answers while it learns: ValueBench's questions, AlpacaEval's "
        "instructions, PKU-SafeRLHF's prompts (the paper's), or a text file's lines.",
    )
    prompts_file: UserPath | None = None
    n_prompts: int = Field(1500, ge=1, description="At most so many, drawn.")
    longest_prompt: int = Field(140, ge=20, description="Characters; longer ones stay out.")
    held_out: UserPath | None = Field(
        None,
        description="CSV with a column `question`: prompts no policy learns from; the project's "
        "123 questions where absent.",
    )
    samples: int = Field(1, ge=1, description="Responses per held-out prompt, before and after.")
    minimum_relevance: float = Field(
        0.2,
        ge=0,
        lt=1,
        description="Of the reward. At M_E's 0.5, one response in four of a small LLM says "
        "anything of Schwartz's ten, too few to learn from.",
    )
    judges: list[JudgeSettings] = Field(
        [JudgeSettings(backend="preference_model"), JudgeSettings(backend="toxicity")],
        description="Who judges helpfulness and harmlessness, in the place of Beaver's models.",
    )
    ppo: Ppo = Ppo()

    def runs(self) -> list[str]:
        """Keys of the runs: system, LLM, seed."""
        if self.policy is None:
            return []
        return [f"{system}|{self.policy}|{seed}" for system in self.systems for seed in self.seeds]
