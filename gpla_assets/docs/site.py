"""The pages as a site that needs no network: built by MkDocs, served from this machine."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Iterable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from typer.core import TyperGroup

from gpla_assets.common.errors import KnownError
from gpla_assets.docs.pages import FOLDER, on_the_site, reference_pages, written_pages

EXTRA = "gpla[docs]"
FILES = (".ipynb", ".png", ".svg", ".csv", ".css")
"""What pages show and link to beside each other."""


class DocsError(KnownError, RuntimeError):
    """A site that cannot be built."""


def stage(program: TyperGroup, folder: Path) -> Path:
    """Lay all pages, written and made, into a folder for MkDocs; its settings file."""
    pages = written_pages() | reference_pages(program)
    for path, text in pages.items():
        target = folder / "pages" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(on_the_site(path, text, pages), "utf-8")
    for source in FOLDER.rglob("*"):
        if source.suffix in FILES:
            target = folder / "pages" / source.relative_to(FOLDER)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    settings = yaml.safe_load((FOLDER / "mkdocs.yml").read_text("utf-8"))
    settings["nav"] = menu(settings["nav"], pages)
    (folder / "mkdocs.yml").write_text(yaml.safe_dump(settings, sort_keys=False), "utf-8")
    return folder / "mkdocs.yml"


def menu(entries: Iterable[object], pages: Iterable[str]) -> list[object]:
    """A menu with the pages of a folder in the place of its name, README first.

    >>> menu(["a.md", {"B": "b/"}], ["b/x.md", "b/README.md"])
    ['a.md', {'B': ['b/README.md', 'b/x.md']}]
    """

    def below(folder: str) -> list[object]:
        own = [path for path in pages if path.startswith(folder)]
        return [*sorted(own, key=lambda path: (not path.endswith("README.md"), path))]

    found: list[object] = []
    for entry in entries:
        if isinstance(entry, dict):
            ((name, inner),) = entry.items()
            a_folder = isinstance(inner, str) and inner.endswith("/")
            listed = below(inner) if a_folder else inner
            found.append({name: menu(listed, pages) if isinstance(listed, list) else listed})
        elif isinstance(entry, str) and entry.endswith("/"):
            found += below(entry)
        else:
            found.append(entry)
    return found


def build(program: TyperGroup, out: Path) -> int:
    """Build the site into a folder; how many pages it has.

    Raises DocsError without MkDocs, and where a link leads nowhere or a page stands in no menu.
    """
    try:
        from mkdocs.commands.build import build as mkdocs_build
        from mkdocs.config import load_config
        from mkdocs.exceptions import MkDocsException
    except ImportError as error:
        raise DocsError(
            f"The site is built by MkDocs, which is not installed: pip install '{EXTRA}'. "
            "`gpla docs PAGE` shows a page on the terminal without it."
        ) from error
    logging.getLogger("mkdocs").setLevel(logging.WARNING)
    with TemporaryDirectory() as place:
        settings = stage(program, Path(place))
        try:
            mkdocs_build(load_config(str(settings), strict=True, site_dir=str(out.absolute())))
        except (MkDocsException, SystemExit) as error:
            raise DocsError(f"The site was not built: {error}") from error
    return sum(1 for _ in out.rglob("*.html"))


def serve(folder: Path, port: int, ready: Callable[[str], None]) -> None:
    """Serve a built site on this machine alone until it is interrupted."""
    handler = partial(_Quiet, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", port), handler) as server:
        ready(f"http://127.0.0.1:{server.server_port}/")
        server.serve_forever()


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of each request."""
