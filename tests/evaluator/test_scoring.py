"""The rule of M_E, worked by hand, and every place that repeats it: agents, SQL, the check."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

import gpla_assets
from gpla_assets.evaluator.heads import Heads
from gpla_assets.evaluator.said import Relevance
from gpla_assets.evaluator.scoring import counted, is_relevant, leaning, pooled, scored_pairs
from gpla_assets.generator.embedded import EmbeddedGenerator
from gpla_assets.orchestration.checks import CHECKS
from gpla_assets.studies import Generator
from gpla_assets.training.quality_measures import pair_rows

PACKAGE = Path(gpla_assets.__file__).parent
STANCES = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.3, 0.2, 0.5], [0.4, 0.2, 0.4], [0.2, 0.4, 0.4]]


def pairs(stances: list[list[float]], relevance: list[float] | None = None) -> pd.DataFrame:
    n = len(stances)
    names = np.array([f"v{place}" for place in range(n)], object)
    found = np.array(relevance or [0.9] * n)
    return scored_pairs(np.arange(n), names, found, np.array(stances).reshape(n, 3))


def test_a_pair_counts_strictly_above_the_cut() -> None:
    found = is_relevant(np.array([0.49, 0.5, np.nextafter(0.5, 1), np.nan]), 0.5)
    assert found.tolist() == [False, False, True, False]
    assert not is_relevant(0.5, 0.5)


def test_the_score_is_support_less_oppose_and_none_where_either_is_strictly_the_largest() -> None:
    found = pairs(STANCES)["score"]
    # a tie of either with the larger side still takes that side
    np.testing.assert_allclose(found, [0.5, -0.5, np.nan, 0.2, -0.2])
    np.testing.assert_allclose(leaning(pairs(STANCES))["score"], [0.5, -0.5, 0.1, 0.2, -0.2])


def test_what_counts_of_aligned_scores_is_what_a_study_measures() -> None:
    every = leaning(pairs(STANCES, [0.9, 0.5, 0.9, 0.6, 0.2]))
    assert counted(every, 0.5)["value"].tolist() == ["v0", "v3"]


def test_perceptions_without_a_side_do_not_count_and_all_of_them_give_none() -> None:
    rows = pd.DataFrame({"value": ["a", "a", "a", "b"], "score": [0.5, np.nan, -1.0, np.nan]})
    found = pooled(rows, ["value"])
    assert found["a"] == pytest.approx(-0.25)
    assert np.isnan(found["b"])


class OneVector:
    """An encoder of one dimension, so that relevance is what the heads say."""

    model, inferences = "one", 0

    def encode(self, texts: list[str]) -> np.ndarray:
        return np.ones((len(texts), 1), np.float32)


class Fixed:
    """Heads that find the same relevance of every value to any text."""

    def __init__(self, relevance: list[float]) -> None:
        self.row = np.array([relevance], np.float32)

    def relevance(self, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return np.repeat(self.row, len(u), axis=0)


def test_m_g_gives_a_value_only_above_the_cut_as_m_e_measures_it() -> None:
    heads: Heads = Fixed([0.5, 0.75, 0.25])  # type: ignore[assignment]
    words = pd.DataFrame({"value": ["at", "above", "below"], "definition": None})
    generator = EmbeddedGenerator(OneVector(), heads, words, Generator(minimum_relevance=0.5))
    assert generator.generate(["I care."])["value"].tolist() == ["above"]


def test_an_answer_is_judged_by_itself_where_it_is_so_many_times_as_relevant() -> None:
    found = Relevance(
        np.array([0.5, 0.51, 0.9], np.float32),
        np.array([0.1, 0.1, 0.0], np.float32),
        np.array([True, True, False]),
    )
    np.testing.assert_allclose(found.of_either, [0.5, 0.51, 0.9])
    assert found.by_question(5.0).tolist() == [True, False, False]
    assert found.by_question(0.0).tolist() == [False, False, False]


def test_training_measures_at_the_studys_cut() -> None:
    rows = pair_rows("x", ["s", "-", "-"], np.array([0.6, 0.5, 0.7]), np.array([1.0, 0, 0]))
    found = {measure: number for _, measure, number, _ in rows}
    assert found["recall of relevance above 0.5"] == 1
    assert found["false positives of relevance above 0.5"] == 0.5


def test_the_check_of_measurements_is_the_rule() -> None:
    (check,) = [c for c in CHECKS["measurements"] if c.name == "probabilities_add_to_one"]
    assert faults(check.violations, pairs(STANCES)) == 0
    assert faults(check.violations, leaning(pairs(STANCES)).assign(score=0.9)) == len(STANCES)


def faults(sql: str, rows: pd.DataFrame) -> int:
    with duckdb.connect() as database:
        database.register("given_rows", rows.assign(subject_id="s"))
        database.execute("create schema evidence")
        database.execute("create table evidence.measurements as from given_rows")
        database.execute("create table written as select 's' as key")
        (found,) = database.execute(sql).fetchall()[0]
    return int(found)


OWN_RULE = {
    "evaluator/scoring.py": "the rule itself",
    "generator/kaleido.py": "Kaleido filters its own output as its authors' code does",
}


def repeats_of_the_rule(path: Path) -> list[str]:
    """Comparisons of a relevance, and differences of support and oppose, outside strings."""
    found = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        code = ast.unparse(node) if isinstance(node, ast.Compare | ast.BinOp) else ""
        ordered = isinstance(node, ast.Compare) and isinstance(node.ops[0], ORDER)
        taken = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub)
        both = re.search(r"support.* - .*oppose|(\w+)\[:, 0\] - \1\[:, 1\]", code)
        if (ordered and "relevance" in code) or (taken and both):
            found.append(code)
    return found


ORDER = (ast.Gt, ast.GtE, ast.Lt, ast.LtE)


def test_the_rule_stands_in_one_module() -> None:
    places = {str(path.relative_to(PACKAGE)): path for path in sorted(PACKAGE.rglob("*.py"))}
    found = {name: code for name, path in places.items() if (code := repeats_of_the_rule(path))}
    turned = found.pop("evaluator/heads.py")  # `answered`: what is left of 1 for either
    assert turned == ["1 - support - oppose"]
    assert set(found) == set(OWN_RULE), found
