"""The evaluator's weights as one safetensors file: the encoder's changes and the heads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Self

import pandas as pd

from gpla_assets.embedding.adapter import Adapter
from gpla_assets.embedding.arrays import load_arrays, save_arrays
from gpla_assets.evaluator.heads import Heads

SHIPPED_VERSION = "5"
SHIPPED = Path(__file__).resolve().parent / "weights.safetensors"
EXTERNAL_VALIDITY = SHIPPED.with_name("external_validity.csv")
HELD_OUT = SHIPPED.with_name("held_out.csv")
VALIDITY = SHIPPED.with_name("validity.csv")
QUALITY_COLUMNS = ["role", "backend", "model", "data", "measure", "number", "n", "held_out"]


@dataclass(frozen=True)
class EvaluatorWeights:
    """What training gives; needs the base model that it was trained on."""

    adapter: Adapter
    heads: Heads

    def save(self, path: Path) -> None:
        """Write plain arrays."""
        save_arrays(self.adapter.arrays("encoder") | self.heads.arrays(), path)

    @classmethod
    def load(cls, path: Path = SHIPPED) -> Self:
        """Read what `save` wrote; a file cannot run code.

        Raises AdapterError or ValueError naming what the file lacks.
        """
        arrays = load_arrays(path)
        return cls(Adapter.from_arrays(arrays, "encoder"), Heads.from_arrays(arrays))


def held_out_quality() -> pd.DataFrame:
    """What was measured when the shipped weights were trained: rows of `agent_quality`."""
    return pd.read_csv(HELD_OUT)[QUALITY_COLUMNS]


def ship_held_out(table: pd.DataFrame) -> None:
    """Put a model's rows in the place of those of the same model, or of another version of it.

    Rows on data that `table` does not have stay, under the version that was measured.
    """
    shipped_with(held_out_quality(), table).to_csv(HELD_OUT, index=False)


def shipped_with(shipped: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """The rows that ship once those of `table` have taken the place of their predecessors."""
    kept, replaced = (_line(rows) for rows in (shipped, table))
    return pd.concat([shipped[~kept.isin(set(replaced))], table], ignore_index=True)


def _line(rows: pd.DataFrame) -> pd.Series:
    """Models without their versions, and the data: gpla-minilm-3, fast -> gpla-minilm, fast."""
    # a version ends the name, or stands before the mode
    return rows["model"].str.replace(r"-\d+(?=,|$)", "", regex=True) + "\n" + rows["data"]


def ship_external_validity(rows: pd.DataFrame) -> None:
    """Put evaluators' rows in the place of those that ship for the same evaluators."""
    kept = external_validity_rows()
    every = pd.concat([kept[~kept["evaluator"].isin(set(rows["evaluator"]))], rows])
    every.round(4).to_csv(EXTERNAL_VALIDITY, index=False)


def external_validity_rows() -> pd.DataFrame:
    """Agreement with ratings as `gpla external-validity` measured it: rows of the table."""
    return pd.read_csv(
        EXTERNAL_VALIDITY,
        dtype={"value": str},
        keep_default_na=False,
        na_values={name: [""] for name in ("r", "low", "high", "coverage")},
    )


def validity_rows() -> pd.DataFrame:
    """Validity by known answers as `gpla validity` measured it: rows of findings."""
    return pd.read_csv(
        VALIDITY,
        keep_default_na=False,
        na_values={name: [""] for name in ("number", "low", "high")},
        dtype={"known": str},
    )


def ship_validity(rows: pd.DataFrame) -> None:
    """Put rows in the place of those that ship for the same checks and agents, or for another
    version of these."""
    kept = validity_rows() if VALIDITY.is_file() else rows[:0]
    replaced = set(_agent_and_check(rows))
    every = pd.concat([kept[~_agent_and_check(kept).isin(replaced)], rows])
    every.round(4).to_csv(VALIDITY, index=False)


def _agent_and_check(rows: pd.DataFrame) -> pd.Series:
    return rows["check"] + "\n" + rows["agent"].str.replace(r"-\d+(?=,|$)", "", regex=True)
