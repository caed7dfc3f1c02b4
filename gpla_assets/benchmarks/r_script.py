"""R scripts that repeat an analysis in lavaan, with the data that they read."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from gpla_assets.benchmarks.cfa_data import Missing
from gpla_assets.benchmarks.cfa_model import Structure
from gpla_assets.benchmarks.lavaan_syntax import lavaan_model, r_names
from gpla_assets.benchmarks.systems import System

MISSING = {"fiml": "ml", "listwise": "listwise", "two-stage": "two.stage"}
FIT = """summary(fit, fit.measures = TRUE, standardized = TRUE, rsquare = TRUE)
print(modificationIndices(fit, sort. = TRUE, maximum.number = 20))
print(residuals(fit, type = "cor"))
"""
INVARIANCE = """levels <- list(
  configural = character(0),
  metric = "loadings",
  scalar = c("loadings", "intercepts"),
  strict = c("loadings", "intercepts", "residuals")
)
fits <- lapply(levels, function(equal) cfa(
  model, data = data, std.lv = TRUE, group = "group", group.equal = equal, {arguments}
))
print(do.call(lavTestLRT, c(list(object = fits[[1]]), fits[-1])))
print(sapply(fits, fitMeasures, c("chisq", "df", "cfi", "tli", "rmsea", "srmr", "bic")))
print(lavTestScore(fits$scalar))
"""


def write_r_script(
    path: Path,
    scores: pd.DataFrame,
    system: System,
    structure: Structure = "correlated",
    *,
    missing: Missing = "fiml",
    robust: bool = False,
    clusters: pd.Series | None = None,
    groups: pd.Series | None = None,
) -> Path:
    """Write an R script that fits the system by lavaan, and beside it the CSV file that it reads.

    With `groups` it tests invariance over them. Returns the path of the CSV file.
    """
    names = r_names([*system.factors, *system.values])
    data = scores[system.values].rename(columns=names)
    for name, column in (("cluster", clusters), ("group", groups)):
        if column is not None:
            data[name] = column.reindex(scores.index)
    beside = path.with_suffix(".csv")
    data.to_csv(beside, index=False)
    whole = not scores[system.values].isna().to_numpy().any()
    # lavaan models means with "ml" even of complete data
    handled = "listwise" if whole else MISSING[missing]
    robust = robust or clusters is not None
    if robust and handled == "two.stage":
        handled = "robust.two.stage"
    arguments = [f'missing = "{handled}"']
    if robust and handled != "robust.two.stage":
        arguments.append('estimator = "MLR"')
    if clusters is not None:
        arguments.append('cluster = "cluster"')
    joined = ", ".join(arguments)
    model = lavaan_model(system, structure).strip()
    fit = INVARIANCE.replace("{arguments}", joined) if groups is not None else (
        f"fit <- cfa(model, data = data, std.lv = TRUE, {joined})\n{FIT}"
    )  # fmt: skip
    renamed = "".join(f"# {new}: {old}\n" for old, new in names.items() if old != new)
    path.write_text(
        f"# {system.name}, as gpla fitted it\n{renamed}library(lavaan)\n\n"
        f'data <- read.csv("{beside.name}", check.names = FALSE)\n'
        f"model <- '\n{model}\n'\n\n{fit}",
        "utf-8",
    )
    return beside
