"""Judges of responses: how helpful, how harmless. Higher is better for all of them."""

from gpla_assets.judges.backends import check_judge, judged, make_judge
from gpla_assets.judges.protocol import Judge, PairwiseJudge

__all__ = ["Judge", "PairwiseJudge", "check_judge", "judged", "make_judge"]
