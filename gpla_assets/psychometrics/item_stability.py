"""How often resampled subjects put each value into its community again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment
from threadpoolctl import threadpool_limits

from gpla_assets.psychometrics.correlation import nearest_psd
from gpla_assets.psychometrics.network import Network, communities
from gpla_assets.psychometrics.pairwise import Pairwise
from gpla_assets.psychometrics.resampling import drawn_weights, groups_of
from gpla_assets.psychometrics.stability import Progress
from gpla_assets.studies.structure import StructureSettings

RESAMPLES = 100
"""Of the network: a network of 100 values takes a hundred times as long as its factors."""
FEWEST_UNITS = 5


def item_stability(
    scores: pd.DataFrame,
    found: pd.DataFrame,
    whole: Network,
    settings: StructureSettings,
    llms: Sequence[str] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> pd.DataFrame:
    """`found` (value, community) with `stability`: the share of resamples that agree.

    Christensen and Golino (2021), over LLMs with all their profiles, or subjects where `llms` is
    None. Each resample's network is fitted at the penalty of the full one, `whole`, and its
    communities matched to the full ones by the values they share. `n_communities_share` is how
    often resamples have as many communities. Null for fewer than five LLMs or subjects.
    """
    group = groups_of(len(scores), llms)
    if group.max(initial=-1) + 1 < FEWEST_UNITS:
        return found.assign(stability=np.nan, n_communities_share=np.nan)
    random = np.random.default_rng(seed)
    pairwise, member = Pairwise(scores.to_numpy(float)), found["community"].to_numpy(int) - 1
    imputed = settings.missing in ("mean", "em")
    again, as_many, done = np.zeros(len(member)), 0, 0
    with threadpool_limits(1):
        resamples = min(RESAMPLES, settings.resamples)
        for turn in range(resamples):
            if progress is not None:
                progress(turn, resamples)
            moments = pairwise.moments(drawn_weights(group, random), imputed)
            if moments.still.any():
                continue
            one = _communities(nearest_psd(moments.correlation)[0], whole)
            again += same_community(member, one)
            as_many += int(one.max() == member.max())
            done += 1
    return found.assign(
        stability=again / done if done else np.nan,
        n_communities_share=as_many / done if done else np.nan,
    )


def _communities(matrix: np.ndarray, whole: Network) -> np.ndarray:
    return communities(matrix, whole.refitted(matrix).edges)


def same_community(member: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Which values (n,) are in the community of `other` that is matched to their own in `member`.

    Communities are matched one to one so that as many values as can be agree.
    """
    shared = np.zeros((member.max() + 1, other.max() + 1))
    np.add.at(shared, (member, other), 1.0)
    first, second = linear_sum_assignment(-shared)
    match = np.full(member.max() + 1, -1)
    match[first] = second
    found: np.ndarray = match[member] == other
    return found
