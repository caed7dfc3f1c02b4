"""A subject behind a chat: an LLM at an endpoint."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gpla_assets.chat import Chat, ChatRequest, Message
from gpla_assets.sources.said import Said, said
from gpla_assets.studies import SubjectSource


class ChatSubject:
    """Answers under a profile, which is the system message; `inferences` counts replies made."""

    has_system_role = True

    def __init__(self, chat: Chat, settings: SubjectSource, seed: int = 0) -> None:
        self.chat = chat
        self.max_new_tokens = settings.max_new_tokens
        self.temperature = settings.temperature
        self.seed = seed

    @property
    def name(self) -> str:
        """The chat's backend."""
        return self.chat.name

    @property
    def model(self) -> str:
        """The chat's model."""
        return self.chat.model

    @property
    def revision(self) -> str | None:
        """The chat's revision."""
        return self.chat.revision

    @property
    def inferences(self) -> int:
        """Replies made anew."""
        return self.chat.inferences

    def answer(
        self,
        system_prompt: str,
        questions: Sequence[str],
        progress: Callable[[int], None] = lambda count: None,
        sample: int = 0,
    ) -> list[Said]:
        """One answer per question, in order; raises what the chat raises."""
        system = (Message("system", system_prompt),) if system_prompt else ()
        requests = [
            ChatRequest(
                (*system, Message("user", question)),
                max_new_tokens=self.max_new_tokens,
                temperature=self.temperature,
                seed=self.seed,
                sample=sample,
            )
            for question in questions
        ]
        return [
            said(reply.content, reasoning=reply.reasoning, finish=reply.finish)
            for reply in self.chat.ask(requests, progress)
        ]
