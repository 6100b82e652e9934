"""What `hitl init` took each column for, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from hitl_mlops.decisions.task import InputKind


class Role(StrEnum):
    """What a column is to the project."""

    LABEL = "label"
    INPUT = "input"
    ID = "id"
    TIME = "time"
    SUBJECT = "subject"
    SHOWN = "shown"
    """A reviewer sees it beside the input; the model does not."""
    LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user said already; None: to be found.

    Attributes:
        kind: text, table or image.
        label: column of the truth.
        id: column of the case id.
        time: column of the event time.
        subject: column of the person or account.
        text: column of the text; makes the kind text.
    """

    kind: InputKind | None = None
    label: str | None = None
    id: str | None = None
    time: str | None = None
    subject: str | None = None
    text: str | None = None

    def columns(self) -> Mapping[str, str]:
        """Option → column, of the columns that were named."""
        named = {"label": self.label, "id": self.id, "time": self.time, "subject": self.subject}
        return {option: name for option, name in {**named, "text": self.text}.items() if name is not None}


@dataclass(frozen=True, slots=True)
class ProposedColumn:
    """One column of the table, or one block of pixel columns by its pattern.

    Attributes:
        name: the column, or a pattern such as `pixel_*`.
        role: what it is to the project.
        type: what its cells hold, one word.
        why: one sentence for people.
    """

    name: str
    role: Role
    type: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A project that fits a table.

    Attributes:
        kind: text, table or image.
        kind_why: one sentence for people.
        rows: rows of the table.
        columns: every column with its role, in the table's order.
        classes: label → number of examples, most frequent first.
        warnings: what the user should look at before going on, a sentence each.
    """

    kind: InputKind
    kind_why: str
    rows: int
    columns: tuple[ProposedColumn, ...]
    classes: Mapping[str, int]
    warnings: tuple[str, ...]

    def names(self, role: Role) -> tuple[str, ...]:
        """The columns of that role, in the table's order."""
        return tuple(column.name for column in self.columns if column.role is role)

    def name(self, role: Role) -> str | None:
        """The one column of that role; None where there is none."""
        return next(iter(self.names(role)), None)
