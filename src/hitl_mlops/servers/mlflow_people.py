"""Who may do what in MLflow: a small file of groups, read by MLflow's app and by the project."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from hitl_mlops.documents import read_yaml

PEOPLE_FILE = "mlflow-people.yaml"


class Role(StrEnum):
    """What an account is in MLflow; one account may be several, but the pipeline is nothing else."""

    READER = "reader"
    """Every account: looks at everything, changes nothing."""
    TRAINER = "trainer"
    """Trains and registers versions."""
    RELEASE_MANAGER = "release manager"
    """Approves versions that somebody else made."""
    PIPELINE = "pipeline"
    """The project itself: judges, describes, moves aliases."""
    ADMIN = "admin"
    """MLflow's administrator: accounts, clearing away. Approves nothing."""


GROUPS: Mapping[str, Role] = {
    "release-managers": Role.RELEASE_MANAGER,
    "trainers": Role.TRAINER,
    "pipeline": Role.PIPELINE,
}
"""Key of the file → what its accounts are. Administrators are those of MLflow."""


@dataclass(frozen=True, slots=True)
class People:
    """Accounts of MLflow by group.

    Attributes:
        groups: group → accounts.
    """

    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def accounts(self) -> tuple[str, ...]:
        """Every account named, once, in the file's order."""
        return tuple(dict.fromkeys(name for names in self.groups.values() for name in names))

    def groups_of(self, account: str) -> tuple[str, ...]:
        """The groups that name the account, sorted."""
        return tuple(sorted(group for group, names in self.groups.items() if account in names))

    def roles_of(self, account: str, *, is_admin: bool = False) -> frozenset[Role]:
        """What the account is; whoever is in no group reads.

        >>> sorted(People({"trainers": ("tess",)}).roles_of("tess"))
        [<Role.READER: 'reader'>, <Role.TRAINER: 'trainer'>]
        """
        named = {GROUPS[group] for group in self.groups_of(account)}
        return frozenset({Role.READER, *named, *({Role.ADMIN} if is_admin else ())})


def read_people(path: Path) -> People:
    """The people of the file.

    Raises:
        ConfigurationError: no such file, an unknown group, no list of names, or an account that is the
            pipeline and also somebody else; the line is named.
    """
    groups: dict[str, tuple[str, ...]] = {}
    for group, piece in read_yaml(path).fields(GROUPS).items():
        names = piece.items() if piece.value is not None else []
        groups[group] = tuple(dict.fromkeys(one.text() for one in names))
    _refuse_pipeline_elsewhere(path, groups)
    return People(groups)


def _refuse_pipeline_elsewhere(path: Path, groups: Mapping[str, Collection[str]]) -> None:
    pipeline = set(groups.get("pipeline", ()))
    for group, piece in read_yaml(path).fields().items():
        twice = sorted(pipeline & set(groups[group])) if group != "pipeline" else []
        if twice:
            raise piece.wrong(
                f"{', '.join(twice)} is also the pipeline, which may not approve what it made.",
                "Give the pipeline an account of its own.",
            )


def people_text(people: People) -> str:
    """The file that `read_people` reads."""
    lines = [
        "# Who may do what in MLflow (docs/how-to/approve-in-mlflow.md). Names are MLflow accounts; one",
        "# that MLflow does not know is made by the next `hitl up`.",
    ]
    lines += [f"{group}: [{', '.join(people.groups.get(group, ()))}]" for group in GROUPS]
    return "\n".join(lines) + "\n"
