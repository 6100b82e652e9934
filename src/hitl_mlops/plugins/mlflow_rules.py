"""Who may do what in MLflow: one table, a few conditions, and nothing that is not in them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum

from hitl_mlops.servers.mlflow_people import Role


class Action(StrEnum):
    """Everything that a request can be; its value is how a person would say it."""

    LOOK = "look at anything, search, compare"
    OWN_PASSWORD = "change one's own password"  # noqa: S105 - the name of an action
    APPROVE = "approve a version (tag `hitl.approval`)"
    WITHDRAW = "withdraw an approval (remove that tag)"
    SERVER_TAG = "write what only the app writes (`hitl.records`, `hitl.approval.by`, …)"
    PROJECT_TAG = "set or remove another `hitl.*` tag"
    FREE_TAG = "set or remove any other tag"
    DESCRIBE_VERSION = "edit a version's description, where the gate report stands"
    DESCRIBE_MODEL = "edit a model's description"
    CREATE_MODEL = "create a registered model"
    CREATE_VERSION = "register a version"
    CREATE_FORGED = "register a version with `hitl.*` tags that training does not give"
    COPY_VERSION = "*Promote model*: copy a version into another model"
    MOVE_CHAMPION = "move `champion`"
    DROP_CHAMPION = "take `champion` away"
    CHALLENGER_ALIAS = "move or take away `challenger`"
    PREVIOUS_ALIAS = "move or take away `previous`"
    FREE_ALIAS = "move or take away another alias"
    CHANGE_STAGE = "change a stage"
    DELETE_VERSION = "delete a version"
    DELETE_MODEL = "delete a registered model"
    RENAME_MODEL = "rename a registered model"
    TRACK = "log runs, experiments, logged models, traces, data"
    UNTRACK = "delete runs, experiments, logged models"
    WRITE_FILE = "write an artifact"
    WRITE_REPORT = "write into a run's folder `hitl`, where gate reports lie"
    REPLACE_BYTES = "write or delete an artifact of a registered version"
    DELETE_FILE = "delete another artifact"
    MANAGE = "manage accounts, webhooks, gateways, and anything the app does not know"
    NOT_UNDERSTOOD = "send what cannot be read"


_EVERYBODY = frozenset(Role)
_MAKERS = frozenset({Role.TRAINER, Role.PIPELINE})
_PIPELINE = frozenset({Role.PIPELINE})
_MANAGERS = frozenset({Role.RELEASE_MANAGER})
_ADMIN = frozenset({Role.ADMIN})
_NOBODY: frozenset[Role] = frozenset()

ALLOWED: Mapping[Action, frozenset[Role]] = {
    Action.LOOK: _EVERYBODY,
    Action.OWN_PASSWORD: _EVERYBODY,
    Action.APPROVE: _MANAGERS,
    Action.WITHDRAW: _MANAGERS,
    Action.SERVER_TAG: _NOBODY,
    Action.PROJECT_TAG: _PIPELINE,
    Action.FREE_TAG: _MAKERS,
    Action.DESCRIBE_VERSION: _PIPELINE,
    Action.DESCRIBE_MODEL: _MAKERS,
    Action.CREATE_MODEL: _MAKERS,
    Action.CREATE_VERSION: _MAKERS,
    Action.CREATE_FORGED: _NOBODY,
    Action.COPY_VERSION: _NOBODY,
    Action.MOVE_CHAMPION: _PIPELINE,
    Action.DROP_CHAMPION: _NOBODY,
    Action.CHALLENGER_ALIAS: _MAKERS,
    Action.PREVIOUS_ALIAS: _PIPELINE,
    Action.FREE_ALIAS: _MAKERS,
    Action.CHANGE_STAGE: _NOBODY,
    Action.DELETE_VERSION: _ADMIN | _PIPELINE,
    Action.DELETE_MODEL: _ADMIN,
    Action.RENAME_MODEL: _ADMIN,
    Action.TRACK: _MAKERS,
    Action.UNTRACK: _ADMIN,
    Action.WRITE_FILE: _MAKERS,
    Action.WRITE_REPORT: _PIPELINE,
    Action.REPLACE_BYTES: _NOBODY,
    Action.DELETE_FILE: _ADMIN,
    Action.MANAGE: _ADMIN,
    Action.NOT_UNDERSTOOD: _NOBODY,
}
"""Action → the roles that may, before the conditions of `may`."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the version that a request is about; the defaults know nothing, and allow nothing.

    Attributes:
        by: the account that asks.
        trainer: the account that created the version.
        fault: why an approval's text is none; None where it is one.
        verdict: of the gate report, `pass` or another; None where none was judged.
        past_the_app: what was written into MLflow otherwise than through the app.
        approved: a standing approval of these bytes, report and policy.
        was_champion: it was champion before.
        first: no version of the model was ever champion.
    """

    by: str = ""
    trainer: str | None = None
    fault: str | None = None
    verdict: str | None = None
    past_the_app: tuple[str, ...] = ()
    approved: bool = False
    was_champion: bool = False
    first: bool = False


def may(roles: Collection[Role], action: Action, known: Known) -> str | None:
    """Why it may not be done; None where it may.

    >>> may({Role.READER}, Action.LOOK, Known())
    >>> may({Role.READER}, Action.RENAME_MODEL, Known())
    'Only admin may rename a registered model.'
    """
    allowed = ALLOWED[action]
    if not allowed & set(roles):
        who = " or ".join(sorted(allowed)) if allowed else "nobody"
        return f"Only {who} may {action.value}." if allowed else f"Nobody may {action.value}."
    if action is Action.APPROVE:
        return _against_approval(known)
    if action is Action.MOVE_CHAMPION:
        return _against_champion(known)
    if action is Action.DELETE_VERSION and Role.ADMIN not in roles and known.verdict is not None:
        return "The pipeline deletes no version that was judged."
    return None


def _against_approval(known: Known) -> str | None:
    past = f"Written past the app: {', '.join(known.past_the_app)}. What you read may not be the report."
    against = (
        (known.fault is not None, str(known.fault)),
        (
            known.trainer is None,
            "Nobody knows who trained this version: it was not registered through the app.",
        ),
        (known.trainer == known.by, "Who trained a version does not approve it."),
        (known.verdict is None, "This version has no gate report yet."),
        (known.verdict != "pass", "This version did not pass its gates."),
        (bool(known.past_the_app), past),
    )
    return next((why for is_so, why in against if is_so), None)


def _against_champion(known: Known) -> str | None:
    if known.past_the_app:
        return f"Written past the app: {', '.join(known.past_the_app)}."
    if known.approved or known.was_champion or known.first:
        return None
    return "`champion` goes only to a version that a release manager approved."
