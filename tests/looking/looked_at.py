"""A published study of known numbers, made without a model: what looking is tested on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.evaluator.estimates import estimates
from gpla_assets.evaluator.expression import SUMS
from gpla_assets.orchestration import dbt
from gpla_assets.orchestration.publishing import publication
from gpla_assets.storage import FileWarehouse, RunRecord, Write
from gpla_assets.studies import load_study

LLMS = ("alpha-1", "beta/2:free", "gamma")
VALUES = ("Care", "Order", "Play")
QUESTIONS = 12
NAME, AGAIN = "looked", "again"
SEEDS = {NAME: 0, AGAIN: 1}
"""The same LLMs under other questions: the second study's noise is another."""
SENTENCE = "Be kind \x1b[2J to \u202eall."
"""What an LLM wrote can hold anything."""
BEFORE = "Well.\n"


def logits(name: str = NAME) -> np.ndarray:
    """Mean logits (LLMs, questions, values): the second LLM cares more, by 1 on every question."""
    rng = np.random.default_rng(SEEDS[name])
    of_question = rng.normal(-2, 0.5, (1, QUESTIONS, len(VALUES)))
    found = of_question + rng.normal(0, 0.3, (len(LLMS), QUESTIONS, len(VALUES)))
    found[1, :, 0] += 1
    return np.asarray(found)


def looked_at(folder: Path, name: str = NAME) -> Path:
    """Make and publish a study in a folder of warehouses; its file."""
    warehouse = FileWarehouse(folder / f"{name}.duckdb")
    asked = [f"q{number:02d}" for number in range(QUESTIONS)]
    subjects = pd.DataFrame({"llm": LLMS, "profile": "Default"})
    subjects["subject_id"] = subjects["llm"] + "|Default"
    questions = pd.DataFrame({"question_id": asked}).assign(
        source="test", value=None, content=[f"What of {one}?" for one in asked], attitude_share=None
    )
    pairs = [(llm, question) for llm in LLMS for question in asked]
    responses = pd.DataFrame(pairs, columns=["llm", "question_id"])
    responses["subject_id"] = responses["llm"] + "|Default"
    responses["response_id"] = [key_of(*pair) for pair in pairs]
    responses = responses.assign(
        answer=BEFORE + SENTENCE,
        sample=1,
        refused=False,
        backend="recorded",
        model="m",
        **dict.fromkeys(("reasoning", "finish", "language", "profile_role", "agent_id")),
    )
    perceptions = pd.DataFrame(
        {
            "perception_id": [f"p{number:03d}" for number in range(len(pairs))],
            "parent_id": responses["response_id"],
            "subject_id": responses["subject_id"],
        }
    ).assign(
        origin="subjects",
        source="test",
        part="answer",
        ordinal=0,
        start_offset=len(BEFORE),
        end_offset=len(BEFORE + SENTENCE),
        sentence=SENTENCE,
        content=SENTENCE,
        attitude=0.9,
        agent_id=None,
    )
    expressions = _expressions(responses, name)
    known = {"backend": "embedded", "model": "gpla-test-1, fast", "revision": None}
    agents = pd.DataFrame([known]).assign(
        agent_id="e", role="evaluator", dtype="auto", device="auto", batch_size=1, version="v"
    )
    own = subjects.set_index("subject_id", drop=False)
    rested = [
        estimates(expressions, own[column], "salience").assign(level=level)
        for level, column in (("subject", "subject_id"), ("llm", "llm"))
    ]
    ran = RunRecord("value_correlations", "f", {"settings": {"measurement.rule": "salience"}}, "c")
    warehouse.replace_partition(
        [
            Write("subjects", subjects),
            Write("questions", questions),
            Write("responses", responses.drop(columns="llm")),
            Write("perceptions", perceptions),
            Write("measurements", _measurements(perceptions)),
            Write("expressions", expressions),
            Write("agents", agents.assign(prompt_version="1", base_url=None)),
            Write("value_estimates", pd.concat(rested).drop(columns="direction")),
        ],
        [ran],
    )
    with warehouse.staged() as staged:
        dbt.build("structure", staged.file, {"measurement_rule": "salience"})
    warehouse.publish(publication(load_study("demo")))
    return warehouse.path


def _expressions(responses: pd.DataFrame, name: str) -> pd.DataFrame:
    """One sentence a response, that bears on Care alone and supports it."""
    frames = []
    for place, value in enumerate(VALUES):
        about = float(place == 0)
        sums = dict.fromkeys(SUMS, 0.0) | {"n": 1, "weight_sum": 1.0}
        sums |= {"relevant_n": about, "sided_n": about, "score_sum": 0.5 * about}
        rows = responses[["response_id", "subject_id", "question_id"]].assign(**sums)
        frames.append(rows.assign(value=value, logit_sum=logits(name)[:, :, place].ravel()))
    return pd.concat(frames, ignore_index=True).assign(lexicon="lexicon", agent_id=None)


def _measurements(perceptions: pd.DataFrame) -> pd.DataFrame:
    relevance = 0.5 + np.arange(len(perceptions)) / 100
    return perceptions[["perception_id", "subject_id"]].assign(
        lexicon="lexicon",
        value="Care",
        origin="subjects",
        relevance=relevance,
        p_support=0.6,
        p_oppose=0.1,
        p_either=0.3,
        score=0.5,
        agent_id="e",
    )
