"""Fingerprints: what is stale after which change; and the asset graph as Dagster sees it."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd
import pytest

from gpla_assets.pipeline import STEPS, expected_components, stale_steps
from gpla_assets.studies import Study, fingerprint, load_study

SUBJECTS = ["a|Default", "b|Default"]
STAMPS: dict[str, Any] = {"corpus": {"demo": "1"}, "subjects": {"demo": "1"}, "answers": {}}


def stored(expected: dict[tuple[str, str], dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        [
            (asset, key, fingerprint(components), json.dumps(components))
            for (asset, key), components in expected.items()
        ],
        columns=["asset", "partition_key", "fingerprint", "components"],
    )


def stale_after(study: Study, subjects: list[str], stamps: dict[str, Any]) -> set[tuple[str, str]]:
    runs = stored(expected_components(load_study("demo"), SUBJECTS, STAMPS))
    now = expected_components(study, subjects, stamps)
    return {(item.step, item.partition_key) for item in stale_steps(now, runs)}


def changed(group: str, **values: object) -> Study:
    study = load_study("demo")
    return study.model_copy(update={group: getattr(study, group).model_copy(update=values)})


def test_nothing_is_stale_when_nothing_changed() -> None:
    assert stale_after(load_study("demo"), SUBJECTS, STAMPS) == set()


@pytest.mark.parametrize(("whose", "waits"), [("published", False), ("distilled", True)])
def test_policies_wait_for_targets_only_where_these_are_theirs(whose: str, waits: bool) -> None:
    study = changed("alignment", policy="m", seeds=[3], systems=["published"], target=whose)
    found = expected_components(study, SUBJECTS, STAMPS)["policies", "published|m|3"]
    assert ("targets" in found["upstream"]) is waits
    assert "evaluator" in found["upstream"]


def test_a_new_subject_makes_its_own_partitions_and_the_aggregates_stale() -> None:
    found = stale_after(load_study("demo"), [*SUBJECTS, "c|Default"], STAMPS)
    partitions = {pair for pair in found if pair[1]}
    assert partitions == {
        (step.name, "c|Default") for step in STEPS if step.partitions == "subjects"
    }
    assert {step for step, key in found if not key} == {
        *("value_correlations", "factors", "stability", "factor_names", "schwartz_relations"),
        *("cfa_fits", "probes", "coverage", "consistency", "direct_lexicon"),
        *("preference_measurements", "targets", "target_checks"),
    }


@pytest.mark.parametrize(
    ("study", "first", "untouched"),
    [
        (changed("structure", minimum_gap=0.2), {"factors"}, {"measurements"}),
        (changed("lexicon", cosine_threshold=0.6), {"lexicon"}, {"perceptions", "evaluator"}),
        (changed("evaluator", minimum_relevance=0.6), {"evaluator"}, {"lexicon"}),
        (changed("parser", minimum_attitude=0.7), {"perceptions"}, {"texts", "values"}),
    ],
)
def test_a_changed_setting_reaches_only_what_depends_on_it(
    study: Study, first: set[str], untouched: set[str]
) -> None:
    steps = {step for step, _ in stale_after(study, SUBJECTS, STAMPS)}
    assert first <= steps
    assert "factors" in steps
    assert not untouched & steps


def test_a_stale_step_says_why() -> None:
    runs = stored(expected_components(load_study("demo"), SUBJECTS, STAMPS))
    now = expected_components(changed("structure", minimum_gap=0.2), SUBJECTS, STAMPS)
    first, second, *after = stale_steps(now, runs)
    assert (first.step, first.reason) == ("factors", "settings changed: structure")
    assert second.reason == "settings changed: structure; upstream changed: factors"
    assert {item.step for item in after} == {
        *("factor_names", "schwartz_relations", "cfa_fits"),
        *("probes", "consistency", "direct_lexicon"),
        *("preference_measurements", "targets", "target_checks"),
    }


def test_another_file_of_answers_makes_the_responses_stale() -> None:
    found = stale_after(load_study("demo"), SUBJECTS, STAMPS | {"subjects": {"demo": "2"}})
    assert {("responses", subject) for subject in SUBJECTS} <= found
    assert "texts" not in {step for step, _ in found}


def test_dagster_shows_one_connected_described_graph() -> None:
    from gpla_assets.definitions import ASSETS, CHECKS, defs

    graph = defs.resolve_asset_graph()
    keys = {key.to_user_string() for key in graph.get_all_asset_keys()}
    steps = {step.name for step in STEPS}
    assert steps <= keys
    reached, waiting = set(), ["factors"]
    from dagster import AssetKey

    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting += [key.to_user_string() for key in graph.get(AssetKey(name)).parent_keys]
    assert {"texts", "responses", "lexicon", "measurements", "value_correlations"} <= reached
    for asset in ASSETS:
        for key in asset.keys:
            assert asset.descriptions_by_key.get(key), key
            assert asset.group_names_by_key[key].startswith("stage_"), key
    assert len(CHECKS) >= 10
    dbt_checks = [check for asset in ASSETS for check in asset.check_keys]
    assert len(dbt_checks) > 30
