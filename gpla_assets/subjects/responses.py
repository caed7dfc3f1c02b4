"""Subjects' answers: recorded ones by name, or generated here and now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from gpla_assets.agents.backends import Asking
from gpla_assets.agents.record import agent_record
from gpla_assets.common.keys import key_of, subject_key
from gpla_assets.studies import Study, StudyError, SubjectSource
from gpla_assets.subjects.backends import make_subject
from gpla_assets.subjects.protocol import Subject
from gpla_assets.subjects.roster import (
    added_answers,
    added_files,
    profiles_of,
    source_answers,
    source_of,
)

COLUMNS = [
    "response_id",
    "subject_id",
    "question_id",
    "content",
    "backend",
    "model",
    "profile_role",
    "agent_id",
]
Progress = Callable[[int], None]


@dataclass
class Administered:
    """Rows of `responses`, answers generated, questions without an answer, and rows of `agents`."""

    rows: pd.DataFrame
    inferences: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    agents: list[dict[str, object]] = field(default_factory=list)


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
    prompts = dict(profiles_of(study)[["profile", "prompt"]].itertuples(index=False))
    parts, inferences, agents = [], 0, []
    for llm, profiles in by_llm.items():
        source = source_of(study, llm)
        if source is not None and source.backend != "recorded":
            model = make_subject(source, llm, asking)
            record = agent_record("subject", model, source, version(source))
            rows = _generated(model, profiles, llm, questions, prompts, progress).assign(
                agent_id=record["agent_id"]
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
    asked = dict(zip(questions["content"], questions["question_id"], strict=True))
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
        answers = model.answer(prompts[profile], list(questions["content"]), progress)
        subjects = [subject_key(llm, profile)] * len(answers)
        parts.append(
            _rows(subjects, list(questions["question_id"]), answers, model.name, model.model, role)
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
        {"response_id": keys, "subject_id": subjects, "question_id": questions, "content": contents}
    )
    return rows.assign(backend=backend, model=model, profile_role=role, agent_id=None)[COLUMNS]


def answers_as_source(responses: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Responses in the layout of the source `demo`.

    Columns: llm, profile, question_id, question_text, content.
    """
    pairs = responses["subject_id"].str.rsplit("|", n=1)
    texts = dict(zip(questions["question_id"], questions["content"], strict=True))
    rows = pd.DataFrame(
        {
            "llm": pairs.str[0],
            "profile": pairs.str[1],
            "question_id": responses["question_id"],
            "question_text": responses["question_id"].map(texts),
            "content": responses["content"],
        }
    )
    return rows.sort_values(["llm", "profile", "question_id"], ignore_index=True)
