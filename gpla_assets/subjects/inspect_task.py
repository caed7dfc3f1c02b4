"""The task `gpla/values` of Inspect: it asks a study's questions where evaluations are run.

    inspect eval gpla/values --model openai/gpt-4o-mini --epochs 3 --temperature 1
    inspect eval gpla/values --model ... -T study=mine.yaml

Inspect loads this module by its entry point; it comes with `pip install gpla[inspect]`. The log has
the questions' ids, so that its answers are read as they were asked; nothing is scored in it.
"""

from __future__ import annotations

from collections.abc import Sequence

from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ChatMessageSystem, ChatMessageUser, GenerateConfig
from inspect_ai.solver import generate

from gpla_assets.studies import SubjectSource, load_study
from gpla_assets.subjects.administration import (
    QUESTIONS,
    Asked,
    administration,
    answering,
    first_questions,
)

NAME = "gpla/values"


def values(study: str | None = None, questions: int = QUESTIONS) -> Task:
    """Questions that elicit values: a study's under its profiles, else the first that are shipped.

    `study` is a study's name or file; `questions` is how many, of those that are shipped.
    """
    if study is None:
        asked, own = first_questions(questions), SubjectSource(backend="openai")
        tokens, temperature, samples = own.max_new_tokens, own.temperature, own.samples
    else:
        asked = administration(study)
        tokens, temperature, samples = answering(load_study(study))
    return Task(
        dataset=MemoryDataset([_sample(one) for one in asked], name="values"),
        solver=generate(),
        epochs=samples,
        config=GenerateConfig(max_tokens=tokens, temperature=temperature),
    )


def _sample(asked: Asked) -> Sample:
    system: Sequence[ChatMessageSystem] = (
        [ChatMessageSystem(content=asked.system)] if asked.system else []
    )
    return Sample(
        id=asked.id,
        input=[*system, ChatMessageUser(content=asked.question)],
        metadata={"question_id": asked.question_id, "profile": asked.profile},
    )


# Inspect puts the name of the module's package before a task's own where it is installed; the
# project's is another than the package's
values.__module__ = "gpla"
values = task(name=NAME)(values)
