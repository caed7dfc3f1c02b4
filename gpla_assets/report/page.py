"""The page: reads a published warehouse, draws, fills the template."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gpla_assets.report.figures import (
    lexicon_figure,
    loadings_figure,
    reliability_figure,
    scree_figure,
    subjects_figure,
)
from gpla_assets.studies import Study

QUERIES = {
    "lexicon": "select * from lexicon order by rank",
    "dropped": 'select "value", frequency, winner, rule, similarity from lexicon_ledger '
    'where not kept order by frequency desc, "value" limit 30',
    "eigenvalues": "select * from eigenvalues order by component",
    "loadings": "select * from loadings",
    "removals": 'select * from value_removals order by round, "value"',
    "reliabilities": "select * from reliabilities order by factor",
    "scores": "select * from factor_scores",
    "examples": """
        select m.subject, p.content, m."value", m.relevance, m.score
        from measurements m join perceptions p using (perception)
        where m.score is not null
        order by hash(m.perception || m."value") limit 20
    """,
    "counts": """
        select (select count(*) from texts) as texts, (select count(*) from subjects) as subjects,
            (select count(*) from responses) as responses,
            (select count(*) from perceptions) as perceptions,
            (select count(*) from lexicon_ledger) as values_found,
            (select count(*) from lexicon) as lexicon,
            (select count(*) from measurements) as measurements
    """,
}


def report_path(study: Study) -> Path:
    """Where a study's report lies: report/ in the warehouse folder."""
    return study.warehouse_path.parent / "report" / f"{study.name}.html"


def write_report(study: Study) -> Path:
    """Write the report of the published warehouse; replaces the old one at once."""
    with duckdb.connect(str(study.warehouse_path), read_only=True) as connection:
        tables = {name: connection.execute(sql).df() for name, sql in QUERIES.items()}
    path = report_path(study)
    path.parent.mkdir(parents=True, exist_ok=True)
    staged = path.with_suffix(".partial")
    staged.write_text(render(study, tables), "utf-8")
    os.replace(staged, path)
    return path


def render(study: Study, tables: Mapping[str, pd.DataFrame]) -> str:
    """The page's HTML; all text from models is escaped by the template."""
    environment = Environment(
        loader=PackageLoader("gpla_assets.report"), autoescape=True, undefined=StrictUndefined
    )
    environment.filters["number"] = lambda x: "" if pd.isna(x) else f"{x:.2f}"
    figures = {
        "lexicon": lexicon_figure(tables["lexicon"]),
        "scree": scree_figure(tables["eigenvalues"]),
        "loadings": loadings_figure(tables["loadings"]),
        "reliabilities": reliability_figure(tables["reliabilities"]),
        "subjects": subjects_figure(tables["scores"]),
    }
    cautions = tables["reliabilities"]["caution"].dropna()
    return environment.get_template("report.html.j2").render(
        study=study,
        settings=study.model_dump(mode="json", exclude={"subjects"}),
        made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        counts=tables["counts"].iloc[0].to_dict(),
        cautions=list(dict.fromkeys(cautions)),
        rows={name: _records(frame) for name, frame in tables.items()},
        figures={name: _html(figure, name) for name, figure in figures.items()},
        plotly=Markup(get_plotlyjs()),
    )


def _records(rows: pd.DataFrame) -> list[dict[Any, Any]]:
    return rows.to_dict("records")


def _html(figure: go.Figure, name: str) -> Markup:
    options = {"displaylogo": False, "responsive": True, "displayModeBar": False}
    html = figure.to_html(
        full_html=False, include_plotlyjs=False, div_id=f"figure-{name}", config=options
    )
    return Markup(html)
