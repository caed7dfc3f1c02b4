"""A matrix of correlations in the place of subjects: what is read, refused and computed of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.psychometrics.correlation import correlations
from gpla_assets.psychometrics.errors import MatrixError
from gpla_assets.psychometrics.given_correlations import read_correlations
from gpla_assets.psychometrics.reading import ReadingOptions
from tests.psychometrics.test_reading import DATA, needs_shared

R = np.array([[1.0, 0.5, -0.2], [0.5, 1.0, 0.3], [-0.2, 0.3, 1.0]])


@pytest.mark.parametrize(
    "content",
    [
        "a,b,c\n1,.5,-.2\n.5,1,.3\n-.2,.3,1\n",
        ",a,b,c\na,1,.5,-.2\nb,.5,1,.3\nc,-.2,.3,1\n",
        "item;a;b;c\nc;-0,2;0,3;1\na;1;0,5;-0,2\nb;0,5;1;0,3\n",
        "a,b,c\n1,,\n.5,1,\n-.2,.3,1\n",
        ",a,b,c\na,,.5,-.2\nb,,,.3\nc,,,\n",
        '"a" "b" "c"\n"a" 1 0.5 -0.2\n"b" 0.5 1 0.3\n"c" -0.2 0.3 1\n',
        "a,b,c,d\n1,.5,-.2,.1\n.5,1,.3,.1\n-.2,.3,1,.1\n.1,.1,.1,1\n",
    ],
)
def test_the_sample_has_exactly_the_correlations_of_the_file(tmp_path: Path, content: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(content, "utf-8")
    drop = ("d",) if "d" in content.split("\n")[0].split(",") else ()
    own = read_correlations(path, 50, ReadingOptions(drop=drop))
    assert own.of_correlations and own.scores.shape == (50, 3)
    np.testing.assert_allclose(correlations(own.scores).matrix.to_numpy(), R, atol=1e-12)
    np.testing.assert_allclose(own.scores.std(), 1.0, atol=1e-12)
    assert any("50 subjects are a normal sample" in caution for caution in own.cautions)


@pytest.mark.parametrize(
    ("content", "n", "said"),
    [
        ("a,b,c\n1,.5,-.2\n.5,1,.3\n", 50, "has 2 rows and 3 columns"),
        ("a,b\n2,.5\n.5,1\n", 50, "row 'a', column 'a' has 2 with itself, expected 1"),
        ("a,b\n1,.5\n.4,1\n", 50, "row 'a', column 'b' has 0.5 there and 0.4 the other way round"),
        ("a,b\n1,1.5\n1.5,1\n", 50, "has 1.5, expected between -1 and 1"),
        ("a,b,c\n1,,\n.5,1,\n-.2,,1\n", 50, "row 'b', column 'c' has no correlation"),
        ("a,b\n1,x\nx,1\n", 50, "column 'a' has 'x' on line 3; expected a correlation"),
        (",a,b\na,1,.5\nc,.5,1\n", 50, "row 'c' has no column of that name"),
        ("a,b,c\n1,.5,-.2\n.5,1,.3\n-.2,.3,1\n", 3, "--n 3: expected more subjects than the 3"),
    ],
)
def test_what_is_no_correlation_matrix_is_refused_by_its_cell(
    tmp_path: Path, content: str, n: int, said: str
) -> None:
    path = tmp_path / "r.csv"
    path.write_text(content, "utf-8")
    with pytest.raises(MatrixError) as caught:
        read_correlations(path, n)
    assert said in str(caught.value)


def test_a_matrix_that_is_not_positive_definite_is_mended_and_said(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_text("a,b,c\n1,.9,.2\n.9,1,.9\n.2,.9,1\n", "utf-8")
    own = read_correlations(path, 50)
    assert "not positive definite (smallest eigenvalue -0.1" in own.cautions[0]
    assert np.linalg.eigvalsh(own.scores.corr().to_numpy()).min() > -1e-9


@needs_shared
@pytest.mark.parametrize("name", ["edge_correlation_matrix", "edge_correlation_matrix_noidx"])
def test_a_written_matrix_gives_its_own_correlations(name: str) -> None:
    own = read_correlations(DATA / f"{name}.csv", 2800)
    expected = pd.read_csv(DATA / "edge_correlation_matrix.csv", index_col=0).to_numpy()
    np.testing.assert_allclose(own.scores.corr().to_numpy(), expected, atol=1e-10)
