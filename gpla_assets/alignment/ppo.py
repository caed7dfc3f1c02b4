"""Alignment of a policy to a target by proximal policy optimisation (equation 5).

One update: sample a response to each of a batch of prompts; reward it by its distance to the
target; price its divergence from the LLM before training; then a few passes of gradient steps on
the clipped objective. The parts are in `objective`, the reward in `reward`, the LLM in `policy`.
Our own since trl (1.16) has no PPO any more: what it trains with instead, GRPO and RLOO, has no
value head and so no GAE.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from gpla_assets.alignment import objective
from gpla_assets.alignment.checkpoint import Checkpoint
from gpla_assets.alignment.memory import peak_gib
from gpla_assets.alignment.policy import Judged, Policy, Rollout
from gpla_assets.alignment.reward import Rewarded
from gpla_assets.common.errors import KnownError
from gpla_assets.studies.ppo import Ppo

if TYPE_CHECKING:
    from torch import Tensor

Reward = Callable[[Sequence[str], Sequence[str]], Rewarded]
Tell = Callable[[dict[str, float], int], None]
"""Told the numbers of each update, and how many updates there are at most."""


class Diverged(KnownError, RuntimeError):
    """Training gave a number that is none; the checkpoint before it stays."""


# decision 0011: what a library would decide stands here, in the order in which it happens
class PpoRun:
    """One run: a policy, a reward, prompts, and where checkpoints go.

    `fingerprint` tells runs apart: a folder is resumed by the run that began it only.
    """

    def __init__(
        self,
        policy: Policy,
        reward: Reward,
        prompts: Sequence[str],
        folder: Path,
        fingerprint: str,
        seed: int = 0,
    ) -> None:
        import torch

        if not prompts:
            raise ValueError("No prompts to train on: found 0, expected at least one.")
        self.policy, self.reward, self.prompts = policy, reward, list(prompts)
        self.settings: Ppo = policy.settings
        self.folder, self.fingerprint, self.seed = folder, fingerprint, seed
        self.optimizer = torch.optim.Adam(
            policy.parameters(), lr=self.settings.learning_rate, betas=(0.9, 0.95), eps=1e-5
        )
        adaptive = self.settings.kl == "adaptive"
        self.controller = objective.KlController(
            self.settings.kl_weight,
            self.settings.kl_target if adaptive else None,
            self.settings.kl_horizon,
        )
        self.done = Checkpoint(fingerprint, 0, {}, {}, self.controller.weight)
        if found := Checkpoint.load(folder, fingerprint):
            self._take(found)

    def run(self, tell: Tell = lambda numbers, most: None) -> Checkpoint:
        """All updates that are missing, or fewer where the reward has reached its plateau.

        Raises Diverged; what was checkpointed before stays and is gone on from.
        """
        began, before = time.monotonic(), self.done.seconds
        most = self.settings.updates
        while self.done.update < most and self.done.stopped is None:
            numbers, distances = self.update(self.done.update)
            self.done.update += 1
            self.done.steps.append(numbers)
            self.done.distances.append(distances)
            self.done.seconds = before + time.monotonic() - began
            self.done.stopped = plateau([one["reward"] for one in self.done.steps], self.settings)
            ends = self.done.update == most or self.done.stopped is not None
            if ends or self.done.update % self.settings.checkpoint_every == 0:
                self.save()
            tell(numbers, most)
        return self.done

    def save(self) -> None:
        """Checkpoint the run as it is."""
        self.done.trained = self.policy.state()
        self.done.optimizer = self.optimizer.state_dict()
        self.done.kl_weight = self.controller.weight
        self.done.device = self.policy.device.type
        self.done.peak_gib = max(self.done.peak_gib, peak_gib(self.done.device))
        self.done.save(self.folder)

    def _take(self, found: Checkpoint) -> None:
        self.policy.restore(found.trained)
        self.optimizer.load_state_dict(found.optimizer)
        self.controller.weight = found.kl_weight
        self.done = found

    def update(self, number: int) -> tuple[dict[str, float], dict[str, float]]:
        """One update: its numbers, and the mean distance by dimension."""
        import torch

        began = time.monotonic()
        group = self.settings.responses_per_prompt
        # answers to one prompt stand together: `centred` takes their mean
        asked = batch_of(self.prompts, self.settings.batch // group, number, self.seed)
        prompts = [prompt for prompt in asked for _ in range(group)]
        rollout = self.policy.sample(prompts, draw_seed(self.seed, number))
        ended = self.policy.ended(rollout)
        sampled = time.monotonic()
        rewarded = self.reward(prompts, self.policy.texts(rollout))
        reward = torch.tensor(rewarded.reward, dtype=torch.float32, device=self.policy.device)
        silent = torch.tensor(rewarded.measured.isna().all(axis=1).to_numpy(), device=reward.device)
        reward = reward - self._price(rollout, ended, silent)
        # what a prompt gives any answer teaches nothing
        reward = objective.centred(reward, group)
        # after centring: the scale is that of what is learnt from
        spread = float(reward.std(correction=0))
        scale = self._scale(spread)
        reward = reward / scale
        judged = time.monotonic()
        old, reference = self._before(rollout)
        mask = rollout.response_mask
        weight = self.controller.weight
        rewards = objective.token_rewards(reward, old.logp, reference.logp, mask, weight)
        advantage, returns = objective.advantages(
            rewards, old.value, mask, self.settings.discount, self.settings.gae_lambda
        )
        # gradients keep their size while rewards shrink towards the target
        advantage = objective.whitened(advantage, mask)
        learnt = self._learn(number, rollout, old, advantage, returns)
        kl = float(objective.divergence(old.logp, reference.logp, mask).mean())
        # after the batch: its price was the one that its rewards were made with
        self.controller.update(kl)
        numbers = {
            "update": float(number),
            "reward": float(rewarded.reward.mean()),
            "reward_sd": spread,
            "reward_scale": scale,
            "kl": kl,
            "kl_weight": weight,
            "entropy": float(objective.masked_mean(old.entropy, mask)),
            "tokens": float(mask.sum(1).mean()),
            "ended": float(ended.float().mean()),
            "perceptions": float(rewarded.perceptions.mean()),
            "silent": float(silent.float().mean()),
            **learnt,
            "seconds_sampling": sampled - began,
            "seconds_reward": judged - sampled,
            "seconds_learning": time.monotonic() - judged,
        }
        # before the update is counted: a checkpoint never holds numbers that are none
        self._check(numbers)
        means = rewarded.distances.mean()
        return numbers, {str(name): float(number) for name, number in means.items()}

    def _check(self, numbers: dict[str, float]) -> None:
        odd = [name for name, number in numbers.items() if not np.isfinite(number)]
        if odd:
            raise Diverged(
                f"Update {int(numbers['update'])}: {odd[0]} is {numbers[odd[0]]}, expected a "
                "finite number. Lower ppo.learning_rate or raise ppo.kl_weight; the checkpoint "
                f"before it stays in {self.folder}."
            )

    def _scale(self, spread: float) -> float:
        """What rewards are divided by: known from the steps, so a resumed run has it too."""
        if self.settings.reward_scaling == "none":
            return 1.0
        return objective.running_scale([*(one["reward_sd"] for one in self.done.steps), spread])

    def _price(self, rollout: Rollout, ended: Tensor, silent: Tensor) -> Tensor:
        """What is taken from rewards (n,) for no end, for being short, for saying no value."""
        price = self.settings.missing_end * (~ended).float()
        # saying nothing is nearer to a target with zeros than most speech
        price = price + self.settings.silence * silent.float()
        short = rollout.response_mask.sum(1) < self.settings.minimum_tokens
        return price + max(self.settings.missing_end, self.settings.short) * short.float()

    def _before(self, rollout: Rollout) -> tuple[Judged, Judged]:
        """The policy that sampled and the reference, on the sampled tokens."""
        import torch

        own: list[Judged] = []
        others: list[Judged] = []
        with torch.no_grad():
            for rows in self._minibatches(len(rollout.response), torch.arange):
                part = rollout.rows(rows)
                if not self.settings.reuse_sampling:
                    own.append(self.policy.judge(part))
                others.append(self.policy.judge(part, reference=True, entropy=False))
        if self.settings.reuse_sampling and rollout.sampled is not None:
            return rollout.sampled, _joined(others)
        return _joined(own), _joined(others)

    def _learn(
        self, number: int, rollout: Rollout, old: Judged, advantage: Tensor, returns: Tensor
    ) -> dict[str, float]:
        """Gradient steps on one batch; ends where the policy has moved far enough."""
        import torch

        settings, seen = self.settings, _Means()
        self._warm_up(number)
        for epoch in range(settings.epochs):
            order = torch.Generator().manual_seed(draw_seed(self.seed, number, 1 + epoch))
            for rows in self._minibatches(
                len(rollout.response), partial(torch.randperm, generator=order)
            ):
                part, mask = rollout.rows(rows), rollout.response_mask[rows]
                new = self.policy.judge(part, entropy=settings.entropy_weight > 0)
                with torch.no_grad():
                    moved = objective.masked_mean(old.logp[rows] - new.logp, mask)
                    ratio = torch.exp(new.logp - old.logp[rows])
                    clipped = objective.masked_mean(
                        ((ratio - 1).abs() > settings.clip).float(), mask
                    )
                # the clip bounds the objective, not how far many steps carry the policy
                if float(moved) > settings.stop_kl:
                    return seen.means()
                of_policy = objective.policy_loss(
                    new.logp, old.logp[rows], advantage[rows], mask, settings.clip
                )
                of_value = objective.value_loss(
                    new.value, old.value[rows], returns[rows], mask, settings.clip_value
                )
                loss = of_policy + settings.value_weight * of_value
                loss = loss - settings.entropy_weight * objective.masked_mean(new.entropy, mask)
                self.optimizer.zero_grad()
                loss.backward()
                norm = torch.nn.utils.clip_grad_norm_(
                    self.policy.parameters(), settings.max_gradient
                )
                self.optimizer.step()
                seen.add(policy_loss=of_policy, value_loss=of_value, clipped=clipped, gradient=norm)
        return seen.means()

    def _warm_up(self, number: int) -> None:
        share = min(1.0, (number + 1) / max(1, self.settings.warmup))
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * share

    def _minibatches(self, n: int, order: Callable[[int], Tensor]) -> list[Tensor]:
        return list(order(n).to(self.policy.device).split(self.settings.minibatch))


class _Means:
    """Running means of the numbers of gradient steps."""

    def __init__(self) -> None:
        self.sums = dict.fromkeys(("policy_loss", "value_loss", "clipped", "gradient"), 0.0)
        self.count = 0

    def add(self, **numbers: Tensor) -> None:
        self.count += 1
        for name, number in numbers.items():
            self.sums[name] += float(number.detach())

    def means(self) -> dict[str, float]:
        found = {name: total / max(1, self.count) for name, total in self.sums.items()}
        return found | {"gradient_steps": float(self.count)}


def _joined(parts: Sequence[Judged]) -> Judged:
    import torch

    return Judged(
        torch.cat([one.logp for one in parts]),
        torch.cat([one.entropy for one in parts]),
        torch.cat([one.value for one in parts]),
    )


def draw_seed(seed: int, update: int, what: int = 0) -> int:
    """The seed of one draw of one update, the same whether the run was stopped before or not."""
    return int(np.random.SeedSequence([seed, update, what]).generate_state(1)[0])


def batch_of(prompts: Sequence[str], size: int, update: int, seed: int) -> list[str]:
    """The `size` prompts of an update; all have their turn, in a new order each time round."""
    found: list[str] = []
    for place in range(update * size, (update + 1) * size):
        round_, at = divmod(place, len(prompts))
        # computed from its number, so that a resumed run needs no state of an order
        order = np.random.default_rng([seed, round_]).permutation(len(prompts))
        found.append(prompts[int(order[at])])
    return found


def plateau(rewards: Sequence[float], settings: Ppo) -> str | None:
    """Why to stop, None to go on: the last `plateau` updates gained less than `plateau_gain`."""
    window = settings.plateau
    if len(rewards) < max(settings.least_updates, 2 * window):
        return None
    gain = float(np.mean(rewards[-window:]) - np.mean(rewards[-2 * window : -window]))
    if gain >= settings.plateau_gain:
        return None
    return f"plateau: the last {window} updates gained {gain:+.4f}"
