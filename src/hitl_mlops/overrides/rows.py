"""Answers and resolutions as rows of the database, and back."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import sqlalchemy as sa

from hitl_mlops.database.tables import answers
from hitl_mlops.ids import instant, parse_instant
from hitl_mlops.overrides.record import AnswerState, KeptAnswer, Method, Resolution
from hitl_mlops.review.answer import Answer, Verdict

_PLAIN = (
    "desk",
    "annotation_id",
    "revision",
    "task_id",
    "ticket_id",
    "reviewer",
    "edited_by",
    "label",
    "rationale",
    "reason_code",
    "seconds",
    "skipped",
    "payload_hash",
    "for_training",
)
"""Columns of `answers` that hold an attribute of `Answer` as it is."""


def answer_row(kept: KeptAnswer) -> dict[str, Any]:
    """The row of table `answers`."""
    answer = kept.answer
    return {
        **{name: _storable(name, getattr(answer, name)) for name in _PLAIN},
        "key": kept.key,
        "verdict": answer.verdict.value if answer.verdict else None,
        "stated": answer.stated.value if answer.stated else None,
        "error_tags": list(answer.error_tags),
        "answered_at": instant(answer.answered_at),
        "state": kept.state.value,
        "reasons": list(kept.reasons),
        "person": kept.person,
        "collected_at": instant(kept.collected_at),
        "ruled_by": kept.ruled_by,
        "ruling": kept.ruling,
    }


def _storable(column: str, value: Any) -> Any:
    """The value as every database can hold it: people may send text with lone surrogates, NUL, any length.

    Without this a single such answer would stop every later collection. Its payload hash is of the original.
    """
    if not isinstance(value, str):
        return value
    text = value.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    return text[: getattr(answers.c[column].type, "length", None)]


def kept_answer(row: sa.RowMapping) -> KeptAnswer:
    """What `answer_row` wrote."""
    answer = Answer(
        **{name: row[name] for name in _PLAIN},
        verdict=Verdict(row["verdict"]) if row["verdict"] else None,
        stated=Verdict(row["stated"]) if row["stated"] else None,
        error_tags=tuple(row["error_tags"]),
        answered_at=parse_instant(row["answered_at"]),
    )
    return KeptAnswer(
        key=row["key"],
        answer=answer,
        state=AnswerState(row["state"]),
        reasons=tuple(row["reasons"]),
        person=row["person"],
        collected_at=parse_instant(row["collected_at"]),
        ruled_by=row["ruled_by"],
        ruling=row["ruling"],
    )


def resolution_row(resolution: Resolution) -> dict[str, Any]:
    """The row of table `resolutions`, standing."""
    return {
        **asdict(resolution),
        "method": resolution.method.value,
        "answer_keys": list(resolution.answer_keys),
        "reviewers": list(resolution.reviewers),
        "reason_codes": list(resolution.reason_codes),
        "resolved_at": instant(resolution.resolved_at),
        "withdrawn_at": None,
    }


def kept_resolution(row: sa.RowMapping) -> Resolution:
    """What `resolution_row` wrote."""
    return Resolution(
        resolution_id=row["resolution_id"],
        decision_id=row["decision_id"],
        ticket_id=row["ticket_id"],
        ticket_kind=row["ticket_kind"],
        label=row["label"],
        model_label=row["model_label"],
        method=Method(row["method"]),
        answer_keys=tuple(row["answer_keys"]),
        reviewers=tuple(row["reviewers"]),
        reason_codes=tuple(row["reason_codes"]),
        resolved_at=parse_instant(row["resolved_at"]),
        for_training=row["for_training"],
    )
