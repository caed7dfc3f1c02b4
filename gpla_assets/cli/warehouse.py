"""Commands of the store itself: what it holds, whether it is whole, moving it, serving it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from gpla_assets.cli.commands import StudyName, app, console, readable_errors
from gpla_assets.cli.panels import panel_of
from gpla_assets.cli.showing import show_rows

if TYPE_CHECKING:
    from gpla_assets.storage.transfer import Backup
    from gpla_assets.studies import Store

group = typer.Typer(
    help="The store of a study: copy, verify, compact, list.",
    epilog="Examples: gpla warehouse verify survey; gpla warehouse copy survey --to backup.duckdb",
    no_args_is_help=True,
)
app.add_typer(group, name="warehouse", rich_help_panel=panel_of("warehouse"))


@group.command(
    epilog="Examples: gpla warehouse copy survey --to 'ducklake:postgres:dbname=gpla host=db "
    "data=/shared/gpla'; gpla warehouse copy survey --to backup.duckdb; gpla warehouse copy survey "
    "--from backup.duckdb"
)
def copy(
    study: StudyName = "demo",
    source: Annotated[
        str | None,
        typer.Option("--from", metavar="ADDRESS", help="Read here; else the study's own store."),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--to", metavar="ADDRESS", help="Write here; else the study's own store."),
    ] = None,
) -> None:
    """Migrate, back up or restore: all tables of one store into another, with their checksums."""
    with readable_errors():
        from gpla_assets.common.errors import KnownError
        from gpla_assets.orchestration.publishing import publish
        from gpla_assets.storage.transfer import copy_store
        from gpla_assets.studies import load_study

        if (source is None) == (target is None):
            raise KnownError(
                "expected one of --from and --to: the other side is the study's own store."
            )
        settings = load_study(study)
        sides = [_side(one, settings.name) for one in (source, target)]
        found = copy_store(sides[0] or settings.store, sides[1] or settings.store)
        if target is None:
            publish(settings)
        rows = sum(one.rows for one in found.values())
        console.print(
            f"{len(found)} tables with {rows:,} rows, checksums equal: {escape(str(sides[1]))}"
            if target
            else f"{len(found)} tables with {rows:,} rows, checksums equal, and published",
            soft_wrap=True,
        )


def _side(address: str | None, study: str) -> Store | Backup | None:
    """A store by its address; a path that ends in .duckdb is a backup."""
    from gpla_assets.storage.transfer import Backup
    from gpla_assets.studies.places import absolute, warehouse_folder
    from gpla_assets.studies.stores import lake_of

    if address is None:
        return None
    if address.endswith(".duckdb") and not address.startswith("ducklake:"):
        return Backup(absolute(address))
    return lake_of(address, study) or warehouse_folder() / f"{study}.duckdb"


@group.command(epilog="Example: gpla warehouse verify survey")
def verify(study: StudyName = "demo") -> None:
    """Look whether it is whole: schema version, keys, orphans, what was published. Exit code 1."""
    with readable_errors():
        from gpla_assets.orchestration.publishing import publication
        from gpla_assets.storage import warehouse_of
        from gpla_assets.storage.verify import findings
        from gpla_assets.studies import load_study

        settings = load_study(study)
        good = True
        for one in findings(warehouse_of(settings.store), publication(settings)):
            mark = "[green]good [/green]" if one.good else "[red]wrong[/red]"
            console.print(f"{mark} {one.what:<15} {escape(one.said)}", soft_wrap=True)
            good = good and one.good
        raise typer.Exit(0 if good else 1)


@group.command(epilog="Example: gpla warehouse compact survey --keep 20")
def compact(
    study: StudyName = "demo",
    keep: Annotated[int, typer.Option(min=1, help="Publications that stay readable.")] = 10,
    hours: Annotated[
        float, typer.Option(min=0.0, help="Snapshots that are younger stay, for who reads them.")
    ] = 24.0,
) -> None:
    """Of a lake: merge small files, let go of old snapshots; readers and writers go on."""
    with readable_errors():
        from gpla_assets.common.errors import KnownError
        from gpla_assets.storage.lake_upkeep import compact as compacted
        from gpla_assets.studies import Lake, load_study

        store = load_study(study).store
        if not isinstance(store, Lake):
            raise KnownError(f"{store} is a file, which keeps itself small: nothing to compact.")
        done = compacted(store, keep, hours)
        console.print(
            f"files {done.files[0]:,} -> {done.files[1]:,}, "
            f"{done.size[0] / 1e6:.1f} -> {done.size[1] / 1e6:.1f} MB; "
            f"{done.expired} snapshots expired, {done.removed} files removed"
        )


@group.command("list", epilog="Example: gpla warehouse list survey")
def list_publications(study: StudyName = "demo") -> None:
    """Of a lake: what was published and can be read with --as-of, the last first."""
    with readable_errors():
        from gpla_assets.common.errors import KnownError
        from gpla_assets.storage.lake_history import history_of
        from gpla_assets.studies import Lake, load_study

        store = load_study(study).store
        if not isinstance(store, Lake):
            raise KnownError(f"{store} is a file, which holds what was published last alone.")
        rows = [(one.snapshot, f"{one.at:%Y-%m-%d %H:%M:%S}") for one in history_of(store)]
        show_rows(console, ["run", "published (UTC)"], iter(rows))


@app.command(epilog="Examples: gpla serve survey; gpla serve survey --port 9495")
def serve(
    study: StudyName = "demo",
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=1, max=65535)] = 9494,
    token_file: Annotated[
        Path | None, typer.Option(help="Where the token goes; else work/ of the warehouses.")
    ] = None,
) -> None:
    """Serve what was published to DuckDB elsewhere, for reading only, until stopped.

    There: attach 'quack:127.0.0.1:9494' as gpla (token '...'); the token is in a file.
    """
    with readable_errors():
        from gpla_assets.storage.serving import served
        from gpla_assets.studies import load_study, warehouse_folder

        settings = load_study(study)
        file = token_file or warehouse_folder() / "work" / f"{settings.name}.token"
        with served(settings.store, file, host, port) as server:
            console.print(f"serving {server.address}", soft_wrap=True)
            console.print(f"token   {escape(str(server.token_file))}", soft_wrap=True)
            try:
                while True:
                    time.sleep(3600)
            except KeyboardInterrupt:
                console.print("stopped")
