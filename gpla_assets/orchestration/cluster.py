"""What a Ray cluster has, and how many actors it has room for."""

from __future__ import annotations

import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from gpla_assets.common.errors import KnownError
from gpla_assets.studies import Compute, child_environment

INSTALL = "pip install 'gpla[ray]'"
SPARE_CPUS = 1
"""Ray Data's own tasks need a CPU: where actors take all, it waits for ever without a word."""
REACHED_WITHIN_S, SETTLED_WITHIN_S = 10.0, 10.0
GIB = 2**30


class ComputeError(KnownError, RuntimeError):
    """A cluster that cannot be used as a study's `compute` asks, or that failed in the middle."""


@dataclass(frozen=True)
class Cluster:
    """What a cluster has, and what of it nobody uses now; memory in GiB."""

    cpus: float
    gpus: float
    memory: float
    free_cpus: float
    free_gpus: float

    @property
    def idle(self) -> bool:
        """Whether nobody uses it."""
        return (self.free_cpus, self.free_gpus) == (self.cpus, self.gpus)

    def __str__(self) -> str:
        busy = ""
        if not self.idle:
            busy = f", of which {self.free_cpus:g} CPUs and {self.free_gpus:g} GPUs are free"
        return f"{self.cpus:g} CPUs, {self.gpus:g} GPUs and {self.memory:.1f} GiB of memory{busy}"


def actors_of(compute: Compute, cluster: Cluster) -> int:
    """How many actors to start: `compute.actors`, else as many as there is room for.

    Raises ComputeError where they would wait for CPUs or GPUs that never come free.
    """
    room = {"cpus": (compute.cpus, cluster.free_cpus - SPARE_CPUS)}
    if compute.gpus:
        room["gpus"] = (compute.gpus, cluster.free_gpus)
    # of sums of tenths: 3 actors of 0.1 CPUs fit into 0.3
    most = min(int(free / one + 1e-9) for one, free in room.values())
    wanted = compute.actors or max(most, 1)
    if wanted <= most:
        return wanted
    short = [name for name, (one, free) in room.items() if wanted * one > free + 1e-9]
    asked = " and ".join(
        f"compute.actors x compute.{name} = {wanted} x {room[name][0]:g}, expected at most "
        f"{max(room[name][1], 0):g}{' (one CPU stays for Ray itself)' if name == 'cpus' else ''}"
        for name in short
    )
    raise ComputeError(
        f"{asked}: the Ray cluster has {cluster}, and would wait for ever. Set fewer actors, or "
        "less for each; or set compute.backend to local."
    )


def ray_module() -> Any:
    """Ray, quiet; raises ComputeError where it is not installed."""
    # read when it is imported: nothing is sent home
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ComputeError(
            f"compute.backend is ray, and Ray is not installed: {INSTALL}, or set it to local."
        ) from error
    return ray


def joined(address: str | None) -> tuple[Any, Cluster]:
    """Ray, connected, and what its cluster has; one of this machine is started where no address
    is given, and ends with this process.

    Raises ComputeError where Ray is not installed or nothing answers at the address.
    """
    ray = ray_module()
    _reach(address)
    if not ray.is_initialized():
        quiet = {"include_dashboard": False} if address is None else {}
        # a cluster's nodes know neither this process's folders nor its study
        environment = child_environment("")
        del environment["GPLA_STUDY"]
        there = {"runtime_env": {"env_vars": environment}} if address else {}
        try:
            ray.init(
                address or "local", log_to_driver=False, logging_level="ERROR", **quiet, **there
            )
        except (ConnectionError, RuntimeError, ValueError) as error:
            said = (str(error).strip().splitlines() or [type(error).__name__])[0]
            raise ComputeError(
                f"No Ray cluster answers at compute.address = {address!r}: {said} Start one "
                "(`ray start --head`), or leave the address out."
            ) from error
    return ray, _settled(ray)


def _settled(ray: Any) -> Cluster:
    """What a cluster has once actors of an earlier step, which end unseen, are gone."""
    until = time.monotonic() + SETTLED_WITHIN_S
    while True:
        has, free = ray.cluster_resources(), ray.available_resources()
        found = Cluster(
            *(has.get("CPU", 0.0), has.get("GPU", 0.0), has.get("memory", 0.0) / GIB),
            *(free.get("CPU", 0.0), free.get("GPU", 0.0)),
        )
        if found.idle or time.monotonic() > until:
            return found
        time.sleep(0.2)


def _reach(address: str | None) -> None:
    """Raises ComputeError where nothing listens: Ray itself would try for a minute."""
    host, _, port = (address or "").rpartition(":")
    if not host or not port.isdecimal():
        return
    try:
        with socket.create_connection((host, int(port)), REACHED_WITHIN_S):
            pass
    except (OSError, OverflowError) as error:
        raise ComputeError(
            f"No Ray cluster answers at compute.address = {address!r}: {error}. Start one "
            "(`ray start --head`), or leave the address out."
        ) from error


def check_compute(compute: Compute) -> str:
    """What agents would run on; raises ComputeError where they could not. Starts nothing."""
    if compute.backend == "local":
        return "this process"
    ray = ray_module()
    if compute.address is not None:
        _, cluster = joined(compute.address)
    else:
        cluster = _this_machine()
    count = actors_of(compute, cluster)
    return f"Ray {ray.__version__}, {count} actors; {cluster}"


def _this_machine() -> Cluster:
    """What a cluster of this machine would have."""
    import psutil

    gpus = 0
    with suppress(ImportError):
        import torch

        gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    cpus = float(os.cpu_count() or 1)
    return Cluster(cpus, gpus, psutil.virtual_memory().available / GIB, cpus, gpus)
