"""Preferences: pairs of responses to one prompt of which one was preferred, each with its reader.

Readers give rows (pair_id, source, prompt, winning, losing, winning_llm, losing_llm, annotations):
the preferred response, the other, the LLMs that wrote them (null where not known), and how many
annotations the preference rests on.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.sources.errors import SourceError, SourceMissing
from gpla_assets.sources.reading import ReadResult, file_rows, renamed, require

COLUMNS = [
    *("pair_id", "source", "prompt", "winning", "losing"),
    *("winning_llm", "losing_llm", "annotations"),
]
TIES = (0.0, 1.5)
"""AlpacaEval's codes of a tie, the older and the newer one."""
TURN = "\n\nAssistant:"
HUMAN = "\n\nHuman:"
PREFERRED = "preferred"

Columns = Mapping[str, str]


def read_alpaca_preferences(path: Path, columns: Columns) -> ReadResult:
    """AlpacaEval's annotations with the outputs of the file model_outputs.parquet beside them.

    `preference` runs from 1 (model_1's output preferred) to 2; a source for each annotator, since
    each compares all LLMs with another one.
    """
    rows = file_rows(path)
    require(rows, ["annotator", "instruction", "model_1", "model_2", "preference"], path)
    wrong = ~rows["preference"].isin(TIES) & ~rows["preference"].between(1, 2)
    if wrong.any():
        row = wrong.idxmax()
        raise SourceError(
            f"{path}, row {row}: preference {rows['preference'][row]}, expected 1 to 2, or 0 for "
            "a tie. Leave the row out."
        )
    outputs = _outputs(path.with_name("model_outputs.parquet"))
    texts = [
        outputs.reindex(pd.MultiIndex.from_frame(rows[[llm, "instruction"]])).to_numpy()
        for llm in ("model_1", "model_2")
    ]
    first = rows["preference"] < TIES[1]
    tied = rows["preference"].isin(TIES)
    found = pd.DataFrame(
        {
            "source": "alpaca_eval/" + rows["annotator"],
            "prompt": rows["instruction"],
            "winning": np.where(first, texts[0], texts[1]),
            "losing": np.where(first, texts[1], texts[0]),
            "winning_llm": np.where(first, rows["model_1"], rows["model_2"]),
            "losing_llm": np.where(first, rows["model_2"], rows["model_1"]),
        }
    )
    key = ["annotator", "instruction", "model_1", "model_2"]
    twice = rows.duplicated(key)
    return _decided(
        found[~tied & ~twice],
        {"tied annotation": int((tied & ~twice).sum()), "repeated annotation": int(twice.sum())},
    )


def _outputs(path: Path) -> pd.Series:
    """Outputs by LLM and instruction."""
    if not path.is_file():
        raise SourceMissing(
            f"{path} is not on this machine; expected AlpacaEval's outputs beside its preferences."
        )
    rows = file_rows(path)
    require(rows, ["model", "instruction", "output"], path)
    return rows.drop_duplicates(["model", "instruction"]).set_index(["model", "instruction"])[
        "output"
    ]


def read_hh_rlhf(path: Path, columns: Columns) -> ReadResult:
    """hh-rlhf: two conversations, `chosen` and `rejected`, that differ in their last turn.

    The prompt is what both have before it; of a single question its words alone. Conversations
    that differ before their last turn are left out and counted.
    """
    rows = file_rows(path)
    require(rows, ["chosen", "rejected"], path)
    parts = []
    for number, row in enumerate(rows.itertuples(index=False)):
        sides = [str(text).rpartition(TURN) for text in (row.chosen, row.rejected)]
        if not (sides[0][1] and sides[1][1]):
            raise SourceError(
                f"{path}, row {number}: no turn of the assistant; expected chosen and rejected to "
                f"hold {TURN.strip()!r} before the response."
            )
        parts.append((sides[0][0], sides[1][0], sides[0][2], sides[1][2]))
    found = pd.DataFrame(parts, columns=["prompt", "other", "winning", "losing"])
    same = found["prompt"].str.strip() == found["other"].str.strip()
    prompts = found["prompt"].map(_asked)
    found = found.assign(prompt=prompts, source="hh_rlhf").drop(columns="other")
    return _decided(found[same], {"different prompts": int((~same).sum())})


def _asked(conversation: str) -> str:
    text = conversation.strip()
    label = HUMAN.strip()
    alone = text.startswith(label) and HUMAN not in text and TURN not in text
    return text.removeprefix(label).strip() if alone else text


def read_pku_saferlhf(path: Path, columns: Columns) -> ReadResult:
    """PKU-SafeRLHF: response_0 and response_1 to a prompt, and which of them is better or safer.

    `columns` names the column that says so as `preferred`: better_response_id (helpfulness, the
    default) or safer_response_id (harmlessness).
    """
    unknown = sorted(set(columns) - {PREFERRED})
    if unknown:
        raise SourceError(f"Column mapping names {unknown[0]!r}, expected {PREFERRED!r}.")
    rows, by = file_rows(path), columns.get(PREFERRED, "better_response_id")
    require(rows, ["prompt", "response_0", "response_1", by], path)
    winner = pd.to_numeric(rows[by], errors="coerce")
    if not winner.isin([0, 1]).all():
        row = (~winner.isin([0, 1])).idxmax()
        raise SourceError(f"{path}, row {row}: {by} {rows[by][row]}, expected 0 or 1.")
    found = pd.DataFrame(
        {
            "source": f"pku_saferlhf/{by.split('_')[0]}",
            "prompt": rows["prompt"],
            "winning": np.where(winner == 0, rows["response_0"], rows["response_1"]),
            "losing": np.where(winner == 0, rows["response_1"], rows["response_0"]),
        }
    )
    return _decided(found, {})


def read_pairs(path: Path, columns: Columns) -> ReadResult:
    """Any CSV, JSONL or Parquet file with prompt, winning and losing; an annotation a row.

    `columns` maps these, and winning_llm and losing_llm where there, to the file's names.
    """
    needed = ("prompt", "winning", "losing")
    known = (*needed, "winning_llm", "losing_llm")
    unknown = sorted(set(columns) - set(known))
    if unknown:
        raise SourceError(f"Column mapping names {unknown[0]!r}, expected some of {known}.")
    rows = file_rows(path)
    mapping = {name: name for name in known if name in rows} | dict(columns)
    require(rows, [mapping.get(name, name) for name in needed], path)
    return _decided(renamed(rows, mapping, path).assign(source=path.name), {})


def _decided(rows: pd.DataFrame, skipped: Mapping[str, int]) -> ReadResult:
    """One row a pair that has a winner: annotations of the same two responses are votes."""
    rows = rows.reindex(
        columns=[name for name in COLUMNS if name not in ("pair_id", "annotations")]
    )
    texts = {
        name: rows[name].map(lambda text: text.strip() if isinstance(text, str) else "")
        for name in ("prompt", "winning", "losing")
    }
    rows = rows.assign(**texts)
    empty = (rows["winning"] == "") | (rows["losing"] == "")
    same = ~empty & (rows["winning"] == rows["losing"])
    rows = rows[~empty & ~same].reset_index(drop=True)
    turned = rows["winning"] > rows["losing"]
    rows["low"] = rows["losing"].where(turned, rows["winning"])
    rows["high"] = rows["winning"].where(turned, rows["losing"])
    votes = rows.assign(vote=np.where(turned, -1, 1)).groupby(
        ["source", "prompt", "low", "high"], sort=False
    )["vote"]
    balance = votes.transform("sum")
    rows["annotations"] = votes.transform("size")
    tied = balance == 0
    won = rows[~tied & (np.sign(balance) == np.where(turned, -1, 1))]
    won = won.drop_duplicates(["source", "prompt", "low", "high"])
    keys = [
        key_of(*row)
        for row in won[["source", "prompt", "winning", "losing"]].itertuples(index=False)
    ]
    counts = dict(skipped) | {
        "empty response": int(empty.sum()),
        "same response": int(same.sum()),
        "as many votes for either": len(rows[tied].drop_duplicates(["source", "prompt", "low"])),
    }
    return ReadResult(
        won.assign(pair_id=keys)[COLUMNS].reset_index(drop=True),
        {reason: count for reason, count in counts.items() if count},
    )


def drawn_pairs(rows: pd.DataFrame, wanted: int | None, seed: int) -> pd.DataFrame:
    """`wanted` pairs (all where None or fewer), in an order drawn with a seed."""
    ordered = rows.sort_values("pair_id").sample(frac=1, random_state=seed)
    return ordered.head(len(ordered) if wanted is None else wanted).reset_index(drop=True)
