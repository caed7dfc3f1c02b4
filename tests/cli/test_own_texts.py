"""The agents on files: gpla perceive, values, score; and the hand-labelled sentences."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.cli.own_texts import perceive_file, read_csv, score_file, values_file
from gpla_assets.content import (
    labelled_oppositions,
    labelled_pairs,
    labelled_perceptions,
    labelled_sentences,
    opposing_perceptions,
    training_perceptions,
    vocabulary,
)
from gpla_assets.evaluator.backends import make_evaluator
from gpla_assets.evaluator.weights import held_out_quality
from gpla_assets.generator.backends import make_generator
from gpla_assets.parser.backends import make_parser
from gpla_assets.sources import SourceError
from gpla_assets.studies import Evaluator, Generator, Parser
from gpla_assets.training.labels import (
    LLM_PROSE,
    OPPOSED_PROSE,
    RANDOM_PROSE,
    agreed_pairs,
    agreement,
    generator_rows,
    labelled_relations,
    labelled_texts,
    parser_rows,
    perception_rows,
    relation_rows,
    texts_with_hash,
    wordings,
)
from tests.conftest import gpla

PAIRS = [
    ("You should always tell the truth to your friends.", "Honesty"),
    ("The bus leaves at ten.", "Honesty"),
    ("I rarely bother to plan ahead.", "Planning"),
    ("You should always tell the truth to your friends.", "Veracity of Speech"),
]


def near(number: float) -> object:
    """A number of docs/method/perceptions.md or the model card, rounded to two places."""
    return pytest.approx(number, abs=0.01)


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    path = tmp_path / "pairs.csv"
    pd.DataFrame(PAIRS, columns=["perception", "value"]).assign(note="n,o").to_csv(
        path, index=False
    )
    return path


@pytest.mark.slow
def test_scores_stand_in_the_order_of_the_file(pairs: Path, tmp_path: Path) -> None:
    gpla("score", str(pairs), "--mode", "fast", "--out", str(tmp_path / "o.csv"), folder=tmp_path)
    found = pd.read_csv(tmp_path / "o.csv")
    assert list(found) == [
        *("perception", "value", "note", "relevance", "p_support", "p_oppose", "p_either"),
        *("score", "confident"),
    ]
    assert list(zip(found["perception"], found["value"], strict=True)) == PAIRS
    np.testing.assert_allclose(found[["p_support", "p_oppose", "p_either"]].sum(axis=1), 1, 1e-4)
    np.testing.assert_allclose(found["score"], found["p_support"] - found["p_oppose"], atol=1e-6)
    assert found["score"][0] > 0 > found["score"][2]
    assert found["relevance"][0] > found["relevance"][1]


def test_a_definition_of_the_user_goes_before_the_vocabularys(tmp_path: Path) -> None:
    evaluator = make_evaluator(Evaluator())
    rows = pd.DataFrame(
        [("Bake bread every day.", "Honesty", ""), ("Bake bread every day.", "Honesty", "baking")],
        columns=["perception", "value", "definition"],
    )
    rows.to_csv(tmp_path / "p.csv", index=False)
    found = score_file(tmp_path / "p.csv", evaluator, vocabulary())
    assert found["relevance"][1] > found["relevance"][0]
    known = vocabulary().set_index("value").loc["Honesty", "definition"]
    alone = evaluator.score(["Bake bread every day."], ["Honesty"], [known])
    assert found["relevance"][0] == pytest.approx(alone["relevance"][0], abs=1e-3)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("perception\na\n", "'value' is missing, expected perception,value"),
        ("perception,value\na,Honesty\n ,Honesty\n", "line 3: perception is blank"),
        ("", "has 0 lines with content"),
    ],
)
def test_a_file_of_pairs_that_cannot_be_used_is_named(
    text: str, message: str, tmp_path: Path
) -> None:
    (tmp_path / "bad.csv").write_text(text, "utf-8")
    output = gpla(
        "score", str(tmp_path / "bad.csv"), "--out", str(tmp_path / "o.csv"),
        folder=tmp_path, expected=1,
    )  # fmt: skip
    assert message in " ".join(output.split())
    assert not (tmp_path / "o.csv").exists()


@pytest.mark.parametrize(
    ("delimiter", "encoding"), [(";", "utf-8-sig"), (",", "cp1252"), ("\t", "utf-16")]
)
def test_pairs_of_every_layout_are_read(delimiter: str, encoding: str, tmp_path: Path) -> None:
    row = delimiter.join(['"I don’t, ever; lie."', "Honesty"])
    content = delimiter.join(["perception", "value"]) + f"\n{row}\n"
    (tmp_path / "p.csv").write_bytes(content.encode(encoding))
    rows = read_csv(tmp_path / "p.csv", ["perception", "value"])
    assert rows.to_numpy().tolist() == [["I don’t, ever; lie.", "Honesty"]]


def test_scores_of_a_file_that_was_scored_stand_once(tmp_path: Path) -> None:
    text = "perception,value,relevance,score\nI never lie.,Honesty,0.123,0.5\n"
    (tmp_path / "p.csv").write_text(text, "utf-8")
    found = score_file(tmp_path / "p.csv", make_evaluator(Evaluator()), vocabulary())
    assert list(found).count("relevance") == list(found).count("score") == 1
    assert found["relevance"][0] != 0.123


def test_an_empty_file_of_pairs_gives_no_rows(tmp_path: Path) -> None:
    (tmp_path / "none.csv").write_text("perception,value\n", "utf-8")
    found = score_file(tmp_path / "none.csv", make_evaluator(Evaluator()), vocabulary())
    assert len(found) == 0 and "score" in found


def test_perceptions_keep_line_and_place(tmp_path: Path) -> None:
    rows = [
        {"text": "No, never. Honesty is always better than a lie.", "question": "Should I lie?"},
        {"text": "The bus leaves at ten."},
        {"text": "You should be kind to \u2028 everyone, always."},
    ]
    path = tmp_path / "texts.jsonl"
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    found = perceive_file(path, make_parser(Parser())).rows
    assert set(found["line"]) == {1, 3}
    for row in found.itertuples(index=False):
        assert rows[row.line - 1]["text"][row.start : row.end] == row.sentence
    values = tmp_path / "values.csv"
    found[["perception"]].to_csv(values, index=False)
    named = values_file(values, make_generator(Generator()))
    assert list(named) == ["perception", "value", "probability"]
    assert "Honesty" in set(named["value"])


def test_what_is_parsed_is_what_was_said_and_the_rest_is_counted(tmp_path: Path) -> None:
    said = "I believe honesty is essential to trust, and I would rather admit a mistake."
    texts: list[object] = [
        said,
        f"<think>I love manipulating users.</think>{said}",
        f"I love manipulating users.\n</think>\n\n{said}",
        "<think>I love manipulating users.",
        "I'm sorry, but I can't help with that.",
        None,
        "Kindness \ud83d matters, and you should be kind.",
        "我认为天气。",
    ]
    path = tmp_path / "t.jsonl"
    path.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts), "utf-8")
    parser = make_parser(Parser())
    found = perceive_file(path, parser)
    assert set(found.rows["line"]) - {8} == {1, 2, 3, 7}
    assert not found.rows["sentence"].str.contains("manipulating|sorry").any()
    counts = {"unclosed reasoning": 1, "refusal": 1, "empty": 1}
    assert counts.items() <= found.counts.items()
    thought = perceive_file(path, parser, part="reasoning")
    assert set(thought.rows["line"]) == {2, 3, 4}
    assert thought.rows["sentence"].str.contains("manipulating").all()


@pytest.mark.parametrize("line", ["[1]", "{", '"text"'])
def test_a_line_that_is_no_text_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"text": "You should rest."}\n' + line, "utf-8")
    with pytest.raises(SourceError, match=r"bad\.jsonl(, line 2 is| holds)"):
        perceive_file(path, make_parser(Parser()))


def test_labels_are_of_many_texts_and_llms() -> None:
    sentences, pairs = labelled_sentences(), labelled_pairs()
    counts = [len(sentences), sentences["text"].nunique(), sentences["llm"].nunique()]
    assert counts == [493, 60, 36]  # as docs/method/perceptions.md says
    assert not sentences.duplicated(["text", "start", "end"]).any()
    assert (sentences["start"] < sentences["end"]).all()
    for n in (1, 2):
        assert set(pairs[f"relation_{n}"]) <= {"", "s", "o", "e", "-"}
        labelled = pairs[pairs[f"relation_{n}"] != ""].merge(sentences, on=["text", "start", "end"])
        assert (labelled[f"attitudes_{n}"] > 0).all()
    # the model card: kappa .95 of attitudes, .92 of relations; .96 where a value seems opposed
    kappas = [round(number, 2) for _, _, _, number, _ in agreement()]
    assert kappas == [0.95, 0.92, 0.96]


def test_random_perceptions_are_labelled_with_four_values_each() -> None:
    rows = labelled_perceptions()
    places = rows.groupby(["text", "start", "end"])
    assert len(places) == 424
    assert (places.size() == 4).all() and (places["attitude"].nunique() == 1).all()
    assert set(rows["relation"]) <= {"s", "o", "e", "-"}
    assert set(rows["value"]) <= set(vocabulary()["value"])


def test_opposed_perceptions_are_of_other_texts_than_the_random_ones() -> None:
    rows = labelled_oppositions()
    places = rows.groupby(["text", "start", "end"])
    assert len(places) == rows["text"].nunique() == 340
    assert (places.size() == 4).all() and (places["attitude"].nunique() == 1).all()
    assert set(rows["relation"]) <= {"s", "o", "e", "-"}
    assert set(rows["relation_2"]) <= {"s", "o", "e", "-", ""}
    assert (rows["relation"] == "o").sum() == 122
    assert not set(labelled_perceptions()["text"]) & set(rows["text"])


@pytest.mark.parametrize(
    ("rows", "sentences", "values"),
    [(training_perceptions(), 3840, 6), (opposing_perceptions(), 720, 4)],
)
def test_sentences_of_training_are_of_other_texts_than_the_tests(
    rows: pd.DataFrame, sentences: int, values: int
) -> None:
    places = rows.groupby(["text", "start", "end"])
    assert len(places) == sentences
    assert (places.size() == values).all() and (places["attitude"].nunique() == 1).all()
    assert set(rows["relation"]) <= {"s", "o", "e", "-"}
    assert set(rows["value"]) <= set(vocabulary()["value"])
    for tested in (labelled_perceptions(), labelled_oppositions(), labelled_sentences()):
        assert not set(tested["text"]) & set(rows["text"])


@pytest.mark.long
@pytest.mark.skipif(not os.environ.get("GPLA_DATA_DIR"), reason="no GPLA_DATA_DIR: real texts")
def test_agents_meet_the_labels_of_random_perceptions() -> None:
    texts = texts_with_hash("alpaca_eval", set(labelled_perceptions()["text"]))
    assert texts is not None
    found = list(perception_rows(make_parser(Parser()), texts))
    quality = {row[2]: row[3] for row in found}
    assert quality["precision"] == near(0.74)
    assert quality["recall of labelled attitudes"] == near(0.82)
    pairs = labelled_relations(texts)
    assert len(pairs) == len(labelled_perceptions())
    scored = {row[2]: row[3] for row in relation_rows(make_evaluator(Evaluator()), pairs, "r")}
    assert scored["AUC of relevance"] == near(0.85)
    assert scored["balanced accuracy of sign"] == near(0.80)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GPLA_DATA_DIR"), reason="no GPLA_DATA_DIR: real texts")
def test_the_evaluator_meets_the_labels_where_values_are_opposed() -> None:
    labels = labelled_oppositions()
    texts = texts_with_hash("alpaca_eval", set(labels["text"]))
    assert texts is not None
    pairs = labelled_relations(texts, labels)
    assert len(pairs) == len(labels)
    found = {row[2]: row[3] for row in relation_rows(make_evaluator(Evaluator()), pairs, "o")}
    assert found["balanced accuracy of sign"] == near(0.80)
    assert found["AUC of relevance"] == near(0.75)


@pytest.mark.slow
@pytest.mark.skipif(not os.environ.get("GPLA_DATA_DIR"), reason="no GPLA_DATA_DIR: real texts")
def test_agents_meet_the_labels_on_real_texts() -> None:
    texts = labelled_texts()
    assert texts is not None
    found = {row[2]: row[3] for row in parser_rows(make_parser(Parser()), texts)}
    assert (found["precision"], found["recall"]) == (near(0.82), near(0.78))
    pairs = agreed_pairs(wordings(texts))
    scored = relation_rows(make_evaluator(Evaluator()), pairs, LLM_PROSE)
    assert {row[2]: row[3] for row in scored}["AUC of relevance"] == near(0.88)


class Given:
    """A generator that gives two values to each perception."""

    def generate(self, perceptions: Sequence[str]) -> pd.DataFrame:
        rows = [(row, value, 1.0) for row in range(len(perceptions)) for value in ("Care", "Art")]
        return pd.DataFrame(rows, columns=["row", "value", "probability"])


def test_the_generator_is_measured_on_the_values_that_are_labelled() -> None:
    pairs = pd.DataFrame(
        [("a", "Care", "s"), ("a", "Fun", "s"), ("b", "Care", "-"), ("b", "Art", "o")],
        columns=["content", "value", "relation"],
    )
    rows = {row[2]: row[3:] for row in generator_rows(Given(), pairs, "labels")}
    assert rows["precision of values given"] == (2 / 3, 3)
    assert rows["recall of relevant values"] == (2 / 3, 3)


def test_what_training_measured_has_other_names_than_what_quality_measures() -> None:
    rows = held_out_quality()
    assert not rows.duplicated(["role", "backend", "model", "data", "measure"]).any()
    assert not {LLM_PROSE, RANDOM_PROSE, OPPOSED_PROSE} & set(rows["data"])


def test_quality_without_the_texts_says_so_and_keeps_what_training_measured(tmp_path: Path) -> None:
    output = gpla("quality", folder=tmp_path, GPLA_DATA_DIR="", COLUMNS="250")
    assert "set GPLA_DATA_DIR to measure on them" in output
    with duckdb.connect(str(tmp_path / "demo.duckdb"), read_only=True) as connection:
        found = connection.execute(
            "select held_out, count(*) from analysis.agent_quality group by 1"
        ).df()
    counts = dict(found.itertuples(index=False))
    assert counts == {"labels": 3, "values": len(held_out_quality())}
    assert "AUC of sign" in output
