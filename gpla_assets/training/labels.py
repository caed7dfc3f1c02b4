"""The project's hand-labelled sentences of real texts, and what agents make of them.

Two passes labelled each sentence independently by `content/labelling.md`. The texts themselves are
not the project's to ship: a label names its text by source and hash, and its place in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from gpla_assets.content import (
    definitions_of,
    labelled_oppositions,
    labelled_pairs,
    labelled_perceptions,
    labelled_sentences,
    vocabulary,
)
from gpla_assets.evaluator.protocol import ValueEvaluator
from gpla_assets.generator.protocol import ValueGenerator
from gpla_assets.parser.embedded import candidates
from gpla_assets.parser.protocol import PerceptionParser, Utterance
from gpla_assets.sources import SOURCES, SourceError, SourceMissing, locate, read
from gpla_assets.sources.catalogue import OPEN
from gpla_assets.sources.recorded import as_written
from gpla_assets.studies import data_dir
from gpla_assets.training.quality_measures import pair_rows

Row = tuple[str, str, str, float, int]
LLM_PROSE = "hand-labelled sentences"
RANDOM_PROSE = "labelled perceptions of random texts"
OPPOSED_PROSE = "labelled perceptions where M_E sees opposition"


# decision 0012: what ships names a text and does not hold it
def text_hash(content: str) -> str:
    """What stands for a text in the labels."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]


def labelled_texts() -> pd.DataFrame | None:
    """The labelled texts at hand: rows (text, content, question); None where a source is missing.

    Raises ValueError where a source is there and a labelled text is not in it.
    """
    found = []
    for source, rows in labelled_sentences().groupby("source"):
        texts = texts_with_hash(str(source), set(rows["text"]))
        if texts is None:
            return None
        found.append(texts)
    return pd.concat(found, ignore_index=True)


def written_texts(source: str) -> pd.DataFrame | None:
    """The texts of a source as its file has them: (content, question_text, and `answer`: what
    reading makes of a reply, null of a refusal).

    None where the source is missing.
    """
    try:
        path = locate(SOURCES[source], data_dir(), None)
    except SourceMissing:
        return None
    return _written(source, path)


@lru_cache(maxsize=2)
def _written(source: str, path: Path) -> pd.DataFrame:
    if source in OPEN:
        return as_written(path)
    texts = read(source, path).rows
    return texts.assign(answer=texts["content"])


def texts_with_hash(source: str, wanted: set[str]) -> pd.DataFrame | None:
    """The texts of a source by their hashes: rows (text, content, question).

    None where the source is missing. Raises SourceError where it is there and lacks a text.
    """
    texts = written_texts(source)
    if texts is None:
        return None
    texts = texts.assign(text=[text_hash(content) for content in texts["content"]])
    texts = texts[texts["text"].isin(wanted)].drop_duplicates("text")
    missing = wanted - set(texts["text"])
    if missing:
        raise SourceError(
            f"Source {source} lacks {len(missing)} labelled texts, e.g. {min(missing)}, "
            "expected them all; it is another release."
        )
    return texts.rename(columns={"question_text": "question"})[["text", "content", "question"]]


def _utterances(texts: pd.DataFrame) -> list[Utterance]:
    return [Utterance(row.text, row.content, row.question) for row in texts.itertuples(index=False)]


def agreement() -> Iterator[Row]:
    """How far the two passes agree: rows of (role, data, measure, number, n)."""
    from sklearn.metrics import cohen_kappa_score

    sentences, pairs = labelled_sentences(), labelled_pairs()
    both = [sentences[f"attitudes_{n}"] > 0 for n in (1, 2)]
    kappa = float(cohen_kappa_score(*both))
    yield "parser", LLM_PROSE, "kappa of two passes: attitude or none", kappa, len(sentences)
    shared = pairs[(pairs["relation_1"] != "") & (pairs["relation_2"] != "")]
    kappa = float(cohen_kappa_score(shared["relation_1"], shared["relation_2"]))
    yield "evaluator", LLM_PROSE, "kappa of two passes: relation to a value", kappa, len(shared)
    shared = labelled_oppositions().query("relation_2 != ''")
    kappa = float(cohen_kappa_score(shared["relation"], shared["relation_2"]))
    yield "evaluator", OPPOSED_PROSE, "kappa of two passes: relation to a value", kappa, len(shared)


def parser_rows(parser: PerceptionParser, texts: pd.DataFrame) -> Iterator[Row]:
    """Precision and recall of M_P by sentence, where both passes agree."""
    perceptions = parser.parse(_utterances(texts))
    spans: dict[str, list[tuple[int, int]]] = {}
    for found in perceptions:
        spans.setdefault(found.parent, []).append((found.start, found.end))
    sentences = labelled_sentences()
    kept = np.array(
        [
            any(start < row.end and row.start < end for start, end in spans.get(row.text, []))
            for row in sentences.itertuples(index=False)
        ]
    )
    one, two = (sentences[f"attitudes_{n}"].to_numpy() > 0 for n in (1, 2))
    sure = one == two
    truth, said = one[sure], kept[sure]
    hits = int((truth & said).sum())
    precision, recall = hits / max(said.sum(), 1), hits / max(truth.sum(), 1)
    n = int(sure.sum())
    yield "parser", LLM_PROSE, "precision", precision, n
    yield "parser", LLM_PROSE, "recall", recall, n
    yield "parser", LLM_PROSE, "F1", 2 * precision * recall / max(precision + recall, 1e-9), n


def wordings(texts: pd.DataFrame) -> pd.DataFrame:
    """Each labelled sentence in self-contained words: rows (text, start, end, content)."""
    of_text = {said.key: candidates(said) for said in _utterances(texts)}
    rows = []
    for label in labelled_sentences().itertuples(index=False):
        inside = [c for c in of_text[label.text] if c.start < label.end and label.start < c.end]
        if inside:
            rows.append((label.text, label.start, label.end, inside[0].content))
    return pd.DataFrame(rows, columns=["text", "start", "end", "content"])


def agreed_pairs(perceptions: pd.DataFrame) -> pd.DataFrame:
    """Labelled pairs where both passes agree, with each sentence's `content` and `relation`.

    `perceptions`: rows (text, start, end, content), as of `wordings`.
    """
    pairs = labelled_pairs()
    pairs = pairs[(pairs["relation_1"] == pairs["relation_2"]) & (pairs["relation_1"] != "")]
    pairs = pairs.rename(columns={"relation_1": "relation"})
    return pairs.merge(perceptions, on=["text", "start", "end"])


def perception_rows(parser: PerceptionParser, texts: pd.DataFrame) -> Iterator[Row]:
    """Precision of M_P on labelled sentences of random texts, and the attitudes that it keeps.

    The sentences are perceptions of an earlier M_P, so that what that one missed is not among them.

    `texts`: rows (text, content, question), as of `texts_with_hash`.
    """
    found = parser.parse(_utterances(texts))
    spans = {(one.parent, one.start, one.end) for one in found}
    labels = labelled_perceptions().drop_duplicates(["text", "start", "end"])
    places = labels[["text", "start", "end"]].itertuples(index=False, name=None)
    kept = labels[[place in spans for place in places]]
    yield "parser", RANDOM_PROSE, "precision", float(kept["attitude"].mean()), len(kept)
    recall = kept["attitude"].sum() / labels["attitude"].sum()
    yield "parser", RANDOM_PROSE, "recall of labelled attitudes", recall, len(labels)


def labelled_relations(texts: pd.DataFrame, labels: pd.DataFrame | None = None) -> pd.DataFrame:
    """The labelled perceptions' pairs in self-contained words: rows (content, value, ...).

    `labels`: those of the test if not given.
    """
    wording = {
        (said.key, found.start, found.end): found.content
        for said in _utterances(texts)
        for found in candidates(said)
    }
    labels = labelled_perceptions() if labels is None else labels
    places = labels[["text", "start", "end"]].itertuples(index=False, name=None)
    rows = labels.assign(content=[wording.get(place) for place in places]).dropna()
    return rows.assign(definition=definitions_of(rows["value"], vocabulary()))


def relation_rows(evaluator: ValueEvaluator, pairs: pd.DataFrame, data: str) -> Iterator[Row]:
    """M_E on labelled pairs: rows (content, value, definition, relation)."""
    scores = evaluator.score(
        list(pairs["content"]), list(pairs["value"]), list(pairs["definition"])
    )
    relevance, signs = scores["relevance"].to_numpy(), scores["score"].to_numpy()
    for row in pair_rows(data, list(pairs["relation"]), relevance, signs):
        yield "evaluator", *row


def generator_rows(generator: ValueGenerator, pairs: pd.DataFrame, data: str) -> Iterator[Row]:
    """Of labelled pairs, those whose value M_G gives: rows (content, value, relation).

    Precision: share of relevant pairs among those given; values that it gives and no label judges
    are not counted. Recall: share of the relevant pairs that are given.
    """
    contents = list(dict.fromkeys(pairs["content"]))
    found = generator.generate(contents)
    given = {
        (contents[row], value) for row, value in zip(found["row"], found["value"], strict=True)
    }
    known = pairs[["content", "value"]].itertuples(index=False, name=None)
    said = np.array([pair in given for pair in known], bool)
    relevant = (pairs["relation"] != "-").to_numpy()
    hits = int((said & relevant).sum())
    yield "generator", data, "precision of values given", hits / max(said.sum(), 1), int(said.sum())
    recall = hits / max(relevant.sum(), 1)
    yield "generator", data, "recall of relevant values", recall, int(relevant.sum())
