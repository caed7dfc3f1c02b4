"""The structure of values as pictures and sections: within a study's report, or on its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pandas as pd
import plotly.graph_objects as go

from gpla_assets.psychometrics.own_matrix import Structured
from gpla_assets.report.html import made_now, write_page
from gpla_assets.report.panels import drawn
from gpla_assets.report.stability_figures import (
    influence_figure,
    primary_share_figure,
    reliability_figure,
    stability_figure,
    subjects_on_factors_figure,
)
from gpla_assets.report.structure_figures import (
    factor_correlation_figure,
    loadings_figure,
    schwartz_figure,
    scree_figure,
    value_system_figure,
)

Tables = Mapping[str, pd.DataFrame]
RELATION_COLUMNS = [
    *("factor", "schwartz", "r", "ci_low", "ci_high", "p_adjusted", "paper_factor", "paper_r")
]


def structure_pictures(tables: Tables, minimum_alpha: float) -> dict[str, go.Figure]:
    """Pictures of a value system by the section that they stand in."""
    names = tables["names"].set_index("factor")["name"]
    by_llm = tables["stability_factors"].query("resampled == 'llm'")
    if by_llm.empty:
        by_llm = tables["stability_factors"]
    around = by_llm.set_index("factor").reindex(tables["reliabilities"]["factor"])
    reliabilities = tables["reliabilities"].assign(
        boot_low=around["alpha_low"].to_numpy(float), boot_high=around["alpha_high"].to_numpy(float)
    )
    shares = tables["stability_loadings"].query("is_primary == True")
    first = shares["resampled"].min() if len(shares) else ""
    pictures = {
        "system": value_system_figure(tables["loadings"], names),
        "scree": scree_figure(tables["eigenvalues"]),
        "loadings": loadings_figure(tables["loadings"], names),
        "correlations": factor_correlation_figure(tables["factor_correlations"], names),
        "reliabilities": reliability_figure(reliabilities, names, minimum_alpha),
        "subjects": subjects_on_factors_figure(tables["scores"], tables["subjects"], names),
        "stability": stability_figure(tables["stability_factors"], names),
        "landing": primary_share_figure(shares[shares["resampled"] == first], names),
        "influence": influence_figure(
            tables["leave_one_out"].groupby("llm", as_index=False)["congruence"].min()
        ),
    }
    for reading in ("direct", "mapped"):
        own = tables["relations"].query("reading == @reading and level == 'lower'")
        pictures[f"schwartz_{reading}"] = schwartz_figure(
            own[RELATION_COLUMNS], names, tables["paper_relations"]
        )
    return pictures


def structured_tables(found: Structured) -> dict[str, pd.DataFrame]:
    """The tables of a user's own matrix under the names that the template uses."""
    system, stability = found.system, found.stability
    subjects = found.llms.rename("llm").rename_axis("subject_id").reset_index()
    subjects["profile"] = [
        subject.rsplit("|", 1)[1] if "|" in subject else "" for subject in subjects["subject_id"]
    ]
    names = found.names.rename("name").rename_axis("factor").reset_index()
    relations = pd.DataFrame(columns=["reading", "level", *RELATION_COLUMNS])
    return {
        "suitability": system.suitability,
        "bias": pd.DataFrame() if system.bias is None else system.bias,
        "redundancy": system.redundancy,
        "fit": system.fit,
        "retention": system.retention,
        "eigenvalues": system.eigenvalues,
        "loadings": system.loadings,
        "factor_correlations": system.factor_correlations,
        "removals": system.removals,
        "reliabilities": system.reliabilities,
        "value_reliabilities": system.value_reliabilities,
        "scores": system.scores,
        "subjects": subjects,
        "names": names,
        "stability_factors": stability.factors,
        "stability_loadings": stability.loadings,
        "stability_retention": stability.retention,
        "leave_one_out": found.influence,
        "lexicon": pd.DataFrame(),
        "dropped": pd.DataFrame(),
        "variances": pd.DataFrame(),
        "paper_congruence": pd.DataFrame(),
        "relations": relations,
        "paper_relations": pd.DataFrame(columns=["schwartz", "paper_factor", "paper_r"]),
    }


def write_structure_page(path: Path, title: str, found: Structured) -> None:
    """Write the page of a user's own matrix; replaces the old one at once."""
    tables = structured_tables(found)
    pictures = structure_pictures(tables, found.minimum_alpha)
    core = {
        "name": title,
        "description": "",
        "made": f"{made_now()} by gpla structure",
        "cautions": list(found.system.cautions),
        "views": ["structure"],
    }
    panels = drawn(["structure"], tables, pictures, {})
    write_page(path, "Value system of", title, {"core": core, "panels": panels})
