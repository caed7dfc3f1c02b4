"""What subjects are asked: the project's questions, or prompts of their source."""

from __future__ import annotations

import pandas as pd

from gpla_assets.agents.backends import Asking
from gpla_assets.common.keys import key_of
from gpla_assets.content import questions as shipped_questions
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.protocol import PerceptionParser, Utterance
from gpla_assets.parser.sentences import sentence_spans
from gpla_assets.studies import Study, StudyError
from gpla_assets.subjects.roster import source_answers

FEWEST_SENTENCES = 12
"""Of a prompt's pilot answers together; a share of fewer is chance."""


def choose_questions(study: Study, asking: Asking = Asking()) -> tuple[pd.DataFrame, int]:
    """Rows of `questions`, and the sentences that choosing them put through a model."""
    if study.questions.origin == "project":
        file = study.questions.file
        rows = shipped_questions(file) if file else shipped_questions()
        rows = rows.head(study.questions.count or 10**9)
        return (
            pd.DataFrame(
                {
                    "question_id": rows["question_id"],
                    "source": "project",
                    "value": rows["value"],
                    "content": rows["question"],
                    "attitude_share": None,
                }
            ),
            0,
        )
    return _chosen_prompts(study, asking)


def _chosen_prompts(study: Study, asking: Asking) -> tuple[pd.DataFrame, int]:
    source = next((item for item in study.subjects if item.backend == "recorded"), None)
    if source is None:
        raise StudyError("questions.origin = 'source': expected a subject source with answers.")
    answers = source_answers(source)
    pilots = study.questions.pilot_llms
    absent = sorted(set(pilots) - set(answers["llm"]))
    if absent:
        raise StudyError(f"questions.pilot_llms = {absent[0]!r}: not in source {source.source}.")
    inferences = 0
    shares: dict[str, float | None] = dict.fromkeys(sorted(set(answers["question"].dropna())))
    if pilots:
        parser = make_parser(study.parser, asking)
        before = parser.inferences
        said = (answers["answer"] != "") & ~answers["refused"]
        pilot = answers[answers["llm"].isin(pilots) & said]
        shares = {**attitude_shares(pilot, parser)}
        inferences = parser.inferences - before
    ranked = sorted(shares, key=lambda text: (-(shares[text] or 0.0), text))
    chosen = ranked[: study.questions.count]
    if not chosen:
        raise StudyError(
            f"questions.pilot_llms = {pilots}: no prompt of {source.source} has "
            f"{FEWEST_SENTENCES} sentences in their answers together; name more of its LLMs."
        )
    return (
        pd.DataFrame(
            {
                "question_id": [key_of(source.source, text) for text in chosen],
                "source": source.source,
                "value": None,
                "content": chosen,
                "attitude_share": [shares[text] for text in chosen],
            }
        ),
        inferences,
    )


def attitude_shares(answers: pd.DataFrame, parser: PerceptionParser) -> dict[str, float]:
    """Share of the sentences of the answers (question, answer) that M_P keeps, by question.

    Questions whose answers have fewer than FEWEST_SENTENCES sentences are left out.
    """
    rows = answers.reset_index(drop=True)
    found = parser.parse(
        [Utterance(str(n), row.answer, row.question) for n, row in enumerate(rows.itertuples())]
    )
    spans = [sentence_spans(content) for content in rows["answer"]]
    kept: dict[int, set[int]] = {}
    for perception in found:
        row = int(perception.parent)
        kept.setdefault(row, set()).update(
            span.sentence for span in spans[row] if span.start <= perception.start < span.end
        )
    counts = pd.DataFrame(
        {
            "question": rows["question"],
            "sentences": [len(one) for one in spans],
            "kept": [len(kept.get(n, ())) for n in range(len(rows))],
        }
    )
    sums = counts.groupby("question")[["sentences", "kept"]].sum()
    sums = sums[sums["sentences"] >= FEWEST_SENTENCES]
    return {str(text): float(row.kept / row.sentences) for text, row in sums.iterrows()}
