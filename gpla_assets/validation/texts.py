"""Texts of the validation studies: conversations to be covered, and answers to further prompts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.parser.protocol import PerceptionParser
from gpla_assets.sources import SOURCES, locate, read
from gpla_assets.sources.reading import file_rows
from gpla_assets.studies import StudyError, Validation, data_dir
from gpla_assets.subjects.questions import FEWEST_SENTENCES, attitude_shares

CONVERSATIONS, SETS = "conversations", "prompt sets"
COLUMNS = ["text_id", "sample", "prompt_set", "llm", "question_text", "content"]
MOST_CANDIDATES = 20_000
"""Conversations that topics are given to; a million would take hours to no use."""


def conversations(settings: Validation, seed: int) -> pd.DataFrame:
    """Conversations of a source (llm, question_text, content): a seeded draw where there are many.

    Raises SourceMissing where the source is not on this machine.
    """
    source = SOURCES[settings.conversations]
    rows = read(source.name, locate(source, data_dir(), settings.conversations_file)).rows
    rows = rows.sort_values(["question_text", "llm"]).reset_index(drop=True)
    return rows.sample(min(len(rows), MOST_CANDIDATES), random_state=seed)


def drawn_conversations(
    candidates: pd.DataFrame, topics: pd.DataFrame, wanted: int, seed: int
) -> pd.DataFrame:
    """`wanted` conversations of value-laden topics with their topics, drawn with a seed.

    `candidates` (llm, question_text, content); `topics` as `coverage.labelled` gives them, by
    question. No prompt stands twice while there are others.
    """
    joined = candidates.merge(topics, left_on="question_text", right_index=True)
    laden = joined[joined["value_laden"]].sample(frac=1, random_state=seed)
    turn = laden.groupby("question_text").cumcount()
    drawn = laden.assign(turn=turn).sort_values("turn", kind="stable").head(wanted)
    both = drawn["question_text"] + "\n\n" + drawn["content"]
    return _texts(drawn.assign(content=both), CONVERSATIONS, "").assign(
        topic=drawn["topic"].to_numpy(),
        topic_cosine=drawn["topic_cosine"].to_numpy(),
        value_laden=True,
    )


def prompt_set_texts(
    settings: Validation,
    aliases: pd.DataFrame,
    llms: list[str],
    needed: list[str],
    pilots: list[str],
    parser: PerceptionParser,
    seed: int,
) -> pd.DataFrame:
    """Answers of `n_llms` of the study's LLMs to prompts of AlpacaEval's subsets, and ValueBench's.

    Of all of AlpacaEval's LLMs where `llms` is empty; those in `needed` (with a criterion, or in
    ValueBench) come first, the others by a seeded draw.
    Of each subset the prompts with the largest share of attitudes in the pilots' answers are
    taken, as for the study's own questions.
    """
    source = SOURCES["alpaca_eval"]
    path = locate(source, data_dir(), None)
    answers = read(source.name, path).rows
    subsets = file_rows(path)[["instruction", "dataset"]].drop_duplicates("instruction")
    names = subsets.set_index("instruction")["dataset"]
    own = _drawn_llms(llms or sorted(set(answers["llm"])), needed, settings.n_llms, seed)
    bench = _valuebench(aliases, own, settings.valuebench_answers, seed)
    pilot = answers[answers["llm"].isin(pilots)]
    if pilot.empty:
        raise StudyError(
            "validation.prompt_sets: questions.pilot_llms names no LLM of alpaca_eval; expected "
            "LLMs whose answers tell which prompts elicit attitudes."
        )
    read_as = {"content": "answer", "question_text": "question"}
    asked = attitude_shares(pilot.rename(columns=read_as), parser)
    if not asked:
        raise StudyError(
            f"validation.prompt_sets: no prompt of alpaca_eval has {FEWEST_SENTENCES} sentences in "
            "the answers of questions.pilot_llms together; name more of them."
        )
    shares = pd.Series(asked).rename("share").to_frame()
    shares["prompt_set"] = names.reindex(shares.index)
    ranked = shares.sort_values("share", ascending=False, kind="stable")
    chosen = ranked.groupby("prompt_set").head(settings.prompts_per_set)
    rows = answers[answers["llm"].isin(own) & answers["question_text"].isin(chosen.index)]
    sets = "AlpacaEval " + rows["question_text"].map(chosen["prompt_set"])
    return pd.concat([_texts(rows, SETS, sets), bench], ignore_index=True)


def _drawn_llms(llms: list[str], needed: list[str], wanted: int, seed: int) -> list[str]:
    first = [llm for llm in llms if llm in set(needed)]
    others = [llm for llm in llms if llm not in set(needed)]
    np.random.default_rng(seed).shuffle(others)
    return sorted([*first, *others][: max(wanted, len(first))])


def _valuebench(aliases: pd.DataFrame, llms: list[str], wanted: int, seed: int) -> pd.DataFrame:
    source = SOURCES["valuebench"]
    rows = read(source.name, locate(source, data_dir(), None)).rows
    known = aliases[aliases["llm"].isin(llms)].set_index("name")["llm"]
    rows = rows.assign(llm=rows["llm"].map(known)).dropna(subset="llm")
    drawn = [own.sample(min(len(own), wanted), random_state=seed) for _, own in rows.groupby("llm")]
    if not drawn:
        return pd.DataFrame(columns=COLUMNS)
    return _texts(pd.concat(drawn), SETS, "ValueBench")


def _texts(rows: pd.DataFrame, sample: str, prompt_set: str | pd.Series) -> pd.DataFrame:
    found = pd.DataFrame(
        {
            "sample": sample,
            "prompt_set": prompt_set,
            "llm": rows["llm"],
            "question_text": rows["question_text"],
            "content": rows["content"],
        }
    )
    found["text_id"] = [key_of(*row) for row in found.itertuples(index=False)]
    return found.drop_duplicates("text_id")[COLUMNS].reset_index(drop=True)
