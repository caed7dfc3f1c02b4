"""Tables in users' files as cells of text, whatever program wrote them: one door for all rooms."""

from gpla_assets.common.tables.door import read_table
from gpla_assets.common.tables.numbers import NumberReader, is_missing
from gpla_assets.common.tables.table import Table, TableError, TableOptions

__all__ = ["NumberReader", "Table", "TableError", "TableOptions", "is_missing", "read_table"]
