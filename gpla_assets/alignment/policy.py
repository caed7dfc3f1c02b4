"""An LLM as a policy over responses: sampling, log-probabilities, values, and its reference.

The policy at temperature T has the probabilities softmax(logits / T); sampling and training use
the same. The reference is the LLM before training: with LoRA the model without its adapters, else
a frozen copy.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gpla_assets.alignment.checkpoint import OtherRun
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.studies.ppo import Ppo

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

ATTENTION = ["q_proj", "k_proj", "v_proj", "o_proj"]


@dataclass
class Judged:
    """Of each response token: log-probability, entropy of the choice, predicted return; (n, t)."""

    logp: Tensor
    entropy: Tensor
    value: Tensor


@dataclass
class Rollout:
    """Prompts (n, p), left-padded, and the responses sampled to them (n, t), with masks.

    `sampled` is what the policy gave for the tokens while it sampled them, by cached keys.
    """

    prompt: Tensor
    prompt_mask: Tensor
    response: Tensor
    response_mask: Tensor
    sampled: Judged | None = None

    def rows(self, chosen: Tensor) -> Rollout:
        """The rollout of some of the responses."""
        return Rollout(
            self.prompt[chosen],
            self.prompt_mask[chosen],
            self.response[chosen],
            self.response_mask[chosen],
        )


class Policy:
    """A causal LLM with a value head on its last hidden state.

    `model` and `tokenizer` are transformers' own; `settings.lora` chooses what is trained.
    """

    def __init__(
        self, model: Pretrained, tokenizer: Tokenizer, settings: Ppo, seed: int = 0
    ) -> None:
        import torch

        torch.manual_seed(seed)
        self.tokenizer, self.settings = tokenizer, settings
        self._reference: Pretrained | None = None
        if settings.lora is None:
            self._reference = copy.deepcopy(model).eval().requires_grad_(False)
            self.model = model
        else:
            self.model = _with_lora(model, settings)
        # no dropout: a ratio of 1 before the first step
        self.model.eval()
        self.device = next(model.parameters()).device
        self.value_head = torch.nn.Linear(self._causal.config.hidden_size, 1).to(self.device)
        # no opinion of returns at first: one drawn at random would move the policy
        torch.nn.init.zeros_(self.value_head.weight)
        torch.nn.init.zeros_(self.value_head.bias)

    @classmethod
    def load(cls, name: str, settings: Ppo, seed: int = 0, revision: str | None = None) -> Policy:
        """The policy of a folder, hub name or packaged model; raises BackendUnavailable."""
        loaded = LocalWeights(name, revision, settings.dtype, settings.device).load("causal")
        loaded.tokenizer.padding_side = "left"
        if loaded.tokenizer.pad_token_id is None:
            loaded.tokenizer.pad_token = loaded.tokenizer.eos_token
        return cls(loaded.model, loaded.tokenizer, settings, seed)

    @property
    def _causal(self) -> Pretrained:
        """The causal LLM itself, adapters inside it."""
        return self.model.get_base_model() if self.settings.lora else self.model

    @property
    def ends(self) -> list[int]:
        """Tokens that end a response."""
        found = self._causal.generation_config.eos_token_id
        ends: set[int | None] = {*found} if isinstance(found, list) else {found}
        return [end for end in {*ends, self.tokenizer.eos_token_id} if end is not None]

    def parameters(self) -> list[nn.Parameter]:
        """What is trained: adapters or all weights, and the value head."""
        own = [one for one in self.model.parameters() if one.requires_grad]
        return [*own, *self.value_head.parameters()]

    def state(self) -> dict[str, Tensor]:
        """The trained tensors by name, on the CPU."""
        named = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        named |= {f"value_head.{n}": p for n, p in self.value_head.named_parameters()}
        return {name: found.detach().cpu().clone() for name, found in named.items()}

    def restore(self, state: dict[str, Tensor]) -> None:
        """Take over tensors of `state`; raises OtherRun where they are of another model."""
        import torch

        named = {n: p for n, p in self.model.named_parameters() if p.requires_grad}
        named |= {f"value_head.{n}": p for n, p in self.value_head.named_parameters()}
        if set(named) != set(state):
            odd = sorted(set(named) ^ set(state))[0]
            raise OtherRun(
                f"The checkpoint is of another model or other adapters: tensor {odd!r} is in one "
                "of the two only. Remove the run's folder, or restore its settings."
            )
        with torch.no_grad():
            for name, found in named.items():
                found.copy_(state[name])

    def encode(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Prompts in the model's chat form as ids and mask, (n, p), left-padded."""
        texts = [self._chat(prompt) for prompt in prompts]
        # the end of a prompt is what is asked
        self.tokenizer.truncation_side = "left"
        batch = self.tokenizer(
            texts,
            return_tensors="pt",
            padding=True,
            truncation=True,
            max_length=self.settings.max_prompt_tokens,
            add_special_tokens=not self.tokenizer.chat_template,
        ).to(self.device)
        return batch["input_ids"], batch["attention_mask"]

    def _chat(self, prompt: str) -> str:
        if not self.tokenizer.chat_template:
            return self.settings.prompt_format.replace("{prompt}", prompt)
        messages = [{"role": "user", "content": prompt}]
        made = self.tokenizer.apply_chat_template(
            messages, tokenize=False, add_generation_prompt=True
        )
        return str(made)

    def sample(self, prompts: Sequence[str], seed: int, reference: bool = False) -> Rollout:
        """One response a prompt; the same seed gives the same responses.

        `reference` samples from the LLM before training.
        """
        import torch

        prompt, prompt_mask = self.encode(prompts)
        draw = torch.Generator(self.device).manual_seed(seed)
        ends = torch.tensor(self.ends, device=self.device)
        pad = self.tokenizer.pad_token_id
        assert pad is not None, "load sees to it"
        tokens, counted, seen = [], [], []
        ids, mask, cache = prompt, prompt_mask, None
        running = torch.ones(len(prompt), dtype=torch.bool, device=self.device)
        with torch.no_grad(), self._as(reference) as causal:
            for step in range(self.settings.max_new_tokens):
                # left padding must not count: the first word is at position 0
                positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
                out = causal.base_model(
                    input_ids=ids,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                )
                cache, hidden = out.past_key_values, out.last_hidden_state[:, -1]
                logits = self._logits(causal, hidden)
                chances = torch.softmax(logits, -1)
                chosen = torch.multinomial(chances, 1, generator=draw)
                seen.append(self._judged(logits, chosen[:, 0], hidden, entropy=True))
                # drawn for all rows, so that a response does not depend on when its neighbours end
                chosen = torch.where(running, chosen[:, 0], torch.full_like(chosen[:, 0], pad))
                tokens.append(chosen)
                counted.append(running)
                ids, mask = chosen[:, None], torch.cat([mask, running[:, None].to(mask.dtype)], 1)
                running = running & ~torch.isin(chosen, ends)
                # asking whether all have ended waits for the GPU: not at every token
                if step % 8 == 7 and not bool(running.any()):
                    break
        kept = torch.stack(counted, 1).float()
        parts = (torch.stack(one, 1) * kept for one in zip(*seen, strict=True))
        return Rollout(prompt, prompt_mask, torch.stack(tokens, 1), kept, Judged(*parts))

    def _logits(self, causal: Pretrained, hidden: Tensor) -> Tensor:
        logits: Tensor = causal.get_output_embeddings()(hidden).float()
        return logits / self.settings.temperature

    def _judged(
        self, logits: Tensor, chosen: Tensor, hidden: Tensor, entropy: bool
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Log-probability of the chosen (n,), entropy and value; each (n,)."""
        from torch.nn import functional

        value = self.value_head(hidden.float())[:, 0]
        if not entropy:
            logp = -functional.cross_entropy(logits, chosen, reduction="none")
            return logp, value.new_zeros(value.shape), value
        every = functional.log_softmax(logits, -1)
        return every.gather(-1, chosen[:, None])[:, 0], -(every.exp() * every).sum(-1), value

    def judge(self, rollout: Rollout, reference: bool = False, entropy: bool = True) -> Judged:
        """Log-probabilities, entropies and values of the responses' tokens, with gradients.

        Entropy over the vocabulary costs as much as all the rest of a small LLM's head; it is 0
        where not asked for.
        """
        import torch

        ids = torch.cat([rollout.prompt, rollout.response], 1)
        mask = torch.cat([rollout.prompt_mask, rollout.response_mask.to(torch.long)], 1)
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        with self._as(reference) as causal:
            hidden = causal.base_model(
                input_ids=ids, attention_mask=mask, position_ids=positions
            ).last_hidden_state
            # token t is chosen from the hidden state before it; only tokens that count go on
            counts = rollout.response_mask > 0
            hidden = hidden[:, rollout.prompt.shape[1] - 1 : -1][counts]
            logits = self._logits(causal, hidden)
        found = self._judged(logits, rollout.response[counts], hidden, entropy)
        blank = torch.zeros_like(rollout.response_mask)
        return Judged(*(blank.masked_scatter(counts, one) for one in found))

    @contextmanager
    def _as(self, reference: bool) -> Iterator[Pretrained]:
        if not reference:
            yield self._causal
        elif self._reference is not None:
            yield self._reference
        else:
            with self.model.disable_adapter():
                yield self._causal

    def texts(self, rollout: Rollout) -> list[str]:
        """The responses as text, without the end and what follows."""
        return [
            str(self.tokenizer.decode(row[: int(mask.sum())], skip_special_tokens=True)).strip()
            for row, mask in zip(rollout.response, rollout.response_mask, strict=True)
        ]

    def ended(self, rollout: Rollout) -> Tensor:
        """(n,): whether a response came to its end within the tokens it had."""
        import torch

        last = (rollout.response_mask.sum(1) - 1).clamp(min=0).long()
        final = rollout.response[torch.arange(len(last), device=last.device), last]
        return torch.isin(final, torch.tensor(self.ends, device=final.device))


def _with_lora(model: Pretrained, settings: Ppo) -> Pretrained:
    from peft import LoraConfig, get_peft_model

    assert settings.lora is not None
    modules = ATTENTION if settings.lora.modules == "attention" else _linear_layers(model)
    config = LoraConfig(
        r=settings.lora.rank,
        lora_alpha=settings.lora.alpha,
        lora_dropout=0.0,
        target_modules=modules,
        layers_to_transform=_last_layers(model, settings.lora.layers),
        task_type="CAUSAL_LM",
    )
    return get_peft_model(model, config)


def _linear_layers(model: Pretrained) -> list[str]:
    """Names of the linear layers within the model's layers: not its head over the vocabulary."""
    from torch import nn

    names = (n for n, found in model.base_model.named_modules() if isinstance(found, nn.Linear))
    return sorted({name.rsplit(".", 1)[-1] for name in names})


def _last_layers(model: Pretrained, count: int | None) -> list[int] | None:
    layers = int(model.config.num_hidden_layers)
    return None if count is None else list(range(max(0, layers - count), layers))
