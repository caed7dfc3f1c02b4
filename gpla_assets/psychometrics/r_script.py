"""An R script (psych) that makes the same analysis of the same file, for who trusts R."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from gpla_assets.psychometrics.own_matrix import Structured
from gpla_assets.psychometrics.rotation import OBLIMIN_TOLERANCE, PROMAX_POWER

READERS = {
    ".sav": "as.data.frame(haven::zap_labels(haven::read_sav({0})))",
    ".dta": "as.data.frame(haven::zap_labels(haven::read_dta({0})))",
    ".xlsx": "as.data.frame(readxl::read_excel({0}))",
    ".rds": "readRDS({0})",
    ".tsv": "read.delim({0}, check.names = FALSE)",
}
CSV = 'read.csv({0}, check.names = FALSE, na.strings = c("", "NA", "."))'
VARIMAX = "varimax(unrotated, normalize = TRUE, eps = 1e-12)"
"""R's own tolerance of 1e-5 ends rounds before the loadings stand still."""
ROTATIONS = {
    "none": ("L <- unclass(unrotated)", "Phi <- diag(k)"),
    "varimax": (f"L <- unclass({VARIMAX}$loadings)", "Phi <- diag(k)"),
    "oblimin": (
        f"turned <- GPArotation::oblimin(unrotated, normalize = TRUE, eps = {OBLIMIN_TOLERANCE:g}, "
        "maxit = 10000)",
        "L <- unclass(turned$loadings); Phi <- turned$Phi",
    ),
    "promax": (
        f"turned <- promax({VARIMAX}$loadings, m = {PROMAX_POWER})",
        "L <- unclass(turned$loadings); U <- turned$rotmat; Phi <- solve(t(U) %*% U)",
    ),
}


def r_script(found: Structured, source: Path, of_correlations: bool = False) -> str:
    """The script for the file `source`, or for its correlations; it ends with a newline.

    Mean imputation and EM are taken over as the correlations that were factored; codes of missing
    cells and labels that only this project's options name are to be mended in the file first.
    """
    system, settings = found.system, found.settings
    used = list(system.usable.columns)
    lines = [
        "# The same analysis in R. Needs: install.packages(c('psych', 'GPArotation'))",
        "library(psych)",
        *_read(source, used, of_correlations, found),
        "",
        "# suitability and number of factors",
        "KMO(R)",
        f"cortest.bartlett(R, n = {system.suitability['n_per_pair'].iloc[0]:g})",
        "eigen(R)$values",
        "which.min(VSS(R, n = ncol(R) - 1, rotate = 'none', fm = 'pc', n.obs = n, "
        "plot = FALSE)$map)",
        "",
        "# factors of the values that were kept",
        f"kept <- {_vector(system.pattern.index)}",
        f"k <- {system.pattern.shape[1]}",
        _extraction(settings.extraction),
        "unrotated <- fitted$loadings",
        *ROTATIONS[settings.rotation],
        "print(round(L, 3)); print(round(Phi, 3))",
        *([] if settings.extraction == "pca" else ["print(fitted, sort = TRUE)"]),
        "",
        "# reliability of each factor",
        *_reliabilities(system.loadings, of_correlations),
    ]
    return "\n".join(lines) + "\n"


def _read(source: Path, used: Sequence[str], of_correlations: bool, found: Structured) -> list[str]:
    n = len(found.system.usable)
    quoted = json.dumps(str(source))
    if of_correlations:
        return [
            f"R <- as.matrix(read.csv({quoted}, check.names = FALSE))",
            "R <- R[, setdiff(colnames(R), colnames(R)[sapply(1:ncol(R), "
            "function(i) !is.numeric(type.convert(R[, i], as.is = TRUE)))])]",
            "mode(R) <- 'numeric'; rownames(R) <- colnames(R)",
            f"R <- R[{_vector(used)}, {_vector(used)}]",
            f"n <- {n}",
        ]
    reader = READERS.get(source.suffix.lower(), CSV).format(quoted)
    settings = found.settings
    centre = {
        "none": [],
        "subject": ["x <- x - rowMeans(x, na.rm = TRUE)"],
        "value": ["x <- scale(x, scale = FALSE)"],
    }[settings.centre]
    use = "complete.obs" if settings.missing == "listwise" else "pairwise.complete.obs"
    r = (
        "R <- polychoric(x, correct = 0)$rho"
        if settings.correlation == "polychoric"
        else f"R <- cor(x, use = '{use}')"
    )
    return [
        f"x <- {reader}",
        f"x <- as.data.frame(x[, {_vector(used)}])",
        "x <- x[rowSums(!is.na(x)) > 0, ]",
        *centre,
        *(["x <- na.omit(x)"] if settings.missing == "listwise" else []),
        *(
            ["x[] <- lapply(x, function(v) ifelse(is.na(v), mean(v, na.rm = TRUE), v))"]
            if settings.missing == "mean"
            else []
        ),
        *(
            ["# EM: psych::corFiml is the nearest in R", "R <- corFiml(x)"]
            if settings.missing == "em"
            else [r]
        ),
        "n <- nrow(x)",
    ]


def _extraction(extraction: str) -> str:
    if extraction == "pca":
        return "fitted <- principal(R[kept, kept], nfactors = k, rotate = 'none', n.obs = n)"
    return (
        f"fitted <- fa(R[kept, kept], nfactors = k, rotate = 'none', fm = '{extraction}', "
        "n.obs = n)"
    )


def _reliabilities(loadings: pd.DataFrame, of_correlations: bool) -> list[str]:
    lines = []
    data = "R[own, own]" if of_correlations else "x[, own]"
    for factor, rows in loadings[loadings["is_primary"]].groupby("factor", sort=False):
        if len(rows) < 2:
            continue
        keys = ", ".join(str(int(one)) for one in rows["keyed"])
        lines += [
            f"own <- {_vector(rows['value'])}  # {factor}",
            f"print(alpha({data}, keys = c({keys}), use = 'pairwise'))",
        ]
    return lines


def _vector(names: Sequence[str] | pd.Index | pd.Series) -> str:
    return f"c({', '.join(json.dumps(str(name), ensure_ascii=False) for name in names)})"
