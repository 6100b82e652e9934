"""Who gets which sheet. Pure: sheets, people and the clock in, claims out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hitl_mlops.documents import parse_duration
from hitl_mlops.ids import keyed_digest
from hitl_mlops.review.claims import Claim
from hitl_mlops.review.roster import AT_MOST, Person
from hitl_mlops.routing.policy import Policy

HELD_FOR = timedelta(hours=2)
BATCH = 5
"""So many similar sheets go to one person before another gets the next."""
TOGETHER = timedelta(hours=1)
"""Deadlines within one hour count as one, so that similar cases find together."""


@dataclass(frozen=True, slots=True)
class ClaimPolicy:
    """How sheets are handed out; `review.claims` of the policy.

    Attributes:
        held_for: how long a sheet is one person's.
        at_once: how many somebody holds at a time, at the most; the roster may say less.
        language: the column that says in which language a case is; None: it is not asked.
    """

    held_for: timedelta = HELD_FOR
    at_once: int = AT_MOST
    language: str | None = None


def claim_policy(policy: Policy) -> ClaimPolicy | None:
    """What the policy says of claims; None: sheets are not handed out, and everybody takes what they find."""
    said = policy.section("review").get("claims")
    if said is None:
        return None
    held_for = parse_duration(str(said.get("for", "")))
    return ClaimPolicy(held_for or HELD_FOR, said.get("at_once", AT_MOST), said.get("language"))


@dataclass(frozen=True, slots=True)
class Free:
    """A sheet that somebody is to have.

    Attributes:
        ticket_id, task_id: the ticket, and the sheet on the desk.
        lane: where it lies.
        suggestion: the class that the model gave: what makes cases similar.
        due_at: the ticket's deadline.
        risk: place of its lane in the order of rising oversight.
        skill: what who answers must be able to do; None: anybody may.
        meant_for: roster id of the one person asked; None: whoever may.
        language: of the case; None: unknown.
        with_: people who have, or answered, another sheet of the ticket: they get none.
        barred: people who must not answer it beside those.
        lapsed: people who had it and let their time end.
    """

    ticket_id: str
    task_id: str
    lane: str
    suggestion: str
    due_at: datetime
    risk: int = 0
    skill: str | None = None
    meant_for: str | None = None
    language: str | None = None
    with_: frozenset[str] = frozenset()
    barred: frozenset[str] = frozenset()
    lapsed: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Hands:
    """What people hold while sheets are handed out."""

    room: dict[str, int]
    share: dict[str, int]
    last: dict[str, tuple[str, str]] = field(default_factory=dict)
    run: Counter[str] = field(default_factory=Counter)

    def take(self, person: str, sheet: Free) -> None:
        similar = (sheet.lane, sheet.suggestion)
        self.run[person] = self.run[person] + 1 if self.last.get(person) == similar else 1
        self.last[person] = similar
        self.room[person] -= 1


def hand_out(
    sheets: Sequence[Free],
    people: Sequence[Person],
    held: Mapping[str, int],
    met: Mapping[frozenset[str], int],
    policy: ClaimPolicy,
    *,
    key: bytes,
    now: datetime,
) -> list[Claim]:
    """The claims that are made now, most urgent first; sheets that nobody may or can have now stay free.

    A sheet goes to somebody who has the skill and reads the language, has room, and has no other sheet of the
    ticket. Of several to the one who has not let it lapse, has met the others least often, stands lowest, is
    at similar cases already, and has the most room; ties go by a keyed digest.

    Args:
        sheets: what is free.
        people: of the roster; inactive ones get nothing.
        held: roster id → how many sheets that person has.
        met: two roster ids → how often both answered one ticket lately.
        policy: how sheets are handed out.
        key: the project's policy key.
        now: when the claims begin.
    """
    limits = {one.person_id: min(one.at_most, policy.at_once) for one in people if one.active}
    hands = _Hands({name: limit - held.get(name, 0) for name, limit in limits.items()}, dict(limits))
    pairs, taken = Counter(met), dict[str, set[str]]()
    made: list[Claim] = []
    for sheet in sorted(sheets, key=_urgency):
        others = set(sheet.with_) | taken.get(sheet.ticket_id, set())
        able = [one for one in people if _may(one, sheet, others) and hands.room.get(one.person_id, 0) > 0]
        if not able:
            continue
        chosen = min(able, key=lambda one: _rank(one, sheet, others, pairs, hands, key)).person_id
        hands.take(chosen, sheet)
        pairs.update(frozenset((chosen, other)) for other in others)
        taken.setdefault(sheet.ticket_id, set()).add(chosen)
        made.append(Claim(sheet.ticket_id, sheet.task_id, chosen, now, now + policy.held_for))
    return made


def _urgency(sheet: Free) -> tuple[float, int, str, datetime, str, int]:
    """The earlier hour of the deadline first, then the riskier lane, then what is similar."""
    hour = sheet.due_at.timestamp() // TOGETHER.total_seconds()
    return hour, -sheet.risk, sheet.suggestion, sheet.due_at, sheet.ticket_id, int(sheet.task_id)


def _may(person: Person, sheet: Free, others: set[str]) -> bool:
    name = person.person_id
    is_free = name not in others and name not in sheet.barred
    is_asked = sheet.meant_for in (None, name)
    return person.active and is_free and is_asked and person.can(sheet.skill) and person.reads(sheet.language)


def _rank(
    person: Person,
    sheet: Free,
    others: set[str],
    met: Mapping[frozenset[str], int],
    hands: _Hands,
    key: bytes,
) -> tuple[bool, int, int, bool, float, bytes]:
    name = person.person_id
    often = sum(met.get(frozenset((name, other)), 0) for other in others)
    at_it = hands.last.get(name) == (sheet.lane, sheet.suggestion) and hands.run[name] < BATCH
    fullness = 1 - hands.room[name] / hands.share[name]
    draw = keyed_digest(key, "claim", sheet.task_id, name)
    return name in sheet.lapsed, often, person.stands, not at_it, fullness, draw
