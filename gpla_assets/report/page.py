"""The explorer of a study: reads its published file, draws what it holds, writes one page."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import cast

import duckdb
import pandas as pd

from gpla_assets.common.json_data import Json
from gpla_assets.looking.published import LookingError, lacking
from gpla_assets.looking.study import PublishedStudy
from gpla_assets.psychometrics.matrix import distinct_sentences
from gpla_assets.report.benchmark_page import BENCHMARK_QUERIES, benchmark_pictures
from gpla_assets.report.figures import agreement_figure, lexicon_figure
from gpla_assets.report.html import made_now, page, write_page
from gpla_assets.report.panels import declared, drawn
from gpla_assets.report.payload import EXPLORED, payload
from gpla_assets.report.structure_page import structure_pictures
from gpla_assets.storage.reading import opened_whole
from gpla_assets.studies import Store, Study
from gpla_assets.studies.measurement import MeasurementRule
from gpla_assets.studies.structure import StructureSettings
from gpla_assets.validation.two_studies import Agreement

QUERIES = (
    EXPLORED
    | {
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
        "agents": "select role, backend, model, revision, version, agent_id from internal.agents",
        "steps": """
        select asset as step, count(*) as partitions, sum(row_count) as rows,
            round(sum(seconds), 1) as seconds, max(finished_at)::timestamp as finished
        from internal.runs group by asset order by finished
    """,
        "runs": "select components from internal.runs order by finished_at",
    }
    | BENCHMARK_QUERIES
)


NO_OTHER = ("beside", "agreement_values", "agreement_llms", "agreement_cells")
"""Tables that only a study beside another has."""


def write_report(study: Study) -> Path:
    """Write the explorer of a study beside its published file; replaces the old one at once."""
    return write_explorer(study.store, study.report_path, study.description)


def write_explorer(
    store: Store, out: Path, said: str = "", beside: PublishedStudy | None = None
) -> Path:
    """Write the explorer of what a store publishes; `beside`: with a study to compare it with.

    Raises WarehouseError where there is none, LookingError where it lacks what is read or the
    studies share nothing.
    """
    with opened_whole(store) as connection:
        try:
            tables = {name: connection.execute(sql).df() for name, sql in QUERIES.items()}
        except (duckdb.CatalogException, duckdb.BinderException) as error:
            raise LookingError(f"{store} {lacking(error)}") from error
    own = PublishedStudy(store)
    if beside is not None:
        tables |= beside_tables(beside.name, own.agreement(beside))
    write_page(out, "Study", own.name, parts(own.name, tables, said))
    return out


def beside_tables(other: str, found: Agreement) -> dict[str, pd.DataFrame]:
    """The tables NO_OTHER of a study beside another."""
    return {
        "beside": pd.DataFrame({"study": [other]}),
        "agreement_values": found.values,
        "agreement_llms": found.llms,
        "agreement_cells": found.cells,
    }


def render(name: str, tables: Mapping[str, pd.DataFrame], said: str = "") -> str:
    """The page's HTML."""
    return page("Study", name, parts(name, tables, said))


def parts(
    name: str, tables: Mapping[str, pd.DataFrame], said: str = ""
) -> dict[str, Json | list[Json]]:
    """Data of the page: `core`, `panels`, and what `payload` makes of scores and sentences."""
    settings = settings_of(tables["runs"]["components"])
    default = StructureSettings().minimum_alpha
    minimum_alpha = float(cast(float, settings.get("structure.minimum_alpha", default)))
    pictures = {
        "lexicon": lexicon_figure(tables["lexicon"]),
        **structure_pictures(tables, minimum_alpha),
        **benchmark_pictures(tables),
    }
    counted = tables["counts"].T.rename_axis("what").reset_index().set_axis(["what", "n"], axis=1)
    counted = counted.assign(what=counted["what"].str.replace("_", " "))[counted["n"] > 0]
    alone = dict.fromkeys(NO_OTHER, pd.DataFrame(columns=["study"]))
    shown = {**alone, **tables, "counted": counted}
    if len(shown["beside"]):
        pictures["beside"] = agreement_figure(tables["agreement_cells"])
    panels = drawn(
        declared(),
        shown,
        pictures,
        QUERIES | {"counted": QUERIES["counts"]},
    )
    panels += _settings(settings)
    rule = cast(MeasurementRule, settings.get("measurement.rule", "salience"))
    found = payload(tables, rule)
    core = found.pop("core") | {
        "name": name,
        "description": said,
        "made": f"{made_now()} by gpla {version('gpla')}",
        "cautions": distinct_sentences(tables["reliabilities"]["caution"].dropna()),
        "views": list(dict.fromkeys(str(one["view"]) for one in panels)),
    }
    return {"core": core, **found, "panels": panels}


def settings_of(components: Iterable[str]) -> dict[str, object]:
    """All settings by name, as the runs had them that made what is stored."""
    found: dict[str, object] = {}
    for one in components:
        found |= json.loads(one).get("settings") or {}
    return dict(sorted(found.items()))


def _settings(settings: dict[str, object]) -> list[Json]:
    if not settings:
        return []
    rows = {"setting": list(settings), "as": [json.dumps(one) for one in settings.values()]}
    table = {"title": "Settings", "columns": rows, "open": False}
    return [
        {
            "view": "method",
            "id": "settings",
            "title": "Settings",
            "said": "As the steps had them that made what is stored.",
            "figure": None,
            "tables": [table],
            "sql": "select asset, json_extract(components, '$.settings') from internal.runs",
        }
    ]
