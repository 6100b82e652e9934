"""Who may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from hitl_mlops.documents import Piece, read_yaml
from hitl_mlops.ids import keyed_id


class Tier(IntEnum):
    """How far up the escalation ladder somebody answers; each may do what those below may."""

    REVIEWER = 1
    SPECIALIST = 2
    SUPERVISOR = 3
    GOVERNANCE = 4


RUNGS: Mapping[str, Tier] = {**{tier.name.lower(): tier for tier in Tier}, "senior": Tier.SPECIALIST}
"""Skills that are a tier: who stands so high has them unlisted, and who lists one stands so high."""

AT_MOST = 20
"""Claims that somebody holds at a time, where the roster says nothing."""


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the roster.

    Attributes:
        person_id: short id used in the trail, e.g. `r3`: no personal data.
        account: log-in on the desk (e-mail).
        name: as colleagues call them.
        skills: what they can do beyond what anybody can, as `skill` in the policy names it, e.g. `senior`.
        active: answers of inactive people are refused.
        tier: how high they stand, skills not counted.
        languages: languages of the cases they read; empty: each.
        at_most: how many claims they hold at a time, ≥ 1.
    """

    person_id: str
    account: str
    name: str = ""
    skills: tuple[str, ...] = ()
    active: bool = True
    tier: Tier = Tier.REVIEWER
    languages: tuple[str, ...] = ()
    at_most: int = AT_MOST

    @property
    def stands(self) -> Tier:
        """The highest tier of theirs, skills counted."""
        return max((self.tier, *(RUNGS[skill] for skill in self.skills if skill in RUNGS)))

    def can(self, skill: str | None) -> bool:
        """They have the skill, or stand as high as it says; None asks for none.

        >>> Person("r1", "ann@x.org", tier=Tier.SUPERVISOR).can("senior")
        True
        """
        return skill is None or skill in self.skills or (skill in RUNGS and self.stands >= RUNGS[skill])

    def reads(self, language: str | None) -> bool:
        """They read that language; a case without one is for everybody."""
        return not language or not self.languages or language.lower() in self.languages


@dataclass(frozen=True, slots=True)
class Roster:
    """The people of `reviewers.yaml`; an empty roster accepts every account of the desk.

    Attributes:
        people: in the file's order; accounts compare without case.
    """

    people: tuple[Person, ...] = ()

    def active_accounts(self) -> Mapping[str, str]:
        """Account (lower case) → person id of those who may answer."""
        return {person.account.lower(): person.person_id for person in self.people if person.active}

    def able(self, skill: str | None) -> tuple[Person, ...]:
        """The active people who have that skill, in the file's order."""
        return tuple(one for one in self.people if one.active and one.can(skill))

    def named(self, person_id: str) -> Person | None:
        """Who has that id; None: nobody."""
        return next((one for one in self.people if one.person_id == person_id), None)

    def label(self, person_id: str) -> str:
        """What the desk calls somebody: by name where only one has it, else by id; never by account."""
        person = self.named(person_id)
        names = [one.name for one in self.people]
        return (
            person.name if person is not None and names.count(person.name) == 1 and person.name else person_id
        )

    def person_id(self, name: str, key: bytes) -> str:
        """How the trail names somebody: by roster id, or by a keyed id that only the key's holder can check.

        Args:
            name: a roster id, an account, or whatever else somebody is called.
            key: the project's policy key.
        """
        wanted = name.strip().lower()
        for person in self.people:
            if wanted in (person.person_id.lower(), person.account.lower()):
                return person.person_id
        return keyed_id("p", key, wanted)


_KEYS = ("id", "account", "name", "skills", "active", "tier", "languages", "at_most")


def read_roster(path: Path) -> Roster:
    """The people of `reviewers.yaml`.

    Raises:
        ConfigurationError: naming the line: no such file, no YAML, a key twice or unknown, a person without
            id or account, or an id or account that stands twice.
    """
    fields = read_yaml(path).fields(["people"])
    listed = fields.get("people")
    if listed is None or listed.value is None:
        return Roster()
    if not isinstance(listed.value, list):
        raise listed.wrong("people is no list.", "Write one `- id: …` for each person.")
    people = [_person(piece) for piece in listed.items()]
    _refuse_doubles(listed.items(), people)
    return Roster(tuple(people))


def _person(piece: Piece) -> Person:
    fields = piece.fields(_KEYS)
    for key in ("id", "account"):
        if key not in fields:
            raise piece.wrong(f"this person has no {key}.", f"Write {key}: as text.")
    return Person(
        person_id=fields["id"].text().strip(),
        account=fields["account"].text().strip(),
        name=fields["name"].text() if "name" in fields else "",
        skills=_words(fields.get("skills"), "skills is no list of skills.", "Write skills: [senior]."),
        active=fields["active"].flag() if "active" in fields else True,
        tier=_tier(fields["tier"]) if "tier" in fields else Tier.REVIEWER,
        languages=tuple(
            one.lower()
            for one in _words(fields.get("languages"), "languages is no list.", "Write languages: [de, en].")
        ),
        at_most=fields["at_most"].whole(1) if "at_most" in fields else AT_MOST,
    )


def _tier(piece: Piece) -> Tier:
    """A tier by its word or its number."""
    words = [tier.name.lower() for tier in Tier]
    if isinstance(piece.value, int) and not isinstance(piece.value, bool):
        if piece.value in list(Tier):
            return Tier(piece.value)
        remedy = f"Write 1 to {len(words)}, or {', '.join(words)}."
        raise piece.wrong(f"there is no tier {piece.value}.", remedy)
    return Tier[piece.text(words).upper()]


def _words(piece: Piece | None, fact: str, remedy: str) -> tuple[str, ...]:
    if piece is None:
        return ()
    if not isinstance(piece.value, list):
        raise piece.wrong(fact, remedy)
    return tuple(each.text() for each in piece.items())


def _refuse_doubles(pieces: Sequence[Piece], people: Sequence[Person]) -> None:
    seen: set[tuple[str, str]] = set()
    for piece, person in zip(pieces, people, strict=True):
        for key, value in (("id", person.person_id), ("account", person.account.lower())):
            if (key, value) in seen:
                raise piece.at(key).wrong(
                    f"the {key} {value!r} stands twice.",
                    "Give each person an id and an account of their own.",
                )
            seen.add((key, value))
