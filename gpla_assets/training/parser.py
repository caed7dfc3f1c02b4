"""Training of M_P's head on labelled sentences of LLMs and on the project's own."""

from __future__ import annotations

import pandas as pd

from gpla_assets.content import neutral_sentences, training_perceptions, value_items
from gpla_assets.embedding.embedder import Encoder
from gpla_assets.parser.attitude import AttitudeHead, fit_attitude_head, written_sentences
from gpla_assets.sources import SourceMissing
from gpla_assets.training.labels import labelled_relations, texts_with_hash


def parser_examples() -> pd.DataFrame:
    """Rows (sentence, attitude, weight); raises SourceMissing without AlpacaEval's data."""
    labels = training_perceptions()
    texts = texts_with_hash("alpaca_eval", set(labels["text"]))
    if texts is None:
        raise SourceMissing(
            "M_P is trained on labelled sentences of AlpacaEval, which is not at hand: set "
            "GPLA_DATA_DIR to where it is (`gpla download alpaca_eval` gets it)."
        )
    said = labelled_relations(texts, labels.drop_duplicates(["text", "start", "end"]))
    of_llms = said.rename(columns={"content": "sentence"})[["sentence", "attitude"]]
    written = written_sentences(value_items(), neutral_sentences())
    return pd.concat([of_llms.assign(weight=1.0), written], ignore_index=True)


def train_parser(embedder: Encoder) -> AttitudeHead:
    """The head that ships; the same data gives the same."""
    return fit_attitude_head(parser_examples(), embedder)
