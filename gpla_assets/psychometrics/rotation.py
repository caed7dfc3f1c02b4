"""Rotation of loadings, with signs and order of factors made deterministic.

Our own: scipy has no rotation; statsmodels' gradient projection stays where the criterion is flat
(45 degrees off a simple structure), never reaches its tolerance in oblimin (2,000 rounds each) and
its promax has no Kaiser normalisation; scikit-learn's singular value iteration is private to its
factor model and can cycle (see `varimax`). Varimax and oblimin take a stack of loadings as well:
a bootstrap's resamples are turned together, in a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpla_assets.studies.structure import RotationName

SMALLEST_ANGLE = 1e-10
PROMAX_POWER = 4
OBLIMIN_TOLERANCE = 1e-6
"""Length of the projected gradient at which oblimin ends (GPArotation's is 1e-5): loadings then
move by less than 1e-6."""
OBLIMIN_ROUNDS, STEP_HALVINGS, DESCENT, STEPS = 1000, 10, 1e-4, (1e-6, 1e6)


@dataclass(frozen=True)
class Rotated:
    """Pattern (n_values, n_factors) and correlations of the factors (n_factors, n_factors)."""

    pattern: NDArray[np.float64]
    phi: NDArray[np.float64]

    @property
    def structure(self) -> NDArray[np.float64]:
        """Correlations of values with factors: the pattern itself for orthogonal factors."""
        return self.pattern @ self.phi

    @property
    def communalities(self) -> np.ndarray:
        """Share of each value's variance that the factors explain."""
        found: np.ndarray = (self.pattern * self.structure).sum(axis=1)
        return found

    @property
    def variance(self) -> np.ndarray:
        """Variance that each factor explains: sums over values of pattern times structure."""
        found: np.ndarray = (self.pattern * self.structure).sum(axis=0)
        return found

    @property
    def complexity(self) -> np.ndarray:
        """Hofmann's (1978) index: 1 for a value on one factor, 2 for one evenly on two."""
        fourth = (self.pattern**4).sum(axis=1)
        squares = (self.pattern**2).sum(axis=1) ** 2
        ones = np.ones_like(fourth)
        found: np.ndarray = np.divide(squares, fourth, out=ones, where=fourth > 0)
        return found


def rotate(loadings: np.ndarray, rotation: RotationName) -> Rotated:
    """Loadings (n_values, n_factors) rotated with Kaiser normalisation, ordered and signed.

    `oblimin` is direct oblimin with gamma 0 (quartimin; Jennrich and Sampson, 1966), `promax` has
    power 4 as R's. Factors come by the variance they explain, each with its largest absolute
    loading positive.
    """
    pattern, phi = rotated_stack(loadings[None], rotation)
    return arranged(pattern[0], phi[0])


def rotated_stack(loadings: np.ndarray, rotation: RotationName) -> tuple[np.ndarray, np.ndarray]:
    """Patterns and factor correlations of a stack of loadings (..., n_values, n_factors).

    As `rotate` turns each, but with the factors' order and signs as they came.
    """
    k = loadings.shape[-1]
    if k == 1 or rotation == "none":
        return loadings, np.broadcast_to(np.eye(k), (*loadings.shape[:-2], k, k))
    if rotation == "varimax":
        return varimax(loadings), np.broadcast_to(np.eye(k), (*loadings.shape[:-2], k, k))
    return promax(loadings) if rotation == "promax" else oblimin(loadings)


def varimax(loadings: np.ndarray, kaiser: bool = True, rounds: int = 500) -> np.ndarray:
    """Varimax rotation (Kaiser, 1958) of loadings (..., n_values, n_factors), plane by plane.

    With `kaiser`, rows are normalised to unit communality before and restored after. Planar
    rotations rather than the usual singular value iteration: that one can cycle between two
    mirror images without coming closer to the optimum (36 degrees off a simple structure).
    """
    scale = _row_lengths(loadings) if kaiser else np.ones((1, 1))
    columns = np.moveaxis(loadings / scale, -1, 0).copy()
    planes = _planes(len(columns))
    for _ in range(rounds):
        largest = 0.0
        for first, second in planes:
            x, y = columns[first], columns[second]
            angle = _plane_angles(x, y)
            largest = max(largest, float(np.abs(angle).max()))
            cosine, sine = np.cos(angle), np.sin(angle)
            columns[first], columns[second] = x * cosine + y * sine, y * cosine - x * sine
        if largest < SMALLEST_ANGLE:
            break
    rotated: np.ndarray = np.moveaxis(columns, 0, -1) * scale
    return rotated


def _planes(n: int) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """All pairs of n factors in rounds of pairs that share none, so that a round is one step."""
    # the circle method: one stays, the others move on by a place; a dummy makes n even
    ring = list(range(n + n % 2))
    rounds = []
    for _ in range(len(ring) - 1):
        half = len(ring) // 2
        pairs = [
            (min(pair), max(pair))
            for pair in zip(ring[:half], ring[: half - 1 : -1], strict=True)
            if max(pair) < n
        ]
        rounds.append((np.array([a for a, _ in pairs]), np.array([b for _, b in pairs])))
        ring = [ring[0], ring[-1], *ring[1:-1]]
    return rounds


def _row_lengths(loadings: np.ndarray) -> np.ndarray:
    lengths = np.sqrt((loadings**2).sum(axis=-1, keepdims=True))
    return np.where(lengths > 0, lengths, 1.0)


def _plane_angles(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The angles (..., 1) that maximise the varimax criterion in planes of factors (..., n)."""
    u, v = x**2 - y**2, 2 * x * y
    sum_u, sum_v = u.sum(axis=-1), v.sum(axis=-1)
    sine = 2 * (u * v).sum(axis=-1) - 2 * sum_u * sum_v / x.shape[-1]
    cosine = (u**2 - v**2).sum(axis=-1) - (sum_u**2 - sum_v**2) / x.shape[-1]
    angles: np.ndarray = np.arctan2(sine, cosine)[..., None] / 4
    return angles


def oblimin(loadings: np.ndarray, kaiser: bool = True) -> tuple[np.ndarray, np.ndarray]:
    """Direct oblimin with gamma 0 of loadings (..., n_values, n_factors): patterns and phi.

    Gradient projection (Jennrich, 2002) as in GPArotation, from the varimax solution: with many
    factors the start from unrotated loadings more often ends at a lesser optimum.
    """
    scale = _row_lengths(loadings) if kaiser else np.ones((1, 1))
    straight = varimax(loadings / scale, kaiser=False)
    n, k = loadings.shape[-2:]
    turn = _quartimin_turns(straight.reshape(-1, n, k)).reshape(*loadings.shape[:-2], k, k)
    pattern = straight @ np.swapaxes(np.linalg.inv(turn), -1, -2)
    return pattern * scale, np.swapaxes(turn, -1, -2) @ turn


def _quartimin_turns(loadings: np.ndarray) -> np.ndarray:
    """Matrices T (n, k, k), columns of length 1: L inv(T)' has the smallest quartimin criterion.

    `loadings` (n, n_values, k). Steps lie along the gradient, projected on columns of length 1,
    until its length is below the tolerance; their size is Barzilai and Borwein's (1988), halved
    until the criterion falls: a third of the rounds that doubling and halving alone take.
    """
    n, _, k = loadings.shape
    turn, step = np.tile(np.eye(k), (n, 1, 1)), np.ones(n)
    value, gradient = _quartimin(loadings, turn)
    slope = _projected(turn, gradient)
    going = np.arange(n)
    for turned in range(OBLIMIN_ROUNDS):
        going = going[_sums(slope[going], slope[going]) > OBLIMIN_TOLERANCE**2]
        if not len(going):
            break
        at, downhill, before = turn[going], slope[going], value[going]
        promised = DESCENT * _sums(downhill, downhill)
        left = np.arange(len(going))
        for _ in range(STEP_HALVINGS + 1):
            rows = going[left]
            tried = at[left] - step[rows, None, None] * downhill[left]
            turn[rows] = tried / np.sqrt((tried**2).sum(axis=1, keepdims=True))
            value[rows], gradient[rows] = _quartimin(loadings[rows], turn[rows])
            left = left[before[left] - value[rows] <= promised[left] * step[rows]]
            if not len(left):
                break
            step[going[left]] /= 2
        slope[going] = _projected(turn[going], gradient[going])
        step[going] = _next_step(turn[going] - at, slope[going] - downhill, step[going], turned)
    return turn


def _projected(turn: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    projected: np.ndarray = gradient - turn * (turn * gradient).sum(axis=1, keepdims=True)
    return projected


def _sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    sums: np.ndarray = (a * b).sum(axis=(1, 2))
    return sums


def _next_step(moved: np.ndarray, bent: np.ndarray, step: np.ndarray, turned: int) -> np.ndarray:
    """Barzilai and Borwein's long and short steps in turn; double where the slope did not grow."""
    both = _sums(moved, bent)
    long, short = (_sums(moved, moved), both), (both, _sums(bent, bent))
    above, below = long if turned % 2 else short
    ratio = np.divide(above, below, out=np.ones_like(both), where=(both > 0) & (below > 0))
    found: np.ndarray = np.where(both > 0, np.clip(ratio, *STEPS), 2 * step)
    return found


def _quartimin(loadings: np.ndarray, turn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The criterion, sums of products of squared loadings, and its gradient over T (n, k, k)."""
    inverse = np.linalg.inv(turn)
    pattern = loadings @ np.swapaxes(inverse, 1, 2)
    squares = pattern**2
    others = squares.sum(axis=2, keepdims=True) - squares
    value: np.ndarray = (squares * others).sum(axis=(1, 2)) / 4
    inner = np.swapaxes(pattern, 1, 2) @ (pattern * others)
    return value, -np.swapaxes(inner @ inverse, 1, 2)


def promax(
    loadings: np.ndarray, power: int = PROMAX_POWER, normalise_target: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Promax (Hendrickson and White, 1964) of loadings (..., n_values, n_factors), and phi.

    The varimax loadings (with Kaiser normalisation) raised to `power` with their sign are the
    target, fitted by least squares: power 4 and the plain target are R's `promax`; SAS uses
    power 3 and a target from row-normalised loadings scaled by column (`normalise_target`).
    """
    straight = varimax(loadings)
    target = straight
    if normalise_target:
        rows = straight / _row_lengths(straight)
        target = rows / np.abs(rows).max(axis=-2, keepdims=True)
    target = target * np.abs(target) ** (power - 1)
    turn = np.linalg.pinv(straight) @ target
    # least squares gives factors of any variance; here it is 1
    spread = np.linalg.inv(np.swapaxes(turn, -1, -2) @ turn)
    turn = turn * np.sqrt(np.diagonal(spread, axis1=-2, axis2=-1))[..., None, :]
    inverse = np.linalg.inv(turn)
    return straight @ turn, inverse @ np.swapaxes(inverse, -1, -2)


def arranged(pattern: np.ndarray, phi: np.ndarray) -> Rotated:
    """Factors by variance explained, each with its largest absolute loading positive."""
    variance = (pattern * (pattern @ phi)).sum(axis=0)
    # stable: factors that explain the same stay as they came, on any machine
    order = np.argsort(-variance, kind="stable")
    pattern, phi = pattern[:, order], phi[np.ix_(order, order)]
    # a mirrored factor is the same factor: its clearest value says which way up
    largest = pattern[np.abs(pattern).argmax(axis=0), np.arange(pattern.shape[1])]
    signs = np.where(largest < 0, -1.0, 1.0)
    return Rotated(pattern * signs, phi * np.outer(signs, signs))
