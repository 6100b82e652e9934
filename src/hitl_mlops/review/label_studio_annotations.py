"""Label Studio's raw annotations, read as answers. Whatever stands in them, reading never fails."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hitl_mlops.ids import canonical_json, sha256_hex
from hitl_mlops.review.answer import Answer, Said, Verdict, read_said
from hitl_mlops.review.desk import DeskTask

_VERDICTS = frozenset(one.value for one in Verdict)
_BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)
ANNOTATION_FIELDS = (
    "id",
    "result",
    "completed_by",
    "updated_by",
    "lead_time",
    "was_cancelled",
    "created_at",
    "updated_at",
)
"""Fields of an annotation that are asked for; the payload's hash is taken over these."""


def read_task(raw: Mapping[str, Any], desk: str, people: Mapping[int, str]) -> DeskTask:
    """A task of Label Studio's list with all its replies, oldest first.

    Args:
        raw: the task, with `id`, `updated_at`, `data` and `annotations`.
        desk: name of the desk, for the answers' keys.
        people: user id → account, for `updated_by`, which is given as an id.
    """
    data = raw.get("data")
    ticket_id, model_label = _shown(data, "ticket_id"), _shown(data, "model_label")
    task_id = str(raw["id"])
    annotations = [item for item in raw.get("annotations") or () if isinstance(item, Mapping)]
    answers = [read_annotation(item, desk, task_id, ticket_id, people, model_label) for item in annotations]
    return DeskTask(
        task_id=task_id,
        ticket_id=ticket_id,
        changed_at=moment_text(raw.get("updated_at")),
        answers=tuple(sorted(answers, key=lambda answer: (answer.answered_at, answer.annotation_id))),
    )


def read_annotation(
    raw: Mapping[str, Any],
    desk: str,
    task_id: str,
    ticket_id: str | None,
    people: Mapping[int, str],
    model_label: str | None = None,
) -> Answer:
    """One annotation as an answer; what is missing or of an unknown shape becomes None or empty.

    `model_label` is the class that the page showed as the model's; None where it showed none.
    """
    kept = {name: raw.get(name) for name in ANNOTATION_FIELDS}
    reviewer = _account(raw.get("completed_by"), people)
    return Answer(
        desk=desk,
        annotation_id=str(raw.get("id")),
        revision=moment_text(raw.get("updated_at")),
        task_id=task_id,
        ticket_id=ticket_id,
        reviewer=reviewer,
        edited_by=_account(raw.get("updated_by"), people) or reviewer,
        seconds=_finite(raw.get("lead_time")),
        answered_at=_moment(raw.get("created_at")),
        skipped=bool(raw.get("was_cancelled")),
        payload_hash=sha256_hex(canonical_json(kept)),
        **read_said(_said(raw), model_label),
    )


def _said(raw: Mapping[str, Any]) -> Said:
    stated = _choice(raw, "verdict")
    return Said(
        label=_choice(raw, "label"),
        rationale=_written(raw),
        reason_code=_choice(raw, "reason_code"),
        stated=Verdict(stated) if stated in _VERDICTS else None,
        error_tags=tuple(tag for tag in _values(raw, "error_tags", "choices") if isinstance(tag, str)),
        for_training="no" not in _values(raw, "for_training", "choices"),
    )


def _shown(data: Any, name: str) -> str | None:
    found = data.get(name) if isinstance(data, Mapping) else None
    return found if isinstance(found, str) else None


def moment_text(value: Any) -> str:
    """Label Studio's time with its fraction always written, so that text order is time order.

    It leaves the fraction out where it is zero. What is no time becomes the year 1970.

    >>> moment_text("2026-11-21T03:58:56Z")
    '2026-11-21T03:58:56.000000Z'
    """
    return _moment(value).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _moment(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return _BEGINNING
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _finite(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _account(user: Any, people: Mapping[int, str]) -> str:
    """The e-mail of a user given as an object or an id; `user:ID` for one who is not on the desk any more."""
    if isinstance(user, Mapping):
        email = user.get("email")
        return email if isinstance(email, str) and email else _account(user.get("id"), people)
    if isinstance(user, int):
        return people.get(user, f"user:{user}")
    return ""


def _values(raw: Mapping[str, Any], control: str, key: str) -> list[Any]:
    results = raw.get("result")
    for item in results if isinstance(results, list) else ():
        if isinstance(item, Mapping) and item.get("from_name") == control:
            value = item.get("value")
            found = value.get(key) if isinstance(value, Mapping) else None
            return found if isinstance(found, list) else [found]
    return []


def _choice(raw: Mapping[str, Any], control: str) -> str | None:
    """The one choice made; None where none, or several, were."""
    found = _values(raw, control, "choices")
    return found[0] if len(found) == 1 and isinstance(found[0], str) else None


def _written(raw: Mapping[str, Any]) -> str:
    return "\n".join(text for text in _values(raw, "rationale", "text") if isinstance(text, str)).strip()
