"""The guideline of the classes: what each means, its version, and its place on a ticket."""

from __future__ import annotations

from html import escape

from hitl_mlops.decisions.task import Task
from hitl_mlops.ids import canonical_json, sha256_hex

VERSION_LENGTH = 8
_FIELD = "guide_"
BUTTONS_AT_MOST = 12
"""Up to so many classes stand as buttons, each with its guideline; more stand in a list one types into."""


def guideline_version(task: Task) -> str:
    """Names what the guideline says of all classes, 8 hex digits; empty where there is none."""
    if not task.guideline:
        return ""
    return sha256_hex(canonical_json([list(pair) for pair in task.guideline]))[:VERSION_LENGTH]


def is_guide(field: str) -> bool:
    """The field holds what the guideline says of a class, and nothing of the model's."""
    return field.startswith(_FIELD)


def guide_field(name: str) -> str:
    """The field of a ticket that holds what the guideline says of the class.

    >>> guide_field("fraud") == guide_field("fraud") != guide_field("other")
    True
    """
    return f"{_FIELD}{sha256_hex(name.encode())[:VERSION_LENGTH]}"


def guides_of(task: Task) -> tuple[str, ...]:
    """The classes whose guideline every ticket carries, for whoever picks one; none where there are many."""
    return tuple(name for name, _ in task.guideline) if len(task.classes) <= BUTTONS_AT_MOST else ()


def guide_html(task: Task, name: str) -> str:
    """What the guideline says of the class, with its version, as HTML; says so where it is silent."""
    said = dict(task.guideline).get(name, "")
    words = escape(said) if said else "The guideline says nothing of this class."
    return (
        f'<div style="font-size:13px"><b>{escape(name)}</b>: {words} '
        f'<span style="opacity:.7">guideline {guideline_version(task)}</span></div>'
    )
