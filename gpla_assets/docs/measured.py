"""Numbers that a page may show: measured by a run or by training, each with what it was made with.

One shape for all: a section, a name by which pages ask for it, what it is in words, the number, its
95% interval, and n.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import cast

import pandas as pd

from gpla_assets.common.errors import KnownError
from gpla_assets.common.nearest import chosen
from gpla_assets.docs.markdown import cell, table
from gpla_assets.docs.measured_sql import STUDY_RESULTS
from gpla_assets.evaluator.cross_weights import CROSS_VERSION
from gpla_assets.evaluator.weights import SHIPPED_VERSION
from gpla_assets.looking import LookingError, PublishedStudy

COLUMNS = ["section", "name", "what", "number", "low", "high", "n"]
SHIPPED_AGENTS = (f"gpla-minilm-{SHIPPED_VERSION}", f"gpla-mpnet-{CROSS_VERSION}")
"""Names of the agents that ship, as the tables have them."""
AGENT_NAME = re.compile(r"\bgpla-(?:minilm|mpnet)-\d+\b")
AGENTS_PAGE = "agents"
"""Name of the page of what training measured of the agents."""

DATA = {
    "ValueBench items": ("items", "ValueBench's questionnaire items"),
    "ValueBench questions": ("questions", "ValueBench's items as questions"),
    "ValueBench answers": ("answers", "LLMs' answers to ValueBench's questions"),
    "persona": ("persona", "persona statements of traits not seen"),
    "project": ("project", "the project's statements"),
    "rival": ("rival", "statements for a rival value, without a negation"),
    "plain": ("plain", "plain one-liners"),
    "LLM prose": ("prose", "sentences of LLMs, random"),
    "LLM prose, opposing": ("opposing", "sentences of LLMs drawn for opposition"),
}
MEASURES = {
    "accuracy of sign": ("sign", "share of signs right"),
    "balanced accuracy of sign": ("balanced", "share of signs right, both sides weighing the same"),
    "AUC of sign": ("sign_auc", "AUC of the sign"),
    "AUC of relevance": ("relevance", "AUC of relevance"),
    "r with ratings across LLMs within value": (
        "ratings",
        "r with ratings across LLMs, within a value",
    ),
    "recall of the value or a near-synonym among 5 (tuned)": (
        "found",
        "the value or a near-synonym is among M_G's five",
    ),
}
PLANTED = {
    "the project's statements, values held out": ("project", "the project's statements"),
    "the project's statements as prose, values held out": (
        "prose",
        "the project's statements as an LLM's prose",
    ),
    "persona, values held out": ("persona", "persona statements"),
}


class ResultsError(KnownError, ValueError):
    """Results that cannot be written or shown."""


@dataclass(frozen=True)
class Source:
    """What results were made with: `title` of the page, `agents` that judged, commit and date."""

    title: str
    agents: tuple[str, ...]
    commit: str
    date: str
    how: str

    @property
    def folder(self) -> str:
        """Folder of the page: the version of M_E, which every number rests on."""
        return self.agents[0]


def agent_results() -> pd.DataFrame:
    """What training measured of the agents that ship, on values held out; columns COLUMNS."""
    rows = [*_held_out(), *_planted()]
    return pd.DataFrame(rows, columns=COLUMNS)


def _shipped(name: str) -> pd.DataFrame:
    with (files("gpla_assets.evaluator") / name).open(encoding="utf-8") as file:
        return pd.read_csv(file)


def _mode(agent: str) -> str:
    """fast or accurate, of agents that ship; nothing of others, and of what is no agent."""
    return dict(zip(SHIPPED_AGENTS, ("fast", "accurate"), strict=True)).get(agent.split(",")[0], "")


def _held_out() -> Iterator[list[object]]:
    for row in _shipped("held_out.csv").to_dict("records"):
        mode = _mode(row["model"])
        if mode and row["data"] in DATA and row["measure"] in MEASURES:
            data, said = DATA[row["data"]]
            measure, told = MEASURES[row["measure"]]
            role = {"evaluator": "M_E", "generator": "M_G"}[row["role"]]
            where = f"{role}, {mode}" if role == "M_E" else role
            name = f"{role.lower()}.{mode}.{data}.{measure}"
            number, n = row["number"], row["n"]
            yield [f"{where}, values held out", name, f"{said}: {told}", number, None, None, n]


def _planted() -> Iterator[list[object]]:
    """Structure planted in texts, and found again: congruence by rule `top`, values not seen."""
    for row in _shipped("validity.csv").to_dict("records"):
        mode, data = _mode(row["agent"]), PLANTED.get(row["data"])
        texts = re.fullmatch(
            r"congruence; direction, (\d+) statements a value, values dealt at random",
            row["measure"],
        )
        if row["check"] == "planted structure" and mode and data and texts and row["rule"] == "top":
            what = f"{data[1]}, {texts[1]} texts a value: congruence of planted and found factors"
            name = f"planted.{mode}.{data[0]}.{texts[1]}"
            interval = [row["number"], row["low"], row["high"], row["n"]]
            yield [f"Planted structure, mode {mode}, values held out", name, what, *interval]


def study_results(study: PublishedStudy) -> pd.DataFrame:
    """The results of a study that ran; columns COLUMNS. What it did not ask for is left out."""
    found = []
    for section, query in STUDY_RESULTS.items():
        try:
            rows = study.sql(query)
        except LookingError:  # the study does not ask for what this reads
            continue
        found.append(rows[rows["number"].notna()].assign(section=section)[COLUMNS])
    if not any(map(len, found)):
        raise ResultsError(f"{study.file} holds no result; `gpla run {study.name}` makes them.")
    return pd.concat(found, ignore_index=True)


def agent_source(commit: str, date: str) -> Source:
    """What the agents' results were made with: the commit that brought the tables."""
    return Source("The agents that ship", SHIPPED_AGENTS, commit, date, "`gpla results`")


def study_source(study: PublishedStudy, commit: str) -> Source:
    """What a study's results were made with. Raises ResultsError where it has no M_E."""
    told = study.sql(
        "select model from internal.agents where role = 'evaluator' order by "
        "model not like 'gpla-%', model"
    )
    agents = [re.sub(r"[^\w.-]+", "-", str(name).split(",")[0]) for name in told["model"]]
    if not agents:
        raise ResultsError(f"{study.file} names no evaluator: nothing in it was measured.")
    ran = study.sql("select max(finished_at)::date::text as day from internal.runs")
    how = f"`gpla run {study.name}`, then `gpla results {study.name}`"
    return Source(f"Study {study.name}", tuple(agents), commit, str(ran["day"][0]), how)


def results_page(results: pd.DataFrame, source: Source) -> str:
    """Results as a page: what they were made with, a table a section."""
    parts = [
        f"# {source.title}: results\n",
        f"{declaration(source.agents)} Commit {source.commit}, {source.date}. Written by "
        f"{source.how}; do not edit it. Intervals are of 95%.\n",
    ]
    for section, rows in results.groupby("section", sort=False):
        parts.append(f"## {section}\n\n{results_table(rows)}")
    return "\n".join(parts)


def declaration(agents: tuple[str, ...]) -> str:
    """The sentence by which a page says which agents its numbers are of.

    >>> declaration(("gpla-minilm-0",))
    'Measured with `gpla-minilm-0`, which no longer ships.'
    """
    old = [one for one in agents if AGENT_NAME.fullmatch(one) and one not in SHIPPED_AGENTS]
    named = ", ".join(f"`{one}`" for one in agents)
    return f"Measured with {named}" + (", which no longer ships." if old else ".")


def results_table(rows: pd.DataFrame, sections: bool = False) -> str:
    """Rows of results as a table; `sections`: with the section of each, for rows of several."""
    head = [*["measured"] * sections, "what", "result", "n"]
    lines = []
    for row in rows.to_dict("records"):
        own = [cell(row["what"]), shown(row), _count(row["n"])]
        lines.append([cell(row["section"]), *own] if sections else own)
    return table(head, lines)


def shown(row: Mapping[str, object]) -> str:
    """A number with its interval, rounded to what it means.

    >>> shown({"number": 0.5471, "low": 0.5, "high": 0.6123}), shown({"number": 47715, "low": None})
    ('.55 [.50, .61]', '47,715')
    """
    ends = [row.get("low"), row.get("high")]
    interval = "" if any(pd.isna(end) for end in ends) else " [{}, {}]".format(*map(_short, ends))
    return _short(row["number"]) + interval


def _short(number: object) -> str:
    found = float(cast(float, number))
    if found == int(found) or abs(found) >= 100:
        return f"{found:,.0f}"
    return re.sub(r"^(-?)0\.", r"\1.", f"{found:.2f}").replace("-.00", ".00")


def _count(n: object) -> str:
    return "" if pd.isna(n) else f"{float(cast(float, n)):,.0f}"


BLOCK = re.compile(r"(<!-- results ([\w./-]+): ([^>]*?) -->\n)(.*?)(<!-- end of results -->)", re.S)


def fill(text: str, folder: Path) -> str:
    """A page with its blocks of results filled from the CSV files in a folder of results.

    A block begins with `<!-- results gpla-minilm-5/agents: name, name -->` and ends with
    `<!-- end of results -->`. Raises ResultsError where a file does not exist, UnknownName where it
    has no result of a name.
    """

    def filled(match: re.Match[str]) -> str:
        file = folder / f"{match[2]}.csv"
        if not file.exists():
            raise ResultsError(f"{file}, which a page shows, does not exist: `gpla results`.")
        rows = pd.read_csv(file).drop_duplicates("name").set_index("name", drop=False)
        listed = f"{file} lists them."
        names = [chosen("result", one.strip(), rows.index, listed) for one in match[3].split(",")]
        return f"{match[1]}{results_table(rows.loc[names], sections=True)}{match[5]}"

    return BLOCK.sub(filled, text)


def write_results(results: pd.DataFrame, source: Source, name: str, folder: Path) -> Path:
    """Write the page and its CSV below the version of the agents; the page's path."""
    own = folder / source.folder
    own.mkdir(parents=True, exist_ok=True)
    results.to_csv(own / f"{name}.csv", index=False, float_format="%.6g")
    (own / f"{name}.md").write_text(results_page(results, source), "utf-8")
    return own / f"{name}.md"
