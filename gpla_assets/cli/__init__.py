"""The `gpla` command; a command imports what it needs when it runs, so that `--help` is quick."""

from gpla_assets.cli import agents, alignment, benchmarks, structure  # noqa: F401  (register their commands)
from gpla_assets.cli.commands import app

__all__ = ["app"]
