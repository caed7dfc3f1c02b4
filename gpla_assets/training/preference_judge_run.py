"""The preference models that ship, from AlpacaEval's pairs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.alignment.degeneration import WORD
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.judges.features import features
from gpla_assets.judges.preference_model import weights_path
from gpla_assets.sources import SourceMissing
from gpla_assets.sources.preferences import read_alpaca_preferences
from gpla_assets.studies import data_dir
from gpla_assets.training.preference_judge import PairFeatures, fit, held_out

FILE = "alpaca_eval/preferences.parquet"
SIDES = ("winning", "losing")


def train_preference_models(
    folder: Path, pairs: int, seed: int, tell: Callable[[str], None]
) -> pd.DataFrame:
    """Trains with and without length on `pairs` drawn pairs; the held-out rows of both.

    Writes preference.safetensors, preference_with_length.safetensors and held_out.csv into
    `folder`.
    Raises SourceMissing where AlpacaEval's preferences are not on this machine.
    """
    path = (data_dir() or Path()) / FILE
    if data_dir() is None or not path.is_file():
        raise SourceMissing(f"{FILE} was looked for below GPLA_DATA_DIR and is missing there.")
    rows = read_alpaca_preferences(path, {}).rows
    rows = rows.sample(min(pairs, len(rows)), random_state=seed).reset_index(drop=True)
    rows = rows[(rows[list(SIDES)].map(lambda text: len(WORD.findall(text))) > 0).all(axis=1)]
    tell(f"{len(rows)} pairs of {rows['prompt'].nunique()} prompts")
    folder.mkdir(parents=True, exist_ok=True)
    found = []
    for with_length in (False, True):
        own = pair_features(rows, with_length)
        fit(own.winning, own.losing).save(folder / weights_path(with_length).name)
        name = "with length" if with_length else "without length"
        found.append(held_out(own, seed).assign(features=name))
        tell(f"{name}: done")
    table = pd.concat(found, ignore_index=True).round(4)
    table.to_csv(folder / "held_out.csv", index=False)
    return table


def pair_features(rows: pd.DataFrame, with_length: bool) -> PairFeatures:
    """Features of pairs (prompt, winning, losing, winning_llm, losing_llm)."""
    encoder = make_embedder()
    sides = [
        features(list(rows["prompt"]), list(rows[side]), encoder, with_length) for side in SIDES
    ]
    words = rows[list(SIDES)].map(lambda text: max(1, len(WORD.findall(text))))
    llms = rows[["winning_llm", "losing_llm"]].set_axis(list(SIDES), axis=1)
    return PairFeatures(
        sides[0], sides[1], rows["prompt"], llms.astype(str), words.astype(np.float64)
    )
