"""Cases at the door: each row becomes a case, or is refused with every reason, before a model sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from hitl_mlops.decisions.case_id import made_ids
from hitl_mlops.decisions.cells import (
    LONGEST_TEXT,
    Cells,
    any_fault,
    screen_attribute,
    screen_id,
    screen_input,
    screen_time,
)
from hitl_mlops.decisions.log import DecisionLog
from hitl_mlops.decisions.record import Case
from hitl_mlops.decisions.schema import InputSchema, learn_schema, require_columns
from hitl_mlops.decisions.table_file import read_table
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError
from hitl_mlops.ids import content_id

__all__ = ["InputSchema", "Intake", "Refused", "learn_schema", "needed_columns", "read_table", "screen_cases"]
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


@dataclass(frozen=True, slots=True)
class Intake:
    """What came of a table: cases to decide, in its order, and rows refused, in its order."""

    cases: tuple[Case, ...]
    refused: tuple[Refused, ...]

    @property
    def reasons(self) -> dict[str, int]:
        """Reason → number of rows, most frequent first."""
        return dict(Counter(reason for row in self.refused for reason in row.reasons).most_common())


def screen_cases(
    frame: pd.DataFrame,
    task: Task,
    schema: InputSchema,
    log: DecisionLog,
    *,
    now: datetime,
    strict: bool = False,
) -> Intake:
    """Every row is a case or is refused with all its reasons; nothing is written.

    Refused are: missing, infinite, non-numeric, far-out and inexact numbers; empty, broken and oversized
    text; times without a zone; an id that stands twice in the table (all its rows); an id that was decided
    already with other content. One that was decided with the same content stays a case: `decide_cases`
    answers it from the log. Text that looks like a formula, HTML or SQL is text. Columns that the task
    does not name are ignored; where it names no column of times, the event time is `now`.

    Raises:
        InputError: a column is missing, or `strict` and a row was refused.
    """
    require_columns(frame, needed_columns(task))
    frame = frame.reset_index(drop=True)
    rows = _read_rows(frame, task, schema, now)
    cases: dict[int, Case] = {
        place: Case(
            rows.ids[place], rows.subjects[place], rows.moments[place], rows.inputs[place], rows.kept[place]
        )
        for place in np.flatnonzero(~any_fault(rows.faults, len(frame))).tolist()
    }
    changed = _changed(cases, log, len(frame))
    if changed.any():
        rows.faults["was decided already with other content"] = changed
    refused = tuple(_refused(frame, task, rows.ids, rows.faults))
    if strict and refused:
        raise _refusal(len(frame), refused)
    return Intake(tuple(case for place, case in cases.items() if not changed[place]), refused)


@dataclass(frozen=True, slots=True)
class _Rows:
    """A table, read column by column: one value a row in each list, and fault → rows where it is."""

    ids: list[str]
    subjects: list[str]
    moments: list[datetime]
    inputs: list[dict[str, Any]]
    kept: list[dict[str, Any]]
    faults: dict[str, npt.NDArray[np.bool_]]


def _read_rows(frame: pd.DataFrame, task: Task, schema: InputSchema, now: datetime) -> _Rows:
    inputs = {spec.name: screen_input(frame[spec.name], spec) for spec in schema.columns}
    kept = {name: inputs.get(name) or screen_attribute(frame[name]) for name in task.kept}
    faults = dict(_named_faults({**kept, **inputs}))
    moments = [now] * len(frame)
    if task.time is not None:
        cells = screen_time(frame[task.time])
        moments = cells.plain
        faults.update(_named_faults({task.time: cells}))
    input_rows = _rows(inputs, len(frame))
    ids = _case_ids(frame, task, input_rows, faults)
    subjects = ids
    if task.subject is not None:
        cells = screen_id(frame[task.subject])
        subjects = cells.plain
        faults.update(_named_faults({task.subject: cells}))
    return _Rows(ids, subjects, moments, input_rows, _rows(kept, len(frame)), faults)


def needed_columns(task: Task) -> tuple[str, ...]:
    """The columns that a case must bring: inputs, what is kept, and id, subject and time where named."""
    named = (task.id, task.subject, task.time)
    return tuple(dict.fromkeys((*task.inputs, *task.kept, *(name for name in named if name is not None))))


def _named_faults(columns: Mapping[str, Cells]) -> Iterator[tuple[str, npt.NDArray[np.bool_]]]:
    for name, cells in columns.items():
        for fault, rows in cells.faults.items():
            yield f"{name} {fault}", rows


def _rows(columns: Mapping[str, Cells], count: int) -> list[dict[str, Any]]:
    names = list(columns)
    if not names:
        return [{} for _ in range(count)]
    return [
        dict(zip(names, row, strict=True))
        for row in zip(*(columns[name].plain for name in names), strict=True)
    ]


def _case_ids(
    frame: pd.DataFrame, task: Task, inputs: list[dict[str, Any]], faults: dict[str, npt.NDArray[np.bool_]]
) -> list[str]:
    """The ids of the rows; the faults of the id column, and ids there twice, are added to the faults."""
    if task.id is None:
        wrong = any_fault(faults, len(frame)).tolist()
        return made_ids(None if bad else row for row, bad in zip(inputs, wrong, strict=True))
    cells = screen_id(frame[task.id])
    faults.update(_named_faults({task.id: cells}))
    ids = pd.Series(cells.plain, dtype=object)
    doubled = (ids.duplicated(keep=False) & (ids != "")).to_numpy(dtype=bool)
    if doubled.any():
        faults[f"{task.id} stands more than once in the table"] = doubled
    return cells.plain


def _changed(cases: Mapping[int, Case], log: DecisionLog, count: int) -> npt.NDArray[np.bool_]:
    known = log.cases(case.case_id for case in cases.values())
    changed = np.zeros(count, dtype=bool)
    if known:
        for place, case in cases.items():
            before = known.get(case.case_id)
            changed[place] = before is not None and _content(before) != _content(case)
    return changed


def _content(case: Case) -> tuple[Any, ...]:
    """What makes a case the same; its time may be the time of intake and does not count."""
    return case.subject, dict(case.inputs), dict(case.attributes)


def _refused(
    frame: pd.DataFrame, task: Task, ids: list[str], faults: Mapping[str, npt.NDArray[np.bool_]]
) -> Iterator[Refused]:
    reasons: dict[int, list[str]] = {}
    for fault, rows in faults.items():
        for place in np.flatnonzero(rows).tolist():
            reasons.setdefault(place, []).append(fault)
    if not reasons:
        return
    places = sorted(reasons)
    shown = frame.loc[places, list(needed_columns(task))].astype(object)
    for place, values in zip(places, shown.itertuples(index=False, name=None), strict=True):
        row = {name: _storable(value) for name, value in zip(shown.columns, values, strict=True)}
        case_id = _storable(ids[place])[:200] or content_id("row", row)
        yield Refused(place + 1, case_id, row, tuple(reasons[place]))


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


def _refusal(count: int, refused: tuple[Refused, ...]) -> InputError:
    told = Counter(reason for row in refused for reason in row.reasons).most_common(_SHOWN_REASONS)
    return InputError(
        f"{len(refused):,} of {count:,} rows are refused: "
        + "; ".join(f"{reason} ({number:,})" for reason, number in told)
        + f"; the first is row {refused[0].place}.",
        remedy="Mend those rows, or run without --strict to decide the others; nothing was written.",
        rows=[row.place for row in refused[:100]],
        reasons=dict(told),
    )
