"""M_P: sentences with their places, clauses, referents and attitudes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.content import neutral_sentences, value_items
from gpla_assets.embedding.embedder import make_embedder
from gpla_assets.parser.attitude import (
    SHIPPED_HEAD,
    AttitudeHead,
    attitude_cues,
    fit_attitude_head,
    obviously_none,
    written_sentences,
)
from gpla_assets.parser.backends import make_parser
from gpla_assets.parser.protocol import Utterance
from gpla_assets.parser.referents import is_polar, self_contained
from gpla_assets.parser.sentences import clause_spans, plain, sentence_spans
from gpla_assets.sources import SourceMissing
from gpla_assets.studies import Parser
from gpla_assets.training.parser import parser_examples

MARKDOWN = """# Advice

Here are some tips:

1. **Be honest:** Tell the truth, even if it hurts. It pays.
- Plan ahead; however, stay flexible when things change.

```python
print("You should not see this.")
```
| a | b |
While rest is good, you should not be lazy all day.
"""


def words(text: str) -> list[str]:
    return [text[span.start : span.end] for span in sentence_spans(text)]


def test_markdown_leaves_sentences_without_code_tables_headings_and_markers() -> None:
    assert words(MARKDOWN) == [
        "Here are some tips:",
        "Tell the truth, even if it hurts.",
        "It pays.",
        "Plan ahead; however, stay flexible when things change.",
        "While rest is good, you should not be lazy all day.",
    ]


def test_offsets_give_the_words_in_the_text() -> None:
    text = "Café people 😀 agree. They should  share.\n* Kindness matters!"
    for span in sentence_spans(text):
        assert text[span.start : span.end].strip() == text[span.start : span.end]
    assert words(text)[-1] == "Kindness matters!"


@pytest.mark.parametrize(
    ("sentence", "clauses"),
    [
        (
            "Rest is good, but laziness is a vice.",
            ["Rest is good", "laziness is a vice."],
        ),
        (
            "While rest is good, you should not be lazy.",
            ["rest is good", "you should not be lazy."],
        ),
        ("I like tea, but no.", ["I like tea, but no."]),
        ("Bread, butter and jam are fine.", ["Bread, butter and jam are fine."]),
    ],
)
def test_a_sentence_is_cut_where_it_turns(sentence: str, clauses: list[str]) -> None:
    (span,) = sentence_spans(sentence)
    found = [sentence[clause.start : clause.end] for clause in clause_spans(sentence, span)]
    assert found == clauses


@pytest.mark.parametrize(
    ("question", "polar"),
    [
        ("Should I plan ahead?", True),
        ("Is it normal for me to worry?", True),
        ("Do you think that rich people lie?", True),
        ("Do people need rules?", True),
        ("Can you help me write a poem?", False),
        ("Could you explain rain?", False),
        ("How should one live?", False),
        ("Write a poem about the sea.", False),
        ("Is it right? Or wrong?", False),
        ("Should I " + "really " * 30 + "go?", False),
    ],
)
def test_questions_that_ask_for_yes_or_no_are_told_from_requests(
    question: str, polar: bool
) -> None:
    assert is_polar(question) is polar


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("No, it isn't necessary.", "Should I plan ahead? No, it isn't necessary."),
        ("Yes.", "Should I plan ahead? Yes."),
        ("However, it depends.", "Should I plan ahead? It depends."),
    ],
)
def test_an_answer_is_stored_so_that_it_can_be_understood_alone(
    sentence: str, expected: str
) -> None:
    assert self_contained(sentence, "Should I plan ahead?", None, 2) == expected


def test_a_later_sentence_takes_its_referent_from_the_one_before() -> None:
    made = self_contained("This will help you.", "How do I sleep?", "Read a book at night.", 9)
    assert made == "Read a book at night. This will help you."


def test_an_answer_to_an_open_question_quotes_it_where_it_must() -> None:
    made = self_contained("It helps.", "What of rest?", None, 1)
    assert made == 'Asked "What of rest?": it helps.'


@pytest.mark.parametrize(
    "sentence",
    [
        "What do you think about it?",
        "Here are some tips:",
        "As an AI language model, I do not have personal opinions.",
        "I hope this helps!",
        "for (i = 0; i < n; i++) { total += x[i]; }",
        "Too short",
        "12 + 30 = 42, 8 * 9 = 72",
    ],
)
def test_what_states_nothing_is_dropped_by_rule(sentence: str) -> None:
    assert obviously_none(sentence)


@pytest.mark.slow
def test_attitudes_are_told_from_neutral_sentences_that_were_held_out() -> None:
    rows = written_sentences(value_items(), neutral_sentences()).sample(frac=1, random_state=0)
    by_attitude = rows.groupby("attitude")
    tested = by_attitude.head(80)
    fitted = rows.drop(tested.index)
    balance = fitted["attitude"].map(1 / fitted["attitude"].value_counts(normalize=True))
    embedder = make_embedder()
    head = fit_attitude_head(fitted.assign(weight=balance), embedder)
    sentences = list(tested["sentence"])
    found = head.probability(embedder.encode(sentences), attitude_cues(sentences))
    for attitude in (0, 1):
        of = (tested["attitude"] == attitude).to_numpy()
        assert ((found[of] > 0.5) == bool(attitude)).mean() > 0.8


def test_a_sentence_without_weight_teaches_nothing() -> None:
    rows = written_sentences(value_items(), neutral_sentences()).head(400)
    wrong = rows.assign(attitude=1 - rows["attitude"], weight=0.0)
    few = pd.concat([rows, written_sentences(value_items(), neutral_sentences()).tail(100)])
    embedder = make_embedder()
    one, other = (fit_attitude_head(r, embedder) for r in (few, pd.concat([few, wrong])))
    np.testing.assert_allclose(one.weights, other.weights, atol=1e-3)


def test_the_shipped_head_is_for_the_packaged_embedding_and_reads_prose() -> None:
    head, embedder = AttitudeHead.load(SHIPPED_HEAD), make_embedder()
    sentences = [
        "It is important to listen to your partner and to respect their feelings.",
        "Everyone deserves to be treated fairly, whatever their background.",
        "Preheat the oven to 180 degrees and grease the tin.",
        "The function returns a list of the first ten numbers.",
    ]
    found = head.probability(embedder.encode(sentences), attitude_cues(sentences))
    assert (found[:2] > 0.5).all()
    assert (found[2:] < 0.3).all()


def test_without_the_labelled_texts_training_says_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GPLA_DATA_DIR", str(tmp_path))
    with pytest.raises(SourceMissing, match=r"AlpacaEval, which is not at hand.*GPLA_DATA_DIR"):
        parser_examples()


def test_perceptions_keep_the_place_of_their_words() -> None:
    text = "No, it isn't necessary. The bus leaves at ten. Honesty is always better than a lie."
    parser = make_parser(Parser())
    found = parser.parse([Utterance("t", text, "Should I plan ahead?"), Utterance("u", "", None)])
    assert [p.ordinal for p in found] == list(range(len(found)))
    assert all(text[p.start : p.end] == p.sentence for p in found)
    contents = [p.content for p in found]
    assert "Should I plan ahead? No, it isn't necessary." in contents
    assert "Honesty is always better than a lie." in contents
    assert not any("bus leaves" in content for content in contents)


def test_a_batch_gives_what_its_texts_give_alone() -> None:
    parser = make_parser(Parser())
    texts = [Utterance(str(n), f"You should be kind to {n} people.", None) for n in range(5)]
    together = parser.parse(texts)
    alone = [perception for text in texts for perception in parser.parse([text])]
    assert [p.parent for p in together] == ["0", "1", "2", "3", "4"]
    assert together == alone


def test_emphasis_marks_are_not_part_of_a_perception() -> None:
    assert plain("**Always** tell the _truth_ to `all`") == "Always tell the truth to all"
