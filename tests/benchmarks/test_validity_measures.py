"""CR, AVE, HTMT and the bifactor model, by hand and on data of known structure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from gpla_assets.benchmarks.cfa import confirm
from gpla_assets.benchmarks.systems import System
from gpla_assets.benchmarks.validity_measures import (
    bifactor,
    convergent,
    heterotrait_monotrait,
    htmt_table,
)

GROUPS = {f"F{n}": dict.fromkeys("abcdefghi"[3 * n : 3 * n + 3], 1) for n in range(3)}
SYSTEM = System("three", GROUPS)


def with_exactly(r: np.ndarray, n: int = 300) -> pd.DataFrame:
    """Scores whose correlations are exactly these."""
    noise = np.random.default_rng(0).standard_normal((n, len(r)))
    white = np.linalg.qr(noise - noise.mean(axis=0))[0]
    return pd.DataFrame(white @ np.linalg.cholesky(r).T, columns=list("abcdefghi")[: len(r)])


def general_and_groups(general: float, own: float) -> np.ndarray:
    loads = np.full((9, 1), general), np.kron(np.eye(3), np.full((3, 1), own))
    r = loads[0] @ loads[0].T + loads[1] @ loads[1].T
    np.fill_diagonal(r, 1.0)
    return np.asarray(r)


def test_reliability_and_variance_extracted_are_those_of_the_loadings() -> None:
    # .5 within and .25 between: loadings are sqrt(.5), factors correlate .5
    r = np.full((9, 9), 0.25)
    r[np.kron(np.eye(3), np.ones((3, 3))) == 1] = 0.5
    np.fill_diagonal(r, 1.0)
    found = confirm(with_exactly(r), SYSTEM)
    rows = convergent(found)
    # CR = (3 sqrt .5)^2 / (4.5 + 1.5)
    np.testing.assert_allclose(rows["cr"], 0.75, atol=1e-6)
    np.testing.assert_allclose(rows["ave"], 0.5, atol=1e-6)
    np.testing.assert_allclose(rows["largest_r"], 0.5, atol=1e-6)
    np.testing.assert_allclose(htmt_table(found, 0)["htmt"], 0.5, atol=1e-9)


def test_htmt_is_the_mean_between_over_the_geometric_mean_within() -> None:
    r = np.eye(4)
    for (i, j), one in {(0, 1): 0.6, (2, 3): -0.3, (0, 2): 0.1, (0, 3): 0.2, (1, 2): -0.3}.items():
        r[i, j] = r[j, i] = one
    found = heterotrait_monotrait(r, {"F": [0, 1], "G": [2, 3]})
    assert found["F", "G"] == pytest.approx((0.1 + 0.2 + 0.3 + 0) / 4 / np.sqrt(0.6 * 0.3))


def test_htmts_interval_is_over_whole_clusters_and_over_pairs_that_were_measured() -> None:
    scores = with_exactly(general_and_groups(0.5, 0.5), 240)
    alone = htmt_table(confirm(scores, SYSTEM), 200)
    assert (alone["ci_low"] < alone["htmt"]).all() and (alone["htmt"] < alone["ci_high"]).all()
    # each subject three times is no more than once, if the three are known to belong together
    thrice = pd.concat([scores] * 3, ignore_index=True)
    clusters = pd.Series(np.tile(np.arange(240), 3))
    clustered = htmt_table(confirm(thrice, SYSTEM, clusters=clusters), 200)
    unaware = htmt_table(confirm(thrice, SYSTEM), 200)

    def width(table: pd.DataFrame) -> float:
        return float((table["ci_high"] - table["ci_low"]).mean())

    assert width(clustered) == pytest.approx(width(alone), rel=0.2)
    assert width(unaware) < 0.7 * width(alone)
    holes = scores.mask(np.random.default_rng(1).random(scores.shape) < 0.1)
    r = np.abs(holes.corr().to_numpy())
    expected = r[:3, 3:6].mean() / np.sqrt(
        r[:3, :3][np.triu_indices(3, 1)].mean() * r[3:6, 3:6][np.triu_indices(3, 1)].mean()
    )
    assert htmt_table(confirm(holes, SYSTEM), 0)["htmt"][0] == pytest.approx(expected, abs=1e-9)


def test_the_bifactor_model_finds_how_much_is_general() -> None:
    found = bifactor(confirm(with_exactly(general_and_groups(0.6, 0.4)), SYSTEM))
    assert found is not None
    total = (9 * 0.6) ** 2 + 3 * (3 * 0.4) ** 2 + 9 * (1 - 0.36 - 0.16)
    assert found["omega_hierarchical"] == pytest.approx((9 * 0.6) ** 2 / total, abs=1e-3)
    assert found["omega_total"] == pytest.approx(1 - 9 * 0.48 / total, abs=1e-3)
    assert found["ecv"] == pytest.approx(0.36 / 0.52, abs=1e-3)
    assert found["ecv_by_factor"]["F1"] == pytest.approx(0.36 / 0.52, abs=1e-3)


def test_one_factor_has_no_general_one_beside_it() -> None:
    scores = with_exactly(general_and_groups(0.6, 0.0))
    assert bifactor(confirm(scores, System("one", {"F": dict.fromkeys("abcdefghi", 1)}))) is None
