"""One run: an LLM, a target, prompts to train on, a seed; and its responses before and after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd

from gpla_assets.alignment.checkpoint import Checkpoint
from gpla_assets.alignment.degeneration import degeneration
from gpla_assets.alignment.objective import divergence
from gpla_assets.alignment.policy import Policy
from gpla_assets.alignment.ppo import PpoRun, Reward, Tell, draw_seed
from gpla_assets.alignment.reward import AlignmentTarget
from gpla_assets.studies import fingerprint
from gpla_assets.studies.ppo import Ppo

EVALUATION = 2**20
"""Number, beyond any update's, that seeds the draws of responses before and after."""


@dataclass(frozen=True)
class RunPlan:
    """What makes a run the run it is; `agents` says which M_P and M_E reward it."""

    policy: str
    revision: str | None
    target: AlignmentTarget
    prompts: Sequence[str]
    seed: int
    settings: Ppo
    agents: Mapping[str, str]

    @property
    def fingerprint(self) -> str:
        """A hash of all of it, where the run happens left out."""
        prompts = hashlib.sha256(json.dumps(list(self.prompts)).encode()).hexdigest()
        return fingerprint(
            {
                "policy": [self.policy, self.revision],
                "target": asdict(self.target),
                "prompts": prompts,
                "seed": self.seed,
                "settings": self.settings.model_dump(mode="json", exclude={"device"}),
                "agents": dict(self.agents),
            }
        )


def align(
    plan: RunPlan, reward: Reward, folder: Path, tell: Tell = lambda numbers, most: None
) -> tuple[Policy, Checkpoint]:
    """Train, or go on where the run in `folder` was stopped; the policy and what was logged.

    Raises OtherRun where the folder holds another run, Diverged, BackendUnavailable.
    """
    policy = Policy.load(plan.policy, plan.settings, plan.seed, plan.revision)
    run = PpoRun(policy, reward, plan.prompts, folder, plan.fingerprint, plan.seed)
    return policy, run.run(tell)


def held_out_responses(
    policy: Policy,
    prompts: Sequence[str],
    seed: int,
    samples: int,
    rewards: Mapping[str, Reward],
) -> pd.DataFrame:
    """Responses before and after alignment with their rewards and signs of degeneration.

    `stage` is before or after; `rewards` are by the name of their column, the first of them the
    one that the policy learnt from, which also counts the perceptions.
    """
    parts = []
    for stage in ("before", "after"):
        found = responses_of(policy, prompts, seed, stage == "after", samples)
        asked, said = list(found["prompt"]), list(found["content"])
        judged = {name: reward(asked, said) for name, reward in rewards.items()}
        own = next(iter(judged.values()))
        parts.append(
            pd.concat([found, degeneration(said)], axis=1).assign(
                stage=stage,
                perceptions=own.perceptions,
                **{name: one.reward for name, one in judged.items()},
            )
        )
    return pd.concat(parts, ignore_index=True)


def responses_of(
    policy: Policy, prompts: Sequence[str], seed: int, aligned: bool, samples: int
) -> pd.DataFrame:
    """`samples` responses to each prompt: prompt, sample, content, tokens, ended, kl.

    The LLM before training (`aligned` false) and after draw with the same seeds. `kl` is
    log pi - log pi_ref of the response in nats, 0 before training.
    """
    import torch

    rows: list[dict[str, object]] = []
    size = policy.settings.batch
    for sample in range(samples):
        for first in range(0, len(prompts), size):
            batch = list(prompts[first : first + size])
            # the same draws before and after: what differs is the policy
            draw = draw_seed(seed, EVALUATION + first, 1 + sample)
            rollout = policy.sample(batch, draw, reference=not aligned)
            with torch.no_grad():
                reference = policy.judge(rollout, reference=True, entropy=False).logp
                own = policy.judge(rollout, entropy=False).logp if aligned else reference
            found = zip(
                batch,
                policy.texts(rollout),
                rollout.response_mask.sum(1).tolist(),
                policy.ended(rollout).tolist(),
                divergence(own, reference, rollout.response_mask).tolist(),
                strict=True,
            )
            rows += [
                {
                    "prompt": prompt,
                    "sample": sample,
                    "content": content,
                    "tokens": int(tokens),
                    "ended": bool(ended),
                    "kl": float(kl),
                }
                for prompt, content, tokens, ended, kl in found
            ]
    return pd.DataFrame(rows)
