"""Models in lavaan's syntax, in and out; R scripts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.benchmarks.cfa import confirm
from gpla_assets.benchmarks.lavaan_syntax import lavaan_model, r_names, read_lavaan
from gpla_assets.benchmarks.r_script import write_r_script
from gpla_assets.benchmarks.systems import System, UnfitSystem


def read(tmp_path: Path, text: str) -> tuple[System, str]:
    path = tmp_path / "m.lav"
    path.write_text(text, "utf-8")
    return read_lavaan(path)


def test_a_model_is_read_with_comments_scales_and_continued_lines(tmp_path: Path) -> None:
    text = """model <- '
      # factors
      visual =~ NA*x1 + x2 +   ! goes on
                x3
      textual =~ 1*x4
               + x5; speed =~ start(0.8)*x7 + x8
      visual ~~ 1*visual
      x1 ~~ x4
      visual ~~ 0*speed
      textual ~~ speed
    '"""
    found, structure = read(tmp_path, text)
    assert structure == "correlated" and found.name == "m" and not found.keyed
    assert {name: list(own) for name, own in found.factors.items()} == {
        "visual": ["x1", "x2", "x3"],
        "textual": ["x4", "x5"],
        "speed": ["x7", "x8"],
    }
    assert found.residuals == (("x1", "x4"),)
    assert found.uncorrelated == (("visual", "speed"),)
    again, _ = read(tmp_path, lavaan_model(found))
    assert again == found


def test_a_factor_above_all_others_is_a_higher_order_model(tmp_path: Path) -> None:
    found, structure = read(tmp_path, "f=~a+b+c\ng=~d+e+f1\nh=~i+j\ntop =~ f + g + h")
    assert structure == "higher_order" and list(found.factors) == ["f", "g", "h"]
    assert read(tmp_path, lavaan_model(found, structure).replace("above", "top")) == (
        found,
        structure,
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no statement"),
        ("f =~ a + b\nf ~ g", "'f ~ g' is not read"),
        ("f =~ a + b\na ~ 1", "'a ~ 1' is not read"),
        ("f =~ a + l*b", "`l*` in 'f =~ a + l*b' is not supported"),
        ("f =~ a + 0.5*b", "`0.5*` in"),
        ("f =~ a + b*", "'b*' in 'f =~ a + b*' is no name"),
        ("f =~ a + b\na ~~ 0*a", "`0*` in 'a ~~ 0*a'"),
        ("f =~ a + b\nf ~~ a", "is not between two factors or two values"),
        ("f =~ a + b\ng =~ c + f", "expected one factor over all others"),
    ],
)
def test_what_is_not_supported_is_refused_by_the_statement(
    tmp_path: Path, text: str, said: str
) -> None:
    with pytest.raises(UnfitSystem) as caught:
        read(tmp_path, text)
    assert said in str(caught.value)


def test_correlated_residuals_and_factors_held_apart_are_fitted() -> None:
    random = np.random.default_rng(2)
    latent = random.standard_normal((600, 2))
    shared = random.standard_normal(600) * 0.5
    scores = latent[:, [0, 0, 0, 1, 1, 1]] * 0.8 + random.standard_normal((600, 6)) * 0.6
    scores[:, 0] += shared
    scores[:, 3] += shared
    frame = pd.DataFrame(scores, columns=list("abcdef"))
    factors = {"F": dict.fromkeys("abc", 1), "G": dict.fromkeys("def", 1)}
    without = confirm(frame, System("s", factors))
    path = without.paths.iloc[0]
    assert (path.kind, {path.value, path.other}) == ("residual", {"a", "d"})
    found = confirm(frame, System("s", factors, (("a", "d"),), (("F", "G"),)))
    assert found.fit.df == without.fit.df and found.fit.p_value is not None
    assert found.fit.p_value > 0.01 > 1e-6 > (without.fit.p_value or 0)
    assert found.factor_correlations.r[1] == 0


def test_names_are_made_fit_for_r() -> None:
    assert r_names(["Care", "Social Responsibility", "自由", "2nd"]) == {
        "Care": "Care",
        "Social Responsibility": "n1_Social_Responsibility",
        "自由": "n2_",
        "2nd": "n3_2nd",
    }


def test_an_r_script_stands_beside_its_data(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        np.random.default_rng(0).standard_normal((30, 4)), columns=["a b", "c", "d", "e"]
    )
    frame.iloc[0, 0] = np.nan
    system = System("mine", {"F": {"a b": 1, "c": 1, "d": -1}, "G": {"e": 1}})
    clusters = pd.Series(["m", "n", "o"] * 10)
    beside = write_r_script(tmp_path / "fit.R", frame, system, clusters=clusters)
    script = (tmp_path / "fit.R").read_text("utf-8")
    assert list(pd.read_csv(beside).columns) == ["n2_a_b", "c", "d", "e", "cluster"]
    assert "# n2_a_b: a b" in script and "F =~ n2_a_b + c + d\nG =~ e\ne ~~ 0*e" in script
    assert 'missing = "ml", estimator = "MLR", cluster = "cluster"' in script
    write_r_script(tmp_path / "fit.R", frame, system, missing="two-stage", robust=True)
    assert 'missing = "robust.two.stage")' in (tmp_path / "fit.R").read_text("utf-8")
