"""Subjects' answers: recorded ones by name, or generated here and now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd

from gpla_assets.agents.backends import Asking
from gpla_assets.agents.record import agent_record
from gpla_assets.common.keys import key_of, subject_key, subject_parts
from gpla_assets.sources.languages import ENGLISH, language_of
from gpla_assets.sources.said import Said
from gpla_assets.studies import Study, StudyError, SubjectSource
from gpla_assets.subjects.added import added_answers, added_llms
from gpla_assets.subjects.backends import make_subject
from gpla_assets.subjects.matching import matched
from gpla_assets.subjects.protocol import Subject
from gpla_assets.subjects.roster import profiles_of, source_answers, source_of

COLUMNS = [
    *("response_id", "subject_id", "question_id", "sample"),
    *("answer", "reasoning", "refused", "finish", "language"),
    *("backend", "model", "profile_role", "agent_id"),
]
Progress = Callable[[int], None]


@dataclass
class Administered:
    """Rows of `responses`, answers generated, and rows of `agents`.

    `skipped` counts questions that brought no row, `noted` rows that hold no attitudes by reason.
    """

    rows: pd.DataFrame
    inferences: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    noted: dict[str, int] = field(default_factory=dict)
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
        llm, profile = subject_parts(subject)
        by_llm.setdefault(llm, []).append(profile)
    prompts = dict(profiles_of(study)[["profile", "prompt"]].itertuples(index=False))
    parts, inferences, agents = [pd.DataFrame(columns=COLUMNS)], 0, []
    for llm, profiles in by_llm.items():
        source = source_of(study, llm)
        if source is not None and source.backend != "recorded":
            model = make_subject(source, llm, asking)
            record = agent_record("subject", model, source, version(source))
            system = {profile: prompts[profile] for profile in profiles}
            rows = _generated(model, system, llm, questions, source.samples, progress).assign(
                agent_id=record["agent_id"]
            )
            inferences += model.inferences
            agents.append(record)
        else:
            rows = _recorded(_answers_of(study, source, llm), llm, profiles, questions)
        parts.append(rows)
    rows = pd.concat([one for one in parts if len(one)] or parts, ignore_index=True)
    nothing = (rows["answer"] == "") & rows["reasoning"].isna() & ~rows["refused"].astype(bool)
    answered_pairs = len(rows[["subject_id", "question_id"]].drop_duplicates())
    counts = {
        "question without an answer": len(subjects) * len(questions) - answered_pairs,
        "empty answer": int(nothing.sum()),
    }
    rows = rows[~nothing].reset_index(drop=True)
    return Administered(rows, inferences, _above_zero(counts), _noted(rows), agents)


def answers_asked(study: Study, subjects: Sequence[str]) -> int:
    """Answers of subjects (keys) to one question, of those that are asked, not recorded."""
    sources = [source_of(study, subject_parts(subject)[0]) for subject in subjects]
    return sum(one.samples for one in sources if one is not None and one.backend != "recorded")


def _noted(rows: pd.DataFrame) -> dict[str, int]:
    """Rows of `responses` that hold no attitudes that the shipped agents could find, by reason."""
    refused = rows["refused"].astype(bool)
    others = rows["language"][rows["language"].notna() & (rows["language"] != ENGLISH) & ~refused]
    counts = {
        "refused": int(refused.sum()),
        "reasoning never ended": int(((rows["answer"] == "") & ~refused).sum()),
    }
    counts |= {f"in language {code}": int(count) for code, count in others.value_counts().items()}
    return _above_zero(counts)


def _above_zero(counts: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in counts.items() if count}


def _answers_of(study: Study, source: SubjectSource | None, llm: str) -> pd.DataFrame:
    if source is not None:
        answers = source_answers(source)
        return answers[answers["llm"] == llm]
    path = added_llms(study).get(llm)
    if path is None:
        raise StudyError(
            f"LLM {llm!r} is in none of the study's sources and was not added: it has left the "
            "study. Make `subjects` anew (`gpla run` does), and it leaves the tables."
        )
    return added_answers(path)


def _recorded(
    answers: pd.DataFrame, llm: str, profiles: list[str], questions: pd.DataFrame
) -> pd.DataFrame:
    own = answers[answers["profile"].isin(profiles)]
    own = own.assign(asked=matched(own, questions)).dropna(subset=["asked"])
    if own.empty:
        return pd.DataFrame(columns=COLUMNS)
    key = ["profile", "asked"]
    # two wordings of a question may meet in one: their samples are numbered on
    own = own.sort_values([*key, "sample"], kind="stable")
    replies = [
        Said(row.answer, row.reasoning, row.refused, row.finish)
        for row in own.itertuples(index=False)
    ]
    rows = _rows(
        [subject_key(llm, profile) for profile in own["profile"]], list(own["asked"]), replies
    )
    return rows.assign(backend="recorded", model=llm)


def _generated(
    model: Subject,
    prompts: Mapping[str, str],
    llm: str,
    questions: pd.DataFrame,
    samples: int,
    progress: Progress,
) -> pd.DataFrame:
    """Rows of answers under profiles (with their prompts), each question asked `samples` times."""
    role = "system" if model.has_system_role else "question"
    asked = list(questions["content"])
    parts = []
    for profile, prompt in prompts.items():
        replies = [
            reply for n in range(samples) for reply in model.answer(prompt, asked, progress, n)
        ]
        subjects = [subject_key(llm, profile)] * len(replies)
        parts.append(_rows(subjects, list(questions["question_id"]) * samples, replies))
    rows = pd.concat(parts, ignore_index=True)
    return rows.assign(backend=model.name, model=model.model, profile_role=role)


def _rows(subjects: list[str], questions: list[str], replies: Sequence[Said]) -> pd.DataFrame:
    """Replies as rows, a subject's replies to one question numbered in their order."""
    rows = pd.DataFrame(
        {
            "subject_id": subjects,
            "question_id": questions,
            "answer": [one.answer for one in replies],
            "reasoning": pd.Series([one.reasoning or None for one in replies], dtype=object),
            "refused": [one.refused for one in replies],
            "finish": pd.Series([one.finish for one in replies], dtype=object),
            "language": pd.Series([language_of(one.answer) for one in replies], dtype=object),
        }
    )
    rows["sample"] = rows.groupby(["subject_id", "question_id"]).cumcount() + 1
    keys = rows[["subject_id", "question_id", "sample"]].itertuples(index=False)
    rows["response_id"] = [key_of(*one) for one in keys]
    return rows.assign(backend=None, model=None, profile_role=None, agent_id=None)[COLUMNS]


def answers_as_source(responses: pd.DataFrame, questions: pd.DataFrame) -> pd.DataFrame:
    """Responses in the layout of the source `demo`.

    Columns: llm, profile, question_id, question_text, content.
    """
    pairs = [subject_parts(subject) for subject in responses["subject_id"]]
    texts = dict(zip(questions["question_id"], questions["content"], strict=True))
    rows = pd.DataFrame(
        {
            "llm": [llm for llm, _ in pairs],
            "profile": [profile for _, profile in pairs],
            "question_id": responses["question_id"],
            "question_text": responses["question_id"].map(texts),
            "content": responses["answer"],
        }
    )
    return rows.sort_values(["llm", "profile", "question_id"], ignore_index=True)
