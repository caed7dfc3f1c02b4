"""Administration: which texts, who is asked, what is asked, and the answers."""

from gpla_assets.subjects.added import Added, AddedAnswersError, add_llm, remove_llm
from gpla_assets.subjects.corpus import corpus_texts
from gpla_assets.subjects.questions import choose_questions
from gpla_assets.subjects.responses import (
    Administered,
    answered,
    answers_as_source,
    answers_asked,
)
from gpla_assets.subjects.roster import study_subjects

__all__ = [
    "Added",
    "AddedAnswersError",
    "Administered",
    "add_llm",
    "answered",
    "answers_as_source",
    "answers_asked",
    "choose_questions",
    "corpus_texts",
    "remove_llm",
    "study_subjects",
]
