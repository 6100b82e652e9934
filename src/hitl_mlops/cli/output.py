"""How every command answers: one JSON object for programs, or a few aligned lines for people; never both.

Only the answer goes to standard output. What libraries print while a command runs, progress and errors go to
standard error, so that `jq` always reads one object.
"""

from __future__ import annotations

import functools
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from contextvars import ContextVar
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hitl_mlops.project import Project

ProjectOption = Annotated[
    Path, typer.Option("--project", "-p", help="The project's folder or its hitl.yaml.", show_default=False)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON object.")]
HERE = Path()
WIDE = 400
"""Characters in a line where nobody looks: a pipe or file gets whole lines."""

_answers: ContextVar[TextIO | None] = ContextVar("answers", default=None)
_ending: ContextVar[ExitStack] = ContextVar("ending")
"""What is closed when the command that runs has ended."""


def open_project(folder: Path) -> Project:
    """The project that the command is about, closed when it ends; the trail names the command line."""
    from hitl_mlops.project import Project

    return _ending.get().enter_context(Project.open(folder, actor="cli"))


def add_command(
    app: typer.Typer, name: str, function: Callable[..., None], *, examples: Sequence[str] = ()
) -> None:
    """The function is a command of the app; its docstring is the help, with examples below."""
    shown = "\b\nExamples:\n" + "\n".join(f"  {one}" for one in examples) if examples else None
    app.command(name, epilog=shown)(_apart(function))


def add_group(
    app: typer.Typer, name: str, *, about: str, alone: Callable[..., None] | None = None
) -> typer.Typer:
    """A group of commands, part of the app; `alone` is what its bare name does, help where left out."""
    group = typer.Typer(help=about, no_args_is_help=alone is None, rich_markup_mode=None)
    if alone is not None:
        group.callback(invoke_without_command=True, help=about)(_apart(alone))
    app.add_typer(group, name=name)
    return group


def _apart(function: Callable[..., None]) -> Callable[..., None]:
    """The function, with its answer alone on standard output."""

    @functools.wraps(function)
    def run(*arguments: Any, **named: Any) -> None:
        before = _answers.set(sys.stdout)
        try:
            with redirect_stdout(sys.stderr), ExitStack() as ending:
                _ending.set(ending)
                function(*arguments, **named)
        finally:
            _answers.reset(before)

    return run


def answer(value: Any, *, as_json: bool, told: Callable[[Console], None]) -> None:
    """Print the value as JSON, or let `told` print it for people. NaN and infinity become null."""
    if as_json:
        out = _answers.get() or sys.stdout
        out.write(json_line(value))
        out.flush()
        return
    told(_console(_answers.get() or sys.stdout))


def json_line(value: Any) -> str:
    """The value as one line of JSON."""
    from hitl_mlops.ids import plain

    return json.dumps(plain(_finite(value)), ensure_ascii=False, allow_nan=False, default=str) + "\n"


def _finite(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: _finite(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {_key(key): _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _key(key: Any) -> str:
    return " → ".join(map(str, key)) if isinstance(key, tuple) else str(key)


def tell_error(fact: str, remedy: str = "") -> None:
    """The fact and the way out, on standard error."""
    console = _console(sys.stderr)
    say(console, fact, style="red")
    if remedy:
        say(console, f"→ {remedy}")


def tell_progress(line: str) -> None:
    """One line for somebody who waits, on standard error."""
    say(_console(sys.stderr), line, style="dim")


@contextmanager
def working(doing: str) -> Iterator[Callable[[str], None]]:
    """Somebody at a terminal sees that it goes on, and for how long; others see nothing.

    What is yielded tells how far it has come.
    """
    if not sys.stderr.isatty():
        yield lambda _doing: None
        return
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    shown = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
    with Progress(*shown, console=Console(stderr=True), transient=True, redirect_stdout=False) as progress:
        task = progress.add_task(doing, total=None)
        yield lambda now: progress.update(task, description=now)


def _console(out: TextIO) -> Console:
    """Coloured at a terminal unless NO_COLOR is set; plain and unbroken elsewhere."""
    from rich.console import Console

    return Console(file=out, highlight=False, width=None if out.isatty() else WIDE)


def table(console: Console, heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """An aligned table; numbers to the right. Text is shown as it is, never read as markup."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=SIMPLE_HEAD, pad_edge=False, show_header=any(heads))
    body = [list(row) for row in rows]
    if not body:
        say(console, f"{heads[0]}: none")
        return
    for place, head in enumerate(heads):
        numeric = bool(body) and all(isinstance(row[place], (int, float)) for row in body)
        drawn.add_column(head, justify="right" if numeric else "left")
    for row in body:
        drawn.add_row(*(Text(_shown(cell)) for cell in row))
    console.print(drawn)


def say(console: Console, text: str, *, style: str = "") -> None:
    """One line, never read as markup, and never broken: a command in it can be copied."""
    from rich.text import Text

    console.print(Text(text, style=style), soft_wrap=True)


def _shown(cell: Any) -> str:
    if isinstance(cell, bool) or cell is None:
        return {True: "yes", False: "no", None: "-"}[cell]
    if isinstance(cell, int):
        return f"{cell:,}"
    return f"{cell:.4g}" if isinstance(cell, float) else str(cell)
