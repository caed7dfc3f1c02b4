"""Files of statistics programs, and Parquet, as rows of cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gpla_assets.common.tables.table import Rows, TableError
from gpla_assets.common.tables.workbook import as_text

if TYPE_CHECKING:
    import pandas as pd

REFUSED = {
    ".xls": "save it as .xlsx or CSV.",
    ".ods": "save it as .xlsx or CSV.",
    ".omv": "export the data from jamovi as CSV or SPSS (.sav).",
    ".jasp": "export the data from JASP as CSV.",
    ".zip": "unpack it first.",
    ".pdf": "expected a table, such as CSV, .xlsx or .sav.",
}
"""What is not read, and what to do."""


def _spss(path: Path) -> Rows:
    import pyreadstat

    portable = path.suffix.casefold() == ".por"
    with _whole(path):
        frame, _ = (pyreadstat.read_por if portable else pyreadstat.read_sav)(path)
        if portable:
            return _of_frame(frame, "SPSS")
        _, meta = pyreadstat.read_sav(path, metadataonly=True, user_missing=True)
    # values that the file declares as missing come as no cells; said, since they were codes
    said = ["user-missing values are missing cells"] if meta.missing_ranges else []
    return _of_frame(frame, "SPSS", said)


def _stata(path: Path) -> Rows:
    import pyreadstat

    with _whole(path):
        frame, _ = pyreadstat.read_dta(path)
    return _of_frame(frame, "Stata")


def _sas(path: Path) -> Rows:
    import pyreadstat

    sas = path.suffix.casefold() == ".sas7bdat"
    with _whole(path):
        frame, _ = (pyreadstat.read_sas7bdat if sas else pyreadstat.read_xport)(path)
    return _of_frame(frame, "SAS")


def _r(path: Path) -> Rows:
    import pandas as pd
    import rdata

    single = path.suffix.casefold() == ".rds"
    with _whole(path):
        read: Any = [rdata.read_rds(path)] if single else list(rdata.read_rda(path).values())
    frames: list[Any] = [one for one in read if isinstance(one, pd.DataFrame)]
    if len(frames) != 1:
        raise TableError(
            f"{path} holds {len(frames)} data frames, expected one; save it by saveRDS(as.data."
            "frame(x), file), or as CSV by write.csv(x, file)."
        )
    frame = frames[0]
    # R numbers the rows that have no names
    numbered = [str(number) for number in range(1, len(frame) + 1)]
    if not isinstance(frame.index, pd.RangeIndex) and list(map(str, frame.index)) != numbered:
        frame = frame.reset_index(names="")
    return _of_frame(frame, "R")


def _parquet(path: Path) -> Rows:
    import pandas as pd
    import pyarrow as pa

    try:
        frame = pd.read_feather(path) if path.suffix == ".feather" else pd.read_parquet(path)
    except (pa.ArrowException, ValueError) as error:
        raise TableError(f"{path} cannot be read as {path.suffix}: {error}.") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index(names=frame.index.name or "")
    return _of_frame(frame, "Parquet")


class _whole:
    """Turns what a broken file raises into TableError: these libraries have no common base."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Exception) and not isinstance(error, OSError | TableError):
            raise TableError(
                f"{self.path} cannot be read as {self.path.suffix} ({error}); expected a whole "
                "file of that program."
            ) from error


def _of_frame(frame: pd.DataFrame, program: str, said: list[str] | None = None) -> Rows:
    columns = []
    for name in frame.columns:
        column = frame[name]
        columns.append(
            [as_text(cell) for cell in column.astype(object).where(column.notna(), None)]
        )
    body = [list(row) for row in zip(*columns, strict=True)]
    cells = [[str(name).strip() for name in frame.columns], *body]
    # cases are counted from 1, and the names of columns are not one of them
    lines = list(range(len(cells)))
    return Rows(cells, lines, (program, *(said or [])), typed=True, unit="case", header=True)


PROGRAMS: Mapping[str, Callable[[Path], Rows]] = {
    ".sav": _spss, ".zsav": _spss, ".por": _spss, ".dta": _stata, ".sas7bdat": _sas, ".xpt": _sas,
    ".rds": _r, ".rdata": _r, ".rda": _r, ".parquet": _parquet, ".pq": _parquet,
    ".feather": _parquet,
}  # fmt: skip
