"""What was done to a model version in MLflow, by whom and when: signed by MLflow's app, one after another.

MLflow keeps neither person nor time of a tag or alias. The app (`plugins.mlflow_app`) writes both, signed
with a key of its own, into the version's tag `hitl.records`. Each record names the one before, so that none
can be taken out of the middle, and the model and version, so that none can be carried elsewhere.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from hitl_mlops.audit.keys import Signer, Verifier
from hitl_mlops.errors import IntegrityError
from hitl_mlops.ids import canonical_json, instant, parse_instant, sha256_hex

RECORDS_TAG = "hitl.records"
BY_TAG, AT_TAG, TRAINER_TAG = "hitl.approval.by", "hitl.approval.at", "hitl.trainer"
PAGE = "page"
"""The fact that holds the SHA-256 of a description."""
_FIRST = ""


class Deed(StrEnum):
    """What was done."""

    CREATED = "created"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    DESCRIBED = "described"
    ALIASED = "aliased"
    UNALIASED = "unaliased"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"
    UNDONE = "undone"
    """MLflow refused what the record before tells of."""


@dataclass(frozen=True, slots=True)
class Change:
    """One record.

    Attributes:
        model: the registered model.
        version: the registry's version.
        number: its place, from 0.
        before: SHA-256 of the record before; empty for the first.
        at: when, by the clock of MLflow's server.
        by: the account, as MLflow checked it.
        groups: the account's groups then.
        deed: what was done.
        facts: what it was done with: tags by key, `alias`, `page`, `reason`.
        signature: Ed25519 over all of the above, base64.
    """

    model: str
    version: str
    number: int
    before: str
    at: datetime
    by: str
    groups: tuple[str, ...]
    deed: Deed
    facts: Mapping[str, str] = field(default_factory=dict)
    signature: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 of what is signed."""
        return sha256_hex(self._signed())

    def _signed(self) -> bytes:
        return canonical_json({**asdict(self), "at": instant(self.at), "signature": None})

    def signed(self, signer: Signer) -> Change:
        """The same, with the signer's signature."""
        return replace(self, signature=base64.b64encode(signer.sign_bytes(self._signed())).decode())

    def is_signed_by(self, verifier: Verifier) -> bool:
        """Whether the signature is that of the key, for exactly this."""
        try:
            raw = base64.b64decode(self.signature, validate=True)
        except (binascii.Error, ValueError):
            return False
        return verifier.accepts_bytes(raw, self._signed())


def following(
    known: Sequence[Change],
    deed: Deed,
    facts: Mapping[str, str],
    *,
    of: tuple[str, str],
    by: str,
    groups: Sequence[str],
    at: datetime,
) -> Change:
    """The next record, not signed yet.

    Args:
        known: the records so far.
        deed: what was done.
        facts: with what.
        of: model and version.
        by: the account.
        groups: its groups.
        at: when.
    """
    before = known[-1].digest if known else _FIRST
    return Change(of[0], of[1], len(known), before, at, by, tuple(groups), deed, dict(facts))


def write_changes(changes: Sequence[Change]) -> str:
    """The tag's text; `read_changes` reads it."""
    rows = [
        [one.number, instant(one.at), one.by, list(one.groups), one.deed, dict(one.facts), one.signature]
        for one in changes
    ]
    return canonical_json(rows).decode()


def read_changes(text: str | None, *, of: tuple[str, str], verifier: Verifier) -> tuple[Change, ...]:
    """The records of the tag, first to last; none where there is no tag.

    Raises:
        IntegrityError: one is malformed, not signed by the app, of another version, or out of its place.
    """
    try:
        rows = json.loads(text or "[]")
        changes: list[Change] = []
        for number, at, by, groups, deed, facts, signature in rows:
            made = following(
                changes,
                Deed(deed),
                {str(key): str(value) for key, value in facts.items()},
                of=of,
                by=str(by),
                groups=[str(group) for group in groups],
                at=parse_instant(at),
            )
            one = replace(made, signature=str(signature))
            if number != one.number or not one.is_signed_by(verifier):
                raise _not_ours(of, len(changes))
            changes.append(one)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        raise _not_ours(of, None) from error
    return tuple(changes)


def _not_ours(of: tuple[str, str], number: int | None) -> IntegrityError:
    which = "The records" if number is None else f"Record {number}"
    return IntegrityError(
        f"{which} of version {of[1]} of {of[0]} were not signed by MLflow's app: somebody wrote past it.",
        remedy="Find out who can write to MLflow's database; then judge a new version of the model.",
        model=of[0],
        version=of[1],
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """What the records add up to.

    Attributes:
        trainer: the account that created the version; None where no record tells.
        tags: the `hitl.*` tags as they were set through the app, approvals left out.
        page: SHA-256 of the description as the app last saw it written; None where it never did.
        approvals: account → its standing approval of what stands now.
        was_champion: the alias `champion` was on it.
    """

    trainer: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    page: str | None = None
    approvals: Mapping[str, Change] = field(default_factory=dict)
    was_champion: bool = False


def standing(changes: Sequence[Change]) -> Standing:
    """The records, added up in their order; a record that was undone does not count."""
    undone = {int(one.facts["number"]) for one in changes if one.deed is Deed.UNDONE}
    now = Standing()
    for one in changes:
        if one.number not in undone:
            now = _after(now, one)
    return now


def _after(now: Standing, one: Change) -> Standing:
    tags = {key: value for key, value in one.facts.items() if key.startswith("hitl.")}
    others = {name: given for name, given in now.approvals.items() if name != one.by}
    became_champion = one.deed is Deed.ALIASED and one.facts["alias"] == "champion"
    changed: dict[Deed, dict[str, Any]] = {
        Deed.CREATED: {"trainer": one.by, "tags": tags, "page": one.facts.get(PAGE)},
        Deed.TAGGED: {"tags": {**now.tags, **tags}},
        Deed.UNTAGGED: {"tags": {key: value for key, value in now.tags.items() if key not in tags}},
        Deed.DESCRIBED: {"page": one.facts.get(PAGE)},
        Deed.APPROVED: {"approvals": {**others, one.by: one}},
        Deed.WITHDRAWN: {"approvals": others},
        Deed.ALIASED: {"was_champion": now.was_champion or became_champion},
    }
    return replace(now, **changed.get(one.deed, {}))


def written_past_the_app(now: Standing, *, tags: Mapping[str, str], description: str) -> tuple[str, ...]:
    """What stands in MLflow otherwise than the app saw it written; empty where nothing does.

    Args:
        now: what the records add up to.
        tags: the version's tags as MLflow has them.
        description: its description.
    """
    found = [f"the tag {key}" for key, value in now.tags.items() if tags.get(key) != value]
    if now.page is not None and page_digest(description) != now.page:
        found.append("the description")
    return tuple(found)


def page_digest(description: str | None) -> str:
    """What a record holds of a description."""
    return "sha256:" + sha256_hex((description or "").encode())
