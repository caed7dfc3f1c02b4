"""What a study asks, for those who ask it elsewhere: each question under each profile."""

from __future__ import annotations

import re
from dataclasses import dataclass

from gpla_assets.content import questions as shipped_questions
from gpla_assets.studies import Study, StudyError, load_study
from gpla_assets.subjects.questions import choose_questions
from gpla_assets.subjects.roster import profiles_of

QUESTIONS = 60
"""As many as the shipped studies ask: each of another value."""


@dataclass(frozen=True)
class Asked:
    """One question under one profile; `system` is "" under a profile without a prompt."""

    id: str
    question_id: str
    question: str
    profile: str = "Default"
    system: str = ""


def first_questions(count: int = QUESTIONS) -> list[Asked]:
    """The first of the shipped questions, each of which elicits another value.

    Raises StudyError where there are not so many.
    """
    rows = shipped_questions()
    if not 1 <= count <= len(rows):
        raise StudyError(
            f"{count} questions: expected 1 to {len(rows)}, as many as are shipped; `gpla "
            "generate-questions` has an LLM write others."
        )
    return [
        Asked(row.question_id, row.question_id, row.question)
        for row in rows.head(count).itertuples(index=False)
    ]


def administration(study: str) -> list[Asked]:
    """What a study asks of its subjects, by its name or path.

    Raises StudyError, and what choosing the questions raises.
    """
    settings = load_study(study)
    rows = choose_questions(settings)[0]
    prompts = profiles_of(settings)
    names = {name for source in settings.subjects for name in source.profiles}
    used = prompts if "all" in names else prompts[prompts["profile"].isin(names)]
    several = len(used) > 1
    return [
        Asked(
            f"{asked.question_id}-{_slug(profile.profile)}" if several else str(asked.question_id),
            *(str(asked.question_id), str(asked.content)),
            *(str(profile.profile), str(profile.prompt or "")),
        )
        for profile in used.itertuples(index=False)
        for asked in rows.itertuples(index=False)
    ]


def answering(study: Study) -> tuple[int, float, int]:
    """Most tokens of an answer, temperature, and answers to a question: of the first subjects."""
    first = study.subjects[0]
    return first.max_new_tokens, first.temperature, first.samples


def _slug(name: str) -> str:
    return re.sub(r"[^\w.-]+", "_", name)
