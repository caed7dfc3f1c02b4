"""Subjects' answers: recorded ones by name, or generated here and now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from gpla_assets.administration.subjects import (
    added_answers,
    added_files,
    profiles_of,
    source_answers,
    source_of,
)
from gpla_assets.agents import Asking, Subject, agent_record, make_subject
from gpla_assets.keys import key_of, subject_key
from gpla_assets.studies import Study, StudyError, SubjectSource

COLUMNS = [
    "response",
    "subject",
    "question",
    "content",
    "backend",
    "model",
    "profile_role",
    "agent",
]
Progress = Callable[[int], None]


@dataclass
class Administered:
    """Rows of `responses`, answers generated, questions without an answer, and rows of `agents`."""

    rows: pd.DataFrame
    inferences: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    agents: list[dict[str, Any]] = field(default_factory=list)


def answered(
    study: Study,
    subjects: Sequence[str],
    questions: pd.DataFrame,
    asking: Asking = Asking(),
    progress: Progress = lambda count: None,
    version: Callable[[SubjectSource], str] = lambda source: "",
) -> Administered:
    """Answers of subjects (keys) to questions (question, text).

    `progress` is told how many answers were generated; `version` gives the version of the agent
    that answers for a source.
    """
    by_llm: dict[str, list[str]] = {}
    for subject in subjects:
        llm, profile = subject.rsplit("|", 1)
        by_llm.setdefault(llm, []).append(profile)
    prompts = dict(profiles_of(study).itertuples(index=False))
    parts, inferences, agents = [], 0, []
    for llm, profiles in by_llm.items():
        source = source_of(study, llm)
        if source is not None and source.backend != "recorded":
            model = make_subject(source, llm, asking)
            record = agent_record("subject", model, source, version(source))
            rows = _generated(model, profiles, llm, questions, prompts, progress).assign(
                agent=record["agent"]
            )
            inferences += model.inferences
            agents.append(record)
        else:
            rows = _recorded(_answers_of(study, source, llm), llm, profiles, questions)
        parts.append(rows)
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=COLUMNS)
    empty = rows["content"].str.strip() == ""
    missing = len(subjects) * len(questions) - len(rows)
    counts = {"question without an answer": missing, "empty answer": int(empty.sum())}
    skipped = {reason: count for reason, count in counts.items() if count}
    return Administered(rows[~empty].reset_index(drop=True), inferences, skipped, agents)


def _answers_of(study: Study, source: SubjectSource | None, llm: str) -> pd.DataFrame:
    if source is not None:
        answers = source_answers(source)
        return answers[answers["llm"] == llm]
    path = next((path for path in added_files(study) if path.stem == llm), None)
    if path is None:
        raise StudyError(
            f"LLM {llm!r} is in none of the study's sources and was not added: it has left the "
            "study. Make `subjects` anew (`gpla run` does), and it leaves the tables."
        )
    return added_answers(path).assign(profile="Default")


def _recorded(
    answers: pd.DataFrame, llm: str, profiles: list[str], questions: pd.DataFrame
) -> pd.DataFrame:
    asked = dict(zip(questions["text"], questions["question"], strict=True))
    rows = answers[answers["profile"].isin(profiles) & answers["question_text"].isin(asked)]
    rows = rows.drop_duplicates(["profile", "question_text"])
    subjects = [subject_key(llm, profile) for profile in rows["profile"]]
    keys = [asked[text] for text in rows["question_text"]]
    return _rows(subjects, keys, list(rows["content"]), "recorded", llm, None)


def _generated(
    model: Subject,
    profiles: list[str],
    llm: str,
    questions: pd.DataFrame,
    prompts: Mapping[str, str],
    progress: Progress,
) -> pd.DataFrame:
    role = "system" if model.has_system_role else "question"
    parts = []
    for profile in profiles:
        answers = model.answer(prompts[profile], list(questions["text"]), progress)
        subjects = [subject_key(llm, profile)] * len(answers)
        parts.append(
            _rows(subjects, list(questions["question"]), answers, model.name, model.model, role)
        )
    return pd.concat(parts, ignore_index=True)


def _rows(
    subjects: list[str],
    questions: list[str],
    contents: list[str],
    backend: str,
    model: str,
    role: str | None,
) -> pd.DataFrame:
    keys = [key_of(*pair) for pair in zip(subjects, questions, strict=True)]
    rows = pd.DataFrame(
        {"response": keys, "subject": subjects, "question": questions, "content": contents}
    )
    return rows.assign(backend=backend, model=model, profile_role=role, agent=None)[COLUMNS]


def answers_as_source(responses: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Responses in the layout of the source `demo`.

    Columns: llm, profile, question_id, question_text, content.
    """
    pairs = responses["subject"].str.rsplit("|", n=1)
    texts = dict(zip(questions["question"], questions["text"], strict=True))
    rows = pd.DataFrame(
        {
            "llm": pairs.str[0],
            "profile": pairs.str[1],
            "question_id": responses["question"],
            "question_text": responses["question"].map(texts),
            "content": responses["content"],
        }
    )
    return rows.sort_values(["llm", "profile", "question_id"], ignore_index=True)
