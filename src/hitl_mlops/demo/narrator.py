"""What the demo shows: chapters, one line for each step, what is under way; all else is kept quiet."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from rich.console import Console
from rich.padding import Padding
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

INDENT = 11
PLAIN_WIDTH = 110


@dataclass(frozen=True, slots=True)
class TimedStep:
    """One step that is over.

    Attributes:
        name: what it was, short.
        seconds: wall time.
        said: the line that was shown.
    """

    name: str
    seconds: float
    said: str


@dataclass(slots=True)
class Doing:
    """A step under way; what it says last is its line."""

    said: str
    _progress: Progress | None = None

    def now(self, text: str) -> None:
        """What is under way, shown until the step is over; plain output shows nothing of it."""
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], description=text)

    def done(self, text: str) -> None:
        """The step's line: what happened, and the figure that matters."""
        self.said = text


@dataclass(slots=True)
class Narrator:
    """Tells the demo on a console, and remembers how long each step took."""

    console: Console
    steps: list[TimedStep] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _chapters: int = 0

    @classmethod
    def on(cls, stream: IO[str]) -> Narrator:
        """A narrator on that stream: live at a terminal, plain lines elsewhere."""
        width = None if stream.isatty() else PLAIN_WIDTH
        return cls(Console(file=stream, highlight=False, width=width, soft_wrap=False))

    @property
    def elapsed_s(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self._began

    def chapter(self, title: str) -> None:
        """A new chapter begins."""
        self._chapters += 1
        self.console.print()
        self.console.print(Text(f"{self._chapters}  {title}", style="bold"))

    @contextmanager
    def step(self, name: str, doing: str) -> Iterator[Doing]:
        """One line at the end, live progress until then; a step that fails says where it stood."""
        began = time.monotonic()
        with self._live(doing) as progress:
            under_way = Doing(doing, progress)
            try:
                yield under_way
            except BaseException:
                self.line(f"{doing} … did not finish", style="yellow")
                raise
        self.steps.append(TimedStep(name, time.monotonic() - began, under_way.said))
        self.line(under_way.said)

    def line(self, text: str, *, style: str = "") -> None:
        """A line with the seconds since the beginning."""
        self._hanging(Text(f"{self.elapsed_s:7.1f} s  ", style="dim"), Text(text, style=style))

    def aside(self, text: str) -> None:
        """What just happened, for somebody who sees it for the first time."""
        self.console.print(Padding(Text(text, style="italic dim"), (0, 0, 0, INDENT)))

    def table(self, rows: Sequence[Sequence[str]]) -> None:
        """Aligned columns below the line before."""
        from rich.table import Table

        drawn = Table.grid(padding=(0, 2))
        for row in rows:
            drawn.add_row(*(Text(cell) for cell in row))
        self.console.print(Padding(drawn, (0, 0, 0, INDENT)))

    def _hanging(self, head: Text, body: Text) -> None:
        lines = body.wrap(self.console, max(20, self.console.width - INDENT))
        for place, line in enumerate(lines):
            self.console.print(Text.assemble(head if place == 0 else " " * INDENT, line))

    @contextmanager
    def _live(self, doing: str) -> Iterator[Progress | None]:
        if not self.console.is_terminal:
            yield None
            return
        shown = (SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn())
        with Progress(*shown, console=self.console, transient=True) as progress:
            progress.add_task(doing, total=None)
            yield progress


@contextmanager
def quiet(log: Path) -> Iterator[IO[str]]:
    """What libraries and programs write goes to the log; only what is written to the stream given is seen.

    Standard output and error are turned aside as file descriptors, so that child processes are quiet too.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.flush()
    sys.stderr.flush()
    kept = {number: os.dup(number) for number in (1, 2)}
    with log.open("ab") as aside:
        for number in kept:
            os.dup2(aside.fileno(), number)
    logging.captureWarnings(capture=True)
    seen = os.fdopen(os.dup(kept[1]), "w", encoding="utf-8", buffering=1)
    try:
        yield seen
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        seen.close()
        for number, ours in kept.items():
            os.dup2(ours, number)
            os.close(ours)
        logging.captureWarnings(capture=False)
