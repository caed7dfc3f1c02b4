"""Files of many programs as one table: delimiters, encodings, headers, workbooks, compression."""

from __future__ import annotations

import bz2
import gzip
import lzma
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
import zstandard

from gpla_assets.common.tables import (
    NumberReader,
    Table,
    TableError,
    TableOptions,
    is_missing,
    read_table,
)
from gpla_assets.common.tables.numbers import decimal_evidence, labelled

PLAIN = "s,a,b,c\nx,1,2,3\ny,4,,6\nz,7,8,9\n"
CELLS = {"s": ["x", "y", "z"], "a": ["1", "4", "7"], "b": ["2", "", "8"], "c": ["3", "6", "9"]}


@pytest.fixture
def table(tmp_path: Path) -> Callable[..., Table]:
    """Reads content as a file of that name."""

    def read(content: str | bytes, name: str = "m.csv", **options: object) -> Table:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return read_table(path, TableOptions(**options))  # type: ignore[arg-type]

    return read


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (PLAIN, "m.csv"),
        (PLAIN.replace(",", ";"), "m.csv"),
        (PLAIN.replace(",", "\t"), "m.tsv"),
        (PLAIN.replace(",", "\t"), "named_wrongly.csv"),
        (PLAIN.replace(",", "|"), "m.txt"),
        (PLAIN.replace(",", ", "), "m.csv"),
        (PLAIN.replace("\n", "\r\n"), "m.csv"),
        (PLAIN.replace("\n", "\r"), "old_mac.csv"),
        ("sep=;\n" + PLAIN.replace(",", ";"), "m.csv"),
        ("s,a,b,c,,\nx,1,2,3,,\ny,4,,6,,\nz,7,8,9,,\n", "ghost_columns.csv"),
        ("s,a,b,c\nx,1,2,3,\ny,4,,6,\nz,7,8,9,\n", "ends_in_delimiters.csv"),
        ('"s","a","b","c"\n"x",1,2,3\n"y",4,"",6\n"z","7","8","9"\n', "m.csv"),
        ('"s" "a" "b" "c"\n"x" 1 2 3\n"y" 4 "" 6\n"z" 7 8 9\n', "write_table.txt"),
        ("\n\n" + PLAIN + "\n,,,\n", "blank_rows.csv"),
        ("My survey,,,\nmade in May,,,\n" + PLAIN, "titles.csv"),
        ("\ufeff" + PLAIN, "byte_order_mark.csv"),
        (PLAIN.encode("utf-16"), "utf16.csv"),
        (PLAIN.encode("utf-16-le"), "utf16_without_mark.csv"),
        (PLAIN.encode("utf-16-be"), "utf16_big_endian.csv"),
        (PLAIN.encode("utf-32"), "utf32.csv"),
        (gzip.compress(PLAIN.encode(), mtime=0), "m.csv.gz"),
        (zstandard.compress(PLAIN.encode()), "m.csv.zst"),
        (bz2.compress(PLAIN.encode()), "m.csv.bz2"),
        (lzma.compress(PLAIN.encode()), "m.csv.xz"),
    ],
)
def test_the_same_table_comes_of_every_layout(
    table: Callable[..., Table], content: str | bytes, name: str
) -> None:
    assert table(content, name).columns == CELLS


def test_a_column_of_names_of_rows_has_no_name(table: Callable[..., Table]) -> None:
    one_short = table('"a" "b"\n"r1" 1 2\n"r2" 3 4\n', "write_table.txt")
    unnamed = table('"","a","b"\n"r1",1,2\n"r2",3,4\n')
    for read in (one_short, unnamed):
        assert read.row_names == ["r1", "r2"]
        assert read.columns == {"a": ["1", "3"], "b": ["2", "4"]}


def test_lines_are_those_of_the_file(table: Callable[..., Table]) -> None:
    read = table('Title\n\na,b,c\n1,2,3\n\n"two\nlines",2,3\n,,\n4,5,6\n')
    assert read.lines == [4, 6, 9]
    assert read.place(2) == "line 9"


@pytest.mark.parametrize(
    ("encoding", "name", "said"),
    [
        ("latin-1", "Fähigkeit", "cp1252"),
        ("cp1252", "don’t", "cp1252"),
        ("cp1251", "доброта честность забота", "cp1251"),
        ("gb18030", "诚实自由关心", "gb18030"),
        ("utf-16", "Fähigkeit", "utf-16"),
        ("utf-8", "Fähigkeit", "commas"),
    ],
)
def test_text_that_is_not_utf8_keeps_its_letters(
    table: Callable[..., Table], encoding: str, name: str, said: str
) -> None:
    read = table(f"{name},b\n1,2\n3,4\n".encode(encoding))
    assert list(read.columns) == [name, "b"]
    assert said in " ".join(read.said)


def test_a_named_encoding_is_taken_as_it_is(table: Callable[..., Table]) -> None:
    read = table("Größe,b\n1,2\n".encode("cp850"), encoding="cp850")
    assert list(read.columns) == ["Größe", "b"]
    with pytest.raises(TableError, match="--encoding klingon: no encoding"):
        table(PLAIN, encoding="klingon")


def test_rows_of_words_below_the_header_are_left_out(table: Callable[..., Table]) -> None:
    rows = "".join(f"{n},{n + 1},{n % 5}\n" for n in range(6))
    read = table('Q1,Q2,Q3\nI am calm,I am open,I am kind\n"{""id"":1}",x,y\n' + rows)
    assert read.columns["Q1"] == list("012345")
    assert read.lines[0] == 4
    assert "2 lines of words below the header left out" in read.said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "has 0 lines with content"),
        ("a,b\n", "has 1 line with content"),
        ("a,a,b\n1,2,3\n", r"column 'a' stands more than once \(columns 1 and 2\)"),
        ("a,b,c\n1,2,3\n1,2\n", "line 3 has 2 cells, expected 3"),
        ("a,b\n1,5,2,5\n3,5,4,5\n", "Commas seem to be decimal signs"),
        ("a,,c\n1,2,3\n4,5,6\n", r"column 2 has cells \('2' on line 2\) and no name"),
        ('a,b\n1,"2\n3,4\n', "begins on line 2 cannot be split .* a quote there is not closed"),
        ("1,2,3\n4,5,6\n", "line 1 has only numbers .* --no-header"),
        ("a,b,c\n1,2,3\n4,5,6\nSource: own\n", "line 4 has 1 cells.*Notes below the data"),
    ],
)
def test_a_file_that_holds_no_table_is_refused_by_its_place(
    table: Callable[..., Table], content: str, said: str
) -> None:
    with pytest.raises(TableError, match=said) as caught:
        table(content)
    assert "\n" not in str(caught.value)


def test_flags_settle_what_a_header_is(table: Callable[..., Table]) -> None:
    assert list(table("1,2,3\n4,5,6\n", header=True).columns) == ["1", "2", "3"]
    cells = table("1,2,3\n4,5,6\n", header=False)
    assert cells.columns == {"V1": ["1", "4"], "V2": ["2", "5"], "V3": ["3", "6"]}
    assert cells.lines == [1, 2]


def test_workbooks_are_read_from_the_sheet_that_holds_cells(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    frame = pd.DataFrame({"s": ["x", "y", "z"], "a": [1.0, None, 2.5], "b": [1, 2, 3]})
    with pd.ExcelWriter(path) as writer:
        frame.to_excel(writer, sheet_name="data", index=False, startrow=3)
        writer.book["data"]["A1"] = "Survey of May"
        writer.book.create_sheet("empty")
    read = read_table(path)
    assert read.columns == {"s": ["x", "y", "z"], "a": ["1", "", "2.5"], "b": ["1", "2", "3"]}
    assert read.place(0) == "row 5"
    # a workbook stays one under another name
    path.rename(tmp_path / "book.csv")
    assert read_table(tmp_path / "book.csv").columns == read.columns


def test_of_several_sheets_one_is_named(tmp_path: Path) -> None:
    path = tmp_path / "book.xlsx"
    with pd.ExcelWriter(path) as writer:
        pd.DataFrame({"a": [1, 2], "b": [3, 4]}).to_excel(writer, sheet_name="one", index=False)
        pd.DataFrame({"a": [5, 6], "b": [7, 8]}).to_excel(writer, sheet_name="two", index=False)
    with pytest.raises(TableError, match=r"2 sheets with cells \(one, two\); name one by --sheet"):
        read_table(path)
    assert read_table(path, TableOptions(sheet="two")).columns["a"] == ["5", "6"]
    with pytest.raises(TableError, match="has sheets one, two"):
        read_table(path, TableOptions(sheet="three"))


def test_files_of_statistics_programs_are_read(tmp_path: Path) -> None:
    import pyreadstat

    frame = pd.DataFrame({"name": ["x", "y", "z"], "a": [1.0, 99.0, 2.0], "b": [0.5, None, 1.5]})
    missing = {"a": [{"lo": 99, "hi": 99}]}
    labels = {"a": {1: "never", 2: "often", 99: "refused"}}
    pyreadstat.write_sav(
        frame, str(tmp_path / "m.sav"), missing_ranges=missing, variable_value_labels=labels
    )
    pyreadstat.write_dta(frame, str(tmp_path / "m.dta"))
    pyreadstat.write_xport(frame, str(tmp_path / "m.xpt"))
    frame.to_parquet(tmp_path / "m.parquet")
    spss = read_table(tmp_path / "m.sav")
    assert spss.columns == {"name": ["x", "y", "z"], "a": ["1", "", "2"], "b": ["0.5", "", "1.5"]}
    assert "user-missing values are missing cells" in spss.said
    for name in ("m.dta", "m.parquet", "m.xpt"):
        read = read_table(tmp_path / name)
        assert read.columns["a"] == ["1", "99", "2"]
        assert read.columns["b"] == ["0.5", "", "1.5"]
        assert read.place(1) == "case 2"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("m.sav", b"$FL2 cut off", "cannot be read as .sav"),
        ("m.parquet", b"PAR1 cut off", "cannot be read as .parquet"),
        ("m.xlsx", b"PK\x03\x04 cut off", "cannot be read as a workbook"),
        ("m.csv.gz", b"not packed", "cannot be unpacked as .gz"),
        ("m.xls", b"\xd0\xcf\x11\xe0", "save it as .xlsx or CSV"),
        ("m.json", b'[{"a": 1}]', "holds JSON; expected a table"),
        ("m.csv", b"<table><tr><td>1</td></tr></table>", "holds HTML or XML"),
        ("m.csv", bytes(range(256)) * 4, "is no text .it has control characters"),
        ("m.omv", b"PK", "export the data from jamovi"),
    ],
)
def test_a_broken_or_unknown_file_is_said_in_one_line(
    table: Callable[..., Table], name: str, content: bytes, said: str
) -> None:
    with pytest.raises(TableError, match=said):
        table(content, name)


def test_a_file_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(TableError, match=r"none\.csv cannot be opened: No such file"):
        read_table(tmp_path / "none.csv")


@pytest.mark.parametrize(
    ("cell", "point", "comma"),
    [
        ("5", 5.0, 5.0),
        ("-1.5", -1.5, None),
        ("2,5", None, 2.5),
        ("1,234", 1234.0, 1.234),
        ("1.234,5", None, 1234.5),
        ("1,234.5", 1234.5, None),
        ("1.234", 1.234, 1234.0),
        ("1\u00a0234,5", None, 1234.5),
        ("1'234.5", 1234.5, None),
        ("\u22123", -3.0, -3.0),
        ("1e-3", 1e-3, 1e-3),
        ("1,5E+02", None, 150.0),
        (".5", 0.5, None),
        ("1_000", None, None),
        ("inf", None, None),
        ("12,34,5", None, None),
        ("3/5", None, None),
        ("1 2", None, None),
    ],
)
def test_a_cell_is_the_number_that_its_signs_say(
    cell: str, point: float | None, comma: float | None
) -> None:
    assert NumberReader("point").number(cell) == point
    assert NumberReader("comma").number(cell) == comma


@pytest.mark.parametrize("cell", ["", "NA", "n/a", "#NULL!", ".", ".b", "-", "NaN", "<NA>", "#N/A"])
def test_what_programs_write_for_no_measurement_is_missing(cell: str) -> None:
    assert is_missing(cell)


def test_cells_tell_how_decimals_are_written() -> None:
    assert decimal_evidence(["5", "2.5", "0,5", "1,234"]).point == "2.5"
    assert decimal_evidence(["0,500"]).comma == "0,500"
    assert decimal_evidence(["1,234"]).either == "1,234"
    assert decimal_evidence(["1.234.567"]).comma == "1.234.567"
    assert decimal_evidence(["1.234", "s1,5"]) == decimal_evidence([])


@pytest.mark.parametrize(
    ("cells", "numbers"),
    [
        (["5 - strongly agree", "1 - strongly disagree", "3"], [5, 1, 3]),
        (["5-agree", "4: so", "3. neither"], [5, 4, 3]),
        (["(1) never", "(2) often"], [1, 2]),
        (["Strongly agree (5)", "Agree [4]"], [5, 4]),
        (["1 (never)", "2 (often)"], [1, 2]),
        (["1", "2", "n = 40"], None),
        (["1", "2", "3", "3 (agree)", "1 (no)"], None),
        (["2 years", "3 years"], None),
        (["3-May", "4-Jun"], None),
        (["1 - a", "1 - b"], None),
        (["4-5", "1-2"], None),
        (["agree", "disagree"], None),
    ],
)
def test_labelled_answers_have_the_number_in_them(
    cells: list[str], numbers: list[int] | None
) -> None:
    found = labelled(cells, NumberReader())
    assert (None if found is None else [found[cell] for cell in cells]) == numbers
