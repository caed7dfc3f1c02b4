"""Shared fixtures: the demo study, run once; a small study of recorded answers."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import CONTENT, questions
from tests.dagster_ui import quick_study
from tests.tiny_models import tiny_llama

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ["DAGSTER_DISABLE_TELEMETRY"] = "yes"
os.environ["GPLA_EMBEDDINGS_MB"] = "0"  # the user's own store is not for tests


@dataclass(frozen=True)
class Ran:
    """A finished command: where its warehouses lie, and what it printed."""

    folder: Path
    output: str
    study: str


def gpla(*arguments: str, folder: Path, expected: int = 0, **environment: str) -> str:
    """Run the `gpla` command on warehouses in `folder`; its output."""
    of_folder = {"GPLA_WAREHOUSE_DIR": str(folder), "GPLA_EMBEDDINGS_MB": "100", "COLUMNS": "160"}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("gpla")), *arguments],
        env=os.environ | of_folder | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == expected, (done.stdout + done.stderr)[-4000:]
    return done.stdout + done.stderr


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """The shipped demo study, run whole."""
    folder = tmp_path_factory.mktemp("demo")
    return Ran(folder, gpla("run", "demo", folder=folder), "demo")


SMALL = """
name: small
corpus:
  - {{source: table, file: {file}}}
subjects:
  - {{backend: recorded, source: table, file: {file}}}
questions: {{origin: source, count: 10, pilot_llms: [llm-00, llm-01, llm-02, llm-03, llm-04]}}
lexicon: {{size: 12}}
structure: {{n_factors: 2, minimum_coverage: 0.3, minimum_gap: 0.0, minimum_alpha: 0.0}}
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
def small(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Eight LLMs by recorded answers (the demo's profiles under other names), run whole.

    A tiny Llama of random weights is aligned in it.
    """
    folder = tmp_path_factory.mktemp("small")
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
    return Ran(folder, gpla("run", str(study), folder=folder), str(study))


@pytest.fixture(scope="session")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Eight LLMs by recorded answers and no alignment, run whole: what the UI is tested on."""
    folder = tmp_path_factory.mktemp("quick")
    study = quick_study(folder)
    return Ran(folder, gpla("run", study, folder=folder), study)
