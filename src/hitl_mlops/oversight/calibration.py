"""Which known cases become calibration exercises: blind, half of them such that the model got wrong. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from hitl_mlops.ids import keyed_fraction, keyed_id
from hitl_mlops.oversight.exercise import Known

WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Due:
    """One exercise that is due.

    Attributes:
        ticket_id: its own.
        person: roster id of who is asked.
        model_was_right: whether it is to be a case that the model got right.
    """

    ticket_id: str
    person: str
    model_was_right: bool


@dataclass(frozen=True, slots=True)
class Calibration:
    """One exercise to be opened: the case, for whom, under which ticket."""

    ticket_id: str
    person: str
    known: Known


def due_now(active: Iterable[str], per_week: int, key: bytes, now: datetime) -> list[Due]:
    """What is due in the week of `now` by now, at moments that only the key's holder can foresee.

    Weeks begin on Monday, UTC. Every other one is a case that the model got right, from week to week on.

    >>> from datetime import datetime
    >>> sunday = datetime(2026, 3, 1, 23, 59, tzinfo=UTC)
    >>> [one.model_was_right for one in due_now(["r1"], 3, b"k", sunday)].count(True) in (1, 2)
    True
    """
    today = now.astimezone(UTC)
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - timedelta(days=today.weekday())
    year, week, _ = today.isocalendar()
    found = []
    for person in sorted(set(active)):
        for slot in range(per_week):
            name = ("calibration", person, f"{year}-{week}", str(slot))
            if monday + keyed_fraction(key, *name) * WEEK <= today:
                right = (week * per_week + slot) % 2 == 0
                found.append(Due(keyed_id("t", key, *name), person, right))
    return found


def choose_calibration(
    due: Sequence[Due], known: Sequence[Known], used: AbstractSet[tuple[str, str]], key: bytes
) -> list[Calibration]:
    """A case for each that is due, one that the person never saw; where there is none, there is no exercise.

    Args:
        due: what is due, and not open already.
        known: cases whose truth is known.
        used: (decision id, person) pairs of earlier exercises.
        key: the project's policy key.
    """
    taken, found = set(used), []
    for one in due:
        fitting = [
            each
            for each in known
            if each.model_was_right is one.model_was_right
            and one.person not in each.seen_by
            and (each.decision.decision_id, one.person) not in taken
        ]
        if fitting:
            chosen = min(
                fitting,
                key=lambda each: keyed_fraction(key, "pick", one.ticket_id, each.decision.decision_id),
            )
            taken.add((chosen.decision.decision_id, one.person))
            found.append(Calibration(one.ticket_id, one.person, chosen))
    return found
