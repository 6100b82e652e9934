"""`hitl`: words in, one call, an answer for people or, with `--json`, for programs.

Nothing heavy is imported before a command runs, so that `hitl --help` answers at once.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from typing import Annotated, Any, cast

import typer

import hitl_mlops
from hitl_mlops.cli import (
    audit,
    breakers,
    callbacks,
    data,
    decide,
    decisions,
    drill,
    figures,
    models,
    oversight,
    people,
    policies,
    quarantine,
    retrain,
    rollouts,
    serve,
    setup,
    switches,
    trials,
    webhook,
)
from hitl_mlops.cli.output import json_line, tell_error
from hitl_mlops.cli.sections import Sections
from hitl_mlops.errors import HitlError

WRONG_USAGE = 2
BUG = 70
STOPPED = 130
NOBODY_READS = 141
# The command line's own errors have no public name; this is the base of the one that has.
_WrongWords = cast(
    "type[Exception]",
    next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "ClickException"),
)

app = typer.Typer(
    name="hitl",
    cls=Sections,
    help="Close the loop between a model's decisions and the people who may overrule them.",
    epilog="Exit codes: 0 done, 1 refused by a gate or policy, 2 wrong usage, 3 a service is down.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for room in (
    setup,
    policies,
    decide,
    decisions,
    serve,
    callbacks,
    oversight,
    people,
    data,
    quarantine,
    models,
    retrain,
    webhook,
    rollouts,
    trials,
    switches,
    breakers,
    figures,
    drill,
    audit,
):
    room.add_to(app)


def _tell_version(value: bool) -> None:
    if value:
        typer.echo(f"hitl {hitl_mlops.__version__}")
        raise typer.Exit


@app.callback()
def hitl(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", is_eager=True, callback=_tell_version),
    ] = False,
) -> None:
    """Close the loop between a model's decisions and the people who may overrule them."""


def main() -> None:
    """The console script."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of a command line; nothing is raised, and with `--json` errors are JSON too."""
    as_json = "--json" in arguments
    try:
        code = _run(arguments, as_json=as_json)
        sys.stdout.flush()
    except BrokenPipeError:
        _let_go_of_output()
        return NOBODY_READS
    return code


def _run(arguments: Sequence[str], *, as_json: bool) -> int:
    try:
        code = app(list(arguments), standalone_mode=False, prog_name="hitl")
    except HitlError as error:
        _tell(type(error).__name__, error.fact, error.remedy, error.exit_code, as_json, error.data)
        return error.exit_code
    except _WrongWords as error:
        return _tell_wrong_words(error, arguments, as_json=as_json)
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except BrokenPipeError:
        raise
    except SystemExit as error:  # typer's own answer to a broken pipe, with the code that means refused here
        raise (error.__context__ or error) from None
    except Exception as error:  # noqa: BLE001 - the last resort: whatever it is, it is a bug of ours
        from hitl_mlops.cli.bug import keep_traceback

        told = keep_traceback(error, arguments)
        _tell("Bug", told.fact, told.remedy, BUG, as_json, {})
        return BUG
    if code == STOPPED:
        _tell("Stopped", "Stopped.", "", STOPPED, as_json, {})
    return code if isinstance(code, int) else 0


def _tell(kind: str, fact: str, remedy: str, code: int, as_json: bool, more: dict[str, Any]) -> None:
    if not as_json:
        tell_error(fact, remedy)
        return
    told = {"error": kind, "fact": fact, "remedy": remedy, "exit_code": code, "data": more}
    sys.stdout.write(json_line(told))


def _tell_wrong_words(error: Any, arguments: Sequence[str], *, as_json: bool) -> int:
    code: int = error.exit_code
    fact = error.format_message()
    path = error.ctx.command_path if getattr(error, "ctx", None) else "hitl"
    if getattr(getattr(error, "param", None), "name", None) == "reason":
        given = shlex.join(word for word in arguments if word != "--json")
        fact = f"{path} needs a reason: it is kept in the trail, with who gave it."
        _tell("UsageError", fact, f'Type: hitl {given} --reason "why, in your words"', code, as_json, {})
    elif as_json and fact:
        _tell("UsageError", fact, f"Run: {path} --help", code, as_json, {})
    else:
        error.show()
    return code


def _let_go_of_output() -> None:
    """Nobody reads any more (`| head`): the interpreter's last flush finds an open end."""
    import os

    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
