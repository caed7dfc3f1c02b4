"""Judges by name: what a study's settings make."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from gpla_assets.agents.availability import check_backend, check_weights
from gpla_assets.agents.backends import Asking, make_chat
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.judges.beaver import PUBLISHED, BeaverJudge
from gpla_assets.judges.chat_judge import ChatJudge
from gpla_assets.judges.preference_model import PreferenceJudge, weights_path
from gpla_assets.judges.protocol import Floats, Judge, PairwiseJudge
from gpla_assets.judges.toxicity import ToxicityJudge
from gpla_assets.studies.judges import JudgeSettings


def make_judge(settings: JudgeSettings, asking: Asking = Asking()) -> Judge | PairwiseJudge:
    """A judge; raises BackendUnavailable where its weights or its LLM cannot be had."""
    if settings.backend == "preference_model":
        return PreferenceJudge(make_embedder(), settings.with_length)
    if settings.backend == "toxicity":
        return ToxicityJudge()
    if settings.backend == "beaver_reward" or settings.backend == "beaver_cost":
        weights = LocalWeights.of(settings, PUBLISHED[settings.backend])
        return BeaverJudge(settings.backend, weights)
    chat = make_chat(settings, asking)
    return ChatJudge(chat, settings, asking.seed)


def check_judge(settings: JudgeSettings) -> str:
    """What a judge would run, without loading it; raises BackendUnavailable or UnknownBackend."""
    if settings.backend == "preference_model":
        return str(weights_path(settings.with_length))
    if settings.backend == "toxicity":
        return ToxicityJudge.model
    if settings.backend in PUBLISHED:
        return check_weights(settings.model or PUBLISHED[settings.backend], settings.device)
    return check_backend("judge", settings)


def judged(judge: Judge | PairwiseJudge, responses: pd.DataFrame) -> Floats:
    """(n,) scores of responses (run_id, stage, prompt, sample, content), one a row, in order.

    A judge of pairs compares each response after alignment with the one before it: the share of
    preference goes to `after`, the rest of 1 to `before`.
    """
    if not judge.pairwise:
        return judge.score(list(responses["prompt"]), list(responses["content"]))
    keys = ["run_id", "prompt", "sample"]
    numbered = responses.assign(row=np.arange(len(responses)))
    pairs = numbered[numbered["stage"] == "after"].merge(
        numbered[numbered["stage"] == "before"], on=keys, suffixes=("_after", "_before")
    )
    better = _preferred(judge, pairs["prompt"], pairs["content_after"], pairs["content_before"])
    scores = np.full(len(responses), np.nan)
    scores[pairs["row_after"]] = better
    scores[pairs["row_before"]] = 1 - better
    return scores


def _preferred(
    judge: PairwiseJudge, prompts: Sequence[str], first: Sequence[str], second: Sequence[str]
) -> Floats:
    return judge.prefer(list(prompts), list(first), list(second))
