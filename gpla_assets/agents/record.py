"""Who made a row: the agent, its model and its settings, under one key."""

from __future__ import annotations

from gpla_assets.agents.protocol import Agent
from gpla_assets.chat.endpoint import endpoint_of
from gpla_assets.common.keys import key_of
from gpla_assets.studies import Model

MADE_WITH = ("dtype", "device", "batch_size", "prompt_version", "base_url")


def agent_record(role: str, agent: Agent, settings: Model, version: str = "") -> dict[str, object]:
    """The row of `agents`: role, backend, model, revision, version and what it was run with.

    `role` is parser, generator, evaluator or subject; `version` a hash of the agent's code and
    weights. The key is a hash of all the rest.
    """
    row: dict[str, object] = {
        "role": role,
        "backend": settings.backend,
        "model": agent.model,
        "revision": getattr(agent, "revision", None) or settings.revision,
        "version": version,
    }
    row |= {name: getattr(settings, name) for name in MADE_WITH}
    # The setting may hold a password; what is stored never does.
    row["base_url"] = endpoint_of(settings.base_url) if settings.base_url else None
    return {"agent_id": key_of(*row.values()), **row}
