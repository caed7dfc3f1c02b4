"""Rows as Parquet files: read from a query and written for a table a part at a time.

A step of millions of rows holds one part of them in memory. The files lie in a temporary folder
(TMPDIR says where) that goes with the object; what counts is the transaction that takes them in.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from gpla_assets.storage.contract import check_contract, contract_of
from gpla_assets.storage.tables import TABLES

KINDS = {str: pa.string(), int: pa.int64(), float: pa.float64(), bool: pa.bool_()}


class Shards:
    """New rows of one declared table, a file a part; they stand in a `Write` as a frame does.

    `constants` are columns that have one value in all rows, known before or after these.
    """

    def __init__(self, table: str, **constants: object) -> None:
        self.table, self.constants = table, dict(constants)
        rules = contract_of(table).rules
        # declared, since a column without a value in one part would have no type there
        self.schema = pa.schema(
            [
                (name, KINDS[rules[name].kind])
                for name in TABLES[table].model_fields
                if name not in constants
            ]
        )
        self._folder = TemporaryDirectory(prefix=f"gpla-{table}-")
        self._files: list[Path] = []
        self._rows = 0

    def add(self, rows: pd.DataFrame) -> None:
        """Append a part; raises RowsUnfit where it is not what the table declares."""
        if not len(rows):
            return
        check_contract(self.table, rows.assign(**self.constants))
        part = pa.Table.from_pandas(rows[self.schema.names], self.schema, preserve_index=False)
        path = Path(self._folder.name) / f"{len(self._files):06}.parquet"
        pq.write_table(part, path)
        self._files.append(path)
        self._rows += len(rows)

    def assign(self, **constants: object) -> Shards:
        """Set constants anew; gives the same object."""
        if new := constants.keys() - self.constants.keys():
            raise ValueError(f"{self.table}: {', '.join(new)} are columns of the files already.")
        self.constants |= constants
        return self

    def __len__(self) -> int:
        return self._rows

    def dataset(self) -> ds.Dataset:
        """All rows without the constants, in order, for DuckDB to read file by file."""
        return ds.dataset(self._files, self.schema, format="parquet")

    def parts(self) -> Iterator[pd.DataFrame]:
        """The parts as they were added, without the constants."""
        for path in self._files:
            yield pq.read_table(path, schema=self.schema).to_pandas()

    def head(self, n: int) -> pd.DataFrame:
        """The first rows."""
        found: pd.DataFrame = self.dataset().head(n).to_pandas().assign(**self.constants)
        return found

    def counts(self, column: str) -> Counter[str]:
        """Rows by a column's values."""
        if column in self.constants:
            return Counter({str(self.constants[column]): self._rows})
        found: Counter[str] = Counter()
        for path in self._files:
            own = pq.read_table(path, columns=[column])[column].value_counts()
            found.update({str(one["values"]): one["counts"] for one in own.to_pylist()})
        return found


class Spool:
    """Rows of a query in a file of their own: nothing is open while a model reads them."""

    def __init__(self) -> None:
        self._folder = TemporaryDirectory(prefix="gpla-read-")
        self.path = Path(self._folder.name) / "rows.parquet"

    def __len__(self) -> int:
        return int(pq.read_metadata(self.path).num_rows)

    def parts(self, least: int, by: str | None = None) -> Iterator[pd.DataFrame]:
        """Some `least` rows at a time, in order; rows that have the same `by`, which stand
        together, are not parted."""
        waiting: list[pd.DataFrame] = []
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(least):
                own = batch.to_pandas()
                begins = [len(own)] if by is None else _begins(own[by], waiting)
                if begins:  # all before the last beginning is whole
                    whole = [*waiting, own.iloc[: begins[-1]]]
                    waiting, own = whole, own.iloc[begins[-1] :]
                    if sum(map(len, whole)) >= least:
                        yield pd.concat(whole, ignore_index=True)
                        waiting = []
                waiting = [part for part in (*waiting, own) if len(part)]
        if waiting:
            yield pd.concat(waiting, ignore_index=True)


def _begins(keys: pd.Series, before: list[pd.DataFrame]) -> list[int]:
    """Where groups begin; the first row may go on with the last one before."""
    known = before[-1][keys.name].iloc[-1] if before else None
    changed = keys.ne(keys.shift(fill_value=known))
    return [int(place) for place in changed.to_numpy().nonzero()[0]]
