"""Steps on a Ray cluster of this machine: the same rows as here, whatever becomes of an actor."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import duckdb
import pandas as pd
import pytest

from gpla_assets.agents.protocol import Told
from gpla_assets.common.errors import BackendUnavailable
from gpla_assets.orchestration.cluster import ComputeError, check_compute
from gpla_assets.orchestration.parts import Here, Workers
from gpla_assets.studies import Compute
from tests.quick_study import differences, quick_study, tables_of

pytestmark = [
    pytest.mark.long,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("ray") is None, reason="Ray is not installed (gpla[ray])"
    ),
]
PARTS = 6
ON_RAY = "select count(distinct asset) from internal.runs where details like '%Ray: 1 actors%'"
STEPS = (
    "texts questions subjects responses perceptions subject_perceptions values "
    "perception_values value_similarities lexicon evaluator measurements"
)
RUN = """
import sys
from gpla_assets.orchestration.running import run_study
from gpla_assets.studies import load_study
run_study(sys.argv[1], load_study(sys.argv[1]), print, only=sys.argv[2].split())
"""


class Doubler:
    """An agent that doubles numbers and counts what it was given."""

    name, model = "doubler", "none"

    def __init__(self) -> None:
        self.inferences = 0
        self.dropped = {"odd": 0}


def doubled(
    agent: Doubler, part: pd.DataFrame, advance: Callable[[int], None], dies: Path | None = None
) -> dict[str, pd.DataFrame]:
    """The numbers of a part twice; the process ends at the fourth part, while `dies` is there."""
    if dies is not None and dies.exists() and 30 in set(part["n"]):
        dies.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    agent.inferences += len(part)
    agent.dropped["odd"] += int((part["n"] % 2).sum())
    advance(len(part))
    return {"numbers": part.assign(n=part["n"] * 2)}


def refuses(
    agent: Doubler, part: pd.DataFrame, advance: Callable[[int], None]
) -> dict[str, pd.DataFrame]:
    raise BackendUnavailable("Model 'x' is not here; expected a folder.")


def parts() -> Iterator[pd.DataFrame]:
    """Six parts of ten numbers, with a name that is sometimes lacking."""
    for first in range(0, 10 * PARTS, 10):
        names = [None if n % 3 else f"number {n}" for n in range(first, first + 10)]
        yield pd.DataFrame({"n": range(first, first + 10), "name": names, "half": 0.1})


@pytest.fixture(scope="module")
def workers(
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Callable[[Path], Workers[Doubler]]]:
    import ray

    from gpla_assets.orchestration.ray_workers import RayWorkers

    def made(folder: Path) -> Workers[Doubler]:
        compute = Compute(backend="ray", actors=1, cpus=0.5)
        found = RayWorkers(Doubler(), Doubler, compute, folder)
        assert "1 actors of 0.5 CPUs" in str(found) and "GiB of memory" in str(found)
        return found

    yield made
    ray.shutdown()


def gathered(
    own: Workers[Doubler], work: Callable[..., dict[str, pd.DataFrame]]
) -> tuple[pd.DataFrame, Told, int]:
    finished: list[int] = []
    rows = pd.concat([one["numbers"] for one in own.rows(work, parts(), finished.append)])
    return rows, own.told, sum(finished)


def test_actors_give_the_rows_of_this_process_also_where_one_is_killed(
    workers: Callable[[Path], Workers[Doubler]], tmp_path: Path
) -> None:
    here = gathered(Here(Doubler()), doubled)
    assert here[1] == Told(60, {"dropped": {"odd": 30}}) and here[2] == 60
    pd.testing.assert_frame_equal(gathered(workers(tmp_path / "a" / "x"), doubled)[0], here[0])
    dies = tmp_path / "dies"
    dies.touch()
    killed = gathered(workers(tmp_path / "b" / "x"), partial(doubled, dies=dies))
    assert not dies.exists()
    pd.testing.assert_frame_equal(killed[0], here[0])
    assert killed[1:] == here[1:]


def test_what_was_made_before_is_not_made_again(
    workers: Callable[[Path], Workers[Doubler]], tmp_path: Path
) -> None:
    own = workers(tmp_path / "step" / "version")
    begun = own.rows(doubled, parts(), lambda count: None)
    next(begun)
    next(begun)
    del begun
    known = {one.name for one in own.folder.iterdir() if one.is_dir()}  # type: ignore[attr-defined]
    assert len(known) >= 2
    # an agent that refuses all is not asked for what is there
    again = workers(tmp_path / "step" / "version").rows(refuses, parts(), lambda count: None)
    first = next(again)["numbers"]
    assert first["n"].tolist() == list(range(0, 20, 2))
    with pytest.raises(ComputeError, match=r"^Model 'x' is not here; expected a folder\.$"):
        list(again)


def test_a_cluster_that_is_not_there_is_told_in_a_sentence() -> None:
    with pytest.raises(ComputeError, match=r"compute\.address = '127\.0\.0\.1:9'"):
        check_compute(Compute(backend="ray", address="127.0.0.1:9"))
    assert check_compute(Compute(backend="ray", cpus=0.1, actors=1)).startswith("Ray 2")
    with pytest.raises(ComputeError, match=r"999 x 1, expected at most"):
        check_compute(Compute(backend="ray", actors=999))


def test_steps_on_ray_store_the_tables_of_steps_here(tmp_path: Path) -> None:
    tables = []
    for name, compute in {
        "here": {"shard_rows": 64},
        "ray": {"backend": "ray", "actors": 1, "cpus": 0.9, "shard_rows": 64},
    }.items():
        study = quick_study(tmp_path / name)
        study.content["compute"] = compute
        study.save()
        # a sixth of the texts: what is compared is not how fast it is
        texts = study.corpus.read_text("utf-8").splitlines(keepends=True)
        study.corpus.write_text("".join(texts[::6]), "utf-8")
        command = [sys.executable, "-c", RUN, str(study.file), STEPS]
        done = subprocess.run(
            command, env=study.environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, (done.stdout + done.stderr)[-3000:]
        with duckdb.connect(str(study.published), read_only=True) as opened:
            (on_ray,) = opened.execute(ON_RAY).fetchall()
        assert on_ray == (4 if name == "ray" else 0,)
        tables.append(tables_of(study.published))
        assert not list((study.warehouses / "work" / "parts").glob("*/*/*"))
    for table in ("perceptions", "perception_values", "measurements", "expressions"):
        assert len(tables[0][f"evidence.{table}"]) > 0
    assert differences(*tables) == []
