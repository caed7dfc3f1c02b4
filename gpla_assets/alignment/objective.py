"""The parts of proximal policy optimisation, as equations on tensors.

All tensors are (n, t): n responses of t tokens, with a mask of the tokens that count. Sources:
Schulman et al. 2017 (PPO), 2016 (GAE); Ziegler et al. 2019 (penalty on the divergence from a
reference policy, and its controller).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def centred(reward: Tensor, group: int) -> Tensor:
    """Rewards (n,) less the mean of their prompt's, which stand together, `group` a prompt.

    What is left says which of the answers to one prompt was better (the baseline of Ahmadian et
    al. 2024, but for the factor (k - 1) / k). A group of 1 is left as it is.
    """
    if group == 1:
        return reward
    rows = reward.view(-1, group)
    return (rows - rows.mean(1, keepdim=True)).flatten()


def running_scale(spreads: Sequence[float], floor: float = 1e-3) -> float:
    """Root mean square of the rewards' standard deviations of all updates so far."""
    mean = sum(spread**2 for spread in spreads) / max(1, len(spreads))
    # rewards that hardly differ must not be blown up to noise of size 1
    root: float = float(mean) ** 0.5
    return max(root, floor)


def token_rewards(
    reward: Tensor, logp: Tensor, reference_logp: Tensor, mask: Tensor, kl_weight: float
) -> Tensor:
    """(n, t): the price of divergence at each token, and the response's reward at its last.

    The sum over a response is reward - kl_weight * (log pi - log pi_ref), whose mean is the
    reward less kl_weight times the divergence KL(pi, pi_ref).
    """
    import torch

    rewards = -kl_weight * (logp - reference_logp) * mask
    last = (mask.sum(1) - 1).clamp(min=0).long()
    rewards[torch.arange(len(reward)), last] += reward
    return rewards * mask


def advantages(
    rewards: Tensor, values: Tensor, mask: Tensor, discount: float, gae_lambda: float
) -> tuple[Tensor, Tensor]:
    """Generalised advantages and the returns that values should predict, both (n, t).

    delta_t = r_t + discount V_(t+1) - V_t; A_t = delta_t + discount lambda A_(t+1); the value
    after the last token is 0.
    """
    import torch

    found = torch.zeros_like(rewards)
    carried = torch.zeros_like(rewards[:, 0])
    after = torch.zeros_like(rewards[:, 0])
    for t in reversed(range(rewards.shape[1])):
        inside = mask[:, t]
        delta = rewards[:, t] + discount * after - values[:, t]
        carried = (delta + discount * gae_lambda * carried) * inside
        # past the end of a response nothing comes, and the value there is 0
        after = torch.where(inside > 0, values[:, t], after)
        found[:, t] = carried
    return found, (found + values) * mask


def whitened(advantage: Tensor, mask: Tensor) -> Tensor:
    """Advantages with mean 0 and variance 1 over the tokens that count, 0 elsewhere."""
    count = mask.sum().clamp(min=1)
    mean = (advantage * mask).sum() / count
    variance = ((advantage - mean) ** 2 * mask).sum() / count
    return (advantage - mean) / (variance + 1e-8).sqrt() * mask


def policy_loss(
    logp: Tensor, old_logp: Tensor, advantage: Tensor, mask: Tensor, clip: float
) -> Tensor:
    """The clipped objective to be minimised (Schulman et al. 2017, equation 7), a scalar.

    -min(ratio A, clip(ratio, 1 - clip, 1 + clip) A), mean over tokens; ratio = pi / pi_old.
    """
    import torch

    ratio = torch.exp(logp - old_logp)
    bounded = ratio.clamp(1 - clip, 1 + clip)
    return -masked_mean(torch.minimum(ratio * advantage, bounded * advantage), mask)


def value_loss(
    values: Tensor, old_values: Tensor, returns: Tensor, mask: Tensor, clip: float
) -> Tensor:
    """Half the squared error of the values, the worse of moved freely and moved within `clip`."""
    import torch

    bounded = old_values + (values - old_values).clamp(-clip, clip)
    # the worse of both, so that the clip never makes a step look better than it is
    worse = torch.maximum((values - returns) ** 2, (bounded - returns) ** 2)
    return 0.5 * masked_mean(worse, mask)


def masked_mean(numbers: Tensor, mask: Tensor) -> Tensor:
    """Mean over the tokens that count; 0 where there is none."""
    return (numbers * mask).sum() / mask.sum().clamp(min=1)


def divergence(logp: Tensor, reference_logp: Tensor, mask: Tensor) -> Tensor:
    """(n,): log pi - log pi_ref summed over a response, in nats; its mean estimates the KL."""
    return ((logp - reference_logp) * mask).sum(1)


@dataclass
class KlController:
    """The price of divergence: fixed, or moved towards a target divergence a response.

    Adaptive (Ziegler et al. 2019, section 2.2): the weight changes by the relative error of the
    divergence, cut to +-0.2, times horizon / 0.2.
    """

    weight: float
    target: float | None
    horizon: float

    def update(self, divergence: float) -> None:
        """Move the weight after a batch whose mean divergence was `divergence` (nats)."""
        if self.target is not None:
            error = max(-0.2, min(0.2, divergence / self.target - 1))
            self.weight *= 1 + self.horizon * error / 0.2
