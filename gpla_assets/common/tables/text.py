"""Files of text as rows of cells: encoding, delimiter, quotes, and the line of each row."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from gpla_assets.common.tables.numbers import looks_like_number
from gpla_assets.common.tables.table import Rows, TableError, TableOptions

DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks"}
NAMED_DELIMITERS = {
    "comma": ",", "semicolon": ";", "tab": "\t", "\\t": "\t", "bar": "|", "pipe": "|",
    "blank": " ", "space": " ",
}  # fmt: skip
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": "utf-8-sig",
    b"\xff\xfe\x00\x00": "utf-32",
    b"\x00\x00\xfe\xff": "utf-32",
    b"\xff\xfe": "utf-16",
    b"\xfe\xff": "utf-16",
}
OTHER_SCRIPTS = ("cp1252", "cp1251", "cp1253", "shift_jis", "gb18030", "big5", "euc_kr")
"""Encodings that are told from another by the language that they give."""
SAMPLE_LINES = 200
FEWEST_NUMBERS = 0.5
SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\r?\n', re.IGNORECASE)
"""What Excel reads, and writes, before the first line."""
OTHER_LANGUAGES = {"{": "JSON", "[": "JSON", "<": "HTML or XML", "%PDF": "a PDF"}
CONTROLS = "".join(map(chr, [*range(9), *range(14, 32)]))
BLANK = " \t\r\n\f\v\u00a0\u200b\u2007\u202f\ufeff"


def text_rows(data: bytes, path: Path, options: TableOptions) -> Rows:
    """Rows of a file of text; raises TableError where it is none, or has an unclosed quote."""
    text, encoding = decoded(data, path, options.encoding)
    if not text.strip(BLANK + "\x00"):
        return Rows([], [], ())
    _check_is_text(text, path)
    delimiter, first = options.delimiter, 0
    if delimiter is not None:
        delimiter = NAMED_DELIMITERS.get(delimiter, delimiter)
        if len(delimiter) != 1:
            raise TableError(
                f"--delimiter {delimiter!r}: expected one character, or one of "
                f"{', '.join(NAMED_DELIMITERS)}."
            )
    if stated := SEPARATOR_LINE.match(text):
        delimiter, first = delimiter or stated[1], stated.end()
    delimiter = delimiter or likely_delimiter(text[first:], options.names)
    cells, lines = _split(text[first:], delimiter, path)
    if first:
        lines = [line + 1 for line in lines]
    said = [DELIMITERS.get(delimiter, f"delimiter {delimiter!r}")]
    if encoding != "utf-8":
        said.append(f"text in {encoding}")
    return Rows(cells, lines, tuple(said), delimiter=delimiter)


def _check_is_text(text: str, path: Path) -> None:
    begins = text.lstrip(BLANK)
    for sign, what in OTHER_LANGUAGES.items():
        if begins.startswith(sign):
            raise TableError(f"{path} holds {what}; expected a table: save it as CSV.")
    if sum(text.count(sign) for sign in CONTROLS) > len(text) // 1000:
        raise TableError(
            f"{path} is no text (it has control characters); expected CSV, or a file whose name "
            "ends in that of its program, such as .xlsx or .sav."
        )


def decoded(data: bytes, path: Path, encoding: str | None) -> tuple[str, str]:
    """A file's text and its encoding: by its byte-order mark, as UTF-8, else by what it gives.

    Text that is not UTF-8 is taken as Windows' Western encoding, which contains Latin-1, unless
    its bytes make words of another script.
    """
    found = encoding or _encoding(data)
    try:
        return data.decode(found), found.removesuffix("-sig")
    except LookupError as error:
        raise TableError(
            f"--encoding {encoding}: no encoding of that name; expected one such as utf-8, "
            "latin-1 or cp1252."
        ) from error
    except UnicodeDecodeError as error:
        if encoding is None and found == "cp1252":
            return data.decode("latin-1"), "latin-1"
        raise TableError(
            f"{path} is not text in {found} (byte {error.start}: {error.reason}); name its "
            "encoding by --encoding, such as utf-8, latin-1 or utf-16."
        ) from error


def _encoding(data: bytes) -> str:
    for mark, name in BYTE_ORDER_MARKS.items():
        if data.startswith(mark):
            return name
    head = data[:4000]
    # every second byte of Western text in UTF-16 is zero
    if head.count(0) > len(head) // 4:
        return "utf-16-le" if head[1::2].count(0) > head[::2].count(0) else "utf-16-be"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _eight_bit(data)
    return "utf-8"


def _eight_bit(data: bytes) -> str:
    from charset_normalizer import from_bytes

    telling = [line for line in data.splitlines() if not line.isascii()]
    best = from_bytes(b"\n".join(telling[:500]), cp_isolation=list(OTHER_SCRIPTS)).best()
    if best is None or best.language in ("Unknown", "English"):
        return "cp1252"
    # a letter of another script amid Latin ones is a Western letter that was guessed wrongly
    words = [word for word in re.findall(r"[^\W\d_]+", str(best)) if not word.isascii()]
    pure = sum(1 for word in words if not any(letter.isascii() for letter in word))
    return best.encoding if pure * 2 > len(words) else "cp1252"


def likely_delimiter(text: str, names: Sequence[str] = ()) -> str:
    """The delimiter by which most lines have the same number of cells, most of them numbers.

    Of a header that must have `names`: the one that gives these; else commas.
    """
    if names:
        header = text.lstrip(BLANK).splitlines()[0]
        divided = {one: next(csv.reader([header], delimiter=one)) for one in DELIMITERS}
        found = [one for one, row in divided.items() if {*names} <= {*map(str.strip, row)}]
        return next(iter(found), ",")
    sample = "\n".join(io.StringIO(text, newline="").read(400_000).splitlines()[:SAMPLE_LINES])
    scores = {one: _score(sample, one) for one in DELIMITERS}
    best = max(DELIMITERS, key=lambda one: scores[one])
    return best if scores[best] > (0.0, 0) else ","


def _score(sample: str, delimiter: str) -> tuple[float, int]:
    reader = csv.reader(io.StringIO(sample), delimiter=delimiter, skipinitialspace=True)
    try:
        rows = [row for row in reader if any(cell.strip(BLANK) for cell in row)]
    except csv.Error:
        return 0.0, 0
    if delimiter == " ":
        rows = [row[:-1] if row[-1] == "" else row for row in rows]
    widths = Counter(map(len, rows[1:] or rows))
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    # R leaves the name of the first column out; other first lines speak against the delimiter
    starts = len(rows[0]) in (width, width - 1) if rows else False
    if width < 2:
        return 0.0, 0
    body = Counter(cell for row in rows[1:] if len(row) == width for cell in row)
    filled = {cell: count for cell, count in body.items() if cell.strip(BLANK)}
    like_numbers = sum(count for cell, count in filled.items() if looks_like_number(cell))
    numbers = like_numbers / max(sum(filled.values()), 1)
    # words have blanks between them as well
    if delimiter == " " and numbers < FEWEST_NUMBERS:
        return 0.0, 0
    alike = count / max(len(rows) - 1, 1)
    return round(alike * (0.2 + numbers) * (1.0 if starts else 0.4), 3), width


def _split(text: str, delimiter: str, path: Path) -> tuple[list[list[str]], list[int]]:
    """Rows that hold something, and the line of the file on which each begins."""
    if delimiter == " ":
        text = text.replace("\t", " ")
    # text as it stands, so that a line break in quotes counts as the line that it is
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    cells, lines, begins = [], [], 1
    try:
        for row in reader:
            stripped = [cell.strip(BLANK) for cell in row]
            if delimiter == " " and len(stripped) > 1 and stripped[-1] == "":
                stripped.pop()
            if any(stripped):
                cells.append(stripped)
                lines.append(begins)
            begins = reader.line_num + 1
    except csv.Error as error:
        raise TableError(
            f"{path}: the row that begins on line {begins} cannot be split by "
            f"{DELIMITERS.get(delimiter, repr(delimiter))} ({error}); a quote there is not closed, "
            "or stands inside a cell."
        ) from error
    return cells, lines
