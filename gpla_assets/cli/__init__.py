"""The `gpla` command; a command imports what it needs when it runs, so that `--help` is quick."""

from gpla_assets.cli import (  # noqa: F401  (register their commands)
    agents,
    alignment,
    alignment_judges,
    asking,
    benchmark,
    benchmarks,
    docs,
    init,
    looking,
    measure,
    plan,
    running,
    sql,
    structure,
    validity,
    warehouse,
)
from gpla_assets.cli.commands import app

__all__ = ["app"]
