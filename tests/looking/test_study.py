"""A study that ran, as frames: the numbers put in come out, by the names they were given."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import gpla_assets as gpla
from gpla_assets.common.nearest import UnknownName
from gpla_assets.looking import LookingError
from tests.looking.looked_at import AGAIN, LLMS, NAME, QUESTIONS, SENTENCE, VALUES, logits


@pytest.fixture
def study(folder: Path) -> gpla.PublishedStudy:
    return gpla.open(NAME)


def test_a_profile_begins_with_what_sets_the_llm_apart(study: gpla.PublishedStudy) -> None:
    rows = study.profile("beta/2:free")
    known = logits()
    care = rows.iloc[0]
    assert care["value"] == "Care"
    apart = known[1, :, 0] - known[[0, 2], :, 0].mean(axis=0)
    interval = stats.ttest_1samp(apart, 0).confidence_interval(0.95)
    assert care["difference"] == pytest.approx(apart.mean())
    assert care["difference_low"] == pytest.approx(interval.low)
    assert care["difference_high"] == pytest.approx(interval.high)
    assert care["score"] == pytest.approx(known[1, :, 0].mean())
    assert (care["share"], care["direction"], care["n"]) == (1, 0.5, QUESTIONS)
    assert (care["n_relevant"], care["n_questions"], care["few"]) == (QUESTIONS, QUESTIONS, False)
    assert rows["difference"].is_monotonic_decreasing and len(rows) == len(VALUES)


def test_a_subject_is_found_by_its_llm_and_profile(study: gpla.PublishedStudy) -> None:
    of_llm, of_subject = (study.profile(name) for name in ("gamma", "gamma|Default"))
    pd.testing.assert_frame_equal(of_llm, of_subject)


def test_two_studies_agree_by_the_correlation_of_their_llms(
    study: gpla.PublishedStudy, again: Path
) -> None:
    found = study.agreement(gpla.open(AGAIN))
    a, b = (logits(name).mean(axis=1) for name in (NAME, AGAIN))
    # three LLMs are too few for an interval of r
    assert found.values["r"].isna().all() and set(found.values["n_llms"]) == {3}
    means = found.values.set_index("value")
    assert means.loc["Care", "mean_a"] == pytest.approx(a[:, 0].mean())
    assert means.loc["Care", "mean_b"] == pytest.approx(b[:, 0].mean())
    care = found.cells.set_index(["llm", "value"]).loc[("beta/2:free", "Care")]
    apart = [one[1, 0] - one[[0, 2], 0].mean() for one in (a, b)]
    assert (care["difference_a"], care["difference_b"]) == pytest.approx(tuple(apart))
    halves = [
        study_.profile("beta/2:free").set_index("value").loc["Care"]
        for study_ in (study, gpla.open(AGAIN))
    ]
    half = np.hypot(*(one["difference_high"] - one["difference"] for one in halves))
    assert care["high"] - care["change"] == pytest.approx(half)
    assert found.cells["change"].abs().is_monotonic_decreasing


def test_two_llms_differ_by_the_paired_interval_of_their_questions(
    study: gpla.PublishedStudy,
) -> None:
    rows = study.compare("alpha-1", "beta/2:free")
    known = logits()
    interval = stats.ttest_rel(known[0, :, 0], known[1, :, 0]).confidence_interval(0.95)
    care = rows.iloc[0]  # by size: it differs most
    assert care["value"] == "Care"
    assert (care["low"], care["high"]) == pytest.approx((interval.low, interval.high))
    assert (care["share_a"], care["direction_b"], care["n_relevant_a"]) == (1, 0.5, QUESTIONS)
    assert np.isnan(rows.set_index("value").loc["Order", "direction_a"])
    with pytest.raises(LookingError, match="expected two different LLMs"):
        study.compare("gamma", "gamma")


def test_why_gives_the_sentences_the_most_relevant_first(study: gpla.PublishedStudy) -> None:
    rows = study.why("gamma", "care")  # letters' case does not count
    assert len(rows) == QUESTIONS and rows["relevance"].is_monotonic_decreasing
    first = rows.iloc[0]
    assert first["answer"][first["start_offset"] : first["end_offset"]] == SENTENCE
    assert first["evaluator"] == "embedded, gpla-test-1, fast"
    assert set(rows["llm"]) == {"gamma"} and set(rows["value"]) == {"Care"}
    assert study.why("gamma", "Order").empty


def test_frames_hold_what_the_tables_hold(study: gpla.PublishedStudy) -> None:
    assert study.llms() == sorted(LLMS) and study.values() == list(VALUES)
    assert len(study.responses()) == len(LLMS) * QUESTIONS
    assert {"llm", "profile", "question", "answer"} <= set(study.responses())
    assert len(study.perceptions()) == len(study.measurements()) == len(LLMS) * QUESTIONS
    assert len(study.subject_values()) == len(study.llm_values()) == len(LLMS) * len(VALUES)
    assert {"se", "low", "high", "shrunken", "few"} <= set(study.llm_values())
    assert study.loadings().empty
    assert study.sql("select count(*) as n from evidence.questions")["n"].item() == QUESTIONS


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda study: study.profile("alpha"), "No LLM 'alpha': nearest: alpha-1"),
        (lambda study: study.why("gamma", "Cares"), "No value 'Cares': nearest: Care"),
        (lambda study: gpla.open("lookd"), "No study 'lookd': nearest: looked"),
        (lambda study: gpla.open("survey"), "the study was not run yet; `gpla run survey`"),
    ],
)
def test_a_name_that_does_not_exist_gets_the_nearest_ones(
    study: gpla.PublishedStudy, call: object, said: str
) -> None:
    with pytest.raises((UnknownName, LookingError), match=said):
        call(study)  # type: ignore[operator]


def test_a_file_of_an_older_version_is_said_to_be_one(folder: Path, tmp_path: Path) -> None:
    import duckdb

    old = tmp_path / "old.duckdb"
    with duckdb.connect(str(old)) as connection:
        connection.execute("create schema evidence")
        connection.execute(
            "create table evidence.subjects as select 's' as subject_id, 's' as llm, '' as profile"
        )
    with pytest.raises(LookingError, match="made by an older version"):
        gpla.open(old).profile("s")


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, gpla_assets as gpla; gpla.__all__; "
        "print({'pandas', 'duckdb', 'torch', 'numpy'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
