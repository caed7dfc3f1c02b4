"""Names of factors by prompt on any instruct LLM."""

from __future__ import annotations

from collections.abc import Mapping

from gpla_assets.chat.prompts import marked, prompt_of
from gpla_assets.chat.protocol import Chat, ChatRequest
from gpla_assets.chat.replies import ATTEMPTS, ask_until_read, read_items
from gpla_assets.generator.prompted import value_name
from gpla_assets.studies import Model


class PromptedNamer:
    """Asks an LLM once for names of all factors."""

    name = "prompted"

    def __init__(self, chat: Chat, settings: Model, seed: int = 0) -> None:
        self.chat = chat
        self.seed = seed
        self.prompt = prompt_of("namer", settings.prompt_version)

    @property
    def model(self) -> str:
        """The LLM's name."""
        return self.chat.model

    def names(self, factors: Mapping[str, Mapping[str, float]]) -> dict[str, str]:
        """Factor -> name, from each factor's values with their loadings, the largest first.

        A factor that the LLM leaves out, or names by more than four words or like another one, is
        absent. Raises what the chat raises.
        """
        if not factors:
            return {}
        request = self.request(factors)
        reading = ask_until_read(
            self.chat, [request], lambda reply: read_items(reply, self.prompt.key, "name"), ATTEMPTS
        )[0]
        numbered = dict(enumerate(factors, start=1))
        found: dict[str, str] = {}
        for item in reading.items:
            factor = numbered.get(_whole(item.get("n")))
            name = value_name(str(item.get("name", "")), {})
            if factor and name and factor not in found and name not in found.values():
                found[factor] = name
        return found

    def request(self, factors: Mapping[str, Mapping[str, float]]) -> ChatRequest:
        """What is asked of the LLM."""
        lines = [
            f"{number}. " + ", ".join(f"{value} {size:.2f}" for value, size in values.items())
            for number, values in enumerate(factors.values(), start=1)
        ]
        return ChatRequest(
            messages=self.prompt.messages(marked("FACTORS", "\n".join(lines))),
            max_new_tokens=40 * len(factors) + 60,
            temperature=0.0,
            seed=self.seed,
            schema=self.prompt.schema,
        )


def _whole(number: object) -> int:
    try:
        return int(str(number))
    except ValueError:
        return 0
