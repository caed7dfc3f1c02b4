"""The project's hand-labelled sentences of real texts, and what agents make of them.

Two passes labelled each sentence independently by `content/labelling.md`. The texts themselves are
not the project's to ship: a label names its text by source and hash, and its place in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import numpy as np
import pandas as pd
from sklearn.metrics import cohen_kappa_score

from gpla_assets.agents.protocol import PerceptionParser, Utterance, ValueEvaluator
from gpla_assets.agents.sentence_parser import candidates
from gpla_assets.content import labelled_pairs, labelled_sentences
from gpla_assets.evaluator.quality import sign_quality
from gpla_assets.sources import SOURCES, SourceMissing, locate, read
from gpla_assets.studies import data_dir

Row = tuple[str, str, str, float, int]
LLM_PROSE = "hand-labelled sentences"
RELATIONS = {"s": "support", "o": "oppose", "e": "either", "-": "irrelevant"}


def text_hash(content: str) -> str:
    """What stands for a text in the labels."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:16]


def labelled_texts() -> pd.DataFrame | None:
    """The labelled texts at hand: rows (text, content, question); None where a source is missing.

    Raises ValueError where a source is there and a labelled text is not in it.
    """
    wanted = labelled_sentences()
    found = []
    for source, rows in wanted.groupby("source"):
        try:
            path = locate(SOURCES[str(source)], data_dir(), None)
        except SourceMissing:
            return None
        texts = read(str(source), path).rows
        texts = texts[texts["llm"].isin(set(rows["llm"]))]
        texts = texts.assign(text=[text_hash(content) for content in texts["content"]])
        texts = texts[texts["text"].isin(set(rows["text"]))].drop_duplicates("text")
        missing = set(rows["text"]) - set(texts["text"])
        if missing:
            raise ValueError(
                f"Source {source} at {path} lacks {len(missing)} labelled texts, e.g. "
                f"{min(missing)}, expected them all; it is another release."
            )
        found.append(texts.rename(columns={"question_text": "question"}))
    return pd.concat(found, ignore_index=True)[["text", "content", "question"]]


def agreement() -> Iterator[Row]:
    """How far the two passes agree: rows of (role, data, measure, number, n)."""
    sentences, pairs = labelled_sentences(), labelled_pairs()
    both = [sentences[f"attitudes_{n}"] > 0 for n in (1, 2)]
    kappa = float(cohen_kappa_score(*both))
    yield "parser", LLM_PROSE, "kappa of two passes: attitude or none", kappa, len(sentences)
    shared = pairs[(pairs["relation_1"] != "") & (pairs["relation_2"] != "")]
    kappa = float(cohen_kappa_score(shared["relation_1"], shared["relation_2"]))
    yield "evaluator", LLM_PROSE, "kappa of two passes: relation to a value", kappa, len(shared)


def parser_rows(parser: PerceptionParser, texts: pd.DataFrame) -> Iterator[Row]:
    """Precision and recall of M_P by sentence, where both passes agree."""
    perceptions = parser.parse(
        [Utterance(row.text, row.content, row.question) for row in texts.itertuples(index=False)]
    )
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
    of_text = {
        row.text: candidates(Utterance(row.text, row.content, row.question))
        for row in texts.itertuples(index=False)
    }
    rows = []
    for label in labelled_sentences().itertuples(index=False):
        inside = [c for c in of_text[label.text] if c.start < label.end and label.start < c.end]
        if inside:
            rows.append((label.text, label.start, label.end, inside[0].content))
    return pd.DataFrame(rows, columns=["text", "start", "end", "content"])


def agreed_pairs(perceptions: pd.DataFrame) -> pd.DataFrame:
    """Labelled pairs where both passes agree, with each sentence's `content`.

    `perceptions`: rows (text, start, end, content), as of `wordings`.
    """
    pairs = labelled_pairs()
    pairs = pairs[(pairs["relation_1"] == pairs["relation_2"]) & (pairs["relation_1"] != "")]
    return pairs.merge(perceptions, on=["text", "start", "end"])


def evaluator_rows(evaluator: ValueEvaluator, perceptions: pd.DataFrame) -> Iterator[Row]:
    """M_E on labelled pairs of sentence and value, where both passes agree.

    `perceptions`: rows (text, start, end, content), the self-contained wording of each sentence.
    """
    pairs = agreed_pairs(perceptions)
    scores = evaluator.score(
        list(pairs["content"]), list(pairs["value"]), list(pairs["definition"])
    )
    relation = pairs["relation_1"].to_numpy()
    relevant = relation != "-"
    auc = sign_quality(relevant, scores["relevance"].to_numpy() - 0.5).auc
    yield "evaluator", LLM_PROSE, "AUC of relevance", auc, len(pairs)
    above = scores["relevance"].to_numpy() > 0.5
    recall, false = float(above[relevant].mean()), float(above[~relevant].mean())
    yield "evaluator", LLM_PROSE, "recall of relevance above 0.5", recall, int(relevant.sum())
    yield (
        "evaluator",
        LLM_PROSE,
        "false positives of relevance above 0.5",
        false,
        int((~relevant).sum()),
    )
    sided = np.isin(relation, ["s", "o"])
    quality = sign_quality((relation == "s")[sided], scores["score"].to_numpy()[sided])
    yield "evaluator", LLM_PROSE, "accuracy of sign", quality.accuracy, quality.n
    yield "evaluator", LLM_PROSE, "balanced accuracy of sign", quality.balanced_accuracy, quality.n
    yield "evaluator", LLM_PROSE, "AUC of sign", quality.auc, quality.n
