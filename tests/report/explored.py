"""Pages of the explorer to look at: tables of a study of known numbers, with names as they come."""

from __future__ import annotations

import json
import re
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.common.json_data import Json
from gpla_assets.psychometrics.own_matrix import Structured
from gpla_assets.psychometrics.stability import bootstrap, leave_one_out
from gpla_assets.psychometrics.structure import value_system
from gpla_assets.report.columns import unpacked
from gpla_assets.report.page import QUERIES
from gpla_assets.report.structure_page import structured_tables
from gpla_assets.storage.reading import opened_whole
from gpla_assets.studies.structure import StructureSettings
from tests.looking.looked_at import looked_at
from tests.report.test_benchmark_figures import benchmark_tables

MARKUP = "</script><script>window.hacked = 1</script>"
NAMES = {
    "alpha-1": f"org/{MARKUP}",
    "beta/2:free": '"><img src=x onerror="window.hacked=1">',
    "gamma": "γ \u202egnorw\u2066 \x1b[2J 'quoted' \"twice\" ${1} `x` %{y}",
    "Care": "<b>Care</b> & javascript:window.hacked=1",
    "Order": "=HYPERLINK(1)",
    "Play": "A value of a name so long that it fits into no row, column or caption " * 2,
}
"""What LLMs and values may be called, by what the study of known numbers calls them."""
PART = re.compile(
    r'<script type="application/octet-stream" id="part-(\w+)">([A-Za-z0-9+/=]*)</script>'
)


def parts_of(page: Path) -> dict[str, Json]:
    """What a page holds, by part; panels as a list."""
    found = dict(PART.findall(page.read_text("utf-8")))
    return {name: unpacked(letters) for name, letters in found.items() if name != "plotly"}


@lru_cache
def structured() -> Structured:
    """A small value system with a value whose name is hostile."""
    random = np.random.default_rng(0)
    latent = np.repeat(random.standard_normal((40, 2)), 4, axis=1)
    names = ["Care", "Help", MARKUP, "Unity", "Risk", "Thrill", "Dare", "Play"]
    index = [f"m{n // 2}|p{n % 2}" for n in range(40)]
    scores = pd.DataFrame(latent + random.standard_normal((40, 8)) * 0.5, index, names)
    settings = StructureSettings(n_factors=2, resamples=50, parallel_repeats=20)
    llms = [subject.split("|")[0] for subject in index]
    system = value_system(scores, settings, llms)
    stability = bootstrap(system.usable, system.pattern, settings, llms)
    influence = leave_one_out(system.usable, system.pattern, settings, llms)
    labels = pd.Series({"F1": MARKUP, "F2": "Daring"})
    clusters = pd.Series(llms, index)
    return Structured(
        *(system, stability, system.communities, influence, labels, clusters, settings, 0)
    )


FOLDER = TemporaryDirectory()
SEEDS = Path(__file__).resolve().parents[2] / "dbt" / "seeds"
LEXICON = """
create schema if not exists paper;
create table marts.lexicon ("value" varchar, frequency bigint, rank bigint);
create table marts.lexicon_ledger ("value" varchar, frequency bigint, winner varchar,
    "rule" varchar, similarity double, kept boolean);
"""


@lru_cache
def explored_file() -> Path:
    """The published file of the study of known numbers, its lexicon empty; made once."""
    folder = Path(FOLDER.name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GPLA_WAREHOUSE_DIR", str(folder))
        file = looked_at(folder)
    with duckdb.connect(str(file)) as connection:
        connection.execute(LEXICON)
        for seed in SEEDS.glob("paper_*.csv"):
            table = seed.stem.removeprefix("paper_")
            connection.execute(f"create table paper.{table} as from read_csv('{seed}')")
    return file


@lru_cache
def known() -> dict[str, pd.DataFrame]:
    """All that a page reads of that study; it has no structure."""
    with opened_whole(explored_file()) as connection:
        return {query: connection.execute(sql).df() for query, sql in QUERIES.items()}


def hostile() -> dict[str, pd.DataFrame]:
    """The same with hostile names, with a structure and with benchmarks of such names."""
    found = {name: frame.replace(NAMES) for name, frame in known().items()}
    for name in ("subjects", "subject_values", "expressions", "sentences"):
        subject = found[name]["subject_id"].str.removesuffix("|Default")
        found[name]["subject_id"] = subject.replace(NAMES) + "|Default"
    text = f"Well. {MARKUP} Be kind \x1b[2J to \u202eall. "
    start = len(text)
    answer = text + "I \U0001f642 care." + " And so on." * 300
    sentences = found["sentences"].assign(answer=answer, start_offset=start, end_offset=start + 9)
    found["sentences"] = sentences.assign(question=MARKUP, words_in_answer="I 🙂 care.")
    found["questions"] = found["questions"].assign(content=MARKUP)
    structure = structured_tables(structured())
    relation = {"level": "lower", "factor": "F1", "schwartz": "Power", "r": 0.2, "ci_low": 0.1}
    relation |= {"ci_high": 0.3, "p_adjusted": 0.01, "paper_factor": None, "paper_r": None}
    relations = pd.DataFrame([{"reading": one} | relation for one in ("direct", "mapped")])
    factors = structure["names"]
    return found | structure | benchmark_tables(MARKUP, factors) | {
        "reliabilities": structure["reliabilities"].assign(caution=f"Too few {MARKUP}."),
        "factor_names": factors,
        "relations": relations,
        "lexicon": pd.DataFrame({"value": [MARKUP], "frequency": [3], "rank": [1]}),
        "subjects": found["subjects"],
    }  # fmt: skip


def script_texts(page: str) -> list[str]:
    """The page's own code: what stands between script tags, parts of data left out."""
    return [one for one in re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL) if one]


def as_json(data: object) -> str:
    """Data as one text, to look for something in it."""
    return json.dumps(data, ensure_ascii=False)
