"""Who may answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hitl_mlops.documents import Piece, read_yaml
from hitl_mlops.ids import keyed_id


@dataclass(frozen=True, slots=True)
class Person:
    """Someone on the roster.

    Attributes:
        person_id: short id used in the trail, e.g. `r3`: no personal data.
        account: log-in on the desk (e-mail).
        name: as colleagues call them.
        skills: lanes beyond `standard` that they may answer, e.g. `senior`.
        active: answers of inactive people are refused.
    """

    person_id: str
    account: str
    name: str = ""
    skills: tuple[str, ...] = ()
    active: bool = True


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


_KEYS = ("id", "account", "name", "skills", "active")


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
    skills = fields.get("skills")
    if skills is not None and not isinstance(skills.value, list):
        raise skills.wrong("skills is no list of lanes.", "Write skills: [senior].")
    return Person(
        person_id=fields["id"].text().strip(),
        account=fields["account"].text().strip(),
        name=fields["name"].text() if "name" in fields else "",
        skills=tuple(skill.text() for skill in skills.items()) if skills else (),
        active=fields["active"].flag() if "active" in fields else True,
    )


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
