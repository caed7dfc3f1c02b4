"""Where agents run: in this process, or as actors of a Ray cluster."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from gpla_assets.studies.settings import Settings

SHARD_ROWS = 4096


class Compute(Settings):
    """Where agents whose models run here go through texts, perceptions and pairs; no row hangs on
    it. LLMs behind an endpoint are asked by this process whatever stands here."""

    backend: Literal["local", "ray"] = Field(
        "local", description="local: in this process; ray: by actors of a cluster (`gpla[ray]`)."
    )
    address: str | None = Field(
        None,
        description="HOST:PORT of a running Ray cluster, or auto for the one that this machine is "
        "part of; one of this machine is started if absent.",
    )
    actors: int | None = Field(
        None,
        ge=1,
        description="Actors, each with an agent of its own. If absent as many as the cluster has "
        "room for: one a GPU where `gpus` is 1, else all CPUs but one.",
    )
    cpus: float = Field(1, gt=0, description="CPUs of an actor.")
    gpus: float = Field(0, ge=0, description="GPUs of an actor; 0 for agents that run on CPUs.")
    shard_rows: int = Field(
        SHARD_ROWS,
        ge=1,
        description="Texts or perceptions that an agent is given at a time, here as on a cluster: "
        "what is held in memory, and what is lost with an actor.",
    )
