"""The warehouse: declared tables and the one door to them."""

from gpla_assets.storage.calls import WarehouseCalls
from gpla_assets.storage.file_warehouse import FileWarehouse
from gpla_assets.storage.files import WarehouseError, WarehouseLocked
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.warehouse import Warehouse, warehouse_of
from gpla_assets.storage.writing import Check, RowsRefused, RunRecord, Write, relation

__all__ = [
    "TABLES",
    "Check",
    "FileWarehouse",
    "RowsRefused",
    "RunRecord",
    "Warehouse",
    "WarehouseCalls",
    "WarehouseError",
    "WarehouseLocked",
    "Write",
    "relation",
    "warehouse_of",
]
