"""Fine-tuning of the evaluator's encoder together with its heads.

One encoder embeds perceptions and values apart (a bi-encoder), so that all pairs cost two passes.
Three losses share it: cross-entropy of valence on statements; contrastive relevance, in which a
statement must find its own value among the batch's (InfoNCE; values whose names and definitions are
close are no negatives); cross-entropy of stance on answers with their questions.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gpla_assets.content import STANCES
from gpla_assets.evaluator.adapter import Adapter
from gpla_assets.evaluator.examples import ATTITUDES
from gpla_assets.evaluator.heads import Heads
from gpla_assets.evaluator.pooling import masked_mean

STANCE_SCALE = 5.0
ENTRY_SCALE = 5.0
"""Entries of unit vectors in 384 dimensions are about 1/20; scaled, one learning rate suits all."""


@dataclass(frozen=True)
class Recipe:
    """How to train. Chosen on one fold (values held out); see the model card."""

    epochs: int = 3
    batch: int = 64
    same_value: int = 4
    learning_rate: float = 6e-5
    head_learning_rate: float = 2e-3
    warmup: float = 0.08
    weight_decay: float = 0.02
    rank: int = 64
    smoothing: float = 0.05
    dropout: float = 0.1
    relevance_weight: float = 0.5
    contrast_scale: float = 20.0
    close_values: float = 0.5
    without_definition: float = 0.3
    answers_per_epoch: float = 0.33
    statement_tokens: int = 96
    answer_tokens: int = 72
    value_tokens: int = 56


@dataclass(frozen=True)
class Batch:
    """Rows of one kind that go through the encoder together."""

    kind: str
    rows: list[int]


Progress = Callable[[str], None]


def fine_tune(
    folder: str,
    statements: pd.DataFrame,
    answers: pd.DataFrame,
    recipe: Recipe = Recipe(),
    seed: int = 0,
    progress: Progress = lambda line: None,
) -> tuple[Adapter, Heads]:
    """What changed in the encoder of `folder`, and the heads; the same seed gives the same.

    `statements` and `answers` as in `examples`; `answers` may be empty. Word embeddings stay as
    they are: the words of values held out were not seen.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32)
    base = {name: found.detach().numpy().copy() for name, found in encoder.named_parameters()}
    for name, found in encoder.named_parameters():
        found.requires_grad = "embeddings" not in name
    model = _module(encoder, recipe)
    _Trainer(model, tokenizer, statements, answers, recipe, seed).run(progress)
    tuned = {name: found.detach().numpy() for name, found in encoder.named_parameters()}
    return Adapter.between(base, tuned), _heads(model, recipe.rank)


def rate_factor(done: float, warmup: float) -> float:
    """Of the learning rate at a share `done` of the steps: linear rise, then linear decay."""
    return min(1.0, done / warmup + 1e-3) * max(0.02, 1 - done)


def _module(encoder: Any, recipe: Recipe) -> Any:
    from torch import nn

    size = encoder.config.hidden_size
    model = nn.ModuleDict(
        {
            "encoder": encoder,
            "perception_factors": nn.Linear(size, 3 * recipe.rank, bias=False),
            "value_factors": nn.Linear(size, 3 * recipe.rank, bias=False),
            "perception": nn.Linear(size, 3),
            "value": nn.Linear(size, 3),
            "stance": nn.Linear(size, 3),
            "dropout": nn.Dropout(recipe.dropout),
        }
    )
    for name in ("perception_factors", "value_factors"):
        factors: Any = model[name]
        nn.init.normal_(factors.weight, std=4 / np.sqrt(size))
    return model


def _heads(model: Any, rank: int) -> Heads:
    def weights(name: str) -> NDArray[np.float32]:
        return np.array(model[name].weight.detach().numpy(), np.float32)

    def bias(name: str) -> NDArray[np.float32]:
        return np.array(model[name].bias.detach().numpy(), np.float32)

    return Heads(
        perception_factors=weights("perception_factors").reshape(3, rank, -1),
        value_factors=weights("value_factors").reshape(3, rank, -1),
        perception_weights=weights("perception") * ENTRY_SCALE,
        value_weights=weights("value") * ENTRY_SCALE,
        bias=(bias("perception") + bias("value")) * ENTRY_SCALE,
        stance_weights=weights("stance") * STANCE_SCALE,
        stance_bias=bias("stance") * STANCE_SCALE,
        relevance_curve=np.array([20.0, -8.0], np.float32),
        sentiment=np.array([0.0], np.float32),
        temperature=np.array([1.0], np.float32),
    )


class _Trainer:
    """One training run; kept apart from `fine_tune` for its state."""

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        statements: pd.DataFrame,
        answers: pd.DataFrame,
        recipe: Recipe,
        seed: int,
    ) -> None:
        import torch

        self.model, self.tokenizer, self.recipe = model, tokenizer, recipe
        self.random = random.Random(seed)
        self.texts = {"statement": list(statements["text"]), "answer": list(answers["text"])}
        self.targets = {
            "statement": torch.tensor(statements[list(STANCES)].to_numpy(np.float32)),
            "answer": torch.tensor(answers[list(ATTITUDES)].to_numpy(np.float32)),
        }
        self.values = list(statements["value"])
        self.definitions = dict(zip(statements["value"], statements["definition"], strict=True))
        self.encoder_parameters = [p for p in model["encoder"].parameters() if p.requires_grad]
        self.head_parameters = [
            p for name, p in model.named_parameters() if not name.startswith("encoder.")
        ]
        self.optimizer = torch.optim.AdamW(
            [
                {"params": self.encoder_parameters, "lr": recipe.learning_rate},
                {"params": self.head_parameters, "lr": recipe.head_learning_rate},
            ],
            weight_decay=recipe.weight_decay,
        )
        self.names = list(dict.fromkeys(self.values))
        self.place = {name: n for n, name in enumerate(self.names)}
        self.close = self._close_values()

    def run(self, progress: Progress) -> None:
        import torch

        schedule = [list(self._epoch()) for _ in range(self.recipe.epochs)]
        total, step = sum(map(len, schedule)), 0
        self.model.train()
        for epoch, batches in enumerate(schedule, start=1):
            losses: dict[str, list[float]] = defaultdict(list)
            for batch in batches:
                self._set_rate(step / total)
                loss = self._statements(batch) if batch.kind == "statement" else self._stance(batch)
                self.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(
                    [*self.encoder_parameters, *self.head_parameters], 1.0
                )
                self.optimizer.step()
                losses[batch.kind].append(float(loss.detach()))
                step += 1
                if step % 50 == 0:
                    means = ", ".join(f"{k} {np.mean(v):.3f}" for k, v in losses.items())
                    progress(f"epoch {epoch}, step {step} of {total}: loss {means}")
        self.model.eval()

    def _set_rate(self, done: float) -> None:
        factor = rate_factor(done, self.recipe.warmup)
        rates = (self.recipe.learning_rate, self.recipe.head_learning_rate)
        for group, rate in zip(self.optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor

    def _epoch(self) -> Iterator[Batch]:
        batches = [*self._statement_batches(), *self._answer_batches()]
        self.random.shuffle(batches)
        yield from batches

    def _statement_batches(self) -> list[Batch]:
        """Groups of one value's statements, of like lengths: values are embedded once a group."""
        by_value: dict[str, list[int]] = defaultdict(list)
        for row, value in enumerate(self.values):
            by_value[value].append(row)
        groups: list[list[int]] = []
        size = self.recipe.same_value
        for rows in by_value.values():
            self.random.shuffle(rows)
            groups += [rows[i : i + size] for i in range(0, len(rows), size)]
        self.random.shuffle(groups)
        batches: list[Batch] = []
        pool = self.recipe.batch // size * 12
        for first in range(0, len(groups), pool):
            rows = [
                row
                for group in sorted(groups[first : first + pool], key=self._length)
                for row in group
            ]
            step = self.recipe.batch
            batches += [Batch("statement", rows[i : i + step]) for i in range(0, len(rows), step)]
        return [batch for batch in batches if len(batch.rows) > 1]

    def _length(self, group: list[int]) -> float:
        return sum(len(self.texts["statement"][row]) for row in group) / len(group)

    def _answer_batches(self) -> list[Batch]:
        rows = range(len(self.texts["answer"]))
        drawn = self.random.sample(rows, int(len(rows) * self.recipe.answers_per_epoch))
        drawn.sort(key=lambda row: len(self.texts["answer"][row]))
        step = self.recipe.batch
        return [Batch("answer", drawn[i : i + step]) for i in range(0, len(drawn), step)]

    def _statements(self, batch: Batch) -> Any:
        import torch
        from torch.nn import functional

        recipe = self.recipe
        names = list(dict.fromkeys(self.values[row] for row in batch.rows))
        own = torch.tensor([names.index(self.values[row]) for row in batch.rows])
        texts = [self.texts["statement"][row] for row in batch.rows]
        u = self._embed(texts, recipe.statement_tokens)
        v = self._embed([self._value_text(name) for name in names], recipe.value_tokens)
        targets = self.targets["statement"][batch.rows]
        targets = targets * (1 - recipe.smoothing) + recipe.smoothing / 3
        valence = -(targets * torch.log_softmax(self._valence(u, v[own]), 1)).sum(1).mean()
        places = torch.tensor([self.place[name] for name in names])
        no_negative = self.close[places][:, places][own]
        no_negative[torch.arange(len(own)), own] = False
        cosines = (u @ v.T * recipe.contrast_scale).masked_fill(no_negative, -1e4)
        return valence + recipe.relevance_weight * functional.cross_entropy(cosines, own)

    def _stance(self, batch: Batch) -> Any:
        import torch

        texts = [self.texts["answer"][row] for row in batch.rows]
        u = self.model["dropout"](self._embed(texts, self.recipe.answer_tokens))
        logits = self.model["stance"](u) * STANCE_SCALE
        return -(self.targets["answer"][batch.rows] * torch.log_softmax(logits, 1)).sum(1).mean()

    def _valence(self, u: Any, v: Any) -> Any:
        u, v = self.model["dropout"](u), self.model["dropout"](v)
        shape = (len(u), 3, self.recipe.rank)
        left = self.model["perception_factors"](u).view(shape)
        right = self.model["value_factors"](v).view(shape)
        linear = self.model["perception"](u) + self.model["value"](v)
        return (left * right).sum(-1) + ENTRY_SCALE * linear

    def _value_text(self, name: str) -> str:
        definition = self.definitions[name]
        if not definition or self.random.random() < self.recipe.without_definition:
            return name
        return f"{name}: {definition}"

    def _embed(self, texts: list[str], most_tokens: int) -> Any:
        import torch

        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=most_tokens, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.model["encoder"](**batch).last_hidden_state
        mean = masked_mean(hidden, batch["attention_mask"])
        return torch.nn.functional.normalize(mean, dim=1)

    def _close_values(self) -> Any:
        """(n, n): which values are too close, before training, to be negatives of each other."""
        import torch

        self.model.eval()
        texts = [
            f"{name}: {self.definitions[name]}" if self.definitions[name] else name
            for name in self.names
        ]
        with torch.inference_mode():
            parts = [
                self._embed(texts[i : i + 128], self.recipe.value_tokens)
                for i in range(0, len(texts), 128)
            ]
        vectors = torch.cat(parts)
        return (vectors @ vectors.T > self.recipe.close_values).clone()
