"""Shared fixtures: the demo study, run once; a small study of recorded answers."""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pandas as pd
import pytest
from xdist.scheduler import LoadScopeScheduling

from gpla_assets.content import CONTENT, questions
from tests.commands import forked, fresh
from tests.dagster_ui import quick_study
from tests.tiny_models import tiny_llama

ROOT = Path(__file__).resolve().parents[1]
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["GPLA_EMBEDDINGS_MB"] = "0"  # the user's own store is not for tests


@dataclass(frozen=True)
class Ran:
    """A finished command: where its warehouses lie, and what it printed."""

    folder: Path
    output: str
    study: str


def gpla(
    *arguments: str, folder: Path, expected: int = 0, anew: bool = False, **environment: str
) -> str:
    """Run the `gpla` command on warehouses in `folder`; its output.

    `anew`: in an interpreter of its own, as a user starts it.
    """
    of_folder = {"GPLA_WAREHOUSE_DIR": str(folder), "GPLA_EMBEDDINGS_MB": "100", "COLUMNS": "160"}
    run = fresh if anew else forked
    done = run(arguments, os.environ | of_folder | environment)
    assert done.code == expected, done.output[-4000:]
    return done.output


@dataclass(frozen=True)
class Known:
    """What the studies of a session need to compute once: embeddings by text, hashes of files and
    code, dbt's manifest. `folder` is that of all workers."""

    folder: Path

    def begin(self, warehouses: Path) -> Path:
        """Copy what is known to new warehouses, and give their folder."""
        warehouses.mkdir(parents=True, exist_ok=True)
        if self.folder.exists():
            shutil.copytree(self.folder, warehouses, dirs_exist_ok=True)
        return warehouses

    def keep(self, warehouses: Path) -> None:
        """Have what a study came to know known from now on."""
        if self.folder.exists():
            return
        staged = self.folder.with_name(f"{self.folder.name}-{os.getpid()}")
        (staged / "work").mkdir(parents=True)
        shutil.copy(warehouses / "embeddings.sqlite", staged)
        shutil.copy(warehouses / "work" / "hashes.json", staged / "work")
        shutil.copytree(warehouses / "work" / "dbt", staged / "work" / "dbt")
        try:
            staged.rename(self.folder)
        except OSError:  # another worker was first
            shutil.rmtree(staged)


@pytest.fixture(scope="session")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    """What studies of this session have computed; workers of pytest-xdist share it."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    return Known(shared / "known")


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory, known: Known) -> Ran:
    """The shipped demo study, run whole by the command as a user starts it."""
    folder = known.begin(tmp_path_factory.mktemp("demo"))
    ran = Ran(folder, gpla("run", "demo", folder=folder, anew=True), "demo")
    known.keep(folder)
    return ran


SMALL = """
name: small
corpus:
  - {{source: table, file: {file}}}
subjects:
  - {{backend: recorded, source: table, file: {file}}}
questions: {{origin: source, count: 10, pilot_llms: [llm-00, llm-01, llm-02, llm-03, llm-04]}}
lexicon: {{size: 12}}
structure:
  {{n_factors: 2, minimum_coverage: 0.3, minimum_gap: 0.0, minimum_alpha: 0.0,
    parallel_repeats: 20, resamples: 50}}
cfa: {{splits: 2, nulls: 1}}
probe: {{repeats: 10, permutations: 9, partitions: 9}}
targets: {{source: pairs, file: {pairs}, prompts: 30, count: 80, step: 40, resamples: 20}}
alignment:
  policy: {llama}
  systems: [Schwartz-10]
  seeds: [0, 1]
  prompts: file
  prompts_file: {prompts}
  held_out: {held_out}
  ppo:
    {{updates: 2, batch: 4, responses_per_prompt: 2, minibatch: 2, max_new_tokens: 12,
      checkpoint_every: 1, lora: {{rank: 2, alpha: 4}}, device: cpu}}
"""


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory, known: Known) -> Ran:
    """Eight LLMs by recorded answers (the demo's profiles under other names), run whole.

    A tiny Llama of random weights is aligned in it.
    """
    folder = known.begin(tmp_path_factory.mktemp("small"))
    texts = pd.read_parquet(CONTENT / "demo_texts.parquet")
    profiles = list(dict.fromkeys(texts["profile"]))[:8]
    texts = texts[texts["profile"].isin(profiles)]
    answers = folder / "answers.jsonl"
    with answers.open("w", encoding="utf-8") as file:
        for row in texts.itertuples():
            named = {
                "llm": f"llm-{profiles.index(row.profile):02d}",
                "question_text": row.question_text,
                "content": row.content,
            }
            file.write(json.dumps(named) + "\n")
    pairs = folder / "pairs.csv"
    sides = [texts[texts["profile"] == profile] for profile in profiles[:4]]
    named = [side.set_index("question_text")["content"] for side in sides]
    rows = [
        (question, first[question], second[question])
        for first, second in ((named[0], named[1]), (named[2], named[3]))
        for question in first.index.intersection(second.index)
    ]
    pd.DataFrame(rows, columns=["prompt", "winning", "losing"]).to_csv(pairs, index=False)
    llama = tiny_llama(folder / "llama")
    asked = list(dict.fromkeys(texts["question_text"]))
    prompts, held_out = folder / "prompts.txt", folder / "held_out.csv"
    prompts.write_text("\n".join(asked[:8]), "utf-8")
    questions().iloc[-4:].to_csv(held_out, index=False)
    study = folder / "small.yaml"
    filled = SMALL.format(
        file=answers, pairs=pairs, llama=llama, prompts=prompts, held_out=held_out
    )
    study.write_text(filled, "utf-8")
    ran = Ran(folder, gpla("run", str(study), folder=folder), str(study))
    known.keep(folder)
    return ran


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory, known: Known) -> Ran:
    """Eight LLMs by recorded answers and no alignment, run whole: what the UI is tested on."""
    folder = known.begin(tmp_path_factory.mktemp("quick"))
    study = quick_study(folder)
    ran = Ran(folder, gpla("run", study, folder=folder), study)
    known.keep(folder)
    return ran


RUN_WHOLE = ("demo", "small", "quick")
"""Studies that are run whole, once a session: a test that asks for one is slow."""
BESIDE = ("test_endpoint_study", "test_own_texts", "test_wheel", "test_cross_encoder")
"""Long files that need nothing of the demo: meanwhile it embeds what all studies share."""
LONGEST = ("test_sequences", "test_campaign", "test_lake_study")
"""Files that take longest of the others, the first first: they begin after these studies."""
ASKS = re.compile(rf"\b({'|'.join(RUN_WHOLE)}): Ran\b")


@lru_cache
def group(file: Path) -> str:
    """The study that a file's tests are on, else the file: what goes to one worker."""
    found = ASKS.search(file.read_text("utf-8"))
    return found[1] if found else file.as_posix()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests of whole studies are slow, and begin: the others fill in beside them."""
    for item in items:
        if set(RUN_WHOLE) & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    first, *later = RUN_WHOLE
    order = {name: place for place, name in enumerate((first, *BESIDE, *later, *LONGEST))}
    last = len(order)
    items.sort(key=lambda item: order.get(group(item.path), order.get(item.path.stem, last)))


class ByStudy(LoadScopeScheduling):
    """Workers are given a study's tests, or a file's, in the order in which they come."""

    def _split_scope(self, nodeid: str) -> str:
        return group(ROOT / nodeid.split("::")[0])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> ByStudy:
    """How tests are dealt to workers, whatever `--dist` says."""
    config.option.loadscopereorder = False
    return ByStudy(config, log)
