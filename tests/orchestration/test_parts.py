"""Work in parts: what a cluster has room for, and what of a part is kept. No cluster is started."""

from __future__ import annotations

import importlib.util
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.agents.protocol import Told
from gpla_assets.orchestration.cluster import Cluster, ComputeError, actors_of, check_compute
from gpla_assets.orchestration.parts import Here, Outcome
from gpla_assets.studies import Compute


def cluster(cpus: float, gpus: float = 0, free: float | None = None) -> Cluster:
    return Cluster(cpus, gpus, 16.0, cpus if free is None else free, gpus)


@pytest.mark.parametrize(
    ("own", "has", "expected"),
    [
        ({}, cluster(2), 1),
        ({}, cluster(16), 15),
        ({"cpus": 4}, cluster(16), 3),
        ({"cpus": 0.1, "actors": 10}, cluster(2), 10),
        ({"gpus": 1}, cluster(16, 4), 4),
        ({"gpus": 0.5, "cpus": 0.5}, cluster(16, 4), 8),
        ({"gpus": 1}, cluster(3, 4), 2),
        ({"actors": 3}, cluster(16), 3),
    ],
)
def test_a_cluster_has_room_for_actors(own: dict[str, float], has: Cluster, expected: int) -> None:
    assert actors_of(Compute(backend="ray", **own), has) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("own", "has", "told"),
    [
        ({"actors": 2}, cluster(2), "compute.actors x compute.cpus = 2 x 1, expected at most 1"),
        ({}, cluster(1), "1 x 1, expected at most 0"),
        ({"actors": 2, "gpus": 1}, cluster(16, 1), "compute.gpus = 2 x 1, expected at most 1"),
        ({"gpus": 1}, cluster(16), "compute.gpus = 1 x 1, expected at most 0"),
        ({"actors": 9}, cluster(16, free=4), "16 CPUs, 0 GPUs and 16.0 GiB of memory, of which 4"),
    ],
)
def test_what_would_wait_for_ever_is_refused(
    own: dict[str, float], has: Cluster, told: str
) -> None:
    with pytest.raises(ComputeError) as refused:
        actors_of(Compute(backend="ray", **own), has)  # type: ignore[arg-type]
    assert told in str(refused.value) and "would wait for ever" in str(refused.value)


def test_what_was_made_of_a_part_is_kept_whole(tmp_path: Path) -> None:
    rows = pd.DataFrame({"name": ["a", None], "number": [0.1, float("nan")], "n": [1, 2]})
    told = Told(3, {"dropped": Counter(blank=2), "unparsed": ["one"]})
    outcome = Outcome({"numbers": rows, "none": rows.head(0)}, told, 2)
    outcome.save(tmp_path / "part")
    # another worker that was thought dead is no fault
    outcome.save(tmp_path / "part")
    found = Outcome.read(tmp_path / "part")
    assert [path.name for path in tmp_path.iterdir()] == ["part"]
    pd.testing.assert_frame_equal(found.rows["numbers"], rows, check_dtype=False)
    assert len(found.rows["none"]) == 0
    assert (found.told, found.finished) == (told, 2)


class Counting:
    """An agent that counts."""

    name, model = "counting", "none"

    def __init__(self) -> None:
        self.inferences, self.dropped, self.unparsed = 5, Counter(odd=1), ["before"]


def test_an_agent_tells_what_it_did_since_it_was_taken_in() -> None:
    def work(agent: Counting, part: pd.DataFrame, advance: object) -> dict[str, pd.DataFrame]:
        agent.inferences += 2
        agent.dropped["odd"] += 1
        agent.unparsed.append("now")
        return {"rows": part}

    agent = Counting()
    own = Here(agent)
    parts = [pd.DataFrame({"n": [n]}) for n in range(2)]
    assert [one["rows"]["n"].item() for one in own.rows(work, parts, lambda count: None)] == [0, 1]
    assert own.told == Told(4, {"dropped": Counter(odd=2), "unparsed": ["now", "now"]})
    both = Told()
    both.add(own.told)
    both.add(Told(1, {"dropped": Counter(odd=1, even=1), "unparsed": ["then"]}))
    assert both == Told(5, {"dropped": Counter(odd=3, even=1), "unparsed": ["now", "now", "then"]})


def test_a_study_that_runs_here_needs_no_ray() -> None:
    assert check_compute(Compute()) == "this process"
    if importlib.util.find_spec("ray") is None:
        with pytest.raises(ComputeError, match=r"pip install 'gpla\[ray\]'"):
            check_compute(Compute(backend="ray"))
