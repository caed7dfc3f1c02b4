"""Every number of R (psych 2.2.9) in ../shared/psychometrics, each within a stated tolerance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.congruence import matched
from gpla_assets.psychometrics.correlation import Correlations, correlations
from gpla_assets.psychometrics.extraction import (
    LOWEST_UNIQUENESS,
    Extracted,
    _minres,
    _ml,
    extract,
)
from gpla_assets.psychometrics.polychoric import Polychoric
from gpla_assets.psychometrics.reliability import reliability, value_reliabilities
from gpla_assets.psychometrics.retention import (
    eigenvalues,
    leading_above,
    minimum_average_partial,
    parallel_analysis,
)
from gpla_assets.psychometrics.rotation import Rotated, rotate
from gpla_assets.psychometrics.suitability import bartlett, kmo
from tests.psychometrics.shared import data, expected, needs_psychometrics

pytestmark = needs_psychometrics

SETS = (
    *("bfi", "bfi_complete", "attitude", "hs", "hs_missing", "thurstone", "epi_bfi", "sat_act"),
    "holzinger_raw",
)
METHODS = ("pca", "minres", "ml")
# R's optimiser ends a little short of the optimum (slope 5e-5 on sat_act and thurstone, where
# loadings are 8e-5 and h2 1.1e-4 off); ours is run to the end, so that it is never above R's
# discrepancy. R's varimax ends 1.3e-6 short
LOADINGS = {"pca": 2e-6, "minres": 2e-4, "ml": 1e-4}
OBLIMIN = 2e-5
RELIABILITY = {
    **{"alpha": 1e-12, "std": 1e-10, "mean_r": 1e-10, "r_drop": 1e-10, "alpha_drop": 1e-10},
    **{"feldt_low": 1e-10, "feldt_high": 1e-10, "omega": 1e-5, "key": 0.0, "n": 0.0},
}


def found_of(name: str) -> tuple[pd.DataFrame, Correlations]:
    own = expected("efa").query("data == @name")
    items = list(own.query("statistic == 'kmo_item'")["row"])
    scores = data(name)[items].dropna(how="all")
    return scores, correlations(scores)


@pytest.mark.parametrize("name", SETS)
def test_suitability_and_eigenvalues_are_those_of_psych(name: str) -> None:
    own = expected("efa").query("data == @name and setting == ''")
    one = own.drop_duplicates("statistic").set_index("statistic")["value"].astype(float)
    scores, found = found_of(name)
    matrix = found.matrix.to_numpy()
    overall, each = kmo(matrix)
    assert overall == pytest.approx(one["kmo"], abs=1e-8)
    of_items = own.query("statistic == 'kmo_item'").set_index("row")["value"].astype(float)
    np.testing.assert_allclose(each, of_items[scores.columns], atol=1e-8)
    for n, statistic in ((len(scores), ""), (found.n, "_n_median_pair")):
        test = bartlett(matrix, n)
        assert test is not None and test.df == one["bartlett_df"]
        assert test.chi2 == pytest.approx(one[f"bartlett_chi2{statistic}"], rel=1e-9)
    roots = own.query("statistic == 'eigenvalue'")["value"].astype(float)
    np.testing.assert_allclose(eigenvalues(matrix), roots, atol=1e-8)
    assert minimum_average_partial(matrix) == one["map"]
    # random: R's draws are others
    bar = parallel_analysis(len(scores), len(matrix), 0, 100)
    assert leading_above(roots.to_numpy(), bar) == one["fa.parallel_ncomp"]


def as_r(rotated: Rotated, theirs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pattern and phi with factors in the order and of the sign that R gave them."""
    order, signs, _ = matched(theirs, rotated.pattern)
    phi = rotated.phi[np.ix_(order, order)] * np.outer(signs, signs)
    return rotated.pattern[:, order] * signs, phi


def assert_no_worse(ours: Extracted, matrix: np.ndarray, theirs: np.ndarray, method: str) -> None:
    """R's unrotated (or orthogonal) loadings fit no better than ours."""
    if method != "pca":
        discrepancy = _ml if method == "ml" else _minres
        unique = np.maximum(1 - (theirs**2).sum(axis=1), LOWEST_UNIQUENESS)
        assert ours.discrepancy <= discrepancy(unique, matrix, theirs.shape[1])[0] + 1e-9


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("name", SETS)
def test_loadings_are_those_of_psych(name: str, method: str) -> None:
    own = expected("efa").query("data == @name and setting.str.startswith(@method)")
    if own.empty:
        pytest.skip("R ended at a local optimum")
    scores, found = found_of(name)
    extracted = None
    # unrotated first: its uniquenesses are 1 less the squares
    for setting, rows in sorted(own.groupby("setting"), key=lambda one: "none" not in one[0]):
        rotation = setting.split()[1]
        table = rows.astype({"value": float})
        theirs = table.query("statistic == 'loading'").pivot(
            index="row", columns="col", values="value"
        )
        theirs = theirs.loc[list(scores.columns)]
        if extracted is None:
            extracted = extract(found.matrix.to_numpy(), theirs.shape[1], method)
            assert_no_worse(extracted, found.matrix.to_numpy(), theirs.to_numpy(), method)
        rotated = rotate(extracted.loadings, rotation)
        pattern, phi = as_r(rotated, theirs.to_numpy())
        exact = LOADINGS[method] + OBLIMIN * (rotation == "oblimin")
        np.testing.assert_allclose(pattern, theirs, atol=exact, err_msg=setting)
        common = table.query("statistic == 'h2'").set_index("row")["value"]
        np.testing.assert_allclose(
            rotated.communalities, common[scores.columns], atol=exact, err_msg=setting
        )
        between = table.query("statistic == 'phi'")
        if len(between):
            square = between.pivot(index="row", columns="col", values="value")
            np.testing.assert_allclose(
                phi, square.loc[theirs.columns, theirs.columns], atol=exact, err_msg=setting
            )


@pytest.mark.parametrize("cases", ["complete", "pairwise"])
def test_reliabilities_are_those_of_psych(cases: str) -> None:
    table = expected("reliability")
    for (scale, name), rows in table.query("cases == @cases").groupby(["scale", "data"]):
        signs = table.query("scale == @scale and statistic == 'key'")
        keys = pd.Series(signs["value"].astype(int).to_numpy(), list(signs["item"]))
        scores = data(name)[list(keys.index)]
        scores = scores.dropna() if cases == "complete" else scores
        found = reliability(scores, keys)
        assert found is not None
        each = value_reliabilities(scores.cov(), keys).set_index("value")
        ours = {
            **{"n": found.n_subjects, "alpha": found.alpha, "std": found.alpha_standardised},
            **{"mean_r": found.mean_r, "omega": found.omega_observed},
            **{"feldt_low": found.ci_low, "feldt_high": found.ci_high},
        }
        for row in rows.itertuples():
            column = {"r_drop": "r_rest", "alpha_drop": "alpha_without"}.get(row.statistic)
            our = each.at[row.item, column] if column else ours[row.statistic]
            exact = RELIABILITY[row.statistic]
            assert our == pytest.approx(float(row.value), abs=exact), (scale, row)


def test_polychoric_correlations_and_thresholds_are_those_of_psych() -> None:
    table = expected("polychoric").astype({"value": float})
    rho = table.query("statistic == 'rho'")
    items = sorted({*rho["a"], *rho["b"]})
    matrix, thresholds = Polychoric(data("bfi_clustered")[items]).correlations()
    ours = pd.DataFrame(matrix, items, items)
    for row in rho.itertuples():
        assert ours.at[row.a, row.b] == pytest.approx(row.value, abs=1e-4)
    for row in table.query("statistic == 'tau'").itertuples():
        our = thresholds[items.index(row.a)][int(row.b) - 1]
        assert our == pytest.approx(row.value, abs=1e-12)
