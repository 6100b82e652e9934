"""MLflow's own store, as the app uses it: what is known of a version, and the records written beside it."""

from __future__ import annotations

import fcntl
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hitl_mlops.audit.keys import Signer
from hitl_mlops.errors import InputError, IntegrityError
from hitl_mlops.ids import digest_of_reason, instant
from hitl_mlops.plugins.mlflow_requests import Asked
from hitl_mlops.plugins.mlflow_rules import Action, Known
from hitl_mlops.rollout.approval import parse_approval
from hitl_mlops.rollout.changes import (
    AT_TAG,
    BY_TAG,
    RECORDS_TAG,
    TRAINER_TAG,
    Change,
    Deed,
    Standing,
    following,
    read_changes,
    standing,
    write_changes,
    written_past_the_app,
)
from hitl_mlops.training.registry import DIGEST_TAG, GATES_TAG, POLICY_TAG, VERDICT_TAG

BOUND = (DIGEST_TAG, GATES_TAG, POLICY_TAG)
"""What an approval is bound to."""
_LONGEST = 90_000  # MLflow's tags end at 100,000 characters


@dataclass(frozen=True, slots=True)
class Person:
    """Who asks.

    Attributes:
        account: as MLflow checked it.
        groups: of the people file.
    """

    account: str
    groups: tuple[str, ...]


class Lock:
    """One writer at a time, in every worker of the server; the kernel lets go however the holder ends."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w")
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def release(self) -> None:
        """The next may write."""
        self._file.close()


class Ledger:
    """Reads and writes the records of one MLflow.

    Args:
        signer: the app's key.
    """

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    @property
    def _store(self) -> Any:
        from mlflow.server.handlers import _get_model_registry_store

        return _get_model_registry_store()

    def known(self, asked: Asked, person: Person) -> Known:
        """What `may` needs to know; nothing for what is about no version.

        Raises:
            MlflowException: there is no such version.
            IntegrityError: its records were not written by the app.
        """
        if asked.model is None or asked.version is None:
            return Known(by=person.account)
        found = self._store.get_model_version(asked.model, asked.version)
        now = standing(self.changes(asked.model, asked.version, found))
        return Known(
            by=person.account,
            trainer=now.trainer,
            fault=_fault(asked.value) if asked.action is Action.APPROVE else None,
            verdict=now.tags.get(VERDICT_TAG),
            past_the_app=written_past_the_app(now, tags=found.tags, description=found.description or ""),
            approved=any(_is_bound(given, now) for given in now.approvals.values()),
            was_champion=now.was_champion,
            first=asked.action is Action.MOVE_CHAMPION and not self._ever_champion(asked.model),
        )

    def changes(self, model: str, version: str, found: Any | None = None) -> tuple[Change, ...]:
        """The version's records, each with the app's signature."""
        there = found or self._store.get_model_version(model, version)
        of = (model, str(version))
        return read_changes(there.tags.get(RECORDS_TAG), of=of, verifier=self._signer.verifier)

    def record(self, asked: Asked, person: Person, at: datetime, *, version: str | None = None) -> None:
        """The deed stands in the version's records, and an approval where people see it."""
        version, model = version or asked.version or self._aliased(asked), asked.model
        if asked.deed is None or model is None or version is None:
            return
        known = self.changes(model, version)
        facts = dict(asked.facts)
        if asked.deed is Deed.APPROVED:
            facts |= _approved_facts(standing(known), str(asked.value))
        made = following(
            known, asked.deed, facts, of=(model, version), by=person.account, groups=person.groups, at=at
        )
        self._keep(model, version, [*known, made.signed(self._signer)])
        if asked.deed is Deed.APPROVED:
            self._set(model, version, {BY_TAG: person.account, AT_TAG: instant(at)})
        if asked.deed is Deed.CREATED:
            self._set(model, version, {TRAINER_TAG: person.account})

    def undo(self, asked: Asked, person: Person, at: datetime) -> None:
        """MLflow refused what was recorded last: the record stays, and does not count."""
        version, model = asked.version or self._aliased(asked), asked.model
        if asked.deed in (None, Deed.CREATED) or model is None or version is None:
            return
        known = self.changes(model, version)
        facts = {"number": str(known[-1].number)}
        of = (model, version)
        made = following(known, Deed.UNDONE, facts, of=of, by=person.account, groups=person.groups, at=at)
        self._keep(model, version, [*known, made.signed(self._signer)])

    def sources(self, path: str) -> list[str]:
        """Folders of registered versions in which the artifact path lies, or which lie below it."""
        clean = posixpath.normpath("/" + path).strip("/")
        if "'" in clean or "%" in clean:
            raise InputError("The path holds a quote or a percent sign.", remedy="Name the file otherwise.")
        above = clean.split("/")
        found: list[str] = []
        for depth in range(1, len(above) + 1):
            folder = "/".join(above[:depth])
            found += [folder] if self._has_versions(f"source_path LIKE '%/{folder}'") else []
        found += [clean] if self._has_versions(f"source_path LIKE '%/{clean}/%'") else []
        return found

    def _has_versions(self, condition: str) -> bool:
        return bool(self._store.search_model_versions(condition, max_results=1))

    def _aliased(self, asked: Asked) -> str | None:
        """The version that carries the alias now."""
        if asked.alias is None or asked.model is None:
            return None
        aliases = self._store.get_registered_model(asked.model).aliases
        return str(aliases[asked.alias]) if asked.alias in aliases else None

    def _ever_champion(self, model: str) -> bool:
        """Whether a version of the model was champion; where records are not ours, yes."""
        if "champion" in self._store.get_registered_model(model).aliases:
            return True
        quoted = model.replace("'", "''")
        found = self._store.search_model_versions(f"name = '{quoted}'", max_results=1000)
        try:
            return any(standing(self.changes(model, str(one.version), one)).was_champion for one in found)
        except IntegrityError:
            return True

    def _keep(self, model: str, version: str, changes: Sequence[Change]) -> None:
        text = write_changes(changes)
        if len(text) > _LONGEST:
            raise InputError(
                f"Version {version} of {model} has {len(changes)} records and can hold no more.",
                remedy="Register a new version.",
            )
        self._set(model, version, {RECORDS_TAG: text})

    def _set(self, model: str, version: str, tags: dict[str, str]) -> None:
        from mlflow.entities.model_registry import ModelVersionTag

        for key, value in tags.items():
            self._store.set_model_version_tag(model, version, ModelVersionTag(key, value))


def _fault(text: str | None) -> str | None:
    try:
        reason = parse_approval(text)
    except InputError as error:
        return f"{error.fact} {error.remedy}"
    return None if reason else "This is no approval. Set the tag to: approve: <your reason>."


def _approved_facts(now: Standing, text: str) -> dict[str, str]:
    reason = parse_approval(text)
    bound = {key: now.tags[key] for key in BOUND}
    return {**bound, "page": str(now.page), "reason": digest_of_reason(str(reason))}


def _is_bound(given: Change, now: Standing) -> bool:
    """Whether the approval is of the bytes, the report and the policy that stand now."""
    return all(given.facts.get(key) == now.tags.get(key) for key in BOUND)


def folder_of(source: str) -> str:
    """Where the files of a version lie, below the artifact store.

    >>> folder_of("mlflow-artifacts:/1/models/m-1/artifacts")
    '1/models/m-1/artifacts'
    """
    return urlsplit(source).path.strip("/")
