"""What the explorer looks through, as columns: LLMs, values, scores with intervals, sentences.

Three parts, so that the first picture waits for the first of them alone: `core` (names, what LLMs
score), `profiles` (what each profile of an LLM scores), `why` (questions' parts in each score, and
the sentences in their answers).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import pandas as pd

from gpla_assets.common.intervals import INTERVAL
from gpla_assets.common.json_data import Json
from gpla_assets.evaluator.contributions import contributions
from gpla_assets.evaluator.estimates import FEWEST_QUESTIONS, deviations
from gpla_assets.report.columns import columns, places
from gpla_assets.report.sentences import sentence_columns
from gpla_assets.report.verdict import beyond_chance, verdict
from gpla_assets.studies.measurement import MeasurementRule

Tables = Mapping[str, pd.DataFrame]
CELL = [
    *("score", "low", "high", "difference", "difference_low", "difference_high"),
    *("share", "direction", "n", "n_relevant", "n_questions", "few"),
]
MOST_QUESTIONS = 8
"""Questions of a score whose parts are held, the largest first; the page adds up the rest."""
MOST_DEVIATIONS = 1_000_000
"""Numbers behind intervals of pairs; a page of more LLMs, values and questions has none."""
DEVIATION = 1e-4
"""Deviations are held as whole numbers of it."""
EXPLORED = {
    "llms": """
        select s.llm, max(l.family) as family, count(*) as n_profiles
        from evidence.subjects as s left join evidence.llms as l on s.llm = l.llm
        group by s.llm order by s.llm
    """,
    "answers": "select * from marts.llm_answers",
    "subjects": "select subject_id, llm, profile from evidence.subjects order by subject_id",
    "factor_of": """
        select "value", factor from analysis.loadings where is_primary and kept
    """,
    "factor_names": """
        select r.factor, coalesce(n.name, r.name, r.factor) as name
        from analysis.reliabilities as r
        left join analysis.factor_names as n on r.factor = n.factor and n.chosen
        order by len(r.factor), r.factor
    """,
    "llm_values": 'select * from marts.llm_values order by llm, "value"',
    "subject_values": 'select * from marts.subject_values order by subject_id, "value"',
    "expressions": """
        select * from evidence.expressions where lexicon = 'lexicon' order by response_id
    """,
    "questions": "select question_id, content from evidence.questions order by question_id",
    "sentences": 'select * from marts.measured_sentences order by perception_id, "value"',
}
"""Queries of what `payload` reads."""


def payload(tables: Tables, rule: MeasurementRule) -> dict[str, Json]:
    """The parts core, profiles and why of a study, from the tables that EXPLORED names.

    Names stand once and are meant by their places. `level` is whom the first picture compares:
    LLMs, or the profiles of the only one.
    """
    llms = [str(one) for one in tables["llms"]["llm"]]
    subjects = [str(one) for one in tables["subjects"]["subject_id"]]
    profiles = list(dict.fromkeys(str(one) for one in tables["subjects"]["profile"]))
    llm_cells = _cells(tables["llm_values"], "llm")
    subject_cells = _cells(tables["subject_values"], "subject_id")
    values = sorted({*llm_cells["value"], *subject_cells["value"]})
    names = {"llm": llms, "subject": subjects}
    cells = {"llm": llm_cells, "subject": subject_cells}
    level = "llm" if len(llms) > 1 or len(subjects) == len(llms) else "subject"
    factors = tables["factor_names"]
    factor_of = tables["factor_of"].drop_duplicates("value").set_index("value")["factor"]
    answers = tables["llms"].merge(tables["answers"], on="llm", how="left")
    core: Json = {
        "rule": rule,
        "level": level,
        "fewest": FEWEST_QUESTIONS,
        "verdict": verdict(
            _named(cells[level], tables["subjects"], level),
            "LLMs" if level == "llm" else "profiles",
        ),
        "llms": columns(answers),
        "profiles": profiles,
        "subjects": {
            "name": subjects,
            "llm": places(tables["subjects"]["llm"], llms),
            "profile": places(tables["subjects"]["profile"], profiles),
        },
        "values": {
            "name": values,
            "factor": places(
                factor_of.reindex(values).astype(object), [str(one) for one in factors["factor"]]
            ),
        },
        "factors": columns(factors),
        "cells": _placed(llm_cells, llms, values),
        "t": _t_quantiles(cells.values()),
    }
    why = sentence_columns(
        tables["sentences"],
        subjects,
        values,
        [str(one) for one in tables["questions"]["question_id"]],
    )
    why["questions"] = columns(tables["questions"])
    why |= _behind(tables, rule, cells[level], level, names[level])
    own = (
        {}
        if len(subjects) == len(llms) and level == "llm"
        else _placed(subject_cells, subjects, values)
    )
    return {"core": core, "profiles": {"cells": own}, "why": why}


def _cells(rows: pd.DataFrame, unit: str) -> pd.DataFrame:
    found = rows[rows["score"].notna() | (rows["n_relevant"] > 0)]
    found = found.rename(columns={unit: "unit"})[["unit", "value", *CELL]].reset_index(drop=True)
    numbers = [name for name in CELL if name != "few"]
    found = found.astype(dict.fromkeys(numbers, float) | {"few": bool})
    return found.assign(clear=beyond_chance(found))


def _named(cells: pd.DataFrame, subjects: pd.DataFrame, level: str) -> pd.DataFrame:
    if level == "llm":
        return cells
    profile = subjects.set_index("subject_id")["profile"]
    return cells.assign(unit=cells["unit"].map(profile))


def _placed(cells: pd.DataFrame, names: list[str], values: list[str]) -> dict[str, list[object]]:
    keys = {"unit": places(cells["unit"], names), "value": places(cells["value"], values)}
    return keys | columns(cells[[*CELL, "clear"]])


def _t_quantiles(cells: object) -> list[float]:
    """Student's t of 95% intervals by degrees of freedom, from 1."""
    from scipy.stats import t

    frames = cast("list[pd.DataFrame]", list(cells))  # type: ignore[call-overload]
    most = max((one["n_questions"].max() for one in frames if len(one)), default=2)
    found = t.ppf(INTERVAL[1], np.arange(1, max(int(most), 2) + 1))
    return [round(float(one), 4) for one in found]


def _behind(
    tables: Tables, rule: MeasurementRule, cells: pd.DataFrame, level: str, names: list[str]
) -> Json:
    """Parts of questions in the scores of `cells`, and the deviations of intervals of pairs."""
    sums = tables["expressions"]
    if sums.empty or cells.empty:
        return {}
    own = tables["subjects"].set_index("subject_id", drop=False)
    units = own["llm"] if level == "llm" else own["subject_id"]
    held = cells.assign(level=cells["score"] - cells["difference"])
    parts = contributions(sums, units, rule, held[["unit", "value", "level"]])
    place = cells.reset_index(names="cell")[["cell", "unit", "value"]]
    parts = parts.merge(place, on=["unit", "value"])
    parts["size"] = parts["contribution"].abs()
    parts = parts.sort_values(["cell", "size"], ascending=[True, False], kind="stable")
    parts = parts[parts.groupby("cell").cumcount() < MOST_QUESTIONS]
    questions = [str(one) for one in tables["questions"]["question_id"]]
    found: Json = {
        "parts": {
            "cell": parts["cell"].tolist(),
            "question": places(parts["question_id"], questions),
            **columns(parts[["contribution"]], 3),
        }
    }
    n_questions = sums["question_id"].nunique()
    if len(names) > 1 and len(cells) * n_questions <= MOST_DEVIATIONS:
        found["deviations"] = _deviations(sums, units, rule, cells)
    return found


def _deviations(
    sums: pd.DataFrame, units: pd.Series, rule: MeasurementRule, cells: pd.DataFrame
) -> Json:
    """Whole numbers of DEVIATION, those of a cell's questions after those of the one before."""
    found: dict[tuple[str, str], list[int]] = {}
    n = 0
    for names, values, array in deviations(sums, units, rule):
        whole = np.round(np.nan_to_num(array) / DEVIATION).astype(int)
        n = whole.shape[1]
        for u, unit in enumerate(names):
            for v, value in enumerate(values):
                found[unit, value] = whole[u, :, v].tolist()
    none = [0] * n
    rows = [found.get(key, none) for key in zip(cells["unit"], cells["value"], strict=True)]
    return {"n_questions": n, "scale": DEVIATION, "numbers": [one for row in rows for one in row]}
