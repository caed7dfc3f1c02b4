"""The evaluator that ships: adapter, heads, training, folds and measures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import save_file

from gpla_assets.content import STANCES
from gpla_assets.embedding.adapter import Adapter, AdapterError
from gpla_assets.embedding.cues import sentiment
from gpla_assets.embedding.embedder import Embedder
from gpla_assets.embedding.packaged import packaged_model
from gpla_assets.evaluator.heads import Heads, Reader, answered
from gpla_assets.evaluator.weights import EvaluatorWeights, shipped_with
from gpla_assets.training import folds, sign_quality
from gpla_assets.training.batches import Lessons, Recipe
from gpla_assets.training.examples import (
    answer_examples,
    pair_examples,
    question_examples,
    relations,
    statement_examples,
)
from gpla_assets.training.fine_tuning import fine_tune
from gpla_assets.training.material import project_items
from gpla_assets.training.quality_measures import answer_rows, statement_rows
from gpla_assets.training.readers import ReaderRecipe, with_fitted_readers


def small_heads(rank: int = 2, size: int = 4) -> Heads:
    rng = np.random.default_rng(0)
    draw = lambda *shape: rng.normal(size=shape).astype(np.float32)  # noqa: E731

    def reader(products: int, features: int, outputs: int, hidden: int = 3) -> Reader:
        every = products + features
        factors = draw(products, rank, size), draw(products, rank, size)
        linear = draw(products, size), draw(products, size), draw(products)
        network = draw(hidden, every), draw(hidden), draw(outputs, hidden), draw(outputs, every)
        return Reader(*factors, *linear, *network, draw(outputs))

    return Heads(
        valence=reader(5, 3, 3),
        related=reader(2, 1, 1),
        stance_weights=draw(3, size),
        stance_bias=draw(3),
        relevance_curve=np.array([0.5, -1.0], np.float32),
        offset=np.array([0.25], np.float32),
        temperature=np.array([2.0], np.float32),
    )


def read_by_formula(reader: Reader, u: np.ndarray, v: np.ndarray, features: list[float]) -> Any:
    """Outputs of one pair, product by product."""
    products = [
        sum(float(p @ u) * float(q @ v) for p, q in zip(left, right, strict=True))
        + reader.perception_weights[k] @ u
        + reader.value_weights[k] @ v
        + reader.bias[k]
        for k, (left, right) in enumerate(
            zip(reader.perception_factors, reader.value_factors, strict=True)
        )
    ]
    every = np.array([*products, *features])
    hidden = [
        max(0.0, float(w @ every + b))
        for w, b in zip(reader.hidden_weights, reader.hidden_bias, strict=True)
    ]
    return reader.output_weights @ hidden + reader.direct_weights @ every + reader.output_bias


def unit(n: int, size: int = 4, seed: int = 1) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(n, size)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_an_adapter_gives_back_the_tuned_weights_to_half_a_step() -> None:
    rng = np.random.default_rng(0)
    base = {"a": rng.normal(size=(5, 7)), "b": rng.normal(size=3), "same": np.ones((2, 2))}
    tuned = base | {"a": base["a"] + rng.normal(size=(5, 7)) * 0.01, "b": base["b"] + 0.01}
    adapter = Adapter.between(base, tuned)
    assert set(adapter.steps) == {"a", "b"}
    largest = np.abs(tuned["a"] - base["a"]).max(axis=1, keepdims=True)
    error = np.abs(base["a"] + adapter.difference("a") - tuned["a"])
    assert (error <= largest / 127 / 2 + 1e-6).all()


def test_an_adapter_refuses_another_base_model() -> None:
    from torch import nn

    adapter = Adapter.between({"weight": np.zeros((2, 3))}, {"weight": np.ones((2, 3))})
    model = nn.Linear(3, 2)
    before = model.weight.detach().clone()
    adapter.apply(model)
    np.testing.assert_allclose((model.weight - before).detach(), 1, atol=0.01)
    with pytest.raises(AdapterError, match=r"weight: found shape \(2, 5\), expected shape \(2, 3"):
        adapter.apply(nn.Linear(5, 2))


def test_all_pairs_by_products_equal_each_pair_by_the_formula() -> None:
    heads, u, v = small_heads(), unit(3), unit(5, seed=2)
    s, t = np.array([0.5, -1, 0], np.float32), np.linspace(-1, 1, 5).astype(np.float32)
    together = heads.all_valence(u, v, s, t)
    for i in range(3):
        for j in range(5):
            logits = read_by_formula(heads.valence, u[i], v[j], [s[i], t[j], s[i] * t[j]])
            expected = np.exp((logits + np.array([0.25, 0, 0])) / 2)
            np.testing.assert_allclose(together[i, j], expected / expected.sum(), atol=1e-5)
            own = u[i : i + 1], v[j : j + 1]
            pair = heads.pair_logits(*own, s[i : i + 1], t[j : j + 1])
            np.testing.assert_allclose(pair[0], logits, atol=1e-4)
            related = read_by_formula(heads.related, u[i], v[j], [float(u[i] @ v[j])])[0]
            assert heads.relatedness(*own)[0] == pytest.approx(related, abs=1e-4)
            assert heads.relevance(u, v)[i, j] == pytest.approx(
                1 / (1 + np.exp(-(0.5 * related - 1))), abs=1e-5
            )


def test_a_linear_reader_gives_its_products_and_features() -> None:
    rng = np.random.default_rng(3)
    factors = rng.normal(size=(2, 1, 3, 4)).astype(np.float32)
    weights = np.zeros((2, 1, 4), np.float32)
    reader = Reader.linear(
        (factors[0], factors[1]), (weights[0], weights[1]), np.ones(1, np.float32), (20.0,)
    )
    u, v = unit(1), unit(1, seed=2)
    expected = (factors[0, 0] @ u[0]) @ (factors[1, 0] @ v[0]) + 1 + 20 * 0.25
    found = reader.aligned(u, v, np.full((1, 1), 0.25, np.float32))
    assert found[0, 0] == pytest.approx(expected, abs=1e-5)


def test_to_deny_what_opposes_a_value_supports_it() -> None:
    denies = np.array([[0.1, 0.8, 0.1]])
    opposes = np.array([[0.2, 0.7, 0.1]])
    found = answered(denies, opposes)[0]
    assert found[0] == pytest.approx(0.1 * 0.2 + 0.8 * 0.7)
    assert found[1] == pytest.approx(0.1 * 0.7 + 0.8 * 0.2)
    assert found.sum() == pytest.approx(1)
    leaves_open = answered(np.array([[0.0, 0.0, 1.0]]), opposes)[0]
    np.testing.assert_allclose(leaves_open, [0, 0, 1], atol=1e-7)


def items(n_values: int = 8) -> pd.DataFrame:
    rows = project_items()
    return rows[rows["value"].isin(rows["value"].unique()[:n_values])]


def ratings() -> pd.DataFrame:
    rows = [
        ("a", "Should I rest?", "Yes, do.", 10.0, "I rest.", "support", "Calm", "being at ease"),
        ("b", "Should I rest?", "No.", 0.0, "I rest.", "support", "Calm", "being at ease"),
        ("a", "Should I rush?", "It depends.", 5.0, "I rush.", "oppose", "Calm", "being at ease"),
        ("b", "Should I rush?", "Not really.", 2.5, "I rush.", "oppose", "Calm", "being at ease"),
    ]
    columns = ["llm", "question", "answer", "rating", "statement", "stance", "value", "definition"]
    return pd.DataFrame(rows, columns=columns)


def test_a_rating_says_how_far_an_answer_asserts_what_is_asked() -> None:
    rows = answer_examples(ratings())
    assert rows[["asserts", "denies", "open"]].to_numpy().tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
        [0, 0.5, 0.5],
    ]
    assert list(rows["text"])[1] == "Should I rest? No."
    assert list(rows["stance"]) == [1, 1, -1, -1]
    assert list(question_examples(ratings())["text"]) == ["Should I rest?", "Should I rush?"]


def test_folds_share_no_value_and_no_text() -> None:
    statements = statement_examples(project_items(), "project")
    double = statements.head(1).assign(value=statements["value"].iloc[-1].upper())
    statements = pd.concat([statements, double], ignore_index=True)
    tested = []
    for fold in range(5):
        parts = folds.split(statements, answer_examples(ratings()), fold, 5)
        fitted = set(parts.statements["value"].str.casefold())
        assert not fitted & set(parts.test_statements["value"].str.casefold())
        assert not set(parts.statements["text"]) & set(parts.test_statements["text"])
        tested.append(len(parts.test_statements))
    assert sum(tested) == len(statements)
    assert len(folds.split(statements, answer_examples(ratings()), -1, 5).statements) == len(
        statements
    )


def taught() -> pd.DataFrame:
    """A teacher to whom odd wishes support Calm, and all others oppose it."""
    rows = [
        ("I would paint all bridges green.", "Calm", "being at ease", 0.9, 0.9, 0.05, 0.05),
        ("I would sell the old tram.", "Calm", "being at ease", 0.9, 0.05, 0.9, 0.05),
    ]
    return pd.DataFrame(rows * 4, columns=["text", "value", "definition", "related", *STANCES])


def labels() -> pd.DataFrame:
    """Labels by which talk of rain is about Calm and talk of trains is not."""
    rain = [f"The rain falls on {place}." for place in ("the roof", "a field", "the old town")]
    trains = [f"The train leaves at {hour}." for hour in ("six", "ten", "noon")]
    rows = [(text, "Calm", "being at ease", "s") for text in rain]
    rows += [(text, "Calm", "being at ease", "-") for text in trains]
    return pd.DataFrame(rows * 3, columns=["content", "value", "definition", "relation"])


@pytest.fixture(scope="module")
def trained() -> EvaluatorWeights:
    statements = statement_examples(items(), "project")
    recipe = Recipe(
        epochs=5, batch=16, rank=8, answers_per_epoch=1.0, pairs_per_epoch=1.0, taught_per_epoch=1.0
    )
    lessons = Lessons(statements, answer_examples(ratings()), taught(), pair_examples(labels()))
    return EvaluatorWeights(*fine_tune(str(packaged_model()), lessons, recipe))


@pytest.mark.slow
def test_training_learns_its_statements_and_repeats(
    trained: EvaluatorWeights, tmp_path: Path
) -> None:
    statements = statement_examples(items(), "project")
    encoder = Embedder(adapter=trained.adapter, name="tuned")
    scored = folds.score_statements(statements, trained.heads, encoder.encode, sentiment)
    found = folds.probabilities(scored, trained.heads)
    sided = (statements["either"] == 0).to_numpy()
    right = (found[:, 0] > found[:, 1]) == (statements["support"] > 0).to_numpy()
    assert right[sided].mean() > 0.85
    assert (scored["relatedness"] > scored["other_relatedness"]).mean() > 0.9
    trained.save(tmp_path / "w.safetensors")
    loaded = EvaluatorWeights.load(tmp_path / "w.safetensors")
    for part in ("valence", "related"):
        for name, found in vars(getattr(loaded.heads, part)).items():
            np.testing.assert_array_equal(found, getattr(getattr(trained.heads, part), name))
    np.testing.assert_array_equal(loaded.heads.stance_bias, trained.heads.stance_bias)
    name = next(iter(trained.adapter.steps))
    np.testing.assert_array_equal(loaded.adapter.steps[name], trained.adapter.steps[name])


def test_training_takes_over_a_teachers_word_and_labels_of_relevance(
    trained: EvaluatorWeights,
) -> None:
    encode = Embedder(adapter=trained.adapter, name="tuned").encode
    wishes, calm = taught().head(2), encode(["Calm: being at ease"] * 2)
    none = np.zeros(2, np.float32)
    logits = trained.heads.pair_logits(encode(list(wishes["text"])), calm, none, none)
    assert logits[0, 0] > logits[0, 1]
    assert logits[1, 1] > logits[1, 0]
    unread = encode(["The rain falls on a garden.", "The train leaves at four."])
    rain, train = trained.heads.relatedness(unread, calm)
    assert rain > train + 1


def test_readers_fitted_after_training_know_labels_of_opposition_and_of_relatedness(
    trained: EvaluatorWeights,
) -> None:
    encode = Embedder(adapter=trained.adapter, name="tuned").encode
    statements = statement_examples(items(), "project")
    gloom = [
        (f"I fret about {what} all night.", "Calm", "being at ease", "o")
        for what in ("the rent", "my work", "the news", "my health")
    ]
    rows = pd.DataFrame(gloom, columns=["content", "value", "definition", "relation"])
    labelled = pair_examples(pd.concat([labels(), rows], ignore_index=True))
    lessons = Lessons(statements, answer_examples(ratings()), taught(), labelled)
    recipe = ReaderRecipe(
        products=4, rank=4, hidden=8, batch=32, valence_epochs=60, related_epochs=60
    )
    fit = lambda: with_fitted_readers(trained.heads, lessons, encode, sentiment, recipe)  # noqa: E731
    heads, again = fit(), fit()
    for name, found in vars(heads.valence).items():
        np.testing.assert_array_equal(found, getattr(again.valence, name))
    assert heads.valence.bias.shape == (4,)
    np.testing.assert_array_equal(heads.stance_bias, trained.heads.stance_bias)
    scored = folds.score_statements(statements, heads, encode, sentiment)
    found = folds.probabilities(scored, heads)
    sided = (statements["either"] == 0).to_numpy()
    right = (found[:, 0] > found[:, 1]) == (statements["support"] > 0).to_numpy()
    assert right[sided].mean() > 0.85
    assert (scored["relatedness"] > scored["other_relatedness"]).mean() > 0.9
    unread = ["I fret about my exam all night.", "The rain falls on a garden."]
    calm = ["Calm: being at ease"] * 2
    logits = heads.pair_logits(encode(unread), encode(calm), sentiment(unread), sentiment(calm))
    assert logits[0, 1] > logits[0, 0]
    assert logits[1, 0] > logits[1, 1]


def test_a_run_on_statements_alone_leaves_the_rest_out() -> None:
    rows = statement_examples(items(2), "project").head(8)
    recipe = Recipe(epochs=1, batch=4, rank=2, frozen_layers=5)
    adapter, _ = fine_tune(str(packaged_model()), Lessons(rows), recipe)
    assert adapter.steps
    assert all("layer.5." in name or "pooler" in name for name in adapter.steps)


def test_labelled_pairs_give_back_their_codes() -> None:
    coded = labels().assign(relation=["s", "o", "e", "-", "-", "s"] * 3)
    assert relations(pair_examples(coded)) == list(coded["relation"])


def test_a_file_that_holds_no_weights_is_named(tmp_path: Path) -> None:
    save_file({"other": np.zeros(1)}, tmp_path / "empty.safetensors")
    with pytest.raises(AdapterError, match="Found 0 arrays of steps"):
        EvaluatorWeights.load(tmp_path / "empty.safetensors")


def test_calibration_finds_the_temperature_that_made_the_labels() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 3)) * 4
    drawn = np.array([rng.choice(3, p=np.exp(t) / np.exp(t).sum()) for t in logits / 2.5])
    rows = pd.DataFrame(logits, columns=folds.LOGITS).assign(source="one", text="t")
    for k, name in enumerate(("support", "oppose", "either")):
        rows[name] = (drawn == k).astype(float)
    rows["relatedness"], rows["other_relatedness"] = (
        rng.normal(0.6, 0.1, 4000),
        rng.normal(0.2, 0.1, 4000),
    )
    pairs = rows.head(0).assign(related=0.0)
    heads = folds.calibrated(small_heads(), rows, pairs, prior=0.5)
    assert heads.temperature[0] == pytest.approx(2.5, rel=0.1)
    slope, offset = heads.relevance_curve
    assert -offset / slope == pytest.approx(0.4, abs=0.02)


def test_measures_equal_those_computed_by_hand() -> None:
    supports = np.array([True, True, False, False])
    found = sign_quality.sign_quality(supports, np.array([0.9, -0.1, 0.2, -0.8]))
    assert (found.accuracy, found.balanced_accuracy, found.auc) == (0.5, 0.5, 0.75)
    coverage = sign_quality.accuracy_by_coverage(supports, np.array([0.9, -0.1, 0.2, -0.8]))
    assert coverage.set_index("coverage").loc[0.5, "accuracy"] == 1.0
    curve = sign_quality.calibration(
        np.array([True, False, True, True]), np.array([0.9, 0.9, 0.9, 0.1])
    )
    assert curve.ece == pytest.approx(0.75 * abs(0.9 - 2 / 3) + 0.25 * 0.9)


def test_agreement_within_values_ignores_how_values_differ() -> None:
    rows = pd.DataFrame(
        {
            "value": ["A", "A", "B", "B"],
            "llm": ["x", "y", "x", "y"],
            "stance": [1, 1, -1, -1],
            "rating": [10, 6, 2, 4],
        }
    )
    # targets: 5, 1 | 3, 1 -> within +2, -2 | +1, -1
    scores = np.array([10.0, 8.0, -5.0, -6.0])  # within +1, -1 | +.5, -.5
    assert sign_quality.within_value_correlation(rows, scores) == pytest.approx(1.0)
    assert sign_quality.within_value_correlation(rows, -scores) == pytest.approx(-1.0)


def test_the_table_names_every_measure_once(trained: EvaluatorWeights) -> None:
    encode = Embedder(adapter=trained.adapter, name="tuned").encode
    statements = folds.score_statements(
        statement_examples(items(), "project"), trained.heads, encode, sentiment
    )
    answers = folds.score_answers(answer_examples(ratings()), trained.heads, encode, sentiment)
    first = statements.index < len(statements) // 2
    statements["inventory"] = np.where(first, "both ways", "one way")
    statements = statements[first | (statements["oppose"] == 0)]
    valence, said = (folds.probabilities(scored, trained.heads) for scored in (statements, answers))
    own, other = (statements[name].to_numpy() for name in ("relatedness", "other_relatedness"))
    rows = [*statement_rows(statements, valence, own, other), *answer_rows(answers, said, "a")]
    both = {row[1]: row[3] for row in rows if row[0] == "project, inventories keyed both ways"}
    sided = statements["either"] == 0
    assert both["AUC of sign"] == int((sided & (statements["inventory"] == "both ways")).sum())
    names = [(row[0], row[1]) for row in rows]
    assert len(set(names)) == len(names) >= 15
    assert all(np.isfinite(row[2]) and row[3] > 0 for row in rows)


def test_a_new_version_takes_the_place_of_what_it_measured_and_leaves_the_rest() -> None:
    columns = ["role", "backend", "model", "data", "measure", "number", "n", "held_out"]

    def rows(model: str, *data: str) -> pd.DataFrame:
        return pd.DataFrame(
            [("evaluator", "embedded", model, name, "AUC", 0.5, 9, "values") for name in data],
            columns=columns,
        )

    shipped = pd.concat([rows("m-1, fast", "items"), rows("m-1, accurate", "items", "answers")])
    found = shipped_with(shipped, rows("m-2, accurate", "items"))
    assert set(found[["model", "data"]].itertuples(index=False, name=None)) == {
        ("m-1, fast", "items"),
        ("m-1, accurate", "answers"),
        ("m-2, accurate", "items"),
    }
