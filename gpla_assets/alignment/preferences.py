"""Which preferences a study takes, and the responses in them."""

from __future__ import annotations

import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.parser.protocol import PerceptionParser
from gpla_assets.subjects.questions import attitude_shares

PILOTS = 2
"""Pairs of a prompt whose responses tell how much attitude it elicits."""


def of_laden_prompts(
    pairs: pd.DataFrame, prompts: int, parser: PerceptionParser, seed: int
) -> pd.DataFrame:
    """The pairs of the `prompts` prompts whose responses state the largest share of attitudes.

    `pairs` as `sources.preferences` gives them. A prompt is judged by the responses of PILOTS of
    its pairs, drawn with a seed, whichever was preferred: code and arithmetic carry no value, and
    would only fill the tables with pairs that nothing can be measured in.
    """
    drawn = (
        pairs.sort_values("pair_id")
        .groupby("prompt")
        .sample(PILOTS, replace=True, random_state=seed)
    )
    answers = pd.concat(
        [
            drawn[["prompt", side]].set_axis(["question", "answer"], axis=1)
            for side in ("winning", "losing")
        ]
    ).drop_duplicates()
    shares = pd.Series(attitude_shares(answers, parser), dtype=float)
    best = shares.sort_values(ascending=False, kind="stable").index[:prompts]
    return pairs[pairs["prompt"].isin(best)].reset_index(drop=True)


def paired_responses(pairs: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Pairs by keys of their responses, and the responses (response, prompt, content) once each."""
    keys, frames = {}, []
    for side in ("winning", "losing"):
        keys[side] = [
            key_of(prompt, text) for prompt, text in zip(pairs["prompt"], pairs[side], strict=True)
        ]
        frames.append(
            pd.DataFrame(
                {"response_id": keys[side], "prompt": pairs["prompt"], "content": pairs[side]}
            )
        )
    responses = pd.concat(frames).drop_duplicates("response_id").reset_index(drop=True)
    keyed = pairs.drop(columns=["winning", "losing"]).assign(
        winning_id=keys["winning"], losing_id=keys["losing"], place=range(len(pairs))
    )
    return keyed, responses
