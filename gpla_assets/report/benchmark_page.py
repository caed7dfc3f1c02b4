"""Benchmarks and validation studies as pictures and tables of a study's report."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
import plotly.graph_objects as go

from gpla_assets.benchmarks.probe_designs import FAMILIES_OUT
from gpla_assets.report.alignment_figures import (
    distances_figure,
    pareto_figure,
    table_04_figure,
    training_figure,
)
from gpla_assets.report.benchmark_figures import (
    RANDOM,
    cfa_fit_figure,
    path_diagram_figure,
    probe_accuracy_figure,
    probe_chance_figure,
    probe_parameters_figure,
)
from gpla_assets.report.target_figures import (
    convergence_figure,
    target_checks_figure,
    targets_figure,
)
from gpla_assets.report.validation_figures import (
    circle_figure,
    consistency_figure,
    coverage_figure,
    external_validity_figure,
    validity_figure,
)
from gpla_assets.studies import sql_folder

Tables = Mapping[str, pd.DataFrame]
SHOWN = (
    *("cfa", "criteria", "safety", "safety_parameters", "safety_chance", "safety_replication"),
    "conversation_coverage",
    *("consistency", "consistency_criteria", "direct_lexicon", "circumplex", "external_validity"),
    "validity",
    *("targets", "target_convergence", "target_checks"),
    *(
        "alignment_table",
        "alignment",
        "alignment_runs",
        "alignment_steps",
        "alignment_distances",
        "alignment_samples",
    ),
)
"""Queries of sql/ that stand in the report as they are."""

BENCHMARK_QUERIES = {
    f"q_{name}": (sql_folder() / f"{name}.sql").read_text("utf-8") for name in SHOWN
} | {
    "cfa_splits": f"""
        select i.system || ', ' || replace(i.structure, '_', ' ') as name, d."index", i.number
        from analysis.cfa_indices i join analysis.fit_definitions d using (definition)
        where d."set" = 'standard' and i.comparison = 'fair' and d."index" in ('cfi', 'rmsea')
        union all select '{RANDOM}', 'cfi', cfi from analysis.cfa_nulls
        union all select '{RANDOM}', 'rmsea', rmsea from analysis.cfa_nulls
    """,
    "cfa_cautions": "select comparison, system, structure, caution, count(*) as fits "
    "from analysis.cfa_fits where caution is not null group by all "
    "order by fits desc, system, structure limit 30",
    "cfa_loadings": "select * from analysis.cfa_loadings where system = 'ours'",
    "cfa_correlations": "select * from analysis.cfa_correlations where system = 'ours'",
    "cfa_omitted": "select * from analysis.cfa_paths where system = 'ours' "
    "order by modification_index desc",
    "nulls": "select * from analysis.probe_nulls where features = 'ours'",
    "coverage": "select * from analysis.coverage",
    "circumplex": "select * from analysis.circumplex",
    "alignment_systems": "select distinct system from analysis.alignment_runs order by system",
    "table_04": "select * from paper.alignment",
    "target_systems": "select distinct system from analysis.targets order by system",
    "named_most": "select term, count(*) as lists from analysis.direct_terms group by term "
    "order by lists desc, term limit 20",
}


def led_by(loadings: pd.DataFrame) -> pd.Series:
    """Factors of a half by their leading value: they are not the study's factors of that number."""
    if loadings.empty:
        return pd.Series(dtype=object)
    size = loadings.assign(size=loadings["standardised"].abs().fillna(-1))
    first = size.sort_values("size", ascending=False, kind="stable").drop_duplicates("factor")
    return first.set_index("factor")["value"].map("with {}".format)


def benchmark_pictures(tables: Tables) -> dict[str, go.Figure]:
    """Pictures by the section that they stand in; those of a criterion by its place."""
    names = tables["names"].set_index("factor")["name"]
    valid = tables["q_external_validity"]
    consistent = tables["q_consistency"]
    pictures = {
        "cfa": cfa_fit_figure(tables["cfa_splits"]),
        "paths": path_diagram_figure(
            tables["cfa_loadings"], tables["cfa_correlations"], led_by(tables["cfa_loadings"])
        ),
        "coverage": coverage_figure(tables["coverage"]),
        "consistency": consistency_figure(consistent[consistent["level"] == "values"]),
        "circle": circle_figure(tables["circumplex"]),
        "external": external_validity_figure(valid),
        "validity": validity_figure(tables["q_validity"]),
        "targets": targets_figure(tables["q_targets"]),
        "target_checks": target_checks_figure(tables["q_target_checks"]),
        "training": training_figure(tables["q_alignment_steps"]),
        "pareto": pareto_figure(tables["q_alignment"]),
        "table_04": table_04_figure(tables["table_04"]),
    }
    steps = tables["q_target_convergence"]
    for place, system in enumerate(tables["target_systems"]["system"]):
        pictures[f"convergence_{place}"] = convergence_figure(steps[steps["system"] == system])
    distances = tables["q_alignment_distances"]
    for place, system in enumerate(tables["alignment_systems"]["system"]):
        pictures[f"distances_{place}"] = distances_figure(distances[distances["system"] == system])
    for place, criterion in enumerate(tables["q_criteria"]["criterion"]):
        accuracies, parameters, nulls = (
            own[own["criterion"] == criterion]
            for own in (tables["q_safety"], tables["q_safety_parameters"], tables["nulls"])
        )
        alone = (accuracies["controls"] == "") & (accuracies["design"] != FAMILIES_OUT)
        ours = parameters[parameters["features"] == "ours"]
        pictures[f"accuracy_{place}"] = probe_accuracy_figure(accuracies[alone])
        pictures[f"parameters_{place}"] = probe_parameters_figure(ours, names)
        pictures[f"chance_{place}"] = probe_chance_figure(nulls)
    return pictures
