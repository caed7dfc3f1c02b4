"""The corpus's texts, from which the lexicon is drawn."""

from __future__ import annotations

import pandas as pd

from gpla_assets.common.keys import key_of
from gpla_assets.sources import SOURCES, answers_of, locate
from gpla_assets.sources.answer_frame import with_an_answer
from gpla_assets.studies import Study, data_dir


def corpus_texts(study: Study) -> tuple[pd.DataFrame, dict[str, int]]:
    """Rows of `texts` from all sources of a study, and what was skipped by reason.

    Raises SourceMissing or SourceError; then no source is loaded.
    """
    parts: list[pd.DataFrame] = []
    skipped: dict[str, int] = {}
    for item in study.corpus:
        path = locate(SOURCES[item.source], data_dir(), item.file)
        found = answers_of(item.source, path, item.columns, by_file=False)
        rows, left_out = with_an_answer(found.frame)
        counts = {**found.skipped, **left_out}
        skipped |= {f"{item.source}: {why}": count for why, count in counts.items() if count}
        texts = pd.DataFrame(
            {
                "source": item.source,
                "llm": rows["llm"],
                "question_text": rows["question"],
                "content": rows["answer"],
            }
        ).astype(object)
        texts = texts.where(texts.notna(), None)
        texts["text_id"] = [
            key_of(*parts)
            for parts in zip(
                texts["source"],
                texts["llm"],
                rows["profile"],
                rows["sample"],
                texts["question_text"],
                texts["content"],
                strict=True,
            )
        ]
        texts["question_id"] = [
            None if question is None else key_of(item.source, question)
            for question in texts["question_text"]
        ]
        if item.sample and item.sample < len(texts):
            # sorted first, so that the sample depends on the texts and the seed alone
            texts = texts.sort_values("text_id").sample(item.sample, random_state=study.seed)
        parts.append(texts)
    everything = pd.concat(parts, ignore_index=True)
    repeated = everything["text_id"].duplicated()
    if repeated.any():
        skipped["repeated in another source"] = int(repeated.sum())
    columns = ["text_id", "source", "llm", "question_id", "question_text", "content"]
    return everything.loc[~repeated, columns].sort_values("text_id", ignore_index=True), skipped
