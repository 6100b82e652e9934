"""Examples and label events out of base data, and out of what people answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from hitl_mlops.dataset.columns import Columns, parse_type, schema_of
from hitl_mlops.dataset.manifest import Lineage
from hitl_mlops.dataset.store import LABEL_SCHEMA
from hitl_mlops.decisions.case_id import made_ids
from hitl_mlops.decisions.cells import screen_id
from hitl_mlops.decisions.record import Case, Decision
from hitl_mlops.decisions.task import Task
from hitl_mlops.errors import InputError
from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.overrides.record import Resolution


@dataclass(frozen=True, slots=True)
class Additions:
    """What is to be added to a dataset: examples, label events by LABEL_SCHEMA, and where they came from."""

    examples: pa.Table
    labels: pa.Table
    lineage: Lineage


def from_base(frame: pd.DataFrame, task: Task, *, source: str, now: datetime) -> Additions:
    """The base data as examples, each with a label event of source `base` where it has a label.

    A whole number is its own text as a label (8 and 8.0 are "8"). A row without label is kept
    without one. Where the task names no id, the id is a hash of the row's inputs, as for cases to decide; no
    time: all rows are of `now`; no subject: the id.

    Raises:
        InputError: a column is missing; the file has no rows; an id, subject or time is empty; an id is given
            twice; a label is none of the classes.
    """
    _check_columns(frame, task)
    ids = _ids(frame, task)
    subjects = _names(frame[task.subject]) if task.subject else ids
    times = _times(frame, task, now)
    kept = list(dict.fromkeys((*task.kept, *task.inputs)))
    table = pa.Table.from_pandas(frame[kept], preserve_index=False)
    examples = pa.table(
        [
            pa.array(ids, pa.string(), from_pandas=True),
            pa.array(subjects, pa.string(), from_pandas=True),
            pa.array(times, pa.timestamp("us", tz="UTC"), from_pandas=True),
            *table.columns,
        ],
        names=["example_id", "subject", "at", *table.column_names],
    )
    labels = _base_labels(frame, task, ids, now)
    return Additions(examples, labels, Lineage(0, _ids_digest(()), source=source))


def from_resolutions(
    resolutions: Iterable[Resolution],
    withdrawn: Iterable[Resolution],
    decisions: Mapping[str, Decision],
    cases: Mapping[str, Case],
    *,
    columns: Columns,
    now: datetime,
) -> Additions:
    """The cases that people resolved as examples, and what they said as label events, `agreed` or `override`.

    Reviews, spot checks and shadow tickets all count, with the decision's π; what somebody kept out of the
    training data is left out. Events go by time, so that the latest label wins; ties by resolution id. Those
    withdrawn come first, as `withdrawn`.

    Args:
        resolutions: those that stand; also ones that the dataset knows.
        withdrawn: those taken back.
        decisions: by decision id, of all of them.
        cases: by case id, of all of them.
        columns: of the dataset's examples, `DatasetVersion.columns`.
        now: time of the withdrawals.

    Raises:
        InputError: a decision or case is missing, or a value is not of its column's type.
    """
    ordered = sorted(
        filter(_is_learned, resolutions), key=lambda each: (each.resolved_at, each.resolution_id)
    )
    gone = sorted(filter(_is_learned, withdrawn), key=lambda each: each.resolution_id)
    found = {each.decision_id: _decision(decisions, each) for each in (*ordered, *gone)}
    events = [_event(each, found[each.decision_id], "withdrawn", now) for each in gone]
    for each in ordered:
        source = "override" if each.override else "agreed"
        events.append(_event(each, found[each.decision_id], source, each.resolved_at))
    chosen = dict.fromkeys(found[each.decision_id].case_id for each in ordered)
    labels = pa.Table.from_pylist(events, schema=LABEL_SCHEMA)
    examples = _examples([_case(cases, case_id) for case_id in chosen], columns)
    return Additions(examples, labels, lineage_of(labels))


def _is_learned(resolution: Resolution) -> bool:
    return resolution.for_training


def lineage_of(labels: pa.Table, source: str = "") -> Lineage:
    """Where these label events came from; withdrawals are no resolutions, but part of the digest."""
    rows = [row for row in labels.to_pylist() if row["resolution_id"] is not None]
    made = [row for row in rows if row["source"] != "withdrawn"]
    return Lineage(
        resolutions=len(made),
        resolutions_digest=_ids_digest([f"{row['source']}:{row['resolution_id']}" for row in rows]),
        model_versions=tuple(sorted({row["model_version"] for row in made})),
        policy_hashes=tuple(sorted({row["policy_hash"] for row in made})),
        collected_until=max((row["decided_at"] for row in made), default=None),
        source=source,
    )


def _check_columns(frame: pd.DataFrame, task: Task) -> None:
    named = (*task.inputs, *task.kept, task.id, task.subject, task.time, task.label)
    missing = [name for name in dict.fromkeys(named) if name is not None and name not in frame.columns]
    if missing:
        raise InputError(
            f"The base data lack {', '.join(missing)}; they have {', '.join(map(str, frame.columns))}.",
            remedy="Mend the names under `task` in hitl.yaml.",
            missing=missing,
        )
    if frame.empty:
        raise InputError(
            "The base data have no rows.", remedy="Name a file with rows as `model.base` in hitl.yaml."
        )


def _ids(frame: pd.DataFrame, task: Task) -> pd.Series[Any]:
    if task.id:
        return _names(frame[task.id])
    names = list(task.inputs)
    rows = frame[names].astype(object).itertuples(index=False, name=None)
    return pd.Series(
        made_ids(dict(zip(names, row, strict=True)) for row in rows), index=frame.index, dtype=object
    )


def _names(column: pd.Series[Any]) -> pd.Series[Any]:
    """Ids as the intake of cases spells them; None where there is none."""
    return pd.Series(
        [name or None for name in screen_id(column).column.tolist()], index=column.index, dtype=object
    )


def _times(frame: pd.DataFrame, task: Task, now: datetime) -> pd.Series[Any]:
    if not task.time:
        return pd.Series([now] * len(frame), index=frame.index)
    try:
        return pd.to_datetime(frame[task.time], utc=True)
    except (ValueError, TypeError) as exc:
        raise InputError(
            f"The column {task.time!r} holds no times: {exc}.",
            remedy="Write times as 2026-01-31T12:00:00+00:00, or leave `task.time` out of hitl.yaml.",
            column=task.time,
        ) from exc


def _base_labels(frame: pd.DataFrame, task: Task, ids: pd.Series[Any], now: datetime) -> pa.Table:
    truth = (
        frame[task.label] if task.label else pd.Series([None] * len(frame), index=frame.index, dtype=object)
    )
    labels = truth.map(label_text, na_action="ignore")
    has_label = labels.notna()
    unknown = sorted(set(labels[has_label]) - set(task.classes))
    if unknown:
        raise InputError(
            f"The base data have labels that are no classes: {', '.join(unknown[:5])}.",
            remedy=f"Add them to `task.classes` in hitl.yaml, which has {', '.join(task.classes)}.",
            classes=unknown,
        )
    count = int(has_label.sum())
    columns: dict[str, Any] = {
        name: pa.nulls(count, LABEL_SCHEMA.field(name).type) for name in LABEL_SCHEMA.names
    }
    columns["example_id"] = pa.array(ids[has_label], pa.string())
    columns["label"] = pa.array(labels[has_label], pa.string())
    columns["source"] = pa.repeat("base", count)
    columns["decided_at"] = pa.repeat(pa.scalar(now, pa.timestamp("us", tz="UTC")), count)
    return pa.table(columns, schema=LABEL_SCHEMA)


def label_text(value: Any) -> str | None:
    """A label as text; a whole number is its own text (8 and 8.0 are "8"), a missing one None."""
    if value is None or pd.isna(value):
        return None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)


def _decision(decisions: Mapping[str, Decision], resolution: Resolution) -> Decision:
    try:
        return decisions[resolution.decision_id]
    except KeyError as exc:
        raise _missing("decision", resolution.decision_id) from exc


def _case(cases: Mapping[str, Case], case_id: str) -> Case:
    try:
        return cases[case_id]
    except KeyError as exc:
        raise _missing("case", case_id) from exc


def _missing(what: str, name: str) -> InputError:
    return InputError(
        f"The {what} {name} of a resolution is not in the log.",
        remedy="Run `hitl doctor`; the database may be of another project.",
        name=name,
    )


def _event(resolution: Resolution, decision: Decision, source: str, at: datetime) -> dict[str, Any]:
    return {
        "example_id": decision.case_id,
        "label": None if source == "withdrawn" else resolution.label,
        "source": source,
        "resolution_id": resolution.resolution_id,
        "reviewers": ",".join(resolution.reviewers),
        "model_label": resolution.model_label,
        "model_version": decision.model_version,
        "policy_hash": decision.policy_hash,
        "pi": decision.pi,
        "decided_at": at,
    }


def _examples(cases: Sequence[Case], columns: Columns) -> pa.Table:
    arrays = [_column([_value(case, name) for case in cases], name, kind) for name, kind in columns]
    return pa.table(arrays, schema=schema_of(columns))


def _value(case: Case, name: str) -> Any:
    known = {"example_id": case.case_id, "subject": case.subject, "at": case.at}
    return known[name] if name in known else case.inputs.get(name, case.attributes.get(name))


def _column(values: list[Any], name: str, kind: str) -> pa.Array:
    try:
        if kind in {"time", "date"}:  # a case keeps JSON values: times are text there
            values = [None if value is None else pd.Timestamp(value).to_pydatetime() for value in values]
        return pa.array(values, parse_type(kind))
    except (pa.ArrowInvalid, pa.ArrowTypeError, ValueError, TypeError, OverflowError) as exc:
        raise InputError(
            f"A resolved case has a value for {name!r} that is no {kind}: {exc}.",
            remedy=f"Bring {name!r} as {kind}, as in the base data.",
            column=name,
        ) from exc


def _ids_digest(ids: Sequence[str]) -> str:
    return f"sha256:{sha256_hex(canonical_json(list(ids)))}"
