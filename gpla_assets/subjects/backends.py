"""LLMs that answer, by name: what a study's settings make."""

from __future__ import annotations

from gpla_assets.agents.backends import Asking, Backend, backend_named, make_chat
from gpla_assets.studies import SubjectSource
from gpla_assets.subjects.prompted import ChatSubject
from gpla_assets.subjects.protocol import Subject
from gpla_assets.subjects.transformers import TransformersSubject


def _transformers_subject(settings: tuple[SubjectSource, str], asking: Asking) -> Subject:
    source, llm = settings
    return TransformersSubject(llm, source, asking.seed)


def _openai_subject(settings: tuple[SubjectSource, str], asking: Asking) -> Subject:
    source, llm = settings
    chat = make_chat(source.model_copy(update={"model": llm}), asking)
    return ChatSubject(chat, source, asking.seed)


ANSWERS = ("max_new_tokens", "temperature", "samples")
SUBJECTS = {
    "transformers": Backend(_transformers_subject, ("revision", "dtype", *ANSWERS)),
    "openai": Backend(_openai_subject, ("revision", "base_url", *ANSWERS)),
}


def make_subject(settings: SubjectSource, llm: str, asking: Asking = Asking()) -> Subject:
    """An LLM that answers here; raises UnknownBackend or BackendUnavailable."""
    return backend_named("subjects", SUBJECTS, settings.backend).make((settings, llm), asking)
