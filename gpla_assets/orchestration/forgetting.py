"""What a study no longer asks for leaves its warehouse."""

from __future__ import annotations

from gpla_assets.orchestration.making import State
from gpla_assets.orchestration.steps import all_steps
from gpla_assets.orchestration.versions import Key, Versions
from gpla_assets.storage import Warehouse, Write, relation
from gpla_assets.studies import Study


def forget(study: Study, warehouse: Warehouse, state: State) -> list[Key]:
    """Empty what the study no longer asks for: steps, and runs of alignment. What was forgotten."""
    expected = Versions(study).expected(state.subjects)
    known = {one.name: one for one in all_steps()}
    gone = [
        key
        for key in state.stored
        if key not in expected and (key[0] not in known or known[key[0]].partitions != "subjects")
    ]
    writes = []
    for name, key in gone:
        for table in known[name].tables if name in known else ():
            if not key:
                empty = warehouse.read(f"from {relation(table)} limit 0")
                origin = known[name].origin
                part = ("origin", (origin,)) if origin and "origin" in empty else ()
                writes.append(Write(table, empty, *part))
            else:
                rows = warehouse.read(f"from {relation(table)} limit 0")
                writes.append(Write(table, rows, "run_id", (key,)))
    if gone:
        warehouse.replace_partition(writes, forgotten=gone)
    return gone
