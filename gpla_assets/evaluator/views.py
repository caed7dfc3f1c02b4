"""What stands for a value when it is embedded: in fast mode one text, in accurate mode three."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from gpla_assets.evaluator.heads import Floats, Heads

Mode = Literal["fast", "accurate"]


def value_text(value: str, definition: str | None) -> str:
    """Name and definition, or the name alone."""
    known = isinstance(definition, str) and definition.strip()
    return f"{value}: {str(definition).strip()}" if known else value


def value_views(
    values: Sequence[str], definitions: Sequence[str | None], mode: Mode
) -> list[list[str]]:
    """Texts of aligned values by view: name with definition; when accurate also each by itself.

    A name and its definition mislead in different ways, so that the mean of their logits errs less
    than either; it costs two more embeddings a value.
    """
    pairs = list(zip(values, definitions, strict=True))
    views = [[value_text(*pair) for pair in pairs]]
    if mode == "accurate":
        views.append(list(values))
        views.append([str(definition or "").strip() or value for value, definition in pairs])
    return views


def viewed_logits(heads: Heads, u: Floats, views: Sequence[Floats]) -> Floats:
    """Mean over the views of the logits of aligned pairs: (n, d), views of (n, d) -> (n, 3)."""
    parts = [centred(heads.pair_logits(u, v)) for v in views]
    return np.asarray(np.mean(parts, axis=0), np.float32)


def centred(logits: Floats) -> Floats:
    """Logits less their mean: what softmax does not see would weigh in a mean of views."""
    return logits - logits.mean(axis=-1, keepdims=True)
