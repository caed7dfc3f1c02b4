"""Criteria: readers with every fault, names matched by the alias table."""

from __future__ import annotations

import os
from pathlib import Path

import pandas as pd
import pytest

from gpla_assets.content import llm_aliases
from gpla_assets.sources import SOURCES, SourceError, SourceMissing, locate, read
from gpla_assets.sources.criteria import (
    CRITERIA,
    criterion_path,
    matched,
    read_alpaca_leaderboard,
    read_paper_table11,
    read_salad_verdicts,
    read_scores,
)
from gpla_assets.sources.safety_tables import (
    read_decodingtrust,
    read_flames,
    read_or_bench,
    read_or_bench_over_refusal,
    read_s_eval,
    read_sorry_bench,
    read_trustllm,
)

DATA = os.environ.get("GPLA_DATA_DIR")
real_data = pytest.mark.skipif(DATA is None, reason="GPLA_DATA_DIR is not set: no real data")


def written(path: Path, text: str) -> Path:
    path.write_text(text, "utf-8")
    return path


def test_the_papers_table_is_a_criterion_of_17_llms() -> None:
    found = read_paper_table11(criterion_path("paper_table11", None))
    assert len(found) == 17
    assert found.set_index("name")["score"]["gemma-2b"] == 95.9


def test_scores_of_a_users_own(tmp_path: Path) -> None:
    found = read_scores(written(tmp_path / "s.csv", "llm,score\na,1\nb,2.5\n"))
    assert found.to_dict("list") == {"name": ["a", "b"], "score": [1.0, 2.5]}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("llm,score\na,high\n", "row 0: score of 'a' is 'high', expected a number"),
        ("llm,score\na,\n", "expected a number"),
        ("llm,score\na,1\na,2\n", "LLM 'a' stands 2 times, expected once"),
        ("model,score\na,1\n", "llm"),
    ],
)
def test_scores_that_cannot_be_read_say_where(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SourceError, match=message):
        read_scores(written(tmp_path / "s.csv", text))


def test_salad_verdicts_become_shares_of_safe_responses(tmp_path: Path) -> None:
    rows = [("a", "safe"), ("a", "Unsafe"), ("a", "safe"), ("a", "1"), ("b", "false")]
    lines = [f'{{"model":"{m}","question":"q","response":"r","verdict":"{v}"}}' for m, v in rows]
    found = read_salad_verdicts(written(tmp_path / "v.jsonl", "\n".join(lines)))
    assert found.to_dict("list") == {"name": ["a", "b"], "score": [75.0, 0.0]}
    scores = read_salad_verdicts(written(tmp_path / "s.csv", "model,score\na,90\n"))
    assert scores["score"].tolist() == [90.0]
    bad = written(tmp_path / "b.csv", "model,question,response,verdict\na,q,r,maybe\n")
    with pytest.raises(SourceError, match="verdict 'maybe', expected safe or unsafe"):
        read_salad_verdicts(bad)


def test_the_leaderboard_names_llms_by_the_folder_of_their_outputs(tmp_path: Path) -> None:
    path = written(
        tmp_path / "l.csv",
        "name,length_controlled_winrate,samples\n"
        "GPT-4 Turbo,50,https://x/results/gpt4_1106_preview/model_outputs.json\nOther,10,\n",
    )
    found = read_alpaca_leaderboard(path)
    assert found["name"].tolist() == ["gpt4_1106_preview", "Other"]


def test_names_are_matched_whatever_the_case_then_by_alias() -> None:
    scores = pd.DataFrame({"name": ["GPT-X", "old", "far", "none"], "score": [1.0, 2, 3, 4]})
    aliases = pd.DataFrame(
        [("Old", "new", "version", ""), ("far", "near", "near", "")],
        columns=["name", "llm", "match", "source"],
    )
    found = matched(scores, aliases, ["gpt-x", "new", "near"], ["same", "version"])
    assert found["llm"].dropna().tolist() == ["gpt-x", "new"]
    assert found["match"].dropna().tolist() == ["same", "version"]
    nearer = matched(scores, aliases, ["gpt-x", "new", "near"], ["near"])
    assert nearer["llm"].dropna().to_dict() == {0: "gpt-x", 2: "near"}


def test_a_criterion_that_is_not_here_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(SourceMissing, match="looked in"):
        criterion_path("alpaca_leaderboard", tmp_path)
    with pytest.raises(SourceMissing, match="GPLA_DATA_DIR, which is not set"):
        criterion_path("alpaca_leaderboard", None)
    with pytest.raises(SourceMissing, match="expected `file`"):
        criterion_path("file", tmp_path)


def test_an_alias_of_a_source_goes_before_an_equal_name() -> None:
    scores = pd.DataFrame({"name": ["Vicuna", "b", "c"], "score": [1.0, 2, 3]})
    aliases = pd.DataFrame(
        [("vicuna", "vicuna-v1.3", "same", "x"), ("b", "b", "near", "x"), ("c", "d", "same", "y")],
        columns=["name", "llm", "match", "source"],
    )
    llms = ["vicuna", "vicuna-v1.3", "b", "owner/C", "d"]
    found = matched(scores, aliases, llms, ["same", "version"], "x")
    # what is only near by its source is not the same by its name; an owner is no part of a name
    assert found["llm"].dropna().to_dict() == {0: "vicuna-v1.3", 2: "owner/C"}
    plain = matched(scores, aliases, llms, ["same", "version"])
    assert plain["llm"].tolist() == ["vicuna", "b", "owner/C"]


def test_fulfilment_is_turned_into_safety_by_category_too(tmp_path: Path) -> None:
    path = written(
        tmp_path / "s.csv",
        "model,mean_fulfillment_rate,1: Personal Insult Words,#2: Fraud\na,0.25,0,0.5\nb,1,1,0\n",
    )
    assert read_sorry_bench(path).to_dict("list") == {"name": ["a", "b"], "score": [75.0, 0.0]}
    assert read_sorry_bench(path, "fraud")["score"].tolist() == [50.0, 100.0]
    with pytest.raises(SourceError, match="no part 'Spam'; expected one of all, personal insult"):
        read_sorry_bench(path, "Spam")


def test_tables_of_safety_are_turned_so_that_higher_is_safer(tmp_path: Path) -> None:
    path = written(
        tmp_path / "o.csv",
        "model,over_refusal_rate_pct,toxic_acceptance_rate_pct,toxic_rejection_rate_pct\na,90,1,99\n",
    )
    assert read_or_bench(path)["score"].tolist() == [99.0]
    assert read_or_bench_over_refusal(path)["score"].tolist() == [90.0]
    path = written(
        tmp_path / "e.csv",
        "model,attack_success_rate_en_digitised,base_risk_safety_score_en_digitised\n"
        "a,40,70\nb,,60\n",
    )
    assert read_s_eval(path)["score"].tolist() == [70.0, 60.0]
    assert read_s_eval(path, "Attacks").to_dict("list") == {"name": ["a"], "score": [60.0]}
    path = written(
        tmp_path / "t.csv",
        "section,model,metric,better,value\nsafety, A ,Jailbreak,higher,0.9\n"
        "safety,b,Jailbreak,higher,-1\nsafety,A,Toxicity,lower,0.25\n",
    )
    assert read_trustllm(path).to_dict("list") == {"name": ["A"], "score": [90.0]}
    assert read_trustllm(path, "toxicity")["score"].tolist() == [75.0]
    with pytest.raises(SourceError, match="no part 'Ethics'; expected one of Jailbreak"):
        read_trustllm(path, "Ethics")
    path = written(tmp_path / "d.csv", "model,toxicity,moral\na,47,86\n")
    assert read_decodingtrust(path)["score"].tolist() == [47.0]
    assert read_decodingtrust(path, "moral")["score"].tolist() == [86.0]
    path = written(tmp_path / "f.csv", "model,overall_harmless_rate,safety_rate\na,46.85,45\n")
    assert read_flames(path)["score"].tolist() == [46.85]
    assert read_flames(path, "safety")["score"].tolist() == [45.0]


JOINED = {
    "sorry_bench": ("sorry_bench_safe_rate", 100, 30),
    "or_bench": ("or_bench_toxic_rejection_pct", 1, 17),
    "or_bench_over_refusal": ("or_bench_over_refusal_pct", 1, 17),
    "s_eval": ("s_eval_base_safety_digitised", 1, 13),
    "trustllm": ("trustllm_jailbreak_rta", 100, 11),
    "decodingtrust": ("decodingtrust_toxicity", 1, 4),
    "flames": ("flames_harmless_rate_zh", 1, 1),
}


@real_data
@pytest.mark.parametrize("source", JOINED)
def test_names_of_the_tables_are_the_llms_that_were_joined_by_hand(source: str) -> None:
    assert DATA is not None
    column, unit, n = JOINED[source]
    joined = pd.read_csv(Path(DATA) / "safety_tables/alpaca_eval_safety_joined.csv")
    joined = joined.set_index("alpaca_eval_id")
    llms = sorted(
        read("alpaca_eval", locate(SOURCES["alpaca_eval"], Path(DATA))).rows["llm"].unique()
    )
    table = CRITERIA[source].read(criterion_path(source, Path(DATA)), None)
    found = matched(table, llm_aliases(), llms, ["same", "version"], source).dropna(subset="llm")
    by_llm = found.set_index("llm")["score"]
    assert by_llm.index.is_unique
    assert set(llm_aliases()["llm"]) <= set(llms)
    assert len(by_llm) == n
    # every LLM without a variant of its prompt that was joined by hand, with the same score
    plain = joined[joined["prompt_variant_of_scored_model"] == 0][column].dropna() * unit
    pd.testing.assert_series_equal(
        by_llm.reindex(plain.index), plain, check_names=False, atol=0.01, rtol=0
    )
    # and whatever was matched beyond these is a variant, or missing there
    beyond = set(by_llm.index) - set(plain.index)
    assert beyond <= {"Mixtral-8x7B-Instruct-v0.1_verbose", "Meta-Llama-3.1-405B-Instruct-Turbo"}
    approximate = joined.index[joined["name_match_approximate"] == 1]
    flagged = found[found["llm"].isin(approximate)]
    assert (flagged["match"] != "same").all()


@real_data
def test_sorry_bench_has_44_categories_and_they_average_to_the_whole() -> None:
    path = criterion_path("sorry_bench", Path(str(DATA)))
    titles = [str(name).partition(": ")[2] for name in pd.read_csv(path).columns[2:]]
    assert len(titles) == 44
    parts = pd.concat([read_sorry_bench(path, title)["score"] for title in titles], axis=1)
    whole = read_sorry_bench(path)
    assert (parts.mean(axis=1) - whole["score"]).abs().max() < 0.5


@real_data
def test_aliases_name_llms_that_exist() -> None:
    assert DATA is not None
    board = read_alpaca_leaderboard(criterion_path("alpaca_leaderboard", Path(DATA)))
    table = read_paper_table11(criterion_path("paper_table11", None))
    aliases = llm_aliases()
    general = aliases[aliases["source"] == ""]
    assert set(general["llm"]) <= set(board["name"])
    assert set(aliases["source"]) - {""} <= set(CRITERIA)
    found = matched(table, aliases, list(board["name"]), ["same", "version"])
    assert found["llm"].notna().sum() == 10
