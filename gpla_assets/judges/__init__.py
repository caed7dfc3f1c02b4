"""Judges of responses: how helpful, how harmless. Higher is better for all of them."""

from gpla_assets.judges.protocol import Judge, PairwiseJudge
from gpla_assets.judges.registry import check_judge, judged, make_judge

__all__ = ["Judge", "PairwiseJudge", "check_judge", "judged", "make_judge"]
