"""Repeated samples: each asked once and told apart, wherever the subject runs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.agents.backends import Asking
from gpla_assets.chat import MemoryCalls
from gpla_assets.studies import Study, StudyError, parse_study
from gpla_assets.studies.asking import Calls, SubjectSource
from gpla_assets.subjects import answered, answers_asked
from gpla_assets.subjects.transformers import TransformersSubject
from tests.fault_server import FaultServer
from tests.tiny_models import tiny_llama

STUDY = """
name: sampled
corpus: [{{source: table, file: none.jsonl}}]
subjects: [{{backend: openai, base_url: "{url}", llms: [one], temperature: 1, samples: {samples}}}]
"""
QUESTIONS = pd.DataFrame({"question_id": ["k1", "k2"], "content": ["q1", "q2"]})


def study(url: str, samples: int) -> Study:
    return parse_study(STUDY.format(url=url, samples=samples), "sampled")


def test_each_sample_is_asked_once_by_a_seed_of_its_own() -> None:
    with FaultServer() as server:
        asking = Asking(Calls(), MemoryCalls(), seed=7)
        server.reply = lambda content: f"{content}: {len(server.asked)}"
        few = answered(study(server.url, 2), ["one|Default"], QUESTIONS, asking)
        assert len(server.asked) == 4
        more = answered(study(server.url, 3), ["one|Default"], QUESTIONS, asking)
        again = answered(study(server.url, 3), ["one|Default"], QUESTIONS, asking)
        sent = [(one.content, one.body["seed"], one.body["temperature"]) for one in server.asked]
    assert sorted(sent) == [(q, seed, 1) for q in ("q1", "q2") for seed in (7, 8, 9)]
    assert (few.inferences, more.inferences, again.inferences) == (4, 2, 0)
    rows = more.rows
    assert rows[["question_id", "sample"]].to_numpy().tolist() == [
        *(["k1", 1], ["k2", 1], ["k1", 2], ["k2", 2], ["k1", 3], ["k2", 3])
    ]
    assert rows["response_id"].is_unique
    pd.testing.assert_frame_equal(few.rows, rows.head(4))
    pd.testing.assert_frame_equal(again.rows, rows)
    assert answers_asked(study(server.url, 3), ["one|Default"]) == 3


def test_samples_that_cannot_differ_are_refused() -> None:
    greedy = STUDY.replace("temperature: 1", "temperature: 0")
    with pytest.raises(StudyError, match=r"samples = 3: .*at temperature 0 all samples are one"):
        parse_study(greedy.format(url="http://h/v1", samples=3), "sampled")
    recorded = STUDY.replace("backend: openai", "backend: recorded")
    with pytest.raises(StudyError, match="as many samples as their file holds"):
        parse_study(recorded.format(url="http://h/v1", samples=3), "sampled")
    with pytest.raises(StudyError, match="less than or equal to 2"):
        parse_study(
            STUDY.format(url="http://h", samples=1).replace("temperature: 1", "temperature: 2.1"),
            "sampled",
        )


def test_a_local_subject_draws_each_sample_by_seed(tmp_path: Path) -> None:
    folder = str(tiny_llama(tmp_path / "llama"))

    def said(sample: int, seed: int = 0, temperature: float = 1.5, size: int = 2) -> list[str]:
        settings = SubjectSource(
            backend="transformers", max_new_tokens=8, temperature=temperature, batch_size=size
        )
        subject = TransformersSubject(folder, settings, seed)
        return [one.answer for one in subject.answer("", ["q one", "q two"], sample=sample)]

    first = said(0)
    assert said(0) == first == said(0, size=1)
    assert said(1) != first and said(0, seed=1) != first
    greedy = said(0, temperature=0.0)
    assert said(1, temperature=0.0) == greedy
