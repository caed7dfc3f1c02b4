"""The page of commands, made of their own help; and that of the queries of sql/."""

from __future__ import annotations

import re
from typing import Any

import typer
from typer.core import TyperGroup

from gpla_assets.docs.markdown import cell, code, table
from gpla_assets.studies import sql_folder

HEAD = """# Commands

What `gpla COMMAND --help` says. In a checkout the program is `.venv/bin/gpla`. A study is named by
a word, if it ships or has run, or by the path of its YAML file.

`GPLA_DATA_DIR` names the folder of downloaded data, `GPLA_WAREHOUSE_DIR` that of the warehouses.
`gpla --install-completion` has the shell complete studies, LLMs, values and queries.
"""
QUERIES = """# Queries

`gpla query NAME --study STUDY` answers a question on a study's published file. `--set name=value`
gives a variable, `--format csv|json|parquet` and `--out FILE` write the rows. The SQL is in `sql/`.
"""


def commands_page(program: TyperGroup) -> str:
    """Every command: what it does, its arguments and options, examples; by panel."""
    parts, context = [HEAD], typer.Context(program, info_name="gpla")
    panel = None
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        assert command is not None
        own = getattr(command, "rich_help_panel", None)
        own = own if isinstance(own, str) else None
        if own and own != panel:
            panel = own
            parts.append(f"## {panel}\n")
        parts.append(_command(name, command, context))
    return "\n".join(parts)


def _command(name: str, command: Any, above: typer.Context) -> str:
    context = typer.Context(command, info_name=name, parent=above)
    usage = " ".join(command.collect_usage_pieces(context))
    parts = [
        f"### gpla {name}\n",
        cell(command.help or ""),
        f"\n```text\ngpla {name} {usage}\n```\n",
    ]
    rows = [_parameter(one) for one in command.params if one.name != "help"]
    if rows:
        parts.append(table(["argument or option", "default", "what"], rows))
    if command.epilog:
        lines = [one.strip() for one in command.epilog.partition(":")[2].split(";")]
        parts.append("```console\n" + "".join(f"$ {one}\n" for one in lines) + "```\n")
    return "\n".join(parts)


def _parameter(one: Any) -> list[str]:
    names = ", ".join([*one.opts, *one.secondary_opts])
    shown = names if names.startswith("-") else str(one.name or "").upper()
    default = one.default
    if one.required or default is None or callable(default) or default == ():
        default = ""
    given = getattr(default, "value", default)
    return [code(shown), code(given), cell(getattr(one, "help", None) or "")]


def queries_page() -> str:
    """Every query of sql/: the question, and the variables that it takes."""
    rows = []
    for path in sorted(sql_folder().glob("*.sql")):
        text = path.read_text("utf-8")
        first = [line for line in text.splitlines() if line.startswith("--")]
        question, *more = (line.lstrip("- ") for line in first)
        variables = dict.fromkeys(re.findall(r"getvariable\('(\w+)'\)", text))
        said = " ".join([question, *more])
        rows.append([code(path.stem), cell(said), ", ".join(code(one) for one in variables)])
    return QUERIES + "\n" + table(["query", "question", "variables"], rows)
