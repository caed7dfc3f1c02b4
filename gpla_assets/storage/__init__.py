"""The warehouse: declared tables and the one door to them."""

from gpla_assets.storage.calls import WarehouseCalls
from gpla_assets.storage.tables import TABLES
from gpla_assets.storage.warehouse import RunRecord, Warehouse, WarehouseError, Write

__all__ = ["TABLES", "RunRecord", "Warehouse", "WarehouseCalls", "WarehouseError", "Write"]
