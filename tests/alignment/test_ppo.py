"""Proximal policy optimisation: its equations by hand, and what it learns."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from gpla_assets.alignment import objective
from gpla_assets.alignment.checkpoint import Checkpoint, OtherRun
from gpla_assets.alignment.policy import Policy
from gpla_assets.alignment.ppo import Diverged, PpoRun, batch_of, plateau
from gpla_assets.alignment.reward import Rewarded
from gpla_assets.alignment.run import held_out_responses, responses_of
from gpla_assets.studies.ppo import Lora, Ppo
from tests.tiny_models import tiny_llama

TINY: dict[str, Any] = {
    "updates": 4,
    "batch": 4,
    "minibatch": 2,
    "max_new_tokens": 6,
    "max_prompt_tokens": 24,
    "device": "cpu",
    "lora": Lora(rank=4, alpha=8),
    "minimum_tokens": 0,
    "checkpoint_every": 2,
    "responses_per_prompt": 2,
}
PROMPTS = ["Should I tell the truth?", "Is freedom worth it?", "Rules?", "Be kind?", "Why not?"]


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_llama(tmp_path_factory.mktemp("policy") / "llama")


def rewarded(reward: np.ndarray) -> Rewarded:
    n = len(reward)
    frame = pd.DataFrame({"x": -reward})
    return Rewarded(np.asarray(reward, float), frame, frame, np.ones(n, np.int64))


def vowels(prompts: Any, responses: Any) -> Rewarded:
    """A reward that any text has, so that runs can be compared."""
    return rewarded(np.array([sum(c in "aeiou" for c in one) / 10 for one in responses]))


def tensor(*rows: list[float]) -> torch.Tensor:
    return torch.tensor(rows)


def test_the_clipped_objective_by_hand() -> None:
    # ratios 1.5 and 0.5 with clip 0.2: advantage 2 gains at most 1.2 * 2, advantage -1 loses at
    # least 0.8 * 1; the mean of 2.4 and -0.8 is 0.8
    logp = torch.log(tensor([1.5, 0.5]))
    loss = objective.policy_loss(
        logp, torch.zeros(1, 2), tensor([2.0, -1.0]), torch.ones(1, 2), 0.2
    )
    assert float(loss) == pytest.approx(-0.8)


def test_beyond_the_clip_there_is_no_gradient_and_within_it_is_the_advantages() -> None:
    logp = torch.log(tensor([1.5, 1.1])).requires_grad_()
    objective.policy_loss(
        logp, torch.zeros(1, 2), torch.ones(1, 2), torch.ones(1, 2), 0.2
    ).backward()
    # d/dlogp of -(ratio A)/2 is -ratio A / 2
    assert logp.grad is not None
    assert logp.grad.tolist()[0] == pytest.approx([0.0, -1.1 / 2])


def test_a_bad_choice_is_unlearnt_however_far_the_ratio_has_grown() -> None:
    logp = torch.log(tensor([3.0])).requires_grad_()
    objective.policy_loss(
        logp, torch.zeros(1, 1), -torch.ones(1, 1), torch.ones(1, 1), 0.2
    ).backward()
    assert logp.grad is not None
    assert float(logp.grad) == pytest.approx(3.0)


def test_generalised_advantages_by_hand() -> None:
    # discount .5, lambda .5; rewards 0, 0, 1; values .1, .2, .4
    # delta: .5*.2-.1 = 0; .5*.4-.2 = 0; 1-.4 = .6; A3 = .6, A2 = .15, A1 = .0375
    found, returns = objective.advantages(
        tensor([0.0, 0.0, 1.0]), tensor([0.1, 0.2, 0.4]), torch.ones(1, 3), 0.5, 0.5
    )
    assert found.tolist()[0] == pytest.approx([0.0375, 0.15, 0.6])
    assert returns.tolist()[0] == pytest.approx([0.1375, 0.35, 1.0])


def test_tokens_after_the_end_count_nowhere() -> None:
    mask = tensor([1.0, 1.0, 0.0])
    short, _ = objective.advantages(
        tensor([0.0, 1.0]), tensor([0.3, 0.2]), torch.ones(1, 2), 1.0, 0.9
    )
    long, returns = objective.advantages(
        tensor([0.0, 1.0, 0.0]), tensor([0.3, 0.2, 9.0]), mask, 1.0, 0.9
    )
    assert long[0, :2].tolist() == pytest.approx(short[0].tolist())
    assert float(long[0, 2]) == float(returns[0, 2]) == 0
    white = objective.whitened(tensor([1.0, 3.0, 100.0]), mask)
    assert white.tolist()[0] == pytest.approx([-1.0, 1.0, 0.0], abs=1e-5)


def test_a_prompts_share_of_the_reward_is_taken_away() -> None:
    # two prompts, two answers each: means .2 and -1
    found = objective.centred(torch.tensor([0.1, 0.3, -1.5, -0.5]), 2)
    assert found.tolist() == pytest.approx([-0.1, 0.1, -0.5, 0.5])
    alone = torch.tensor([0.1, 0.3])
    assert torch.equal(objective.centred(alone, 1), alone)


def test_the_scale_is_of_all_updates_and_never_nothing() -> None:
    assert objective.running_scale([3.0, 4.0]) == pytest.approx(math.sqrt(12.5))
    assert objective.running_scale([0.0, 0.0]) == 1e-3


def test_a_reward_a_hundred_times_smaller_teaches_the_same(llama: Path, tmp_path: Path) -> None:
    def faint(prompts: Any, responses: Any) -> Rewarded:
        return rewarded(vowels(prompts, responses).reward / 100)

    runs = []
    for name, reward in (("a", vowels), ("b", faint)):
        policy = Policy.load(str(llama), Ppo(**TINY))
        PpoRun(policy, reward, PROMPTS, tmp_path / name, "f").run()
        runs.append(policy.state())
    for name, found in runs[0].items():
        assert torch.allclose(found, runs[1][name], atol=1e-4), name


def test_silence_costs_where_it_would_not_be_told_from_speech(llama: Path, tmp_path: Path) -> None:
    """All rewards alike: only the price of saying nothing teaches, and it teaches to speak."""
    settings = Ppo(
        **(TINY | {
            "updates": 30, "batch": 32, "minibatch": 16, "max_new_tokens": 1, "kl_weight": 0.0,
            "kl": "fixed", "learning_rate": 1e-2, "temperature": 1.0, "epochs": 3, "stop_kl": 10.0,
        })
    )  # fmt: skip
    policy = Policy.load(str(llama), settings)

    def dull(prompts: Any, responses: Any) -> Rewarded:
        heard = [None if any(c in "aeiou" for c in one) else 0.5 for one in responses]
        found = rewarded(np.full(len(responses), -0.5))
        return replace(found, measured=pd.DataFrame({"x": pd.Series(heard, dtype=float)}))

    done = PpoRun(policy, dull, PROMPTS, tmp_path, "f").run()
    assert np.mean([one["silent"] for one in done.steps[:5]]) > 0.15
    assert np.mean([one["silent"] for one in done.steps[-10:]]) < 0.1


def test_prompts_that_do_not_fill_a_batch_are_refused() -> None:
    with pytest.raises(ValueError, match=r"expected a multiple of ppo\.responses_per_prompt"):
        Ppo(batch=6, responses_per_prompt=4)


def test_the_price_of_divergence_sums_to_the_divergence() -> None:
    mask = tensor([1.0, 1.0, 0.0])
    rewards = objective.token_rewards(
        torch.tensor([2.0]), tensor([-1.0, -2.0, -7.0]), tensor([-1.5, -3.0, -1.0]), mask, 0.1
    )
    assert rewards.tolist()[0] == pytest.approx([-0.05, 2 - 0.1, 0.0])
    divergence = objective.divergence(tensor([-1.0, -2.0, -7.0]), tensor([-1.5, -3.0, -1.0]), mask)
    assert float(divergence) == pytest.approx(1.5)


def test_the_value_loss_takes_the_worse_of_free_and_bounded() -> None:
    # value 1 from 0, bounded to 0.2; return 1: free error 0, bounded .8^2
    loss = objective.value_loss(tensor([1.0]), tensor([0.0]), tensor([1.0]), torch.ones(1, 1), 0.2)
    assert float(loss) == pytest.approx(0.5 * 0.64)


def test_the_price_follows_the_divergence() -> None:
    controller = objective.KlController(1.0, target=5.0, horizon=0.1)
    controller.update(50.0)
    assert controller.weight == pytest.approx(1.1)
    controller.update(0.0)
    assert controller.weight == pytest.approx(1.1 * 0.9)
    controller.update(5.5)
    assert controller.weight == pytest.approx(1.1 * 0.9 * 1.05)
    fixed = objective.KlController(1.0, target=None, horizon=0.1)
    fixed.update(1e9)
    assert fixed.weight == 1.0


def test_sampling_and_judging_give_a_token_the_same_probability(llama: Path) -> None:
    policy = Policy.load(str(llama), Ppo(**TINY))
    rollout = policy.sample(PROMPTS, seed=3)
    assert rollout.sampled is not None
    judged = policy.judge(rollout)
    for name in ("logp", "entropy", "value"):
        left, right = getattr(rollout.sampled, name), getattr(judged, name)
        assert torch.allclose(left, right, atol=1e-4), name
    reference = policy.judge(rollout, reference=True)
    assert torch.allclose(judged.logp, reference.logp, atol=1e-6)


def test_a_prompt_is_answered_alike_whatever_it_is_batched_with(llama: Path) -> None:
    policy = Policy.load(str(llama), Ppo(**TINY))
    rollout = policy.sample(PROMPTS, seed=3)
    alone = policy.sample([PROMPTS[2]], seed=3)
    part = rollout.rows(torch.tensor([2]))
    own = policy.judge(part).logp
    # the same tokens after the prompt without padding
    part.prompt, part.prompt_mask = alone.prompt, alone.prompt_mask
    assert torch.allclose(own, policy.judge(part).logp, atol=1e-4)


@pytest.mark.parametrize("lora", [Lora(rank=4, alpha=8), Lora(rank=2, layers=1), None])
def test_training_leaves_the_reference_as_it_was(llama: Path, lora: Lora | None, tmp_path: Path):
    settings = Ppo(**(TINY | {"lora": lora, "learning_rate": 1e-2}))
    policy = Policy.load(str(llama), settings)
    rollout = policy.sample(PROMPTS, seed=1)
    before = policy.judge(rollout, reference=True).logp.detach()
    PpoRun(policy, vowels, PROMPTS, tmp_path, "f").run()
    assert torch.equal(before, policy.judge(rollout, reference=True).logp.detach())
    assert not torch.allclose(before, policy.judge(rollout).logp.detach(), atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("size", "group", "scaling"),
    [
        (1.0, 1, "none"),
        pytest.param(1.0, 4, "running", marks=pytest.mark.long),
        pytest.param(0.01, 4, "running", marks=pytest.mark.long),
    ],
)
def test_a_bandit_of_two_tokens_is_learnt_to_the_optimum(
    llama: Path, tmp_path: Path, size: float, group: int, scaling: str
) -> None:
    """One token a response; those of even number pay. The share that pays goes to one."""
    settings = Ppo(
        **(TINY | {
            "updates": 90, "batch": 32, "minibatch": 16, "max_new_tokens": 1, "kl_weight": 0.0,
            "kl": "fixed", "learning_rate": 1e-2, "temperature": 1.0, "epochs": 3, "stop_kl": 10.0,
            "responses_per_prompt": group, "reward_scaling": scaling,
        })
    )  # fmt: skip
    policy = Policy.load(str(llama), settings)
    sampled: list[torch.Tensor] = []
    sample = policy.sample

    def remembered(prompts: Any, seed: int, reference: bool = False) -> Any:
        rollout = sample(prompts, seed, reference)
        sampled.append(rollout.response[:, 0])
        return rollout

    policy.sample = remembered  # type: ignore[method-assign]

    def even(prompts: Any, responses: Any) -> Rewarded:
        return rewarded(size * (sampled[-1] % 2 == 0).numpy().astype(float))

    done = PpoRun(policy, even, PROMPTS, tmp_path, "f").run()
    assert np.mean([one["reward"] for one in done.steps[:3]]) < 0.75 * size
    assert np.mean([one["reward"] for one in done.steps[-10:]]) > 0.9 * size


FREE: dict[str, Any] = TINY | {
    "batch": 16, "minibatch": 16, "epochs": 1, "learning_rate": 3e-3, "temperature": 1.0,
    "updates": 100, "kl": "fixed", "kl_weight": 0.0, "responses_per_prompt": 1,
    "reward_scaling": "none",
}  # fmt: skip


def mean_kl(llama: Path, folder: Path, last: int, settings: dict[str, Any]) -> float:
    policy = Policy.load(str(llama), Ppo(**settings))
    done = PpoRun(policy, vowels, PROMPTS, folder, "f").run()
    return float(np.mean([one["kl"] for one in done.steps[-last:]]))


def test_a_price_keeps_the_policy_near_and_without_one_it_goes(llama: Path, tmp_path: Path) -> None:
    few = FREE | {"updates": 30}
    free = mean_kl(llama, tmp_path / "free", 6, few)
    dear = mean_kl(llama, tmp_path / "dear", 6, few | {"kl_weight": 1.0})
    assert abs(dear) < 0.3 * free


@pytest.mark.slow
def test_the_adaptive_price_holds_a_divergence_that_would_leave_its_band(
    llama: Path, tmp_path: Path
) -> None:
    held = FREE | {"kl": "adaptive", "kl_weight": 1.0, "kl_target": 1.0, "kl_horizon": 0.2}
    assert 0.4 < mean_kl(llama, tmp_path / "held", 20, held) < 3
    assert mean_kl(llama, tmp_path / "free", 20, FREE) > 6


def test_a_run_that_was_stopped_ends_bit_for_bit_where_it_would_have(
    llama: Path, tmp_path: Path
) -> None:
    whole = PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path / "a", "f", 7)
    whole.run()

    class Killed(Exception):
        pass

    def kill(numbers: dict[str, float], most: int) -> None:
        if numbers["update"] == 2:
            raise Killed

    first = PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path / "b", "f", 7)
    with pytest.raises(Killed):
        first.run(kill)
    policy = Policy.load(str(llama), Ppo(**TINY), seed=99)
    second = PpoRun(policy, vowels, PROMPTS, tmp_path / "b", "f", 7)
    assert second.done.update == 2
    second.run()
    for name, found in whole.policy.state().items():
        assert torch.equal(found, policy.state()[name]), name
    drop = ("seconds_sampling", "seconds_reward", "seconds_learning")
    logs = [
        [{k: v for k, v in one.items() if k not in drop} for one in run.done.steps]
        for run in (whole, second)
    ]
    assert logs[0] == logs[1]


def test_a_finished_run_learns_no_further(llama: Path, tmp_path: Path) -> None:
    PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path, "f").run()

    def never(prompts: Any, responses: Any) -> Rewarded:
        raise AssertionError("asked for a reward")

    again = PpoRun(Policy.load(str(llama), Ppo(**TINY)), never, PROMPTS, tmp_path, "f").run()
    assert again.update == TINY["updates"]


def test_a_folder_of_another_run_is_refused_and_kept(llama: Path, tmp_path: Path) -> None:
    PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path, "one").run()
    with pytest.raises(OtherRun, match="fingerprint one, expected other"):
        PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path, "other")
    kept = Checkpoint.load(tmp_path, "one")
    assert kept is not None
    assert kept.update == TINY["updates"]


def test_a_checkpoint_of_other_adapters_is_refused(llama: Path, tmp_path: Path) -> None:
    PpoRun(Policy.load(str(llama), Ppo(**TINY)), vowels, PROMPTS, tmp_path, "one").run()
    whole = Ppo(**(TINY | {"lora": None}))
    with pytest.raises(ValueError, match="other adapters"):
        PpoRun(Policy.load(str(llama), whole), vowels, PROMPTS, tmp_path, "one")


def test_a_number_that_is_none_ends_the_run_and_names_itself(llama: Path, tmp_path: Path) -> None:
    def broken(prompts: Any, responses: Any) -> Rewarded:
        return rewarded(np.full(len(responses), math.nan))

    run = PpoRun(Policy.load(str(llama), Ppo(**TINY)), broken, PROMPTS, tmp_path, "f")
    with pytest.raises(Diverged, match="Update 0: reward is nan"):
        run.run()


def test_a_plateau_ends_a_run_and_a_rise_does_not() -> None:
    settings = Ppo(plateau=3, least_updates=6, plateau_gain=0.01)
    assert plateau([0, 0, 0, 0, 0], settings) is None
    assert plateau([0, 0, 0, 0, 0, 0], settings) is not None
    assert plateau([0, 0, 0, 1, 1, 1], settings) is None


def test_every_prompt_is_gone_through_once_a_round() -> None:
    seen = [one for update in range(5) for one in batch_of(PROMPTS, 3, update, seed=2)]
    for round_ in range(3):
        assert sorted(seen[round_ * 5 : round_ * 5 + 5]) == sorted(PROMPTS)


def test_before_alignment_responses_are_the_references_and_after_they_differ(
    llama: Path, tmp_path: Path
) -> None:
    settings = Ppo(**(TINY | {"learning_rate": 1e-2, "updates": 8}))
    policy = Policy.load(str(llama), settings)
    untouched = responses_of(policy, PROMPTS, 0, aligned=True, samples=2)
    PpoRun(policy, vowels, PROMPTS, tmp_path, "f").run()
    found = held_out_responses(policy, PROMPTS, 0, 2, {"reward": vowels, "second_reward": vowels})
    before = found[found["stage"] == "before"]
    assert list(before["content"]) == list(untouched["content"])
    assert (before["kl"] == 0).all()
    assert len(found) == 2 * 2 * len(PROMPTS)
    assert list(found[found["stage"] == "after"]["content"]) != list(before["content"])
