"""The readers of valence and relatedness, fitted on embeddings of an encoder already trained.

Fine-tuning (`training`) shapes the encoder with one product an output. On its embeddings a reader
of a dozen products and a small network (`heads.Reader`) generalises better to values that were not
trained on, and takes half a minute: what is fitted here replaces the readers of fine-tuning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpla_assets.content import STANCES
from gpla_assets.evaluator.heads import Floats, Heads, Reader, sentiment_features
from gpla_assets.evaluator.value_text import value_texts
from gpla_assets.training.batches import Lessons
from gpla_assets.training.fine_tuning import ENTRY_SCALE
from gpla_assets.training.folds import Encode, Sentiment, unrelated
from gpla_assets.training.layers import layer_bias, layer_weights, rate_factor

if TYPE_CHECKING:
    from torch import Tensor, nn


@dataclass(frozen=True)
class ReaderRecipe:
    """How to fit. Chosen on two folds (values held out); see the model card.

    Opposition is rare in prose of LLMs: a labelled pair that opposes counts `opposed_weight` times.
    """

    products: int = 12
    rank: int = 24
    hidden: int = 32
    dropout: float = 0.3
    valence_epochs: int = 8
    related_epochs: int = 10
    batch: int = 256
    learning_rate: float = 1e-3
    weight_decay: float = 0.05
    without_definition: float = 0.3
    opposed_weight: float = 4.0


@dataclass(frozen=True)
class EmbeddedPairs:
    """Aligned pairs: unit embeddings (n, d), features (n, e), targets (n, o), weights (n,)."""

    u: Floats
    v: Floats
    features: Floats
    targets: Floats
    weights: Floats


def with_fitted_readers(
    heads: Heads,
    lessons: Lessons,
    encode: Encode,
    sentiment: Sentiment,
    recipe: ReaderRecipe = ReaderRecipe(),
    seed: int = 0,
) -> Heads:
    """The heads with readers of valence and relatedness; the same seed gives the same."""
    sided = valence_pairs(lessons, encode, sentiment, recipe, seed)
    valence = _fitted(sided, recipe, recipe.valence_epochs, _cross_entropy, seed)
    every = related_pairs(lessons, encode, recipe, seed)
    related = _fitted(every, recipe, recipe.related_epochs, _logistic, seed)
    return replace(heads, valence=valence, related=_with_cosine(related, every))


def valence_pairs(
    lessons: Lessons, encode: Encode, sentiment: Sentiment, recipe: ReaderRecipe, seed: int
) -> EmbeddedPairs:
    """All pairs of the lessons whose valence is known or taught."""
    labelled = lessons.pairs[lessons.pairs["related"] > 0]
    columns = ["text", "value", "definition", *STANCES]
    parts = (lessons.statements, lessons.taught, labelled)
    rows = pd.concat([part[columns] for part in parts], ignore_index=True)
    texts, values = list(rows["text"]), _value_texts(rows, recipe, seed)
    opposed = np.where(labelled["oppose"] > 0, recipe.opposed_weight, 1)
    return EmbeddedPairs(
        encode(texts),
        encode(values),
        sentiment_features(sentiment(texts), sentiment(values)),
        rows[list(STANCES)].to_numpy(np.float32),
        np.concatenate([np.ones(len(rows) - len(labelled)), opposed]).astype(np.float32),
    )


def related_pairs(
    lessons: Lessons, encode: Encode, recipe: ReaderRecipe, seed: int
) -> EmbeddedPairs:
    """Statements with their own value and with another; labelled pairs; taught ones.

    Related and unrelated ones weigh the same in each of the first two kinds, and the kinds by their
    rows.
    """
    columns = ["text", "value", "definition"]
    own = lessons.statements.reset_index(drop=True)
    other = own.iloc[unrelated(own, seed)]
    other = other.assign(text=own["text"].to_numpy())
    parts = (own, other, lessons.pairs, lessons.taught)
    rows = pd.concat([part[columns] for part in parts], ignore_index=True)
    labels = lessons.pairs["related"].to_numpy(np.float32)
    said = lessons.taught["related"].to_numpy(np.float32)
    targets = np.concatenate([np.ones(len(own)), np.zeros(len(other)), labels, said])
    share = float(labels.mean()) if len(labels) else 0.5
    of_labels = np.where(labels > 0, 0.5 / max(share, 1e-9), 0.5 / max(1 - share, 1e-9))
    u, v = encode(list(rows["text"])), encode(_value_texts(rows, recipe, seed))
    return EmbeddedPairs(
        u,
        v,
        (u * v).sum(1, keepdims=True),
        targets[:, None].astype(np.float32),
        np.concatenate([np.ones(2 * len(own)), of_labels, np.ones(len(said))]).astype(np.float32),
    )


def _with_cosine(related: Reader, pairs: EmbeddedPairs) -> Reader:
    """The mean of the reader's word and of the cosine's, each by its standard deviation.

    The cosine was trained with far more negatives; on values and texts held out both together beat
    either.
    """
    said = related.aligned(pairs.u, pairs.v, pairs.features)[:, 0]
    direct = related.direct_weights.copy()
    direct[0, -1] += said.std() / pairs.features[:, 0].std()
    return replace(related, direct_weights=direct)


def _cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, targets, reduction="none")


def _logistic(logits: Tensor, targets: Tensor) -> Tensor:
    from torch.nn.functional import binary_cross_entropy_with_logits

    return binary_cross_entropy_with_logits(logits, targets, reduction="none")[:, 0]


def _fitted(
    pairs: EmbeddedPairs,
    recipe: ReaderRecipe,
    epochs: int,
    losses: Callable[[Tensor, Tensor], Tensor],
    seed: int,
) -> Reader:
    import torch

    torch.manual_seed(seed)
    model = _module(pairs, recipe)
    u, v, features, targets, weights = (
        torch.tensor(found)
        for found in (pairs.u, pairs.v, pairs.features, pairs.targets, pairs.weights)
    )
    batch = min(recipe.batch, len(targets))
    total, step = epochs * (len(targets) // batch), 0
    optimizer = torch.optim.AdamW(
        model.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
    )
    model.train()
    for _ in range(epochs):
        order = torch.randperm(len(targets))
        for rows in order[: len(order) // batch * batch].view(-1, batch):
            for group in optimizer.param_groups:
                group["lr"] = recipe.learning_rate * rate_factor(step / total, warmup=0)
            step += 1
            logits = _outputs(model, recipe, u[rows], v[rows], features[rows])
            loss = (losses(logits, targets[rows]) * weights[rows]).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return _reader(model, recipe)


def _module(pairs: EmbeddedPairs, recipe: ReaderRecipe) -> nn.ModuleDict:
    from torch import nn

    size, outputs = pairs.u.shape[1], pairs.targets.shape[1]
    inner, every = recipe.products * recipe.rank, recipe.products + pairs.features.shape[1]
    model = nn.ModuleDict(
        {
            "perception_factors": nn.Linear(size, inner, bias=False),
            "value_factors": nn.Linear(size, inner, bias=False),
            "perception": nn.Linear(size, recipe.products),
            "value": nn.Linear(size, recipe.products, bias=False),
            "hidden": nn.Linear(every, recipe.hidden),
            "output": nn.Linear(recipe.hidden, outputs),
            "direct": nn.Linear(every, outputs, bias=False),
            "dropout": nn.Dropout(recipe.dropout),
        }
    )
    for name in ("perception_factors", "value_factors"):
        factors = model[name]
        assert isinstance(factors, nn.Linear)
        nn.init.normal_(factors.weight, std=1 / np.sqrt(size))
    return model


def _outputs(
    model: nn.ModuleDict, recipe: ReaderRecipe, u: Tensor, v: Tensor, features: Tensor
) -> Tensor:
    import torch

    u, v = model["dropout"](ENTRY_SCALE * u), model["dropout"](ENTRY_SCALE * v)
    shape = (len(u), recipe.products, recipe.rank)
    left = model["perception_factors"](u).view(shape)
    right = model["value_factors"](v).view(shape)
    products = (left * right).sum(-1) + model["perception"](u) + model["value"](v)
    every = torch.cat([products, features], 1)
    hidden = torch.relu(model["hidden"](every))
    outputs: Tensor = model["output"](hidden) + model["direct"](every)
    return outputs


def _reader(model: nn.ModuleDict, recipe: ReaderRecipe) -> Reader:
    """What the module computes, for embeddings that are not scaled."""

    shape = (recipe.products, recipe.rank, -1)
    return Reader(
        perception_factors=ENTRY_SCALE * layer_weights(model["perception_factors"]).reshape(shape),
        value_factors=ENTRY_SCALE * layer_weights(model["value_factors"]).reshape(shape),
        perception_weights=ENTRY_SCALE * layer_weights(model["perception"]),
        value_weights=ENTRY_SCALE * layer_weights(model["value"]),
        bias=layer_bias(model["perception"]),
        hidden_weights=layer_weights(model["hidden"]),
        hidden_bias=layer_bias(model["hidden"]),
        output_weights=layer_weights(model["output"]),
        direct_weights=layer_weights(model["direct"]),
        output_bias=layer_bias(model["output"]),
    )


def _value_texts(rows: pd.DataFrame, recipe: ReaderRecipe, seed: int) -> list[str]:
    """Texts of the rows' values, a share of them without the definition."""
    bare = np.random.default_rng(seed).random(len(rows)) < recipe.without_definition
    return value_texts(rows["value"], rows["definition"].fillna("").mask(bare, ""))
