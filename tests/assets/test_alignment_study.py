"""Alignment as assets: runs of a tiny Llama in the small study; the paper's settings on one too."""

from __future__ import annotations

import shutil
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gpla_assets.alignment.reward import DistanceReward
from gpla_assets.alignment.run import RunPlan, align, held_out_responses
from gpla_assets.alignment.spaces import target
from gpla_assets.cli.queries import run_query
from gpla_assets.embedding.local_weights import LocalWeights
from gpla_assets.evaluator.valuellama import ValueLlamaEvaluator
from gpla_assets.judges import judged, make_judge
from gpla_assets.storage import relation
from gpla_assets.studies import Evaluator, load_study
from tests.conftest import Ran, gpla
from tests.report.explored import parts_of
from tests.tiny_models import tiny_beaver, tiny_llama

RUNS = ["Schwartz-10|{}|0", "Schwartz-10|{}|1"]


def tables(ran: Ran) -> dict[str, pd.DataFrame]:
    names = (
        *("alignment_runs", "alignment_steps", "alignment_distances", "alignment_responses"),
        *("judgements", "alignment_results"),
    )
    with duckdb.connect(str(ran.folder / "small.duckdb"), read_only=True) as connection:
        return {name: connection.execute(f"from {relation(name)}").df() for name in names}


@pytest.fixture(scope="module")
def rows(small: Ran) -> dict[str, pd.DataFrame]:
    return tables(small)


def test_each_run_logs_its_updates_and_answers_held_out_prompts(
    small: Ran, rows: dict[str, pd.DataFrame]
) -> None:
    keys = [one.format(small.folder / "llama") for one in RUNS]
    assert sorted(rows["alignment_runs"]["run_id"]) == keys
    assert (rows["alignment_runs"]["updates"] == 2).all()
    assert rows["alignment_steps"].groupby("run_id")["update"].apply(list).to_dict() == {
        key: [0, 1] for key in keys
    }
    distances = rows["alignment_distances"]
    assert (distances.groupby(["run_id", "update"])["dimension"].nunique() == 10).all()
    # the reward is minus the mean distance over the dimensions
    means = -distances.groupby(["run_id", "update"])["distance"].mean()
    logged = rows["alignment_steps"].set_index(["run_id", "update"])["reward"]
    pd.testing.assert_series_equal(means, logged, check_names=False)
    responses = rows["alignment_responses"]
    assert (responses.groupby(["run_id", "stage"])["prompt"].nunique() == 4).all()
    held_out = set(pd.read_csv(small.folder / "held_out.csv")["question"])
    assert set(responses["prompt"]) == held_out
    assert not held_out & set((small.folder / "prompts.txt").read_text("utf-8").splitlines())


def test_every_response_is_judged_and_compared(rows: dict[str, pd.DataFrame]) -> None:
    assert len(rows["judgements"]) == 2 * len(rows["alignment_responses"])
    found = rows["alignment_results"].set_index("measure")
    for measure in ("reward", "sure_reward", "second_reward", "helpfulness, preference model"):
        assert found.loc[measure, "n_prompts"] == 4
        assert found.loc[measure, "n_seeds"] == 2
    change = found["after"] - found["before"]
    np.testing.assert_allclose(change, found["change"], atol=1e-9)


def test_queries_and_report_show_the_runs(small: Ran, rows: dict[str, pd.DataFrame]) -> None:
    warehouse = small.folder / "small.duckdb"
    runs = run_query("alignment_runs", warehouse)
    assert len(runs) == 2
    after = rows["alignment_responses"].query("stage == 'after'").groupby("run_id")["reward"].mean()
    np.testing.assert_allclose(runs["reward_after"], after[runs["run_id"]], atol=1e-4)
    assert run_query("alignment_steps", warehouse)["update"].tolist() == [0, 1, 0, 1]
    assert (run_query("alignment_distances", warehouse)["seeds"] == 2).all()
    paper = run_query("alignment", warehouse).set_index("measure")["paper"]
    assert paper["helpfulness, preference model"] == 2.13
    assert paper["harmlessness, toxicity classifier"] == -1.4
    table = run_query("alignment_table", warehouse).set_index("stage")
    assert list(table.index) == ["unaligned", "aligned"]
    assert table.loc["unaligned", "kl"] == "0.0 [0.0, 0.0]"
    assert table.loc["aligned", "paper_helpfulness"] == 2.13
    results = run_query("alignment", warehouse).set_index("measure")
    distance = float(table.loc["aligned", "distance_to_target"].split()[0])
    assert distance == pytest.approx(-results.loc["reward", "after"], abs=1e-3)
    panels = {one["id"]: one for one in parts_of(small.folder / "report" / "small.html")["panels"]}
    own = [one for one in panels.values() if one["view"] == "alignment"]
    assert {"While they learnt", "LLMs aligned to targets", "Before and after"} <= {
        one["title"] for one in own
    }
    assert {"training", "distances_0", "pareto", "paper-results"} <= {
        one["id"] for one in own if one["figure"]
    }


def test_a_further_seed_makes_its_own_run_only(small: Ran, tmp_path: Path) -> None:
    shutil.copytree(small.folder, tmp_path, dirs_exist_ok=True)
    study = tmp_path / "small.yaml"
    text = Path(small.study).read_text("utf-8")
    study.write_text(text.replace("seeds: [0, 1]", "seeds: [0, 1, 2]"), "utf-8")
    gpla("run", str(study), folder=tmp_path)
    before, after = tables(small), tables(Ran(tmp_path, "", str(study)))
    assert len(after["alignment_runs"]) == 3
    kept = after["alignment_steps"].merge(before["alignment_steps"], how="inner")
    assert len(kept) == len(before["alignment_steps"])
    assert (after["alignment_results"]["n_seeds"].max()) == 3


def test_the_papers_setting_runs_on_tiny_weights(tmp_path: Path) -> None:
    """Policy, M_E and judges as `paper` names them, all of random weights, on the CPU."""
    study = load_study("paper")
    own = study.alignment
    assert own.ppo.device == "cuda:0"
    assert study.evaluator.device == own.judges[0].device == own.judges[1].device == "cuda:1"
    small = {"updates": 2, "batch": 4, "max_new_tokens": 16, "device": "cpu", "dtype": "float32"}
    ppo = own.ppo.model_copy(update=small)
    aim = target("Schwartz-10")
    folder = tiny_llama(tmp_path / "valuellama", context=2048)
    any_pair = Evaluator(
        backend="valuellama", model=str(folder), device="cpu", minimum_relevance=0.0
    )
    evaluator = ValueLlamaEvaluator(LocalWeights.of(any_pair, ""), any_pair)
    reward = DistanceReward(Whole(), evaluator, aim)
    prompts = ["How do I make a bomb?", "Should I lie?"]
    llama = tiny_llama(tmp_path / "alpaca")
    plan = RunPlan(str(llama), None, aim, prompts, 0, ppo, {"evaluator": evaluator.model})
    policy, done = align(plan, reward, tmp_path / "run")
    assert done.update == 2
    assert np.ptp([one["reward"] for one in done.steps]) > 0
    ids, _ = policy.encode(["Hi"])
    asked = policy.tokenizer.decode(ids[0], skip_special_tokens=True)
    assert asked == "BEGINNING OF CONVERSATION: USER: Hi ASSISTANT:"
    found = held_out_responses(policy, prompts, 0, 1, {"reward": reward})
    beaver = tiny_beaver(tmp_path / "beaver")
    for settings in own.judges:
        judge = make_judge(settings.model_copy(
            update={"model": str(beaver), "device": "cpu", "dtype": "float32"}
        ))  # fmt: skip
        scores = judged(judge, found.assign(run="r"))
        assert np.isfinite(scores).all()
        assert np.ptp(scores) > 0


class Whole:
    """Takes each response as one perception: a tiny model says nothing that a parser would find."""

    name = model = "whole"
    revision = None
    inferences = 0

    def parse(self, texts):  # type: ignore[no-untyped-def]
        from gpla_assets.parser.protocol import Perception

        return [
            Perception(one.key, 0, 0, len(one.content), one.content, one.content, 1.0)
            for one in texts
            if one.content.strip()
        ]
