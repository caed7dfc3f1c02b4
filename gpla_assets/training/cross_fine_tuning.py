"""Fine-tuning of the cross-encoder: cross-entropy of four classes, the three stances and unrelated.

A row whose stance nobody labelled, but whether it is about the value, has the missing mass of its
targets: that much is asked of the three stances together.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from gpla_assets.embedding.low_rank import LowRank
from gpla_assets.evaluator.cross_weights import CrossWeights
from gpla_assets.evaluator.value_text import value_text
from gpla_assets.training.examples import CLASSES
from gpla_assets.training.fine_tuning import Progress
from gpla_assets.training.layers import is_frozen, layer_bias, layer_weights, rate_factor
from gpla_assets.training.pooling import masked_mean

if TYPE_CHECKING:
    from torch import Tensor, nn

    from gpla_assets.embedding.pretrained import Pretrained, Tensors, Tokenizer

Loader = Callable[[], "tuple[Tokenizer, Pretrained]"]


@dataclass(frozen=True)
class CrossRecipe:
    """How to train. `passes`: how often the rows of a source are read, 1 where it names none."""

    passes: Mapping[str, float] = field(
        default_factory=lambda: {
            "ValueBench items": 2,
            "project": 1.3,
            "LLM prose, opposing": 3,
            "LLM prose, unrelated": 0.15,
            "rival": 1.5,
            "plain": 1.5,
            "FULCRA": 0.5,
            "persona": 0.1,
            "persona, unrelated": 0.03,
            "statements, unrelated": 0.15,
            "virtue": 0.3,
        }
    )
    batch: int = 48
    frozen_layers: int = 4
    learning_rate: float = 6e-5
    head_learning_rate: float = 1e-3
    warmup: float = 0.08
    weight_decay: float = 0.02
    smoothing: float = 0.05
    dropout: float = 0.1
    without_definition: float = 0.3
    tokens: int = 112
    rank: int = 48


@dataclass(frozen=True)
class Pair:
    """A row, whose text is read, beside what stands for its value."""

    row: int
    value: str


def fine_tune_cross(
    load: Loader,
    rows: pd.DataFrame,
    recipe: CrossRecipe = CrossRecipe(),
    seed: int = 0,
    progress: Progress = lambda line: None,
    start: CrossWeights | None = None,
) -> CrossWeights:
    """Weights of the cross-encoder; the same seed gives the same.

    `load` gives tokenizer and encoder; `rows` are as in `cross_material`. Word embeddings and the
    lowest layers stay as they are. With `start` training goes on from these weights.
    """
    import torch

    torch.manual_seed(seed)
    tokenizer, encoder = load()
    trained = [name for name, _ in encoder.named_parameters()]
    trained = [name for name in trained if not is_frozen(name, recipe.frozen_layers)]
    base = _arrays(encoder, trained)
    if start is not None:
        start.encoder.apply(encoder)
    for name, parameter in encoder.named_parameters():
        parameter.requires_grad = name in trained
    model = torch.nn.ModuleDict(
        {
            "encoder": encoder,
            "head": torch.nn.Linear(encoder.config.hidden_size, len(CLASSES)),
            "dropout": torch.nn.Dropout(recipe.dropout),
        }
    )
    if start is not None:
        model["head"].load_state_dict(
            {
                "weight": torch.tensor(start.head_weights),
                "bias": torch.tensor(start.head_bias),
            }
        )
    batches = list(pair_batches(rows, recipe, random.Random(seed)))
    _run(model, tokenizer, rows, batches, recipe, progress)
    return CrossWeights(
        LowRank.between(base, _arrays(encoder, trained), recipe.rank),
        layer_weights(model["head"]),
        layer_bias(model["head"]),
        temperature=np.array([1], np.float32),
    )


def _arrays(encoder: Pretrained, names: list[str]) -> dict[str, np.ndarray]:
    found = dict(encoder.named_parameters())
    return {name: found[name].detach().numpy().copy() for name in names}


def pair_batches(
    rows: pd.DataFrame, recipe: CrossRecipe, draw: random.Random
) -> Iterator[list[Pair]]:
    """All pairs of a run in batches of like lengths, in random order.

    Without its definition a value stands in a share of the pairs, since users' values have none.
    """
    names, definitions = list(rows["value"]), list(rows["definition"].fillna(""))
    lengths = rows["text"].str.len().to_numpy()

    pairs = []
    for row, source in enumerate(rows["source"]):
        for _ in range(int(recipe.passes.get(source, 1) + draw.random())):
            bare = draw.random() < recipe.without_definition
            pairs.append(Pair(row, value_text(names[row], None if bare else definitions[row])))
    draw.shuffle(pairs)
    pool = recipe.batch * 24
    batches: list[list[Pair]] = []
    for first in range(0, len(pairs), pool):
        part = sorted(pairs[first : first + pool], key=lambda p: lengths[p.row] + len(p.value))
        batches += [part[i : i + recipe.batch] for i in range(0, len(part), recipe.batch)]
    draw.shuffle(batches)
    yield from batches


def _run(
    model: nn.ModuleDict,
    tokenizer: Tokenizer,
    rows: pd.DataFrame,
    batches: list[list[Pair]],
    recipe: CrossRecipe,
    progress: Progress,
) -> None:
    import torch

    texts = list(rows["text"])
    targets = torch.tensor(rows[list(CLASSES)].to_numpy(np.float32))
    unknown = 1 - targets.sum(1)
    share = (1 - unknown)[:, None] * recipe.smoothing
    targets = targets * (1 - recipe.smoothing) + share / len(CLASSES)
    rates = (recipe.learning_rate, recipe.head_learning_rate)
    parameters = [
        [one for one in model["encoder"].parameters() if one.requires_grad],
        list(model["head"].parameters()),
    ]
    groups = [{"params": group} for group in parameters]
    optimizer = torch.optim.AdamW(groups, weight_decay=recipe.weight_decay, fused=True)
    losses: list[float] = []
    model.train()
    for step, batch in enumerate(batches):
        factor = rate_factor(step / len(batches), recipe.warmup)
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * factor
        tokens = tokenizer(
            [texts[pair.row] for pair in batch],
            [pair.value for pair in batch],
            padding=True,
            # few shapes: the kernels of each are kept in memory
            pad_to_multiple_of=8,
            truncation="only_first",
            max_length=recipe.tokens,
            return_tensors="pt",
        )
        places = [pair.row for pair in batch]
        logs = torch.log_softmax(_logits(model, tokens), 1)
        about = torch.logsumexp(logs[:, :-1], 1)
        loss = -((targets[places] * logs).sum(1) + unknown[places] * about).mean()
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([one for group in parameters for one in group], 1.0)
        optimizer.step()
        losses.append(float(loss.detach()))
        if (step + 1) % 50 == 0:
            progress(f"step {step + 1} of {len(batches)}: loss {np.mean(losses[-50:]):.3f}")
    model.eval()


def _logits(model: nn.ModuleDict, tokens: Tensors) -> Tensor:
    import torch

    with torch.autocast("cpu", torch.bfloat16):
        hidden = model["encoder"](**tokens).last_hidden_state
    mean = masked_mean(hidden, tokens["attention_mask"])
    logits: Tensor = model["head"](model["dropout"](mean))
    return logits
