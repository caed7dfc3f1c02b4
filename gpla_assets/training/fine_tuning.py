"""Fine-tuning of the evaluator's encoder together with its heads.

One encoder embeds perceptions and values apart (a bi-encoder), so that all pairs cost two passes.
Four losses share it: cross-entropy of valence on statements, and on pairs that a cross-encoder has
judged; relevance of statements, each of which must find its own value among the batch's (InfoNCE
on the cosine and logistic loss of relatedness; values whose names and definitions are close are no
negatives); relevance and valence of labelled pairs from prose of LLMs, with the batch's other
values as unrelated ones; cross-entropy of stance on answers with their questions.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpla_assets.content import STANCES
from gpla_assets.embedding.adapter import Adapter
from gpla_assets.evaluator.heads import SENTIMENTS, Heads, Reader
from gpla_assets.training.batches import MATCHED, Batch, Batches, Lessons, Recipe
from gpla_assets.training.examples import ATTITUDES
from gpla_assets.training.layers import (
    balanced_loss,
    is_frozen,
    layer_bias,
    layer_weights,
    rate_factor,
)
from gpla_assets.training.pooling import masked_mean

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpla_assets.embedding.pretrained import Pretrained, Tokenizer

RELATED = 3
"""The output after those of support, oppose and either."""
OUTPUTS = 4
RELATED_SCALE = 20.0
"""What one of cosine adds to the logit of relatedness."""
STANCE_SCALE = 5.0
ENTRY_SCALE = 5.0
"""Entries of unit vectors in 384 dimensions are about 1/20; scaled, one learning rate suits all."""


Progress = Callable[[str], None]


def fine_tune(
    folder: str,
    lessons: Lessons,
    recipe: Recipe = Recipe(),
    seed: int = 0,
    progress: Progress = lambda line: None,
) -> tuple[Adapter, Heads]:
    """What changed in the encoder of `folder`, and the heads; the same seed gives the same.

    The readers of valence and relatedness are products alone; `readers` puts better ones in
    their place.

    Word embeddings and the lowest layers stay as they are: the words of values held out were not
    seen.
    """
    import torch
    from transformers import AutoModel, AutoTokenizer

    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    encoder = AutoModel.from_pretrained(folder, dtype=torch.float32)
    base = {name: found.detach().numpy().copy() for name, found in encoder.named_parameters()}
    for name, found in encoder.named_parameters():
        found.requires_grad = not is_frozen(name, recipe.frozen_layers)
    model = _module(encoder, recipe)
    _Trainer(model, tokenizer, lessons, recipe, seed).run(progress)
    tuned = {name: found.detach().numpy() for name, found in encoder.named_parameters()}
    return Adapter.between(base, tuned), _heads(model, recipe.rank)


def _module(encoder: Pretrained, recipe: Recipe) -> nn.ModuleDict:
    from torch import nn

    size = encoder.config.hidden_size
    model = nn.ModuleDict(
        {
            "encoder": encoder,
            "perception_factors": nn.Linear(size, OUTPUTS * recipe.rank, bias=False),
            "value_factors": nn.Linear(size, OUTPUTS * recipe.rank, bias=False),
            "perception": nn.Linear(size, OUTPUTS),
            "value": nn.Linear(size, OUTPUTS),
            "stance": nn.Linear(size, 3),
            "dropout": nn.Dropout(recipe.dropout),
        }
    )
    for name in ("perception_factors", "value_factors"):
        factors = model[name]
        assert isinstance(factors, nn.Linear)
        nn.init.normal_(factors.weight, std=4 / np.sqrt(size))
    return model


def _heads(model: nn.ModuleDict, rank: int) -> Heads:
    def reader(which: slice, features: tuple[float, ...]) -> Reader:
        factors = [
            layer_weights(model[f"{name}_factors"]).reshape(OUTPUTS, rank, -1)[which]
            for name in ("perception", "value")
        ]
        linear = [
            layer_weights(model[name])[which] * ENTRY_SCALE for name in ("perception", "value")
        ]
        offset = (layer_bias(model["perception"]) + layer_bias(model["value"]))[which]
        return Reader.linear(
            (factors[0], factors[1]), (linear[0], linear[1]), offset * ENTRY_SCALE, features
        )

    return Heads(
        valence=reader(slice(RELATED), (0.0,) * SENTIMENTS),
        related=reader(slice(RELATED, OUTPUTS), (RELATED_SCALE,)),
        stance_weights=layer_weights(model["stance"]) * STANCE_SCALE,
        stance_bias=layer_bias(model["stance"]) * STANCE_SCALE,
        relevance_curve=np.array([1.0, 0.0], np.float32),
        offset=np.zeros(1, np.float32),
        temperature=np.array([1.0], np.float32),
    )


class _Trainer:
    """One training run; kept apart from `fine_tune` for its state."""

    def __init__(
        self,
        model: nn.ModuleDict,
        tokenizer: Tokenizer,
        lessons: Lessons,
        recipe: Recipe,
        seed: int,
    ) -> None:
        import torch

        self.model, self.tokenizer, self.recipe = model, tokenizer, recipe
        self.random = random.Random(seed)
        self.batches = Batches(lessons, recipe, seed)
        rows, self.texts, self.values = (
            self.batches.rows,
            self.batches.texts,
            self.batches.values,
        )
        self.targets = {
            kind: torch.tensor(
                found[list(ATTITUDES if kind == "answer" else STANCES)].to_numpy(np.float32)
            )
            for kind, found in rows.items()
        }
        self.related = torch.tensor(lessons.pairs["related"].to_numpy(np.float32))
        self.taught_related = torch.tensor(lessons.taught["related"].to_numpy(np.float32))
        named = pd.concat([rows[kind][["value", "definition"]] for kind in MATCHED])
        self.definitions = dict(named.drop_duplicates("value").itertuples(index=False))
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
            fused=True,
        )
        self.names = list(self.definitions)
        self.place = {name: n for n, name in enumerate(self.names)}
        self.close = self._close_values()

    def run(self, progress: Progress) -> None:
        import torch

        schedule = [list(self.batches.epoch()) for _ in range(self.recipe.epochs)]
        total, step = sum(map(len, schedule)), 0
        self.model.train()
        for epoch, batches in enumerate(schedule, start=1):
            losses: dict[str, list[float]] = defaultdict(list)
            for batch in batches:
                self._set_rate(step / total)
                loss = self._loss(batch)
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

    def _loss(self, batch: Batch) -> Tensor:
        if batch.kind == "answer":
            return self._stance(batch)
        if batch.kind == "pair":
            return self._pairs(batch)
        return self._matched(batch)

    def _matched(self, batch: Batch) -> Tensor:
        """Statements, whose own values are related, or taught pairs, where that is not known."""
        import torch
        from torch.nn import functional

        recipe = self.recipe
        texts = [self.texts[batch.kind][row] for row in batch.rows]
        names, own = self._values_of(batch)
        u = self._embed(texts, recipe.statement_tokens)
        v = self._embed([self._value_text(name) for name in names], recipe.value_tokens)
        left, right, linear_u, linear_v = self._projected(u, v)
        logits = (left * right[own]).sum(-1) + linear_u + linear_v[own]
        smoothing = recipe.smoothing if batch.kind == "statement" else 0.0
        valence = self._valence_loss(logits[:, :RELATED], batch, smoothing)
        if batch.kind == "taught":
            related = logits[:, RELATED] + RELATED_SCALE * (u * v[own]).sum(1)
            judged = functional.binary_cross_entropy_with_logits(
                related, self.taught_related[batch.rows]
            )
            return valence + recipe.relevance_weight * judged
        cosines = u @ v.T
        places = torch.tensor([self.place[name] for name in names])
        unclear = self.close[places][:, places][own]
        unclear[torch.arange(len(own)), own] = False
        related = torch.zeros(unclear.shape)
        related[torch.arange(len(own)), own] = 1
        every = self._relatedness(cosines, left, right, linear_u, linear_v)
        contrast = (cosines * recipe.contrast_scale).masked_fill(unclear, -1e4)
        relevance = functional.cross_entropy(contrast, own)
        relevance = relevance + balanced_loss(every, related, ~unclear)
        return valence + recipe.relevance_weight * relevance

    def _pairs(self, batch: Batch) -> Tensor:
        """Labelled pairs; a text is unrelated to the batch's values that it is not labelled for."""
        import torch

        recipe = self.recipe
        of_text = [self.texts["pair"][row] for row in batch.rows]
        texts = list(dict.fromkeys(of_text))
        rows = torch.tensor([texts.index(text) for text in of_text])
        names, columns = self._values_of(batch)
        u = self._embed(texts, recipe.statement_tokens)
        v = self._embed([self._value_text(name) for name in names], recipe.value_tokens)
        left, right, linear_u, linear_v = self._projected(u, v)
        every = self._relatedness(u @ v.T, left, right, linear_u, linear_v)
        labelled = torch.zeros(every.shape, dtype=torch.bool)
        labelled[rows, columns] = True
        related = torch.zeros(every.shape)
        related[rows, columns] = self.related[batch.rows]
        loss = recipe.relevance_weight * (
            balanced_loss(every, related, labelled)
            + balanced_loss(every, related, ~labelled | (related > 0))
        )
        known = self.related[batch.rows] > 0
        if known.any():
            logits = (left[rows] * right[columns]).sum(-1) + linear_u[rows] + linear_v[columns]
            loss = loss + self._valence_loss(logits[:, :RELATED], batch, recipe.smoothing, known)
        return loss

    def _values_of(self, batch: Batch) -> tuple[list[str], Tensor]:
        """The batch's values, each once, and each row's place among them."""
        import torch

        of_row = [self.values[batch.kind][row] for row in batch.rows]
        names = list(dict.fromkeys(of_row))
        place = {name: n for n, name in enumerate(names)}
        return names, torch.tensor([place[name] for name in of_row])

    def _valence_loss(
        self, logits: Tensor, batch: Batch, smoothing: float, which: Tensor | None = None
    ) -> Tensor:
        import torch

        targets = self.targets[batch.kind][batch.rows]
        targets = targets * (1 - smoothing) + smoothing / len(STANCES)
        losses = -(targets * torch.log_softmax(logits, 1)).sum(1)
        return (losses if which is None else losses[which]).mean()

    def _stance(self, batch: Batch) -> Tensor:
        texts = [self.texts["answer"][row] for row in batch.rows]
        u = self.model["dropout"](self._embed(texts, self.recipe.answer_tokens))
        return self._valence_loss(self.model["stance"](u) * STANCE_SCALE, batch, 0.0)

    def _projected(self, u: Tensor, v: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """(n, 4, r) and (m, 4, r) factors, (n, 4) and (m, 4) linear terms of the logits."""
        u, v = self.model["dropout"](u), self.model["dropout"](v)
        shape = (-1, OUTPUTS, self.recipe.rank)
        return (
            self.model["perception_factors"](u).view(shape),
            self.model["value_factors"](v).view(shape),
            ENTRY_SCALE * self.model["perception"](u),
            ENTRY_SCALE * self.model["value"](v),
        )

    @staticmethod
    def _relatedness(
        cosines: Tensor, left: Tensor, right: Tensor, linear_u: Tensor, linear_v: Tensor
    ) -> Tensor:
        bilinear = left[:, RELATED] @ right[:, RELATED].T
        linear = linear_u[:, RELATED][:, None] + linear_v[:, RELATED][None, :]
        return RELATED_SCALE * cosines + bilinear + linear

    def _value_text(self, name: str) -> str:
        definition = self.definitions[name]
        if not definition or self.random.random() < self.recipe.without_definition:
            return name
        return f"{name}: {definition}"

    def _embed(self, texts: list[str], most_tokens: int) -> Tensor:
        import torch

        batch = self.tokenizer(
            texts, padding=True, truncation=True, max_length=most_tokens, return_tensors="pt"
        )
        with torch.autocast("cpu", torch.bfloat16):
            hidden = self.model["encoder"](**batch).last_hidden_state
        mean = masked_mean(hidden, batch["attention_mask"])
        return torch.nn.functional.normalize(mean, dim=1)

    def _close_values(self) -> Tensor:
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
