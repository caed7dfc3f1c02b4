"""The page: reads a published warehouse, draws, fills the template."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import duckdb
import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gpla_assets.psychometrics.matrix import distinct_sentences
from gpla_assets.report.benchmark_page import BENCHMARK_QUERIES, benchmark_pictures
from gpla_assets.report.figures import lexicon_figure
from gpla_assets.report.structure_page import (
    as_html,
    environment,
    records,
    structure_pictures,
)
from gpla_assets.studies import Study

QUERIES = {
    "lexicon": "select * from lexicon order by rank",
    "dropped": 'select "value", frequency, winner, rule, similarity from lexicon_ledger '
    'where not kept order by frequency desc, "value" limit 30',
    "eigenvalues": "select * from eigenvalues order by component",
    "suitability": "select * from suitability",
    "retention": "select * from factor_retention order by is_rule desc, rule",
    "loadings": "select * from loadings",
    "factor_correlations": "select * from factor_correlations",
    "removals": 'select * from value_removals order by round, "value"',
    "reliabilities": "select * from reliabilities order by len(factor), factor",
    "value_reliabilities": "select * from value_reliabilities order by len(factor), factor, "
    "r_rest desc",
    "scores": "select * from factor_scores",
    "subjects": "select subject, llm, profile from subjects",
    "names": "select factor, name from factor_names where chosen",
    "stability_factors": "select * from stability_factors",
    "stability_loadings": "select * from stability_loadings",
    "stability_retention": "select * from stability_retention where share >= 0.02 "
    "order by resampled, rule, n_factors",
    "leave_one_out": "select * from leave_one_out",
    "variances": "select * from variance_components order by kind, name",
    "paper_congruence": "select * from paper_congruence order by factor",
    "relations": "select * from schwartz_relations",
    "paper_relations": "select schwartz_value as schwartz, paper_factor, paper_r from (unpivot "
    "paper_table12 on columns(* exclude schwartz_value) into name paper_factor value paper_r)",
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
} | BENCHMARK_QUERIES


def report_path(study: Study) -> Path:
    """Where a study's report lies."""
    return study.report_path


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
    figures = {
        "lexicon": lexicon_figure(tables["lexicon"]),
        **structure_pictures(tables),
        **benchmark_pictures(tables),
    }
    cautions = tables["reliabilities"]["caution"].dropna()
    return (
        environment()
        .get_template("report.html.j2")
        .render(
            study=study,
            settings=study.model_dump(mode="json", exclude={"subjects"}),
            made=datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
            counts=tables["counts"].iloc[0].to_dict(),
            cautions=distinct_sentences(cautions),
            rows=records(tables),
            names=dict(tables["names"].to_numpy()),
            figures=as_html(figures),
            plotly=Markup(get_plotlyjs()),
        )
    )
