"""Information, scores of subjects and sandwich of a normal likelihood by a model's parameters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpla_assets.benchmarks.cfa_model import Directions, Floats, Group, Measurement, implied
from gpla_assets.benchmarks.cfa_model import directions as directions_of
from gpla_assets.benchmarks.sample import Sample, slopes, stacks


def gathered(whole: Floats, at: np.ndarray, part: Floats) -> None:
    """Add a group's matrix `part` (q, q) to `whole` at its parameters."""
    if len(np.unique(at)) == len(at):
        whole[np.ix_(at, at)] += part
    else:
        np.add.at(whole, np.ix_(at, at), part)


def information(
    sample: Sample,
    mu: np.ndarray,
    sigma: np.ndarray,
    a: Directions,
    b: Directions | None = None,
    *,
    whole: bool = False,
) -> Floats:
    """Expected information of the sample between two sets of directions (default: the same).

    Summed over patterns, that is of the cells that were measured; `whole` as if all had been.
    """
    b = b or a
    found = np.zeros((len(a.at), len(b.at)))
    if whole:
        return sample.n * _crossed(np.linalg.inv(sigma), a, b)
    for stack in stacks(sample, mu, sigma):
        for inverse, count in zip(stack.inverse, stack.counts, strict=True):
            found += count * _crossed(inverse, a, b)
    return found


def _crossed(inverse: Floats, a: Directions, b: Directions) -> Floats:
    left, right, mean = inverse @ a.left, inverse @ a.right, inverse @ a.mean
    found = (left.T @ b.left) * (right.T @ b.right)
    found += (left.T @ b.right) * (right.T @ b.left)
    if b.mean.any():
        found += mean.T @ b.mean
    return found


def observed_by_moments(
    sample: Sample, mu: np.ndarray, sigma: np.ndarray, ways: Directions
) -> Floats:
    """Second derivatives of -log L along directions of the moments, the directions fixed."""
    found = np.zeros((len(ways.at),) * 2)
    u, v, d = ways.left, ways.right, ways.mean
    with_means = bool(d.any())
    for stack in stacks(sample, mu, sigma):
        bent = stack.inverse @ stack.around @ stack.inverse
        for w, t, off, count in zip(stack.inverse, bent, stack.off, stack.counts, strict=True):
            a = 2 * t - w
            wu, wv, au, av = w @ u, w @ v, a @ u, a @ v
            uwv, uav = u.T @ wv, u.T @ av
            own = uwv * uav.T + uwv.T * uav + (u.T @ wu) * (v.T @ av) + (v.T @ wv) * (u.T @ au)
            found += count / 2 * own
            if with_means:
                pull = w @ off
                cross = (pull @ u)[:, None] * (wv.T @ d) + (pull @ v)[:, None] * (wu.T @ d)
                found += count * (d.T @ w @ d + cross + cross.T)
    return found


def hessian(group: Group, sample: Sample, parameters: np.ndarray) -> Floats:
    """Observed information (q, q) by a group's elements, in the order of its directions."""
    now, ways = implied(group, parameters), directions_of(group, parameters)
    found = observed_by_moments(sample, now.mu, now.sigma, ways)
    _, by_sigma, by_mu = slopes(sample, now.mu, now.sigma)
    rows, columns, _ = group.of("loading")
    first, second, _ = group.of("factor")
    n, m, half = len(rows), len(first), sample.n / 2
    # the moments are not linear in loadings: what bends them adds to the information
    found[:n, :n] += sample.n * now.phi[np.ix_(columns, columns)] * by_sigma[np.ix_(rows, rows)]
    pulled = by_sigma @ now.loadings
    mixed = np.zeros((n, m))
    if group.higher_order:
        moved = _higher_order_slopes(parameters[group.of("factor")[2]])
        mixed = sample.n * np.einsum("ib,mba->ima", pulled, moved)[rows, :, columns]
        bend = pulled.T @ now.loadings
        np.fill_diagonal(bend, 0.0)
        found[n : n + m, n : n + m] += sample.n * bend
    else:
        diagonal = np.where(first == second, 0.5, 1.0)
        mixed += pulled[np.ix_(rows, first)] * (columns[:, None] == second) * diagonal
        mixed += pulled[np.ix_(rows, second)] * (columns[:, None] == first) * diagonal
        mixed *= sample.n
    found[:n, n : n + m] += mixed
    found[n : n + m, :n] += mixed.T
    factors, _, _ = group.of("mean")
    if len(factors):
        last = len(ways.at) - len(factors)
        mixed = half * by_mu[rows][:, None] * (columns[:, None] == factors)
        found[:n, last:] += mixed
        found[last:, :n] += mixed.T
    return found


def _higher_order_slopes(upper: np.ndarray) -> Floats:
    """dPhi (k, k, k) by each loading on the factor above, its own first."""
    k = len(upper)
    moved = np.zeros((k, k, k))
    for factor in range(k):
        moved[factor, factor] = upper
        moved[factor, :, factor] = upper
        moved[factor, factor, factor] = 0.0
    return moved


def expected_of(
    model: Measurement, samples: Sequence[Sample], parameters: np.ndarray, whole: bool = False
) -> Floats:
    """Expected information of a model; `whole` as if all cells had been measured."""
    found = np.zeros((model.n_parameters,) * 2)
    for group, sample in zip(model.groups, samples, strict=True):
        now, ways = implied(group, parameters), directions_of(group, parameters)
        gathered(found, ways.at, information(sample, now.mu, now.sigma, ways, whole=whole))
    return found


def observed_of(model: Measurement, samples: Sequence[Sample], parameters: np.ndarray) -> Floats:
    """Observed information of a model: second derivatives of -log L."""
    found = np.zeros((model.n_parameters,) * 2)
    for group, sample in zip(model.groups, samples, strict=True):
        ways = directions_of(group, parameters)
        gathered(found, ways.at, hessian(group, sample, parameters))
    return found


def subject_scores(sample: Sample, mu: np.ndarray, sigma: np.ndarray, ways: Directions) -> Floats:
    """d log L of each subject along directions of the moments (n, q)."""
    found = np.empty((len(sample.rows), len(ways.at)))
    for stack in stacks(sample, mu, sigma):
        for at, inverse in zip(stack.at, stack.inverse, strict=True):
            own = np.flatnonzero(sample.pattern == at)
            around = np.where(sample.measured[at], sample.rows[own] - mu, 0.0)
            pull = around @ inverse
            level = (ways.left * (inverse @ ways.right)).sum(axis=0)
            found[own] = (pull @ ways.left) * (pull @ ways.right) - level + pull @ ways.mean
    return found


def by_cluster(scores: Floats, clusters: np.ndarray | None) -> Floats:
    """Scores summed over the subjects of a cluster; as they are without clusters.

    With J clusters their crossproduct counts J / (J - 1) times, as lavaan has it.
    """
    if clusters is None:
        return scores
    _, at = np.unique(clusters, return_inverse=True)
    summed = np.zeros((at.max() + 1, scores.shape[1]))
    np.add.at(summed, at.ravel(), scores)
    counted: Floats = summed * np.sqrt(few_clusters(len(summed)))
    return counted


def few_clusters(n: int) -> float:
    """J / (J - 1); infinite for one cluster, of which nothing can be learnt."""
    return n / (n - 1) if n > 1 else float("inf")


def crossproduct(
    model: Measurement,
    samples: Sequence[Sample],
    parameters: np.ndarray,
    clusters: Sequence[np.ndarray | None],
) -> Floats:
    """Sum over subjects, or clusters, of the outer products of their scores (q, q).

    Clusters lie within groups: one that has subjects in two groups counts as two.
    """
    found = np.zeros((model.n_parameters,) * 2)
    for group, sample, own in zip(model.groups, samples, clusters, strict=True):
        now, ways = implied(group, parameters), directions_of(group, parameters)
        scores = by_cluster(subject_scores(sample, now.mu, now.sigma, ways), own)
        gathered(found, ways.at, scores.T @ scores)
    return found
