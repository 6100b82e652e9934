"""Cases at the door: each row becomes a case, or is refused with every reason, before a model sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.block import split_keys
from hitl_mlops.decisions.case_id import made_ids
from hitl_mlops.decisions.cases import Cases, Column, microseconds, rows_of
from hitl_mlops.decisions.cells import (
    LONGEST_TEXT,
    Cells,
    any_fault,
    screen_attribute,
    screen_id,
    screen_inputs,
    screen_time,
)
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.odd import OddGuard, odd_among
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.schema import InputSchema, require_columns
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError
from hitl_mlops.ids import content_id

_SHOWN_REASONS = 5
_KEPT_TEXT = 1_000


@dataclass(frozen=True, slots=True)
class Refused:
    """A row that no model is to see.

    Attributes:
        place: the row in the table, from 1.
        case_id: its id; made from its content where it has none that can be used.
        row: its values, made fit to be stored.
        reasons: everything that is wrong with it; names columns, never values.
    """

    place: int
    case_id: str
    row: Mapping[str, Any]
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Intake:
    """What came of a table.

    Attributes:
        cases: those to decide, in its order.
        refused: rows refused, in its order.
        keys: the key of the decision on each case, made or not; shape (len(cases), 12).
        draws: the draw of each case's spot check, in [0, 1); shape (len(cases),).
        known: case id → decision, for those decided already; None: nobody looked.
    """

    cases: Cases
    refused: tuple[Refused, ...]
    keys: npt.NDArray[np.uint8]
    draws: npt.NDArray[np.float64]
    known: Mapping[str, Decision] | None = field(default_factory=dict)

    def of(self, places: npt.NDArray[np.intp]) -> Intake:
        """Those cases alone, without what was refused."""
        return Intake(self.cases.take(places), (), self.keys[places], self.draws[places], self.known)

    @property
    def reasons(self) -> dict[str, int]:
        """Reason → number of rows, most frequent first."""
        return dict(Counter(reason for row in self.refused for reason in row.reasons).most_common())


@dataclass(frozen=True, slots=True, eq=False)
class Screened:
    """Rows of which it is known what is wrong in themselves, and not which were decided already.

    Attributes:
        cases: those with nothing wrong, in their order.
        keys: the key of the decision on each case, made or not; shape (len(cases), 12).
        draws: the draw of each case's spot check, in [0, 1); shape (len(cases),).
        sound: the row of each case.
        ids: the id of every row.
        faults: what is wrong → in which rows.
        shown: the columns of the task, every row.
        before: how many rows of the same table came before.
    """

    cases: Cases
    keys: npt.NDArray[np.uint8]
    draws: npt.NDArray[np.float64]
    sound: npt.NDArray[np.intp]
    ids: list[str]
    faults: Mapping[str, npt.NDArray[np.bool_]]
    shown: pd.DataFrame
    before: int

    def __len__(self) -> int:
        return len(self.ids)

    def hoped(self) -> Intake:
        """What comes of the rows if none was decided already: whoever decides finds out."""
        return Intake(self.cases, self._refused(self.faults), self.keys, self.draws, None)

    def looked_up(self, log: DecisionLog) -> Intake:
        """What comes of the rows: those decided with other content are refused too."""
        known = log.decided_under(split_keys(self.keys))
        changed = _changed(self.cases, known, log)
        if not changed:
            return Intake(self.cases, self._refused(self.faults), self.keys, self.draws, known)
        rows = np.isin(np.arange(len(self)), self.sound[changed])
        refused = self._refused({**self.faults, "was decided already with other content": rows})
        others = {self.cases.ids[place] for place in changed}
        known = {name: one for name, one in known.items() if name not in others}
        same = np.delete(np.arange(len(self.cases)), changed)
        return Intake(self.cases.take(same), refused, self.keys[same], self.draws[same], known)

    def _refused(self, faults: Mapping[str, npt.NDArray[np.bool_]]) -> tuple[Refused, ...]:
        return tuple(_refused(self.shown, self.ids, faults, self.before))


@dataclass(slots=True)
class Seen:
    """What earlier pieces of the same table held, for a table that is read in pieces.

    Attributes:
        made: made id → how often it was made.
        doubled: ids that stand more than once in the whole table; None: the table is one piece.
        rows: how many rows came before.
    """

    made: Counter[str] = field(default_factory=Counter)
    doubled: frozenset[str] | None = None
    rows: int = 0


def screen_cases(
    frame: pd.DataFrame,
    task: Task,
    schema: InputSchema,
    log: DecisionLog,
    *,
    now: datetime,
    strict: bool = False,
    seen: Seen | None = None,
    guard: OddGuard | None = None,
) -> Intake:
    """Every row is a case or is refused with all its reasons; nothing is written.

    Refused are: missing, infinite, non-numeric, far-out and inexact numbers; empty, broken and oversized
    text; times without a zone; an id that stands twice in the table (all its rows); an id that was decided
    already with other content; inputs unlike any of the base data. One that was decided with the same
    content stays a case: `decide_cases` answers it from the log. Text that looks like a formula, HTML or SQL
    is text. Columns that the task does not name are ignored; where it names no column of times, the event
    time is `now`.

    Args:
        frame: the table, or a piece of it.
        task: which columns there are.
        schema: what inputs look like.
        log: what was decided already.
        now: the event time of cases that bring none.
        strict: one refused row refuses all.
        seen: what earlier pieces held, carried on from piece to piece; None: this is the whole table.
        guard: what inputs are like; None: nobody looks.

    Raises:
        InputError: a column is missing, or `strict` and a row was refused.
    """
    screened = screen_rows(frame, task, schema, log, now=now, seen=seen, guard=guard)
    intake = screened.looked_up(log)
    if strict:
        require_strict(len(screened), len(intake.refused), intake.reasons, intake.refused)
    return intake


def screen_rows(
    frame: pd.DataFrame,
    task: Task,
    schema: InputSchema,
    log: DecisionLog,
    *,
    now: datetime,
    seen: Seen | None = None,
    guard: OddGuard | None = None,
) -> Screened:
    """What is wrong with each row in itself, as `screen_cases`; the log is not looked into.

    Raises:
        InputError: a column is missing.
    """
    require_columns(frame, needed_columns(task))
    frame, seen = frame.reset_index(drop=True), seen or Seen()
    cases, faults = _read(frame, task, schema, now, seen)
    if guard is not None:
        faults |= odd_among(cases.inputs, ~any_fault(faults, len(frame)), guard)
    sound = np.flatnonzero(~any_fault(faults, len(frame)))
    accepted = cases if len(sound) == len(cases) else cases.take(sound)
    shown = frame[list(needed_columns(task))]
    before, seen.rows = seen.rows, seen.rows + len(frame)
    return Screened(accepted, *log.drawn(accepted.ids), sound, cases.ids, faults, shown, before)


def _read(
    frame: pd.DataFrame, task: Task, schema: InputSchema, now: datetime, seen: Seen
) -> tuple[Cases, dict[str, npt.NDArray[np.bool_]]]:
    """The rows as cases, also those that are refused, and fault → rows where it is."""
    inputs = screen_inputs(frame, schema)
    kept = {name: inputs.get(name) or screen_attribute(frame[name]) for name in task.kept}
    faults = dict(_named_faults({**kept, **inputs}))
    moments = np.full(len(frame), microseconds(now), dtype=np.int64)
    if task.time is not None:
        cells = screen_time(frame[task.time])
        moments = cells.column
        faults.update(_named_faults({task.time: cells}))
    columns = {name: cells.column for name, cells in inputs.items()}
    ids = _case_ids(frame, task, columns, faults, seen)
    subjects = ids
    if task.subject is not None:
        cells = screen_id(frame[task.subject])
        subjects = cells.column.tolist()
        faults.update(_named_faults({task.subject: cells}))
    return Cases(
        ids, subjects, moments, columns, {name: cells.column for name, cells in kept.items()}
    ), faults


def needed_columns(task: Task) -> tuple[str, ...]:
    """The columns that a case must bring: inputs, what is kept, and id, subject and time where named."""
    named = (task.id, task.subject, task.time)
    return tuple(dict.fromkeys((*task.inputs, *task.kept, *(name for name in named if name is not None))))


def _named_faults(columns: Mapping[str, Cells]) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    for name, cells in columns.items():
        for fault, rows in cells.faults.items():
            yield f"{name} {fault}", rows


def _case_ids(
    frame: pd.DataFrame,
    task: Task,
    inputs: Mapping[str, Column],
    faults: dict[str, npt.NDArray[np.bool_]],
    seen: Seen,
) -> list[str]:
    """The ids of the rows; the faults of the id column, and ids there twice, are added to the faults."""
    if task.id is None:
        wrong = any_fault(faults, len(frame)).tolist()
        rows = rows_of(inputs, len(frame))
        return made_ids((None if bad else row for row, bad in zip(rows, wrong, strict=True)), seen.made)
    cells = screen_id(frame[task.id])
    faults.update(_named_faults({task.id: cells}))
    names: list[str] = cells.column.tolist()
    if seen.doubled is not None:
        doubled = np.array([name in seen.doubled for name in names], dtype=bool)
    elif len(set(names)) < len(names):
        ids = pd.Series(names, dtype=object)
        doubled = (ids.duplicated(keep=False) & (ids != "")).to_numpy(dtype=bool)
    else:
        return names
    if doubled.any():
        faults[f"{task.id} stands more than once in the table"] = doubled
    return names


def _changed(cases: Cases, known: Mapping[str, Decision], log: DecisionLog) -> list[int]:
    """Places of the cases that were decided already with other content."""
    if not known:
        return []
    places = [place for place, name in enumerate(cases.ids) if name in known]
    before, again = log.cases(known), cases.take(places).records()
    return [
        place
        for place, case in zip(places, again, strict=True)
        if _content(before[case.case_id]) != _content(case)
    ]


def _content(case: Case) -> tuple[Any, ...]:
    """What makes a case the same; its time may be the time of intake and does not count."""
    return case.subject, dict(case.inputs), dict(case.attributes)


def _refused(
    frame: pd.DataFrame, ids: list[str], faults: Mapping[str, npt.NDArray[np.bool_]], before: int
) -> Iterator[Refused]:
    reasons: dict[int, list[str]] = {}
    for fault, rows in faults.items():
        for place in np.flatnonzero(rows).tolist():
            reasons.setdefault(place, []).append(fault)
    if not reasons:
        return
    places = sorted(reasons)
    shown = frame.loc[places].astype(object)
    for place, values in zip(places, shown.itertuples(index=False, name=None), strict=True):
        row = {name: _storable(value) for name, value in zip(shown.columns, values, strict=True)}
        case_id = _storable(ids[place])[:200] or content_id("row", row)
        yield Refused(before + place + 1, case_id, row, tuple(reasons[place]))


def _storable(value: Any) -> Any:
    """The value as JSON that every database takes; what it cannot say is told as text."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int) and abs(value) < 2**53:
        return value
    if isinstance(value, float) and np.isfinite(value):
        return value
    text = str(value)[:LONGEST_TEXT]
    text = text.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()
    return text if len(text) <= _KEPT_TEXT else text[:_KEPT_TEXT] + "…"


def require_strict(rows: int, count: int, reasons: Mapping[str, int], refused: Sequence[Refused]) -> None:
    """No row was refused.

    Args:
        rows: how many rows there are.
        count: how many of them were refused.
        reasons: why → rows.
        refused: the first of them.

    Raises:
        InputError: there is one; the fact tells the commonest reasons and the first row.
    """
    if not count:
        return
    told = Counter(reasons).most_common(_SHOWN_REASONS)
    raise InputError(
        f"{count:,} of {rows:,} rows are refused: "
        + "; ".join(f"{reason} ({number:,})" for reason, number in told)
        + f"; the first is row {refused[0].place}.",
        remedy="Mend those rows, or run without --strict to decide the others; nothing was written.",
        rows=[row.place for row in refused[:100]],
        reasons=dict(told),
    )
