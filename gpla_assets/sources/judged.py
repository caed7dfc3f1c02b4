"""Readers of texts that people have judged, which M_E is tested on and never trained on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from gpla_assets.content import touche_categories
from gpla_assets.sources.reading import ReadResult, file_rows, require, usable

Columns = Mapping[str, str]
AGREES = {"2_agree": 1, "1_disagree": -1, "agree": 1, "disagree": -1}


def read_agreement(path: Path, columns: Columns) -> ReadResult:
    """Whether LLMs' answers agree with a proposition, by two people, a third where they differ.

    Rows (item, llm, proposition, statement, content, agrees), `agrees` 1 or -1; answers that do
    neither are left out.
    """
    rows = file_rows(path)
    wanted = ["pct_id", "pct_prompt", "model", "completion", "annot1_label", "annot2_label"]
    require(rows, [*wanted, "decision"], path)
    same = rows["annot1_label"] == rows["annot2_label"]
    label = rows["annot1_label"].where(same, rows["decision"])
    found = pd.DataFrame(
        {
            "item": rows.index.astype(str),
            "llm": rows["model"],
            "proposition": rows["pct_id"],
            "statement": rows["pct_prompt"].str.strip(),
            "content": rows["completion"],
            "agrees": label.map(AGREES),
        }
    ).dropna(subset=["agrees"])
    kept = usable(found.astype({"agrees": int}), ["item"])
    neither = len(rows) - len(found)
    skipped = {**kept.skipped, "neither agrees nor disagrees": neither} if neither else kept.skipped
    return ReadResult(kept.rows, skipped)


def read_touche(path: Path, columns: Columns) -> ReadResult:
    """Touché's arguments: rows (item, content, ...), and a column a category, 1 where people say
    that the argument resorts to it."""
    rows = file_rows(path)
    names = list(touche_categories()["value"])
    require(rows, ["Argument ID", "Premise", *names], path)
    found = rows[names].astype(int).assign(item=rows["Argument ID"], content=rows["Premise"])
    return usable(found[["item", "content", *names]], ["item"])


def read_portrait_correlations(path: Path, columns: Columns) -> ReadResult:
    """Value Portrait: how agreeing with an answer goes with people's own values (Schwartz's ten).

    Rows (item, content, value, r), r being Spearman's over those who rated the answer.
    """
    rows = file_rows(path)
    wanted = ["portrait_id", "option_id", "response", "family", "value", "spearman"]
    require(rows, wanted, path)
    own = rows[rows["family"] == "schwartz10"]
    found = pd.DataFrame(
        {
            "item": _item(own),
            "content": own["response"],
            "value": _schwartz(own["value"]),
            "r": pd.to_numeric(own["spearman"]),
        }
    )
    return usable(found.reset_index(drop=True), ["item", "value"])


def read_portrait_ratings(path: Path, columns: Columns) -> ReadResult:
    """Value Portrait: each rating with what the rater holds dear, of the file beside it.

    Rows (item, participant, similarity, and a column for each of Schwartz's ten).
    """
    rows, beside = file_rows(path), path.with_name("participant_values.csv")
    require(rows, ["portrait_id", "option_id", "participant", "similarity_1_6"], path)
    people = file_rows(beside)
    require(people, ["participant", "family", "value", "score"], beside)
    own = people[people["family"] == "pvq"]
    own = own.assign(value=_schwartz(own["value"]), score=pd.to_numeric(own["score"]))
    wide = own.pivot(index="participant", columns="value", values="score")
    found = pd.DataFrame(
        {
            "item": _item(rows),
            "participant": rows["participant"],
            "similarity": pd.to_numeric(rows["similarity_1_6"]),
        }
    )
    return ReadResult(found.merge(wide, on="participant"))


def _item(rows: pd.DataFrame) -> pd.Series:
    return rows["portrait_id"].astype(str) + "|" + rows["option_id"].astype(str)


def _schwartz(names: pd.Series) -> pd.Series:
    return names.str.replace("_", "-")
