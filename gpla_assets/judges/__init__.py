"""Judges of responses: how helpful, how harmless. Higher is better for all of them."""

from gpla_assets.judges.protocol import Judge, PairwiseJudge
from gpla_assets.judges.registry import judged, make_judge

__all__ = ["Judge", "PairwiseJudge", "judged", "make_judge"]
