"""The way in: tables and files of cases are screened, decided and recorded, and their tickets opened."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from hitl_mlops.decisions.cells import screen_id
from hitl_mlops.decisions.decide import (
    RECORDED_AT_ONCE,
    Deciding,
    Foreseen,
    Recorded,
    decide_cases,
    foresee,
    hear,
)
from hitl_mlops.decisions.intake import (
    Intake,
    Refused,
    Screened,
    Seen,
    require_strict,
    screen_cases,
    screen_rows,
)
from hitl_mlops.decisions.log import DecidedAlreadyError
from hitl_mlops.decisions.quarantine import quarantine_refused
from hitl_mlops.decisions.table_file import TableFile
from hitl_mlops.review.open import open_tickets
from hitl_mlops.verbs import Verbs

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from hitl_mlops.decisions.block import Block
    from hitl_mlops.decisions.serving import Serving
    from hitl_mlops.review.open import Deadlines, Shown
    from hitl_mlops.routing.policy import Policy

Step = TypeVar("Step")
SHOWN_REFUSED = 1_000
"""Refused rows that are told one by one; of more only the reasons are counted."""


@dataclass(frozen=True, slots=True)
class Piece:
    """What came of one table, or of a piece of it."""

    recorded: Recorded
    refused: tuple[Refused, ...]
    tickets: int


@dataclass(slots=True)
class FileDecided:
    """What came of a file, added up piece by piece.

    Attributes:
        rows: how many rows were read.
        decided: how many decisions are new.
        known: how many cases had been decided before.
        tickets: how many questions to people were opened.
        routes: route → decisions, also of those known before.
        rules: what fired → decisions.
        refused: how many rows went to the quarantine.
        reasons: why → refused rows.
        first_refused: the first thousand of them.
    """

    rows: int = 0
    decided: int = 0
    known: int = 0
    tickets: int = 0
    routes: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    refused: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    first_refused: list[Refused] = field(default_factory=list)

    def add(self, piece: Piece) -> None:
        """What came of the next piece is counted."""
        for block in piece.recorded.blocks:
            self.decided += len(block)
            self.routes.update(block.by_route())
            self.rules.update(block.by_rule())
        for one in piece.recorded.known.values():
            self.routes[one.route] += 1
            self.rules.update(one.reasons)
        self.known += len(piece.recorded.known)
        self.tickets += piece.tickets
        self.add_refused(piece.refused)

    def add_refused(self, refused: Sequence[Refused]) -> None:
        """Further rows went to the quarantine."""
        self.refused += len(refused)
        self.reasons.update(reason for one in refused for reason in one.reasons)
        self.first_refused += refused[: SHOWN_REFUSED - len(self.first_refused)]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is known of a piece from the models that were live when they were asked."""

    serving: Serving
    foreseen: Foreseen | None


@dataclass(slots=True)
class Opening:
    """Opens the tickets of what is decided, in the transaction of each block.

    Attributes:
        verbs: of the project.
        shown: what reviewers are shown.
        now: when.
        opened: how many so far.
    """

    verbs: Verbs
    shown: Shown
    now: datetime
    opened: int = 0

    def open(self, deadlines: Deadlines, block: Block) -> None:
        """Whoever must be asked about the block's decisions has a ticket, by those deadlines."""
        asked, parts = block.asking(), self.verbs.parts
        if len(asked):
            cases = asked.cases().records()
            opened = open_tickets(
                asked.decisions(),
                asked.shadows(),
                cases,
                shown=self.shown,
                book=parts.tickets,
                database=parts.database,
                deadlines=deadlines,
                trail=parts.trail,
                now=self.now,
                actor=self.verbs.actor,
            )
            self.opened += len(opened)


@dataclass(frozen=True, slots=True)
class Door:
    """Where cases come in."""

    verbs: Verbs

    def open(self) -> None:
        """Cases may come in: people can be asked more, and it was looked which policy holds.

        Raises:
            BusyError: too many tickets wait for the desk.
            ConfigurationError: the policy file is wrong, and not followed.
        """
        self.verbs.demand_room()
        self.verbs.look_at_policy()

    def screen(self, frame: pd.DataFrame, seen: Seen | None = None) -> Screened:
        """What is wrong with each row in itself; nothing is read or written. Raises as `screen_rows`."""
        return screen_rows(frame, **self._by(), seen=seen)

    def _by(self) -> dict[str, Any]:
        """What rows are screened by."""
        parts = self.verbs.parts
        return {
            "task": parts.task,
            "schema": parts.schema,
            "log": parts.log,
            "now": parts.clock(),
            "guard": parts.odd_guard,
        }

    def take(self, frame: pd.DataFrame, *, strict: bool = False) -> Piece:
        """Every row is decided and recorded with its tickets, or quarantined; raises as `screen_cases`."""
        with self.verbs.parts.database.reading():
            intake, serving = screen_cases(frame, **self._by(), strict=strict), self.verbs.serving()
        return self._decide(intake, serving)

    def _decide(self, intake: Intake, serving: Serving, foreseen: Foreseen | None = None) -> Piece:
        parts, now = self.verbs.parts, self.verbs.parts.clock()
        policy, trial = self.verbs.policy_in_force(), self.verbs.on_trial()
        opening = Opening(self.verbs, self._shown(serving), now)
        by = partial(self._decide_by, serving=serving, opening=opening)
        if trial is None:
            recorded = by(policy, intake, foreseen=foreseen)
        else:
            tried = trial.routes(parts.policy_key, intake.cases.subjects)
            in_force, others = (intake.of(np.flatnonzero(chosen)) for chosen in (~tried, tried))
            recorded = by(policy, in_force).and_of(by(trial.policy, others), intake.cases.ids)
        quarantine_refused(intake, **self._kept(now))
        return Piece(recorded, intake.refused, opening.opened)

    def _kept(self, now: datetime) -> dict[str, Any]:
        """Where what is decided is kept."""
        parts = self.verbs.parts
        told = {"trail": parts.trail, "now": now, "actor": self.verbs.actor}
        return {"log": parts.log, "transaction": parts.database.transaction, **told}

    def _decide_by(
        self,
        policy: Policy,
        intake: Intake,
        *,
        serving: Serving,
        opening: Opening,
        foreseen: Foreseen | None = None,
    ) -> Recorded:
        """The cases are decided by that policy, with their tickets."""
        parts = self.verbs.parts
        return decide_cases(
            intake,
            serving,
            policy,
            key=parts.policy_key,
            board=parts.guards,
            checks=parts.checks,
            beside=partial(opening.open, self.verbs.deadlines_of(policy)),
            foreseen=foreseen,
            **self._kept(opening.now),
        )

    def _shown(self, serving: Serving) -> Shown:
        """What reviewers are shown; whoever must be asked for it is asked now, and not while tickets open."""
        shown = self.verbs.shown
        live = [one for one in (serving.champion, serving.challenger) if one is not None]
        self.verbs.parts.explainer  # noqa: B018 - an extra that lacks is told before anything is decided
        learned = {one.version: shown.learned_from(one.version) for one in live}
        return replace(shown, learned_from=lambda version: learned.get(version, ""))

    def take_file(
        self,
        path: Path,
        *,
        strict: bool = False,
        keep: Callable[[Recorded], object] = lambda _recorded: None,
        progress: Callable[[int, int], object] = lambda _done, _of: None,
    ) -> FileDecided:
        """Every row of the file is decided and recorded, or quarantined, piece by piece.

        Args:
            path: CSV, Parquet or JSON Lines; Parquet is never held whole.
            strict: one refused row refuses the file; it is read twice, and nothing is written before.
            keep: called with what was recorded of each piece.
            progress: called with the rows done and the rows there are.

        Raises:
            InputError: the file or a column is wrong, or `strict` and a row was refused; nothing was written.
            BusyError: too many tickets wait for the desk; nothing was written.
        """
        self.open()
        file, total = TableFile(path), FileDecided()
        doubled = self._doubled(file)
        if strict:
            self._demand_sound(file, doubled)
        hopeful = True
        with self.verbs.parts.database.writing_much(), _working_in_two_threads():
            for screened, asked in _ahead(self._asked(file, doubled)):
                piece = self._decide_hopefully(screened, asked) if hopeful else self._decide_known(screened)
                hopeful = len(piece.recorded.known) == 0
                total.rows += len(screened)
                total.add(piece)
                keep(piece.recorded)
                progress(total.rows, file.rows)
        return total

    def _screened(self, file: TableFile, doubled: frozenset[str] | None) -> Iterator[Screened]:
        seen = Seen(doubled=doubled)
        return (self.screen(frame, seen) for frame in file.pieces(RECORDED_AT_ONCE))

    def _asked(self, file: TableFile, doubled: frozenset[str] | None) -> Iterator[tuple[Screened, Asked]]:
        """Each piece is looked at in the thread that reads, while another is recorded."""
        parts = self.verbs.parts
        deciding = Deciding(parts.policy, parts.policy_key)
        for screened in self._screened(file, doubled):
            serving = self.verbs.serving()
            yield screened, Asked(serving, self._foreseen(screened, serving, deciding))
            parts.database.copy_log()

    def _foreseen(self, screened: Screened, serving: Serving, deciding: Deciding) -> Foreseen | None:
        """What can be known of the piece; None where two policies part it, and each asks for itself."""
        if self.verbs.on_trial() is not None:
            return None
        cases, now = screened.cases, self.verbs.parts.clock()
        heard = hear(cases, serving, deciding)
        return foresee(cases, screened.keys, screened.draws, heard, deciding, now)

    def _decide_hopefully(self, screened: Screened, asked: Asked) -> Piece:
        """As if none was decided before, which spares a look-up; where one was, from the beginning."""
        try:
            return self._decide(screened.hoped(), asked.serving, asked.foreseen)
        except DecidedAlreadyError:
            return self._decide_known(screened)

    def _decide_known(self, screened: Screened) -> Piece:
        return self._decide(screened.looked_up(self.verbs.parts.log), self.verbs.serving())

    def _demand_sound(self, file: TableFile, doubled: frozenset[str] | None) -> None:
        total = FileDecided()
        for screened in self._screened(file, doubled):
            total.add_refused(screened.looked_up(self.verbs.parts.log).refused)
        require_strict(file.rows, total.refused, total.reasons, total.first_refused)

    def _doubled(self, file: TableFile) -> frozenset[str] | None:
        """Ids that stand more than once in the file; None where it is one piece, or has no column of ids.

        Eight bytes are held for each row; ids whose eight bytes are equal are then compared whole.
        """
        name = self.verbs.parts.task.id
        if name is None or file.rows <= RECORDED_AT_ONCE:
            return None
        hashes = np.concatenate([np.fromiter(map(hash, ids), np.int64) for ids in _ids(file, name)])
        ordered = np.sort(hashes)
        alike = {*ordered[1:][ordered[1:] == ordered[:-1]].tolist()}
        counted = (
            Counter(one for ids in _ids(file, name) for one in ids if hash(one) in alike) if alike else {}
        )
        return frozenset(one for one, count in counted.items() if count > 1 and one)


def _ahead(steps: Iterator[Step]) -> Iterator[Step]:
    """The same steps; while one is worked on, the next is made in a thread."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, steps, None)
        while (step := coming.result()) is not None:
            coming = thread.submit(next, steps, None)
            yield step


@contextmanager
def _working_in_two_threads() -> Iterator[None]:
    """The processors are for our two threads, and the collector passes over what stands.

    Linear algebra would wait for its next call with all processors spinning.
    """
    gc.freeze()
    try:
        with threadpool_limits(max(1, (os.cpu_count() or 1) - 1)):
            yield
    finally:
        gc.unfreeze()


def _ids(file: TableFile, name: str) -> Iterator[list[str]]:
    for frame in file.pieces(RECORDED_AT_ONCE, [name]):
        if name in frame:
            yield screen_id(frame[name]).column.tolist()
        else:
            yield []
