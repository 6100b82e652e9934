"""The road that led to a thing, or on from it, walked along the refs of the trail. Pure.

Roles stand in the order in which things come into being; a walk towards the origins follows refs to earlier
roles only, a walk towards the effects to later ones, so that it ends. People, policies and whatever has no
place in that order are told where they are met, and not followed: one reviewer leads to everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Any

from hitl_mlops.audit.entry import Entry
from hitl_mlops.errors import NotFoundError

ROAD = ("decision", "ticket", "answer", "resolution", "dataset", "model", "gates", "approval", "rollout")
"""Roles in refs, earliest first."""

OWN_ROLE = {
    "decisions": "decision",
    "tickets": "ticket",
    "answers": "answer",
    "resolutions": "resolution",
    "dataset": "dataset",
    "model": "model",
    "gates": "gates",
    "approval": "approval",
    "rollout": "rollout",
}
"""What an entry is first of all about, by the first word of its kind. `decisions.recorded` names the model
that decided, but is a decision's entry: the decision did not bring that model about."""

KNOWN_BY = (
    ("a model version", "7"),
    ("a dataset", "sha256:…, whole"),
    ("a decision", "d_…"),
    ("a ticket", "t_…"),
    ("a resolution", "res_…"),
    ("an approval", "ap_…"),
    ("a rollout", "ro_…"),
)
"""What can be asked for, and how its id looks. A case's own id never stands in the trail."""

About = Callable[[str], Sequence[Entry]]
"""The entries that name an id, in order: `Trail.about`."""

BlockOf = Callable[[str], str | None]
"""The block in which the decision of that id stands; None where it is no decision."""

Refs = Mapping[str, Sequence[str]]
Body = dict[str, Any]


class Direction(StrEnum):
    """Which way to walk."""

    ORIGINS = "origins"
    EFFECTS = "effects"


@dataclass(frozen=True, slots=True)
class Step:
    """One entry met on the road.

    Attributes:
        sequence: its place in the trail.
        kind: what happened.
        actor: who did it.
        at: when, ISO 8601 in UTC.
        beside: refs that are not followed (person, policy …), as they concern this thing.
        facts: the entry's facts.
    """

    sequence: int
    kind: str
    actor: str
    at: str
    beside: Refs
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Stop:
    """One thing on the road: what happened to it, and where the road goes from there.

    Attributes:
        role: what it is; empty where no entry says.
        ref: its id.
        steps: the entries that tell of it, in order; those of earlier things that only name it are left out.
        branches: the things it came from (or led to), each found once on the whole road.
        more: by role, how many further branches were left out.
    """

    role: str
    ref: str
    steps: tuple[Step, ...]
    branches: tuple[Stop, ...]
    more: Mapping[str, int]

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Stop]]:
        """This stop and all behind it with their depth, as a reader goes down the page."""
        yield depth, self
        for branch in self.branches:
            yield from branch.walk(depth + 1)


def trace(
    ref: str,
    about: About,
    *,
    towards: Direction = Direction.ORIGINS,
    role: str | None = None,
    widest: int = 5,
    block_of: BlockOf = lambda _ref: None,
) -> Stop:
    """The road from this id, as a tree.

    Args:
        ref: the id to begin with: a model version, dataset, resolution, answer, decision …
        about: which entries name an id; `Trail.about`.
        towards: to what it came from, or to what came of it.
        role: what the id is; by default the latest role on the road that entries give it.
        widest: how many branches of one role are followed from one stop; `Stop.more` counts the rest.
        block_of: where a decision stands; entries of recorded decisions name blocks, not every decision.

    Raises:
        NotFoundError: no entry names this id (in this role).
    """
    told = partial(_bodies, about, block_of)
    found = _roles(ref, told(ref))
    begin = role or max(found, key=_place, default=None)
    if begin is None or begin not in found:
        raise _unknown(ref, role, found)
    return _Walk(told, towards, widest, {(begin, ref)}).stop(begin, ref)


@dataclass(frozen=True, slots=True)
class _Walk:
    told: Callable[[str], Sequence[Body]]
    towards: Direction
    widest: int
    seen: set[tuple[str, str]]

    def stop(self, role: str, ref: str) -> Stop:
        steps: list[Step] = []
        ahead: dict[str, dict[str, None]] = {}
        for body in self.told(ref):
            own = OWN_ROLE.get(body["kind"].split(".")[0], role)
            if ref not in body["refs"].get(role, ()) or _place(own) < _place(role):
                continue
            related = _same_rows(body["refs"], role, ref)
            leads = {other for other in related if self.leads(role, own, other)}
            for other in leads:
                ahead.setdefault(other, {}).update(dict.fromkeys(related[other]))
            beside = {other: ids for other, ids in related.items() if other not in leads}
            steps.append(Step(body["seq"], body["kind"], body["actor"], body["at"], beside, body["facts"]))
        branches, more = self.branches(ahead)
        return Stop(role, ref, tuple(steps), branches, more)

    def leads(self, role: str, own: str, other: str) -> bool:
        """Whether an entry of role `own` leads from a thing in `role` to the things it names as `other`."""
        if other not in ROAD:
            return False
        if self.towards is Direction.ORIGINS:
            return own == role and _place(other) < _place(role)
        return own == other and _place(other) > _place(role)

    def branches(self, ahead: Mapping[str, Mapping[str, None]]) -> tuple[tuple[Stop, ...], dict[str, int]]:
        """The stops ahead, the nearest role first, and how many were left out."""
        followed: list[Stop] = []
        more: dict[str, int] = {}
        for role in sorted(ahead, key=_place, reverse=self.towards is Direction.ORIGINS):
            new = [ref for ref in ahead[role] if (role, ref) not in self.seen]
            self.seen.update((role, ref) for ref in new[: self.widest])
            followed += [self.stop(role, ref) for ref in new[: self.widest]]
            if new[self.widest :]:
                more[role] = len(new) - self.widest
        return tuple(followed), more


def _same_rows(refs: Refs, role: str, ref: str) -> dict[str, list[str]]:
    """The other refs that belong to this one: the same rows of lists as long as its own, else all."""
    mine = refs[role]
    places = [at for at, one in enumerate(mine) if one == ref]
    rows = {
        other: [ids[at] for at in places] if len(ids) == len(mine) > 1 else list(ids)
        for other, ids in refs.items()
        if other != role
    }
    return {other: list(dict.fromkeys(ids)) for other, ids in rows.items() if ids}


def _unknown(ref: str, role: str | None, found: set[str]) -> NotFoundError:
    if found:
        known = ", ".join(sorted(found))
        return NotFoundError(
            f"The trail knows {ref!r} as {known}, not as a {role}.", remedy="Ask for one of these.", ref=ref
        )
    return NotFoundError(
        f"The trail does not know {ref!r}. It knows {', '.join(f'{one} ({id_})' for one, id_ in KNOWN_BY)}.",
        remedy="Type: hitl rollout status, for the version that serves; hitl dataset list, for the digests; "
        "or hitl audit trace VERSION, which names the others on its road.",
        ref=ref,
    )


def _place(role: str) -> int:
    return ROAD.index(role) if role in ROAD else -1


def _bodies(about: About, block_of: BlockOf, ref: str) -> list[Body]:
    """What the entries about an id say; that of its block is read as if it named the decision."""
    block = block_of(ref)
    recorded = [entry.read() for entry in about(block)] if block is not None else []
    named = [body | {"refs": {"decision": [ref], **body["refs"]}} for body in recorded]
    return [*named, *(entry.read() for entry in about(ref))]


def _roles(ref: str, told: Sequence[Body]) -> set[str]:
    return {role for body in told for role, ids in body["refs"].items() if ref in ids}
