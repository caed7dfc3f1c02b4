"""The page: reads a published warehouse, draws, fills the template."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from gpla_assets.psychometrics.matrix import distinct_sentences
from gpla_assets.report.benchmark_page import BENCHMARK_QUERIES, benchmark_pictures
from gpla_assets.report.figures import lexicon_figure
from gpla_assets.report.structure_page import as_html, environment, records, structure_pictures
from gpla_assets.storage.reading import opened_whole
from gpla_assets.studies import Study

QUERIES = {
    "lexicon": "select * from marts.lexicon order by rank",
    "dropped": 'select "value", frequency, winner, rule, similarity from marts.lexicon_ledger '
    'where not kept order by frequency desc, "value" limit 30',
    "bias": "select * from analysis.response_bias",
    "redundancy": "select * from analysis.redundant_values order by overlap desc",
    "fit": "select * from analysis.factor_fit",
    "eigenvalues": "select * from analysis.eigenvalues order by component",
    "suitability": "select * from analysis.suitability",
    "retention": "select * from analysis.factor_retention order by is_rule desc, rule",
    "loadings": "select * from analysis.loadings",
    "factor_correlations": "select * from analysis.factor_correlations",
    "removals": 'select * from analysis.value_removals order by round, "value"',
    "reliabilities": "select * from analysis.reliabilities order by len(factor), factor",
    "value_reliabilities": "select * from analysis.value_reliabilities "
    "order by len(factor), factor, r_rest desc",
    "scores": "select * from analysis.factor_scores",
    "subjects": "select subject_id, llm, profile from evidence.subjects",
    "names": "select factor, name from analysis.factor_names where chosen",
    "stability_factors": "select * from analysis.stability_factors",
    "stability_loadings": "select * from analysis.stability_loadings",
    "stability_retention": "select * from analysis.stability_retention where share >= 0.02 "
    "order by resampled, rule, n_factors",
    "leave_one_out": "select * from analysis.leave_one_out",
    "variances": "select * from analysis.variance_components order by kind, name",
    "paper_congruence": "select * from analysis.paper_congruence order by factor",
    "relations": "select * from analysis.schwartz_relations",
    "paper_relations": """
        select schwartz_value as schwartz, paper_factor, paper_r
        from (unpivot paper.schwartz_correlations on columns(* exclude schwartz_value)
        into name paper_factor value paper_r)
    """,
    "examples": """
        select subject_id, perception as content, "value", relevance, score
        from marts.measured_sentences where score is not null
        order by hash(perception_id || "value") limit 20
    """,
    "counts": """
        select (select count(*) from evidence.texts) as texts,
            (select count(*) from evidence.subjects) as subjects,
            (select count(*) from evidence.responses) as responses,
            (select count(*) from evidence.perceptions where origin in ('corpus', 'subjects'))
                as perceptions,
            (select count(*) from marts.lexicon_ledger) as values_found,
            (select count(*) from marts.lexicon) as lexicon,
            (select count(*) from marts.measured_sentences) as measurements
    """,
} | BENCHMARK_QUERIES


def report_path(study: Study) -> Path:
    """Where a study's report lies."""
    return study.report_path


def write_report(study: Study) -> Path:
    """Write the report of the published warehouse; replaces the old one at once."""
    with opened_whole(study.store) as connection:
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
        **structure_pictures(tables, study.structure.minimum_alpha),
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
