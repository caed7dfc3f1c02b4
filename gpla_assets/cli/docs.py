"""Commands of the documentation: read it, and write what a study found as a page of it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from rich.markdown import Markdown

from gpla_assets.cli.commands import app, console, readable_errors


@app.command(
    epilog="Examples: gpla docs; gpla docs list; gpla docs tutorials/analyst; "
    "gpla docs --build site/"
)
def docs(
    page: Annotated[
        str | None,
        typer.Argument(help="A page to show on the terminal; `list` names them. None: the site."),
    ] = None,
    build: Annotated[
        Path | None, typer.Option(help="Folder to build the site into, instead of serving it.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, help="Of the site on this machine.")] = 8000,
) -> None:
    """The documentation: a site on this machine (extra docs), or a page on the terminal."""
    with readable_errors():
        from gpla_assets.docs.site import build as build_site
        from gpla_assets.docs.site import serve

        program = typer.main.get_group(app)
        if page is not None:
            _show(page, program)
        elif build is not None:
            pages = build_site(program, build)
            console.print(f"{pages} pages: {build / 'index.html'}", soft_wrap=True)
        else:
            with TemporaryDirectory() as place:
                build_site(program, Path(place))
                serve(Path(place), port, lambda url: console.print(f"{url}  (ctrl-C ends it)"))


def _show(name: str, program: typer.core.TyperGroup) -> None:
    """A page on the terminal; in a pipe the Markdown itself."""
    from gpla_assets.common.nearest import chosen
    from gpla_assets.docs.pages import page_name, reference_pages, written_pages

    pages = written_pages() | reference_pages(program)
    named = {page_name(path): text for path, text in sorted(pages.items())}
    if name == "list":
        for one, text in named.items():
            title = text.lstrip().partition("\n")[0].lstrip("# ")
            console.print(f"{one:<36} {title}", markup=False, highlight=False, soft_wrap=True)
        return
    text = named[chosen("page", name.removesuffix(".md"), named, "`gpla docs list` lists them.")]
    if console.is_terminal:
        console.print(Markdown(text))
    else:
        print(text)


@app.command(epilog="Examples: gpla results; gpla results survey --out results/")
def results(
    study: Annotated[
        str | None, typer.Argument(help="A study that ran; without one, the agents that ship.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder; else that of the documentation, or results/ without a checkout.",
        ),
    ] = None,
) -> None:
    """Write results as a page and a CSV by the agents' version; fill the pages that show them."""
    with readable_errors():
        from gpla_assets.docs.filling import commit_of, fill_pages, pages_with_results
        from gpla_assets.docs.measured import (
            AGENTS_PAGE,
            agent_results,
            agent_source,
            study_results,
            study_source,
            write_results,
        )
        from gpla_assets.looking import open_study
        from gpla_assets.studies.places import PACKAGE, installed

        # a wheel's own pages are not the user's to change
        own = Path("results") if installed() else PACKAGE / "docs" / "results"
        if study is None:
            tables = [PACKAGE / "evaluator" / one for one in ("held_out.csv", "validity.csv")]
            rows, name, source = agent_results(), AGENTS_PAGE, agent_source(*commit_of(tables))
        else:
            opened = open_study(study)
            rows, name = study_results(opened), opened.name
            source = study_source(opened, commit_of([PACKAGE])[0])
        page = write_results(rows, source, name, out or own)
        console.print(f"{len(rows)} results: {page}", soft_wrap=True)
        if out is None and not installed():
            for path in fill_pages(pages_with_results(), own):
                console.print(f"filled: {path}", soft_wrap=True)
