"""What the shell completes: studies, LLMs, values and queries. Nothing is said where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import typer


def complete_studies(incomplete: str) -> list[str]:
    """Studies that ship, and those that have a published file."""
    from gpla_assets.looking import studies_to_look_at

    return _beginning(studies_to_look_at, incomplete)


def complete_llms(ctx: typer.Context, incomplete: str) -> list[str]:
    """LLMs of the study that the line names."""
    from gpla_assets.looking import open_study

    return _beginning(lambda: open_study(_study(ctx)).llms(), incomplete)


def complete_values(ctx: typer.Context, incomplete: str) -> list[str]:
    """Values of the study that the line names."""
    from gpla_assets.looking import open_study

    return _beginning(lambda: open_study(_study(ctx)).values(), incomplete)


def complete_queries(incomplete: str) -> list[str]:
    """Queries of `gpla query`."""
    from gpla_assets.cli.queries import list_queries

    return _beginning(lambda: ["list", *(one.name for one in list_queries())], incomplete)


def _study(ctx: typer.Context) -> str:
    return str(ctx.params.get("study") or "demo")


def _beginning(names: Callable[[], Iterable[str]], incomplete: str) -> list[str]:
    try:
        own = incomplete.casefold()
        return [one for one in names() if one.casefold().startswith(own)]
    except Exception:  # a traceback in the middle of a line that is being typed helps nobody
        return []
