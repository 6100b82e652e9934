"""The files of a new project as text. Pure; `write` reads them back before they count."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from glob import escape

from hitl_mlops.decisions.task import InputKind
from hitl_mlops.new_project.proposal import Proposal, Role

_GUIDELINE = "  # classes may be a map, class: what it means; reviewers read that as their guideline"
LISTED_CLASSES = 20
"""Up to this many classes are written out, so that a new one in the data is noticed."""
SHOWN_CLASSES = 4
_WIDTH = 96
_WORDS_OF_YAML = {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}

GITIGNORE = """\
# The database, keys, passwords and models of this project: back the folder up, do not commit it.
*
"""

REVIEWERS = """\
# Who may answer. `id` stands in the audit trail, so let it be no name; `account` is the log-in on the desk.
# With no people listed, every account of Label Studio may answer. For example:
#
# people:
#   - {id: r1, account: ann@example.org, name: Ann, skills: [senior]}
#   - {id: r2, account: bob@example.org, name: Bob}
#   - {id: r3, account: cleo@example.org, name: Cleo, tier: supervisor, languages: [en, de], at_most: 10}
people: []
"""

_SERVICES = """\
# services:                   # all optional: what is left out is kept in .hitl/, or started by `hitl up`
#   database: postgresql+psycopg://user@host/hitl
#   label_studio: {url: "http://127.0.0.1:8080", token: "${LABEL_STUDIO_TOKEN}"}
#   mlflow: {uri: "http://127.0.0.1:5000"}
"""

_SKELETONS = {
    InputKind.TEXT: "  inputs: text                # the column of the text\n",
    InputKind.IMAGE: "  inputs: pixel_*             # the pixel columns, row by row\n",
    InputKind.TABLE: "  inputs: auto                # every column that nothing else claims; or a list\n",
}


def project_file(name: str, base: str, proposal: Proposal) -> str:
    """`hitl.yaml` of what was proposed.

    Args:
        name: of the project and its model.
        base: path of the base data, relative to the project's folder.
        proposal: what was found.
    """
    lines = [
        f"# {proposal.rows:,} rows, {len(proposal.classes)} classes. Written by hitl init; now it is yours.",
        f"project: {quoted(name)}",
        "task:",
        f"  kind: {proposal.kind.value}",
        *_inputs(proposal),
        *_one(proposal, Role.ID, "unique per case"),
        *_one(proposal, Role.SUBJECT, "whose case it is: sampling and splits go by it"),
        *_one(proposal, Role.TIME, "event time, with a zone"),
        f"  label: {quoted(str(proposal.name(Role.LABEL)))}",
        *_classes(proposal.classes),
        *_shown(proposal),
    ]
    return "\n".join(lines) + "\n" + _tail(name, base)


def skeleton_file(name: str, kind: InputKind) -> str:
    """`hitl.yaml` with a comment on each line, for data that are still to come."""
    head = (
        "# Put your data where model.base says, correct the columns, then: hitl doctor\n"
        f"project: {quoted(name)}\n"
        "task:\n"
        f"  kind: {kind.value}                 # text, table or image\n"
        f"{_SKELETONS[kind]}"
        "  # id: case_id               # unique per case; left out: made from the input\n"
        "  # subject: customer_id      # whose case it is: sampling and splits go by it\n"
        "  # time: arrived_at          # event time, with a zone\n"
        "  label: label                # the column of the truth\n"
        "  classes: auto               # those of the base data, or a list\n"
        f"{_GUIDELINE}\n"
        "  # show: [channel]           # what a reviewer sees beside the input; nothing else leaves\n"
    )
    return head + _tail(name, "data/base.csv")


def _tail(name: str, base: str) -> str:
    return (
        "model:\n"
        f"  name: {quoted(name.replace(' ', '-'))}\n"
        f"  base: {base}         # what the first model learns from\n"
        "  recipe: linear              # linear, boosting, or package.module:function\n"
        "policy: policy.yaml\n"
        "reviewers: reviewers.yaml\n"
        f"{_SERVICES}"
    )


def _inputs(proposal: Proposal) -> list[str]:
    names = proposal.names(Role.INPUT)
    if proposal.kind is InputKind.TABLE and not proposal.names(Role.LEFT_OUT):
        return ["  inputs: auto                # every column that nothing else claims"]
    names = tuple(_exactly(name, proposal) for name in names)
    listed = _listed("inputs", names) if len(names) > 1 else [f"  inputs: {quoted(names[0])}"]
    return [*listed, *_left_out(proposal)]


def _exactly(name: str, proposal: Proposal) -> str:
    """The name, spelled so that it is no pattern for other columns where it holds a `*`, `?` or `[`."""
    others = [column.name for column in proposal.columns if column.name != name]
    names_others = any(fnmatchcase(other, name) for other in others)
    return escape(name) if names_others and proposal.kind is not InputKind.IMAGE else name


def _left_out(proposal: Proposal) -> list[str]:
    left = [column for column in proposal.columns if column.role is Role.LEFT_OUT]
    return [
        f"  # left out: {quoted(column.name)} ({' '.join(column.why.split()).rstrip('.')})" for column in left
    ]


def _one(proposal: Proposal, role: Role, comment: str) -> list[str]:
    name = proposal.name(role)
    return [] if name is None else [f"{f'  {role.value}: {quoted(name)}':<30}# {comment}"]


def _classes(classes: Mapping[str, int]) -> list[str]:
    if len(classes) <= LISTED_CLASSES:
        return [*_listed("classes", sorted(classes), always=True), _GUIDELINE]
    return [f"  classes: auto               # the {len(classes)} of the base data"]


def _shown(proposal: Proposal) -> list[str]:
    names = proposal.names(Role.SHOWN)
    if not names:
        return ["  show: []                    # what a reviewer sees beside the input; nothing else leaves"]
    return ["  # A reviewer sees these beside the input; nothing else leaves.", *_listed("show", names)]


def _listed(key: str, names: Sequence[str], *, always: bool = False) -> list[str]:
    written = [quoted(name, always=always) for name in names]
    line = f"  {key}: [{', '.join(written)}]"
    return [line] if len(line) <= _WIDTH else [f"  {key}:", *(f"    - {name}" for name in written)]


def quoted(name: str, *, always: bool = False) -> str:
    """The name as YAML reads it back: plain where that is safe, else in quotes.

    >>> quoted("amount"), quoted("no"), quoted("8"), quoted("a: b")
    ('amount', '"no"', '"8"', '"a: b"')
    """
    plain = (
        re.fullmatch(r"[A-Za-z][\w-]*( [\w-]+)*\*?", name, re.ASCII) and name.lower() not in _WORDS_OF_YAML
    )
    return name if plain and not always else json.dumps(name, ensure_ascii=False)
