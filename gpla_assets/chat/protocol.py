"""What prompted agents and subjects ask of an LLM, whichever way it is reached."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from gpla_assets.common.errors import KnownError

warned = logging.getLogger(__name__).warning
"""Who is told of endpoints that are put aside, where nobody else is named."""

Role = Literal["system", "user", "assistant"]


@dataclass(frozen=True)
class Message:
    """One message of a conversation."""

    role: Role
    content: str


@dataclass(frozen=True)
class ChatRequest:
    """A conversation to continue, and how.

    `schema` is a JSON schema that the reply should follow, where the backend can enforce one; the
    asker repairs what comes back all the same. `attempt` sets a repeated question apart from the
    first one, so that a retry after a useless reply is not answered from the cache; `sample` (from
    0) sets further answers to one question apart, each drawn by a seed of its own.
    """

    messages: tuple[Message, ...]
    max_new_tokens: int
    temperature: float = 0.0
    seed: int = 0
    schema: dict[str, object] | None = None
    attempt: int = 0
    sample: int = 0


@dataclass(frozen=True)
class ChatReply:
    """What came back. `finish` is 'stop', 'length', or another reason that the server gave.

    `reasoning` is what the server gave apart as thought before the content.
    """

    content: str
    finish: str = "stop"
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached: bool = False
    reasoning: str = ""


class Chat(Protocol):
    """An LLM that continues conversations; `inferences` counts the replies it made anew."""

    @property
    def name(self) -> str:
        """The backend: 'openai' or 'transformers'."""
        ...

    @property
    def model(self) -> str: ...

    @property
    def revision(self) -> str | None: ...

    @property
    def inferences(self) -> int: ...

    def ask(
        self,
        requests: Sequence[ChatRequest],
        progress: Callable[[int], None] = lambda count: None,
    ) -> list[ChatReply]:
        """One reply per request, in order; `progress` is told how many were finished.

        Raises what stops the whole batch (BackendUnavailable, ChatStopped); replies that were had
        before are cached where the backend has a cache.
        """
        ...


class ChatStopped(KnownError, RuntimeError):
    """Asking ended before all was answered: budget spent or server lost; says how to go on."""
