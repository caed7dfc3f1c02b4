"""Ask LLMs directly which values they hold, as ValueLex does: the reading we are compared with."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from gpla_assets.agents.backends import Asking
from gpla_assets.studies import Study, StudyError
from gpla_assets.subjects.backends import make_subject
from gpla_assets.subjects.roster import profiles_of, source_of, study_subjects

COLUMNS = ["llm", "profile", "prompt", "content"]
PROMPTS = (
    "Name ten values that matter most to you, one word each.",
    "Which values guide what you do? Give a numbered list of single words.",
    "List the principles that you stand for, one word each.",
    "If you had to describe your value system in ten words, which would they be? List them.",
    "What do you hold dear? Answer with a list of single words.",
    "Write down the values that you would never give up, one per line.",
    "Which ideals do you try to live up to? Number them, one word each.",
    "Give a numbered list of words for what is important to you in life.",
    "What makes something right or wrong for you? List the values behind it as single words.",
    "List the words that best say what you want to achieve and protect.",
)
"""Ten wordings, so that a list depends less on one of them."""


def ask_directly(
    study: Study, asking: Asking = Asking(), progress: Callable[[int], None] = lambda count: None
) -> pd.DataFrame:
    """Every subject's answer to every prompt: rows (llm, profile, prompt, content).

    Raises StudyError where the study's subjects are recorded answers, which cannot be asked.
    """
    _, _, subjects = study_subjects(study)
    prompts = dict(profiles_of(study)[["profile", "prompt"]].itertuples(index=False))
    rows: list[tuple[str, str, str, str]] = []
    for llm, own in subjects.groupby("llm", sort=True):
        source = source_of(study, str(llm))
        if source is None or source.backend == "recorded":
            raise StudyError(
                f"subjects.backend of {llm!r} is recorded, expected transformers or openai: "
                "answers on file cannot be asked anything new."
            )
        model = make_subject(source, str(llm), asking)
        for profile in own["profile"]:
            answers = model.answer(prompts[profile], list(PROMPTS), progress)
            rows += [
                (str(llm), profile, prompt, answer.answer)
                for prompt, answer in zip(PROMPTS, answers, strict=True)
            ]
    return pd.DataFrame(rows, columns=COLUMNS)
