"""The reference pages that are made from the source: `python docs/generate.py` writes them anew.

A test compares what stands in docs/reference with what this makes, so that the pages are never behind.
"""  # noqa: INP001 - a program of the docs' folder, not a package

from __future__ import annotations

import ast
import inspect
import re
import sys
import types
import typing
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, SecretStr
from pydantic_core import PydanticUndefined

from hitl_mlops import settings
from hitl_mlops.cli.main import app
from hitl_mlops.database import tables
from hitl_mlops.plugins.mlflow_rules import ALLOWED, Action
from hitl_mlops.servers.mlflow_people import Role

REFERENCE = Path(__file__).resolve().parent / "reference"
WIDTH = 100
MADE = "<!-- Made by docs/generate.py: change the source, not this page. -->\n"
SETTINGS_ARE = """\
Paths are relative to the folder of the file. `${NAME}` in a text is replaced by the environment's value. An
unknown key, or one that stands twice, is refused with its line.
"""
ROLES_ARE = """\
What an account may do behind MLflow's app. It is what the people file says
([how](../how-to/approve-in-mlflow.md)); in no group, it is a reader; in several, it may what any of them may.
Who is not logged in sees nothing. Empty is refused, with the reason. On top of the table:

- an approval needs a reason, a version that passed its gates, and somebody else than who registered it;
- `champion` goes only to a version that is approved or was champion before, or to a model's first;
- the pipeline deletes no version that was judged;
- another person's password is the administrator's business;
- whatever was written into MLflow's database past the app stops both approval and `champion`.

Each cell is a test against the real server: `tests/unit/plugins/test_mlflow_table.py`.
"""
TABLES_ARE = """\
Each table is written by one room only. Times are text, ISO 8601 in UTC with microseconds. Migrations are
applied when the database is first used.
"""


def cli_page() -> str:
    """Every command's help, in the order of the first page of help."""
    command = typer.main.get_command(app)
    parts = [
        "# Commands\n",
        MADE,
        "Every command takes `--json`. What each exit code means: [exit codes](exit-codes.md).\n",
    ]
    for path, helped in _helps(command, "hitl", None):
        parts.append(f"{'##' if path.count(' ') < 2 else '###'} {path}\n\n```text\n{helped}\n```\n")  # noqa: PLR2004
    return "\n".join(parts)


def _helps(command: Any, name: str, parent: Any) -> Iterator[tuple[str, str]]:
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=WIDTH, max_content_width=WIDTH
    )
    helped = "\n".join(line.rstrip() for line in command.get_help(context).splitlines())
    yield context.command_path, helped.strip()
    for below in command.list_commands(context) if hasattr(command, "list_commands") else ():
        yield from _helps(command.get_command(context, below), below, context)


def settings_page() -> str:
    """Every key of `hitl.yaml`, from the docstrings of `settings.py`."""
    parts = [
        "# hitl.yaml\n",
        MADE,
        SETTINGS_ARE,
        *_sections(settings.Settings, ""),
    ]
    return "\n".join(parts)


def _sections(model: type[BaseModel], prefix: str) -> Iterator[str]:
    docs = _field_docs(model)
    rows, below = [], []
    for name, field in model.model_fields.items():
        if field.exclude:
            continue
        inner = _model_in(field.annotation)
        if inner is not None:
            below.append((f"{prefix}{name}.", inner))
            continue
        rows.append(f"| `{prefix}{name}` | {_type(field.annotation)} | {_default(field)} | {docs[name]} |")
    title = prefix.rstrip(".") or "The file"
    yield f"## {title}\n"
    yield f"{inspect.getdoc(model)}\n"
    if rows:
        yield "| key | type | left out | what it is |\n|---|---|---|---|\n" + "\n".join(rows) + "\n"
    for path, inner in below:
        yield from _sections(inner, path)


def _field_docs(model: type[BaseModel]) -> dict[str, str]:
    body = ast.parse(inspect.getsource(model)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    found, last = {}, ""
    for node in body.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            last = node.target.id
        elif last and isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found[last] = " ".join(str(node.value.value).split()).replace("|", "\\|")
            last = ""
    return found


def _model_in(annotation: Any) -> type[BaseModel] | None:
    options = typing.get_args(annotation) if isinstance(annotation, types.UnionType) else (annotation,)
    return next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)


def _type(annotation: Any) -> str:
    names = {
        str: "text",
        Path: "path",
        bool: "true or false",
        float: "number",
        int: "number",
        SecretStr: "text, secret",
    }
    if annotation in names:
        return names[annotation]
    if annotation is settings.InputKind:
        return "text, table or image"
    text = str(annotation)
    if text == "dict[str, str]":
        return "map of texts"
    if "list[str]" in text:
        return "list of texts or `auto`" if re.search(r"\|\s*str", text) else "list of texts"
    return "path" if "Path" in text else "text"


def _default(field: Any) -> str:
    value = field.default
    if value is PydanticUndefined:
        return "must be there"
    if value is None or value in ([], {}):
        return "none"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def tables_page() -> str:
    """Every table and column of the database, with the room that writes it."""
    source = inspect.getsource(tables)
    parts = [
        "# Tables\n",
        MADE,
        TABLES_ARE,
    ]
    for table in tables.metadata.sorted_tables:
        owner = re.search(rf"^{table.name} = Table\(\s*#\s*(.+)$", source, re.MULTILINE)
        columns = [
            f"| `{column.name}` | {column.type} | {'key' if column.primary_key else ''}"
            f"{'may be empty' if column.nullable else ''} |"
            for column in table.columns
        ]
        about = f"Room: {owner[1]}.\n" if owner else ""
        parts.append(
            f"## {table.name}\n\n{about}\n| column | type | |\n|---|---|---|\n" + "\n".join(columns) + "\n"
        )
    return "\n".join(parts)


def mlflow_roles_page() -> str:
    """Who may do what in MLflow, from the table that the app decides by."""
    roles = list(Role)
    rows = [
        f"| {action.value} | " + " | ".join("yes" if one in ALLOWED[action] else "" for one in roles) + " |"
        for action in Action
    ]
    head = f"| | {' | '.join(roles)} |\n|---|{'---|' * len(roles)}"
    return "\n".join(["# Roles in MLflow\n", MADE, ROLES_ARE, head, *rows, ""])


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "hitl-yaml.md": settings_page,
    "mlflow-roles.md": mlflow_roles_page,
    "tables.md": tables_page,
}


def main() -> int:
    """The pages are as the source says."""
    for name, page in PAGES.items():
        (REFERENCE / name).write_text(page(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
