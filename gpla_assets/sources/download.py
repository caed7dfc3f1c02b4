"""Downloads: with progress, checksum and resume."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from gpla_assets.sources.catalogue import Source
from gpla_assets.sources.errors import SourceDamaged, SourceMissing

if TYPE_CHECKING:
    import requests

CHUNK = 1 << 20
TIMEOUT = 60


class ResumingDownloader:
    """A pooch downloader that goes on where an earlier one stopped, by an HTTP Range request.

    The unfinished part lies beside the target as `<name>.part` and is kept on failure.
    """

    def __init__(self, target: Path, progress: bool = True) -> None:
        self.part = target.with_name(target.name + ".part")
        self.progress = progress

    def __call__(self, url: str, output_file: str, pooch_object: object) -> None:
        """Fetch `url` into `output_file`, a path."""
        import requests

        self.part.parent.mkdir(parents=True, exist_ok=True)
        had = self.part.stat().st_size if self.part.exists() else 0
        headers = {"Range": f"bytes={had}-"} if had else {}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as answer:
            if answer.status_code != 416:  # 416: nothing is left to fetch
                answer.raise_for_status()
                # a server without ranges sends the whole with status 200
                mode = "ab" if answer.status_code == 206 else "wb"
                self._store(answer, mode, had)
        os.replace(self.part, output_file)

    def _store(self, answer: requests.Response, mode: str, had: int) -> None:
        from rich.progress import DownloadColumn, Progress, TransferSpeedColumn

        size = answer.headers.get("Content-Length")
        done = had if mode == "ab" else 0
        total = done + int(size) if size else None
        columns = (*Progress.get_default_columns(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, disable=not self.progress) as bars, open(self.part, mode) as file:
            task = bars.add_task(self.part.name, total=total, completed=done)
            for piece in answer.iter_content(CHUNK):
                file.write(piece)
                bars.advance(task, len(piece))


def download(source: Source, folder: Path, progress: bool = True) -> Path:
    """Fetch a source's file into the data folder, or find it there; its path.

    Raises SourceMissing for a source without an address, SourceDamaged on a wrong checksum; the
    file is then removed.
    """
    import pooch
    from pooch.utils import file_hash

    if source.url is None:
        raise SourceMissing(
            f"Source {source.name} has no address to download from; get it from "
            f"{source.homepage} (licence: {source.licence}) into {folder}."
        )
    target = folder / source.files[0]
    if not target.exists():
        pooch.retrieve(
            source.url,
            known_hash=None,
            fname=target.name,
            path=target.parent,
            downloader=ResumingDownloader(target, progress),
        )
    found = file_hash(str(target), alg="sha256")
    if source.sha256 and found != source.sha256:
        target.unlink()
        raise SourceDamaged(
            f"{target} had sha256 {found}, expected {source.sha256}; it was removed. "
            f"Download it again from {source.url}."
        )
    return target
