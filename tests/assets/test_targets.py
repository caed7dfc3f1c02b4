"""Targets as assets: pairs of the small study, measured, distilled, checked and asked by SQL."""

from __future__ import annotations

import duckdb
import pandas as pd
import pytest

from gpla_assets.alignment.preferences import of_laden_prompts, paired_responses
from gpla_assets.cli.queries import run_query
from gpla_assets.content import published_factors
from gpla_assets.storage import relation
from tests.conftest import Ran


@pytest.fixture(scope="module")
def rows(small: Ran) -> dict[str, pd.DataFrame]:
    names = {name: relation(name) for name in ("preferences", "preference_responses")}
    names |= {name: relation(name) for name in ("targets", "target_convergence", "target_checks")}
    for name in ("perceptions", "measurements"):
        names[name] = f"evidence.{name} where origin = 'preferences'"
    with duckdb.connect(str(small.folder / "small.duckdb"), read_only=True) as connection:
        return {name: connection.execute(f"from {rows}").df() for name, rows in names.items()}


def test_equal_responses_are_kept_and_parsed_once(rows: dict[str, pd.DataFrame]) -> None:
    pairs, responses = rows["preferences"], rows["preference_responses"]
    assert 0 < len(pairs) <= 80
    assert pairs["prompt"].nunique() <= 30
    assert sorted(pairs["place"]) == list(range(len(pairs)))
    assert set(responses["response_id"]) == {*pairs["winning_id"], *pairs["losing_id"]}
    assert responses["response_id"].is_unique
    assert set(rows["perceptions"]["parent_id"]) <= set(responses["response_id"])


def test_every_system_has_its_dimensions(rows: dict[str, pd.DataFrame]) -> None:
    targets = rows["targets"]
    sizes = targets.groupby("system").size().to_dict()
    assert sizes.pop("ours") == 2
    assert sizes == {"published": 5, "Schwartz-10": 10, "Schwartz-4": 4}
    readings = targets.groupby("system")["reading"].unique().map(list).to_dict()
    assert readings["published"] == ["keyed"]
    assert readings["Schwartz-10"] == ["direct"]
    assert (targets["pairs"] + targets["excluded"] == len(rows["preferences"])).all()
    measured = targets[targets["pairs"] > 0]
    assert len(measured)
    assert measured["target"].between(-1, 1).all()
    assert measured["target"].between(measured["minimiser_low"], measured["minimiser_high"]).all()
    assert (targets[targets["pairs"] == 0]["flat"] == "nothing measured").all()
    assert (
        targets[targets["system"] == "published"]["dimension"]
        .isin(published_factors()["factor"])
        .all()
    )


def test_the_last_step_is_the_target(rows: dict[str, pd.DataFrame]) -> None:
    steps, targets = rows["target_convergence"], rows["targets"]
    last = steps[steps["seen"] == len(rows["preferences"])]
    both = targets.merge(last, on=["system", "dimension"], suffixes=("", "_step"))
    assert len(both) == len(targets)
    pd.testing.assert_series_equal(both["target"], both["target_step"], check_names=False)


def test_every_system_is_checked_against_what_knows_no_values(
    rows: dict[str, pd.DataFrame],
) -> None:
    checks = rows["target_checks"]
    assert (checks.groupby("system").size() == 4).all()
    assert checks["accuracy"].between(0, 1).all()
    lengths = checks[checks["predictor"] == "longer response"]["accuracy"]
    assert lengths.nunique() == 1


def test_the_queries_set_the_papers_tables_beside_them(
    small: Ran, rows: dict[str, pd.DataFrame]
) -> None:
    warehouse = small.folder / "small.duckdb"
    found = run_query("targets", warehouse)
    beside = found[found["paper"].notna()]
    assert sorted(beside["system"].unique()) == ["Schwartz-10", "published"]
    assert len(beside) == 15
    only = run_query("targets", warehouse, ["system=published"]).set_index("dimension")
    assert only["paper"].to_dict()["Risk-Taking"] == -1
    known = only[only["target"].notna()]
    for row in known.itertuples():
        shown = round(row.target, 1)
        assert row.sign_agrees == ((shown > 0) - (shown < 0) == row.paper)
    steps = run_query("target_convergence", warehouse, ["system=ours"])
    seen = dict.fromkeys(rows["target_convergence"]["seen"])
    assert sorted(set(steps["seen"])) == sorted(seen)
    assert run_query("target_checks", warehouse)["predictor"].iloc[0] == "target"


class LastWordParser:
    """Keeps every sentence that ends in 'must.'."""

    name, model, inferences = "test", "none", 0

    def parse(self, batch, progress=lambda count: None):  # type: ignore[no-untyped-def]
        from gpla_assets.parser.protocol import Perception

        return [
            Perception(one.key, 0, 0, 5, "x", one.content, 1.0)
            for one in batch
            if one.content.endswith("must.")
        ]


def test_prompts_without_attitudes_are_left_out_whoever_won() -> None:
    fact = " ".join(f"{n} is a number." for n in ("One", "Two", "Three", "Four", "Five", "Six"))
    fact += " Seven is."
    pairs = pd.DataFrame(
        {
            "pair_id": [f"p{n}" for n in range(12)],
            "prompt": [("count", "judge")[n % 2] for n in range(12)],
            "winning": [
                (fact, "We act. We try. We ask. We care. We do so. We help. We must.")[n % 2] + ""
                for n in range(12)
            ],
            "losing": [
                (fact + " Six.", "I act. I try. I ask. I care. I do so. I help. I must.")[n % 2]
                for n in range(12)
            ],
        }
    )
    kept = of_laden_prompts(pairs, 1, LastWordParser(), 0)
    assert set(kept["prompt"]) == {"judge"}
    assert len(kept) == 6


def test_pairs_are_kept_by_the_keys_of_their_responses() -> None:
    pairs = pd.DataFrame({"prompt": ["q", "q"], "winning": ["a", "a"], "losing": ["b", "c"]})
    keyed, responses = paired_responses(pairs)
    assert len(responses) == 3
    texts = responses.set_index("response_id")["content"]
    assert texts[keyed["winning_id"]].tolist() == ["a", "a"]
    assert texts[keyed["losing_id"]].tolist() == ["b", "c"]
