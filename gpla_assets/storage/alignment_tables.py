"""The tables of LLMs aligned to targets."""

from __future__ import annotations

from sqlmodel import SQLModel

from gpla_assets.storage.columns import ANALYSIS, EVIDENCE, column, key, share

RUN = "Key of the run: system, LLM and seed."
INTERVAL = "Lower end of its 95% interval over seeds and prompts drawn with replacement."


class AlignmentRun(SQLModel, table=True):
    __tablename__ = "alignment_runs"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per run: an LLM aligned to a target."}
    run_id: str = key(RUN)
    system: str = column("The value system in whose space the target lies.")
    policy: str = column("The LLM.")
    seed: int = column("Seed of its prompts' order and of all draws.")
    target: str = column("The target, JSON: a number in [-1, 1] by dimension.")
    updates: int = column("Updates made.")
    stopped: str | None = column("Why before the last one; null where all were made.", default=None)
    parameters: int = column("Parameters trained.")
    seconds: float = column("Wall time of the updates, in seconds.")
    device: str = column("Where it ran last: cpu or cuda.")
    peak_gib: float = column("Largest memory of the process, or of the GPU, in GiB.")
    agents: str = column("M_P and M_E of the reward, JSON.")


class AlignmentStep(SQLModel, table=True):
    __tablename__ = "alignment_steps"
    __table_args__ = {"schema": ANALYSIS, "comment": "One row per run and update."}
    run_id: str = key(RUN)
    update: int = key("Number of the update, from 0.")
    reward: float = column("Mean reward: minus the mean distance to the target.")
    reward_sd: float = column("Its standard deviation over the responses to one prompt.")
    reward_scale: float = column("What the reward was divided by before it was learnt from.")
    kl: float = column("Divergence from the LLM before training, nats a response.")
    kl_weight: float = column("Price of a nat.")
    entropy: float = column("Entropy of the choice of a token, nats.")
    tokens: float = column("Tokens a response.")
    ended: float = column("Share of responses that came to an end.")
    perceptions: float = column("Perceptions a response.")
    silent: float = column("Share of responses on which no dimension was measured.")
    policy_loss: float = column("Clipped objective, mean over gradient steps.")
    value_loss: float = column("Half the squared error of predicted returns.")
    clipped: float = column("Share of tokens whose ratio was beyond the clip.")
    gradient: float = column("Norm of the gradient before it was cut.")
    gradient_steps: float = column("Gradient steps; fewer where the policy moved too far.")
    seconds_sampling: float = column("Seconds for sampling.")
    seconds_reward: float = column("Seconds for M_P and M_E.")
    seconds_learning: float = column("Seconds for learning.")


class AlignmentDistance(SQLModel, table=True):
    __tablename__ = "alignment_distances"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per run, update and dimension: distance to the target.",
    }
    run_id: str = key(RUN)
    update: int = key("Number of the update, from 0.")
    dimension: str = key("Dimension of the system.")
    distance: float = column("Mean of |target - measurement| over responses, 0 to 2.")


class AlignmentResponse(SQLModel, table=True):
    __tablename__ = "alignment_responses"
    __table_args__ = {
        "schema": EVIDENCE,
        "comment": "One row per run, stage, held-out prompt and sample: a response and its signs.",
    }
    run_id: str = key(RUN)
    stage: str = key("before or after alignment.", among=("before", "after"))
    prompt: str = key("The prompt, from which no policy has learnt.")
    sample: int = key("Number of the response, from 0.")
    content: str = column("The response.")
    reward: float = column("Minus its distance to the target by the M_E that rewarded.")
    sure_reward: float = column("The same by the study's own M_E: at its minimum of relevance.")
    second_reward: float = column("The same by an evaluator that no policy was trained on.")
    perceptions: int = column("Its perceptions.")
    kl: float = column("log pi - log pi_ref of the response, nats.")
    tokens: int = column("Its tokens.")
    ended: bool = column("Whether it came to its end.")
    words: int = column("Its words.")
    repetition: float | None = column("Share of its 4-grams that stood before.", default=None)
    distinct: float | None = column("Different words by words.", default=None)
    compression: float | None = column("Bytes by compressed bytes.", default=None)


class Judgement(SQLModel, table=True):
    __tablename__ = "judgements"
    __table_args__ = {"schema": EVIDENCE, "comment": "One row per response and judge."}
    run_id: str = key(RUN)
    stage: str = key("before or after alignment.", among=("before", "after"))
    prompt: str = key("The prompt.")
    sample: int = key("Number of the response.")
    judge: str = key("The judge: what it is and what it was made from.")
    measure: str = column("helpfulness or harmlessness, as far as this judge can tell.")
    score: float | None = column("Higher is better; null where it gave none.", default=None)


class AlignmentResult(SQLModel, table=True):
    __tablename__ = "alignment_results"
    __table_args__ = {
        "schema": ANALYSIS,
        "comment": "One row per system and measure: held-out prompts before and after alignment.",
    }
    system: str = key("The value system.")
    measure: str = key("What is compared.")
    before: float | None = column("Mean before alignment.", default=None)
    before_low: float | None = column(INTERVAL, default=None)
    before_high: float | None = column("Upper end.", default=None)
    after: float | None = column("Mean after it.", default=None)
    after_low: float | None = column(INTERVAL, default=None)
    after_high: float | None = column("Upper end.", default=None)
    change: float | None = column("After less before.", default=None)
    low: float | None = column(INTERVAL, default=None)
    high: float | None = column("Upper end.", default=None)
    p: float | None = share("p of no change, by signs over prompts.", default=None)
    n_prompts: int = column("Prompts with a number before and after.")
    n_seeds: int = column("Runs.")


ALIGNMENT_TABLES: tuple[type[SQLModel], ...] = (
    AlignmentRun,
    AlignmentStep,
    AlignmentDistance,
    AlignmentResponse,
    Judgement,
    AlignmentResult,
)
