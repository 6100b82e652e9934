"""`hitl demo`: the whole loop once, told while it happens."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Annotated

import typer

from hitl_mlops.cli.output import JsonOption, answer

EXAMPLES = ("hitl demo", "hitl demo --keep              # and answer a few tickets yourself")


def demo(
    folder: Annotated[Path, typer.Argument(help="Where; made anew each time.")] = Path("demo-project"),
    keep: Annotated[
        bool, typer.Option("--keep", help="Leave the servers up until Ctrl-C, with tickets to answer.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Watch the whole loop once, with simulated reviewers.

    Cases are decided, reviewed, learned from, gated, approved and rolled out, on real servers, in a folder of
    the demo's own.
    """
    from hitl_mlops.demo.story import TIMES, run
    from hitl_mlops.settings import STATE_FOLDER

    with _told_on_standard_error() if as_json else nullcontext():
        code = run(keep=keep, folder=folder)
    if code:
        raise typer.Exit(code)
    if as_json:
        times = json.loads((folder / STATE_FOLDER / TIMES).read_text())
        answer({"folder": str(folder), **times}, as_json=True, told=lambda _: None)


@contextmanager
def _told_on_standard_error() -> Iterator[None]:
    """What the story tells, and the programs it starts, write to standard error."""
    sys.stdout.flush()
    kept = os.dup(1)
    os.dup2(2, 1)
    try:
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
