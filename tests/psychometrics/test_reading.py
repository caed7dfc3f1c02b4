"""A user's file as a matrix: every layout gives the same one, every doubt its true cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gpla_assets.common.tables import TableError, TableOptions
from gpla_assets.psychometrics.errors import MatrixError
from gpla_assets.psychometrics.reading import OwnMatrix, ReadingOptions, read_own
from tests.conftest import ROOT

SHARED = ROOT.parent / "shared"
CASES, DATA = SHARED / "cases", SHARED / "psychometrics" / "data"
needs_shared = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared")
Read = Callable[..., OwnMatrix]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads content as a user's file, by options."""

    def of(
        content: str | bytes | pd.DataFrame, name: str = "m.csv", **options: object
    ) -> OwnMatrix:
        path = tmp_path / name
        if isinstance(content, pd.DataFrame):
            content.to_csv(path, index=False)
        else:
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_own(path, ReadingOptions(**options))  # type: ignore[arg-type]

    return of


@pytest.fixture(scope="module")
def likert() -> pd.DataFrame:
    random = np.random.default_rng(0)
    latent = random.standard_normal((60, 1))
    answers = np.clip(np.round(3 + latent + random.standard_normal((60, 8))), 1, 5).astype(int)
    return pd.DataFrame(answers, columns=list("abcdefgh"))


def numbers(own: OwnMatrix) -> list[list[float | None]]:
    return own.scores.astype(object).where(own.scores.notna(), None).to_numpy().tolist()


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a;b;c\n1,5;2;-0,5\n2,25;3;1e3\n", "decimal commas"),
        ("a\tb\tc\n1,5\t2\t-0,5\n2,25\t3\t1000\n", "decimal commas"),
        ('a,b,c\n"1,5","2","-0,5"\n"2,25",3,"1.000,0"\n', "decimal commas"),
        ('a,b,c\n1.5,2,-0.5\n2.25,3,"1,000"\n', "commas"),
        ("a;b;c\n1,5;2;-0,5\n2,25;3;1 000\n", "decimal commas"),
        ("a,b,c\n1.5,2,\u22120.5\n2.25,3,1000\n", "commas"),
        ("a;b;c\n€ 1,50;2;-0,5\n2,25 €;3;1.000\n", "a: € taken off"),
        ("a,b,c\n150%,2,-0.5\n225%,3,1000\n", "a: % taken off"),
    ],
)
def test_numbers_are_read_as_their_program_wrote_them(read: Read, content: str, said: str) -> None:
    own = read(content)
    scale = 100 if "%" in content else 1
    assert numbers(own) == [[1.5 * scale, 2, -0.5], [2.25 * scale, 3, 1000]]
    assert said in own.said[0]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("a;b\n1,5;2\n2.5;3\n", r"'2.5' \(column 'a', line 3\) has a decimal point and '1,5'"),
        ('a,b\n"1,234",2\n"2,345",3\n', r"'1,234' \(column 'a', line 2\) may be 1234 or 1.234"),
        ("a,b\n1,2\n3,much\n5,6\n", "column 'b' has 'much' on line 3 and numbers in 2 other cells"),
        ("a,b\n1,2\n3,inf\n5,6\n", "column 'b' has 'inf' on line 3"),
        ("a,b\n1,2\n3,2024-05-03\n5,6\n", "Excel may have made a date"),
        ("a,b\n1,2\n3,50%\n5,6\n", "column 'b' has '50%' on line 3"),
        ("a,b\n1,x\n3,y\n", None),
        (
            "a,b\nnever,often\noften,never\nnever,never\n",
            r"column 'a' holds answers in words \(never; often\)",
        ),
        ("a,b\nx,p\ny,q\n", "none of the columns a, b holds numbers"),
    ],
)
def test_a_doubt_is_refused_by_its_cause(read: Read, content: str, said: str | None) -> None:
    if said is None:
        own = read(content)
        assert list(own.scores.columns) == ["a"]
        assert "left out: b (no numbers)" in own.said
        return
    with pytest.raises(MatrixError, match=said) as caught:
        read(content)
    assert "\n" not in str(caught.value)


def test_flags_settle_each_doubt(read: Read) -> None:
    assert numbers(read('a,b\n"1,234",2\n"2,345",3\n', decimal="comma")) == [[1.234, 2], [2.345, 3]]
    assert numbers(read('a,b\n"1,234",2\n"2,345",3\n', decimal="point")) == [[1234, 2], [2345, 3]]
    assert numbers(read("a,b\n1,much\n3,4\n", missing_codes=("MUCH",))) == [[1, None], [3, 4]]
    assert list(read("a,b\n1,much\n3,4\n", drop=("b",)).scores.columns) == ["a"]
    words = "a,b\nnever,Often\noften,never\n,always\n"
    assert numbers(read(words, labels=("never", "often", "always"))) == [[1, 2], [2, 1], [None, 3]]
    assert numbers(read(words, labels=("never=0", "often=5", "always=9")))[0] == [0, 5]


def test_answers_with_numbers_in_them_are_these_numbers(read: Read) -> None:
    own = read("a,b\n5 - agree,TRUE\n3,FALSE\n1 - disagree,TRUE\n,\n")
    assert numbers(own) == [[5, 1], [3, 0], [1, 1]]
    assert "a: numbers of its labelled answers" in own.said[0]
    assert "b: TRUE is 1, FALSE 0" in own.said[0]


def test_an_export_of_google_forms_is_read(read: Read) -> None:
    header = '"Timestamp","Email","Do you agree, on the whole? [calm]","... [kind]"\n'
    rows = "".join(
        f'"2026/05/0{n} 3:00:00 PM","p{n}@x.org","{n} - {label}",{n}\n'.replace(" - ,", ",")
        for n, label in enumerate(["never", "seldom", "often"], start=1)
    )
    own = read(header + rows)
    assert numbers(own) == [[1, 1], [2, 2], [3, 3]]
    assert "left out: Timestamp (no numbers), Email (no numbers)" in own.said


@pytest.mark.parametrize("kind", ["sum", "mean"])
def test_a_last_row_of_totals_is_said(read: Read, likert: pd.DataFrame, kind: str) -> None:
    total = likert.agg(kind).round(2)
    own = read(pd.concat([likert, total.to_frame().T]))
    assert own.cautions == (
        f"The last row (line {len(likert) + 2}) is the {kind} of the rows above: no subject; "
        "delete it in the file.",
    )


def test_codes_of_missing_cells_are_missing_and_those_of_no_cell_said(read: Read) -> None:
    own = read("a,b\n1,-99\n-99.0,4\n2,2\n999,2\n", missing_codes=("-99", "999", "-1"))
    assert numbers(own) == [[1, None], [None, 4], [2, 2], [None, 2]]
    assert own.cautions == ("--missing-codes -1: no cell has it.",)


def test_rows_without_a_cell_are_left_out_and_lines_are_the_files(read: Read) -> None:
    own = read('a,b,note\n1,2,"two\nlines"\n\n,,\nNA,.,x\n3,4,y\n', drop=("note",))
    assert list(own.scores.index) == ["row 2", "row 7"]
    assert own.lines == (2, 7)
    assert "1 row without any cell left out" in own.said


def test_columns_have_their_roles_by_name(read: Read) -> None:
    own = read("Subject,LLM,group,weight,a,b\nx,m1,g,1,1,2\ny,m2,,2.5,3,4\nz,m2,h,1,,\n")
    assert list(own.scores.index) == ["x", "y"] and list(own.scores.columns) == ["a", "b"]
    assert own.clusters is not None and list(own.clusters) == ["m1", "m2"]
    assert own.groups is not None and list(own.groups) == ["g", None]
    assert own.weights is not None and list(own.weights) == [1, 2.5]
    assert own.others == ("Subject", "LLM", "group", "weight")
    assert any("weights of column 'weight' are not used" in one for one in own.cautions)


def test_columns_have_their_roles_by_flags(read: Read) -> None:
    content = "who,maker,school,a,b\n1,m1,9,1,2\n2,m1,8,3,4\n"
    own = read(content, id="who", cluster="MAKER", group="school")
    assert list(own.scores.index) == ["1", "2"] and list(own.scores.columns) == ["a", "b"]
    assert own.clusters is not None and list(own.clusters) == ["m1", "m1"]
    assert own.groups is not None and list(own.groups) == ["9", "8"]
    with pytest.raises(MatrixError, match=r"--id hwo: .* no such column; the nearest: who"):
        read(content, id="hwo")


def test_subjects_named_by_llm_and_profile_have_their_llm(read: Read) -> None:
    own = read("subject,a,b\nm1|p,1,2\nm1|q,3,4\nm2|p,5,6\n")
    assert own.clusters is not None and list(own.clusters) == ["m1", "m1", "m2"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("subject,a,b\nx,1,2\nx,3,4\n", r"subject 'x' stands 2 times \(lines 2, 3\).*--cluster"),
        (",a,b\nx,1,2\nx,3,4\n", r"subject 'x' stands 2 times \(lines 2, 3\)"),
        ("llm,model,a,b\nx,m,1,2\ny,m,3,4\n", "columns 'llm' and 'model' could both be"),
        ("llm,a,b\nx,1,2\n,3,4\n", "line 3 has no LLM"),
        ("a,b,weight\n1,2,1\n3,4,-1\n", "column 'weight' has '-1' on line 3"),
        ("a,b,c\n1,.5,.2\n.5,1,.3\n.2,.3,1\n", "pass it by --correlations m.csv --n"),
    ],
)
def test_roles_that_are_not_clear_are_refused(read: Read, content: str, said: str) -> None:
    with pytest.raises(MatrixError, match=said):
        read(content)


@pytest.mark.parametrize("name", ["id", "ID", "participant", "case"])
def test_ids_by_their_name_are_no_value(read: Read, likert: pd.DataFrame, name: str) -> None:
    ids = np.random.default_rng(1).permutation(len(likert)) + 1000
    own = read(likert.assign(**{name: ids}))
    assert list(own.scores.columns) == list(likert.columns)
    assert list(own.scores.index) == [str(one) for one in ids]
    assert f"ids of subjects: column {name!r}" in own.said


def test_a_first_column_of_different_words_names_the_subjects(read: Read) -> None:
    own = read("who,a,b\nAnn,1,2\nBob,3,4\n")
    assert list(own.scores.index) == ["Ann", "Bob"]


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"nr_": lambda x: np.arange(len(x)) + 7}, "'nr_' looks like an id or a row number"),
        ({"t": lambda x: x.sum(axis=1)}, "'t' is the sum of 'a', 'b', 'c', 'd', 'e', 'f' and 2"),
        ({"t": lambda x: x[["a", "b"]].mean(axis=1)}, "'t' is the mean of 'a', 'b': a total"),
        (
            {"t": lambda x: (x[["a", "b", "c"]].mean(axis=1)).round(2)},
            "'t' is the mean of 'a', 'b'",
        ),
        ({"r": lambda x: 6 - x["a"] + x["b"]}, "'r' follows from 'a', 'b' without a remainder"),
        ({"k": lambda x: x["c"]}, "'c' and 'k' have the same cells"),
        ({"wt": lambda x: x["a"] / 3}, "'wt' looks like weights"),
        ({"age": lambda x: x["a"] * 7 + 20 + np.arange(len(x)) % 3}, "'age': by the name no value"),
        (
            {"size": lambda x: 170 + np.arange(len(x)) % 30},
            "'size': on another scale than the",
        ),
        ({"k": lambda x: 3}, "The same in every row: 'k'"),
        ({"k": lambda x: [1.0, 2.0] + [None] * 58}, "Hardly any cell: 'k' (2 of 60)"),
    ],
)
def test_what_looks_like_no_value_is_said(
    read: Read, likert: pd.DataFrame, more: dict[str, object], said: str
) -> None:
    cautions = read(likert.assign(**more)).cautions
    assert len(cautions) == 1, cautions
    assert said in cautions[0]


def test_a_total_before_its_parts_is_the_total(read: Read, likert: pd.DataFrame) -> None:
    frame = likert.copy()
    frame.insert(0, "t", likert[["a", "b", "c"]].sum(axis=1))
    (caution,) = read(frame).cautions
    assert "'t' is the sum of 'a', 'b', 'c'" in caution


def test_a_row_that_is_there_twice_is_named_by_its_lines(read: Read, likert: pd.DataFrame) -> None:
    frame = pd.concat([likert.drop_duplicates(), likert.iloc[[4]]], ignore_index=True)
    (caution,) = read(frame).cautions
    assert f"1 row has the cells of another (lines 6 and {len(frame) + 1})" in caution


@pytest.mark.parametrize("code", [-999, -99, -9, -1, 9, 99, 999, 55])
def test_codes_far_outside_are_named_with_their_flag(
    read: Read, likert: pd.DataFrame, code: int
) -> None:
    frame = likert.copy()
    for n in range(6):
        frame.iloc[3 + n, n] = code
    (caution,) = read(frame).cautions
    assert f"{code} in 6 cells (first in 'a', line 5)" in caution
    assert f"--missing-codes={code}" in caution


def test_two_codes_in_one_column_are_both_named(read: Read) -> None:
    random = np.random.default_rng(3)
    frame = pd.DataFrame(random.standard_normal((80, 3)), columns=list("abc"))
    frame.iloc[:6, 0], frame.iloc[6:12, 0], frame.iloc[3, 1] = -999, -99, 999
    (caution,) = read(frame).cautions
    assert "--missing-codes=-999,-99,999" in caution


@pytest.mark.parametrize("kind", ["normal", "skewed", "counts", "binary", "nine points", "shares"])
def test_ordinary_columns_get_no_caution(read: Read, kind: str) -> None:
    random = np.random.default_rng(5)
    shape = 200, 6
    drawn = {
        "normal": random.standard_normal(shape).round(3),
        "skewed": random.lognormal(0, 1, shape).round(3),
        "counts": random.poisson(0.6, shape),
        "binary": random.integers(0, 2, (200, 12)),
        "nine points": random.integers(1, 10, shape),
        "shares": random.uniform(-1, 1, shape).round(2),
    }[kind]
    own = read(pd.DataFrame(drawn, columns=[f"v{n}" for n in range(drawn.shape[1])]))
    assert own.cautions == ()


def test_only_the_values_of_a_system_matter(read: Read) -> None:
    own = read("a,b,c,note\n1,2,much,x\n3,4,5,-\n,,6,y\n", values=("a", "b", "lost"))
    assert list(own.scores.columns) == ["a", "b"] and len(own.scores) == 2
    assert own.others == ("c", "note")


CLEAN = "01-semicolon-decimal-comma"


@needs_shared
@pytest.mark.parametrize(
    ("file", "base"),
    [
        (f"{CLEAN}/decimal_comma.csv", "base"),
        (f"{CLEAN}/tabs.tsv", "base"),
        (f"{CLEAN}/ghost_columns.csv", "likert"),
        (f"{CLEAN}/likert_bom_crlf.csv", "likert"),
        (f"{CLEAN}/likert_semicolon.csv", "likert"),
        (f"{CLEAN}/likert_sep_line.csv", "likert"),
        (f"{CLEAN}/likert_utf16.csv", "likert"),
        (f"{CLEAN}/rownames.csv", "likert"),
    ],
)
def test_layouts_of_the_cases_give_the_base(file: str, base: str) -> None:
    expected = pd.read_csv(CASES / "00-base" / f"{base}.csv", index_col=0)
    own = read_own(CASES / file)
    np.testing.assert_array_equal(own.scores.to_numpy(), expected.to_numpy(float))
    assert list(own.scores.columns) == list(expected.columns)
    assert own.cautions == ()


@needs_shared
@pytest.mark.parametrize("name", ["n_slash_a", "null_excel", "spss_dot", "minus999", "code99"])
def test_missing_cells_of_the_cases_are_the_same(name: str) -> None:
    blank = read_own(CASES / "08-missing-codes" / "same_blank.csv").scores
    options = ReadingOptions(missing_codes=("-999", "99") if name[-1] == "9" else ())
    own = read_own(CASES / "08-missing-codes" / f"{name}.csv", options)
    if name != "code99":  # its missing cells are others
        pd.testing.assert_frame_equal(own.scores, blank)
    assert int(own.scores.isna().to_numpy().sum()) == 36


@needs_shared
@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("08-missing-codes/minus999.csv", "--missing-codes=-999"),
        ("08-missing-codes/code99.csv", "--missing-codes=99"),
        ("16-collinear/sum_and_copy.csv", "'total_warm' is the sum of 'calm', 'open', 'brave'"),
        ("16-collinear/sum_and_copy.csv", "'calm' and 'calm_copy' have the same cells"),
        ("16-collinear/constant.csv", "The same in every row: 'const'"),
        ("17-id-column/with_id.csv", "'Age': by the name no value"),
        ("28-real-bfi/bfi_like_write_csv.csv", "'gender', 'education', 'age': by the name"),
    ],
)
def test_cautions_of_the_cases(file: str, said: str) -> None:
    assert any(said in caution for caution in read_own(CASES / file).cautions)


LABELS = (
    *("Very Inaccurate", "Moderately Inaccurate", "Slightly Inaccurate"),
    *("Slightly Accurate", "Moderately Accurate", "Very Accurate"),
)


@needs_shared
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("fmt_bfi25.dta", {}),
        ("fmt_bfi25.rds", {}),
        ("fmt_bfi25.sav", {}),
        ("fmt_bfi25.tsv", {}),
        ("fmt_bfi25.xlsx", {}),
        ("fmt_bfi25_csv2_int.csv", {}),
        ("fmt_bfi25_gender.csv", {}),
        ("fmt_bfi25_id.csv", {}),
        ("fmt_bfi25_latin1.csv", {}),
        ("fmt_bfi25_rownames.csv", {}),
        ("fmt_bfi25_spss_minus99.csv", {"missing_codes": ("-99",)}),
        ("fmt_bfi25_umlaut_latin1.csv", {}),
        ("fmt_bfi25_umlaut_utf8.csv", {}),
        ("fmt_bfi25_utf16.csv", {}),
        ("fmt_bfi25_value_labels.csv", {"labels": LABELS}),
        ("fmt_bfi25_writetable.txt", {}),
        ("fmt_bfi_writecsv.csv", {"drop": ("gender", "education", "age")}),
        ("fmt_bfi_writecsv2.csv", {"drop": ("gender", "education", "age")}),
        ("edge_sas_dot.csv", {}),
        ("edge_blank_space.csv", {}),
        ("edge_weight.csv", {}),
        ("edge_weight_const.csv", {"weight": "w"}),
        ("edge_repeated_id.csv", {"cluster": "subject"}),
        ("edge_group_as_llm.csv", {"group": "llm"}),
    ],
)
def test_every_format_gives_the_same_numbers(name: str, options: dict[str, object]) -> None:
    expected = pd.read_csv(DATA / "bfi.csv").to_numpy(float)
    own = read_own(DATA / name, ReadingOptions(**options))  # type: ignore[arg-type]
    np.testing.assert_array_equal(own.scores.to_numpy(), expected)
    first = "Fähigkeit" if "umlaut" in name else "A1"
    assert list(own.scores.columns[:2]) == [first, "A2"]


@needs_shared
def test_decimal_commas_of_r_are_decimals() -> None:
    expected = pd.read_csv(DATA / "bfi.csv").to_numpy(float) + 0.5
    own = read_own(DATA / "fmt_bfi25_csv2_decimals.csv")
    np.testing.assert_array_equal(own.scores.to_numpy(), expected)


@needs_shared
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fmt_bfi25_value_labels.csv", "holds answers in words"),
        ("edge_correlation_matrix.csv", "--correlations edge_correlation_matrix.csv"),
        ("edge_correlation_matrix_noidx.csv", "holds a matrix of correlations (25 x 25"),
        ("edge_repeated_id.csv", "subject '0' stands 2 times (lines 2, 3; so do 1399 others)"),
        ("edge_rownum.csv", "column 'c' has 'x' on line 5"),
    ],
)
def test_files_that_can_be_read_in_two_ways_are_refused(name: str, said: str) -> None:
    with pytest.raises(TableError) as caught:
        read_own(DATA / name)
    assert said in str(caught.value)


@needs_shared
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fmt_bfi25_spss_minus99.csv", "-99 in 508 cells (first in 'A1', line 113)"),
        ("edge_out_of_range.csv", "55 in 1 cell ('A1', line 2)"),
        ("edge_total_column.csv", "'Asum' is the sum of"),
        ("edge_duplicate_item.csv", "'A2' and 'A6' have the same cells"),
        ("edge_weight_const.csv", "'w' looks like weights"),
        ("edge_zero_variance.csv", "The same in every row: 'A1'"),
        ("edge_group_as_llm.csv", "2 LLMs (clusters) in 2800 rows"),
    ],
)
def test_cautions_of_real_data(name: str, said: str) -> None:
    assert any(said in caution for caution in read_own(DATA / name).cautions)


@needs_shared
@pytest.mark.parametrize("name", ["hs", "hs_missing", "attitude", "thurstone", "spi", "epi_bfi"])
def test_clean_real_data_gets_no_caution(name: str) -> None:
    assert read_own(DATA / f"{name}.csv").cautions == ()


def test_options_of_tables_are_handed_on(read: Read) -> None:
    own = read("1,2\n3,4\n", table=TableOptions(header=False))
    assert numbers(own) == [[1, 2], [3, 4]]
