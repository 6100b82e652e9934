"""Approvals, gathered and recorded: claimed ones from a tag or the shell, proved ones from MLflow's app."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.keys import Verifier
from hitl_mlops.audit.trail import Trail
from hitl_mlops.database.connect import Database
from hitl_mlops.errors import InputError, IntegrityError, RefusedError
from hitl_mlops.gates.book import GateBook
from hitl_mlops.gates.report import Verdict
from hitl_mlops.ids import digest_of_reason
from hitl_mlops.rollout.approval import (
    Approval,
    Subject,
    approval_event,
    approval_id,
    parse_approval,
    recorded_approvals,
    refusals,
    require_reason,
)
from hitl_mlops.rollout.changes import (
    RECORDS_TAG,
    Change,
    Deed,
    page_digest,
    read_changes,
    standing,
    written_past_the_app,
)
from hitl_mlops.rollout.policy import RolloutPolicy
from hitl_mlops.training.record import ModelVersion
from hitl_mlops.training.registry import APPROVAL_TAG, DIGEST_TAG, GATES_TAG, POLICY_TAG, ModelRegistry

_told = logging.getLogger(__name__)
FROM_TAG = "mlflow-tag"
"""The approver's name where a tag says only that somebody approved."""
TURN = 0x636F6E73656E74  # "consent"
UNDER_WAY_S = 1.0
"""The app records a deed, then MLflow does it: what does not agree is looked at again so much later."""


@dataclass(frozen=True, slots=True)
class Consent:
    """What people said of model versions.

    Attributes:
        database: where the trail's entries are kept together.
        trail: every approval, and every change that MLflow's app signed, is an entry.
        registry: where approvals are given.
        gates: the reports they are bound to.
        policy: how many, how long, by whom.
        policy_hash: content hash of the policy file.
        clock: the time.
        app_key: the key of MLflow's app; None where MLflow runs without it, and approvals are claimed.
        person: an account's id for the trail.
        pause: waits so many seconds.
    """

    database: Database
    trail: Trail
    registry: ModelRegistry
    gates: GateBook
    policy: RolloutPolicy
    policy_hash: str
    clock: Callable[[], datetime]
    app_key: Verifier | None
    person: Callable[[str], str]
    pause: Callable[[float], None] = time.sleep

    def subject(self, version: str) -> Subject:
        """What an approval of this version is bound to now.

        Raises:
            RefusedError: it was not judged, or its report does not stand for these bytes and this policy.
        """
        model, report = self.registry.get(version), self.gates.latest(version)
        judged = report is not None and report.model_digest == model.digest
        if report is None or not judged or report.policy_hash != self.policy_hash:
            raise RefusedError(
                f"Version {version} has no gate report for its bytes and the policy in force.",
                remedy=f"Run `hitl gate {version}`.",
                version=version,
            )
        return Subject(version, model.digest, report.digest, self.policy_hash)

    def approvals(self, version: str) -> list[Approval]:
        """Every approval ever recorded for the version."""
        return recorded_approvals(self.trail.about(version))

    def approve(
        self, version: str, *, reason: str, approver: str, through: ModelRegistry | None = None
    ) -> Approval:
        """The approval stands in the registry and is recorded.

        Behind MLflow's app it is the one of the account that `through` is logged in with; else it is the
        approver's, and claimed, since nobody proved who it is.

        Args:
            version: the registry's version.
            reason: why.
            approver: who says so, for a claimed one.
            through: the registry, under the approver's account; None: the project's.

        Raises:
            RefusedError: the version was not judged, a required gate did not pass, or the app refused.
            InputError: there is no reason.
        """
        claimed = self._claimed(version, reason, approver)
        (through or self.registry).set_tag(version, APPROVAL_TAG, f"approve: {reason}")
        if self.app_key is None:
            self._record(version, [claimed])
            return claimed
        proved = [one for one in self.read(version) if one.reason_digest == claimed.reason_digest]
        if not proved:
            raise RefusedError(
                f"MLflow took the approval of version {version} and its app did not sign it.",
                remedy="Is MLflow started with --app-name hitl? Look with: hitl doctor",
                version=version,
            )
        return max(proved, key=lambda one: one.at)

    def _claimed(self, version: str, reason: str, approver: str) -> Approval:
        subject = self.subject(version)
        require_reason(reason)
        self._demand_pass(version)
        return Approval(subject, approver, digest_of_reason(reason), self.clock(), claimed=True)

    def _demand_pass(self, version: str) -> None:
        report = self.gates.latest(version)
        if report is None or report.verdict is not Verdict.PASS:
            results = report.results if report else ()
            failed = [one.name for one in results if one.required and one.verdict is not Verdict.PASS]
            raise RefusedError(
                f"Version {version} did not pass its gates ({', '.join(failed)}).",
                remedy=f"Read `hitl gate {version}`; collect more answers and train again.",
                gates=failed,
            )

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Who looks whether the trail knows something and then tells it has no other beside it.

        A webhook, a flow and a shell may read at once. SQLite's writer lock parts them, on PostgreSQL a lock.
        """
        with self.database.transaction() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(TURN)))
            yield

    def _record(self, version: str, approvals: Iterable[Approval]) -> None:
        given = {approval_id(one): one for one in approvals}
        with self._turn():
            known = {approval_id(one) for one in self.approvals(version)}
            new = [approval_event(one) for name, one in given.items() if name not in known]
            if new:
                self.trail.append(new)

    def read(self, version: str) -> list[Approval]:
        """The approvals of what stands now, as the registry has them; recorded now if they were not yet.

        Raises:
            RefusedError: the version was not judged, or did not pass.
            IntegrityError: somebody wrote into MLflow past its app.
        """
        return self._read(self.registry.get(version))

    def _read(self, found: ModelVersion) -> list[Approval]:
        return self._read_tag(found) if self.app_key is None else self._read_signed(found, self.app_key)

    def pull(self) -> list[Approval]:
        """What was said in the registry since it was last read is in the trail; the approvals that are new.

        A version that cannot be read is passed over: `require` says why, when it is to be rolled out.
        """
        new: list[Approval] = []
        for found in self.registry.versions():
            if RECORDS_TAG not in found.tags and APPROVAL_TAG not in found.tags:
                continue
            known = {approval_id(one) for one in self.approvals(found.version)}
            try:
                stands = self._read(found)
            except (RefusedError, InputError, IntegrityError) as error:
                _told.warning("version %s: %s", found.version, error.fact)
                continue
            new += [one for one in stands if approval_id(one) not in known]
        return new

    def _read_tag(self, found: ModelVersion) -> list[Approval]:
        reason = parse_approval(found.tags.get(APPROVAL_TAG))
        if reason is None:
            return []
        subject, digest = self.subject(found.version), digest_of_reason(reason)
        known = [
            one
            for one in self.approvals(found.version)
            if one.subject == subject and one.reason_digest == digest
        ]
        if not known:
            known = [self._claimed(found.version, reason, FROM_TAG)]
            self._record(found.version, known)
        return known

    def _read_signed(self, found: ModelVersion, key: Verifier) -> list[Approval]:
        found, changes = self._told_changes(found, key)
        if _past_the_app(found, changes):  # or the app has just recorded what MLflow is still about to do
            self.pause(UNDER_WAY_S)
            found, changes = self._told_changes(self.registry.get(found.version), key)
        version, now, past = found.version, standing(changes), _past_the_app(found, changes)
        if past:
            raise self._past(version, past)
        if not now.approvals:
            return []
        subject = self.subject(version)
        self._demand_pass(version)
        proved = [
            self._proved(subject, given)
            for given in now.approvals.values()
            if _is_about(given, subject, found.description)
        ]
        self._record(version, proved)
        return proved

    def _proved(self, subject: Subject, given: Change) -> Approval:
        return Approval(
            subject,
            self.person(given.by),
            given.facts["reason"],
            given.at,
            claimed=False,
            groups=given.groups,
        )

    def _past(self, version: str, past: tuple[str, ...]) -> IntegrityError:
        facts = {"written_past_the_app": list(past)}
        refused = Event(Kind.APPROVAL_REFUSED, "project", self.clock(), {"model": [version]}, facts)
        with self._turn():
            told = [json.loads(entry.body) for entry in self.trail.about(version)]
            if not any(one["kind"] == Kind.APPROVAL_REFUSED and one["facts"] == facts for one in told):
                self.trail.append([refused])
        return IntegrityError(
            f"Version {version} was changed in MLflow past its app: {', '.join(past)}.",
            remedy=f"Find out who writes to MLflow's database; then: hitl gate {version}, and approve anew.",
            version=version,
        )

    def _told_changes(self, found: ModelVersion, key: Verifier) -> tuple[ModelVersion, tuple[Change, ...]]:
        """The version and what the app signed of it, all of which is in the trail.

        Raises:
            IntegrityError: the trail knows of records that are gone.
        """
        changes = _changes(found, key)
        if self._tell(found.version, changes):  # gone, or told by somebody who looked later than we did
            found = self.registry.get(found.version)
            changes = _changes(found, key)
            if gone := self._tell(found.version, changes):
                raise IntegrityError(
                    f"{gone} of the records of version {found.version} are gone from MLflow.",
                    remedy="Restore MLflow's database from its backup; then judge a new version.",
                    version=found.version,
                )
        return found, changes

    def _tell(self, version: str, changes: tuple[Change, ...]) -> int:
        """Every change that the app signed is in the trail, once; how many it has that are not given here."""
        with self._turn():
            told = [json.loads(entry.body) for entry in self.trail.about(version)]
            seen = {one["facts"]["record"] for one in told if one["kind"] == Kind.REGISTRY_CHANGED}
            gone = seen - {one.digest for one in changes}
            new = [one for one in changes if one.digest not in seen]
            if new and not gone:
                self.trail.append([self._changed(one) for one in new])
            return len(gone)

    def _changed(self, one: Change) -> Event:
        facts: Mapping[str, object] = {
            "deed": one.deed.value,
            "record": one.digest,
            "number": one.number,
            "what": sorted(f"{key}={value}" for key, value in one.facts.items()),
        }
        refs = {"model": [one.version]}
        return Event(Kind.REGISTRY_CHANGED, self.person(one.by), one.at, refs, facts)

    def _trainer(self, version: str) -> str | None:
        """Who registered the version; None without the app, which alone knows."""
        if self.app_key is None:
            return None
        found = self.registry.get(version)
        trainer = standing(_changes(found, self.app_key)).trainer
        return None if trainer is None else self.person(trainer)

    def require(self, version: str) -> None:
        """The version is approved, as the policy wants it.

        Raises:
            RefusedError: it is not.
            IntegrityError: somebody wrote into MLflow past its app.
        """
        subject = self.subject(version)
        stands = self.read(version)
        given = self.approvals(version) if self.app_key is None else stands
        against = refusals(given, subject, self.policy, self.clock(), self._trainer(version))
        if against:
            raise RefusedError(
                f"Version {version} is not approved: {'; '.join(against)}.",
                remedy=f'Run `hitl approve {version} --reason "…"`, or set the tag {APPROVAL_TAG} of the '
                "version in MLflow to: approve: <your reason>.",
                version=version,
            )


def _changes(found: ModelVersion, key: Verifier) -> tuple[Change, ...]:
    return read_changes(found.tags.get(RECORDS_TAG), of=(found.name, found.version), verifier=key)


def _past_the_app(found: ModelVersion, changes: tuple[Change, ...]) -> tuple[str, ...]:
    """What stands on the version otherwise than the app saw it written."""
    now = standing(changes)
    past = written_past_the_app(now, tags=found.tags, description=found.description)
    if APPROVAL_TAG in found.tags and not now.approvals and not _withdrawn(changes):
        past = (*past, f"the tag {APPROVAL_TAG}")
    return past


def _withdrawn(changes: tuple[Change, ...]) -> bool:
    return any(one.deed is Deed.WITHDRAWN for one in changes)


def _is_about(given: Change, subject: Subject, description: str) -> bool:
    """Whether the person approved these bytes, this report and this policy, and read this page."""
    bound = {
        DIGEST_TAG: subject.model_digest,
        GATES_TAG: subject.gates_digest,
        POLICY_TAG: subject.policy_hash,
        "page": page_digest(description),
    }
    return all(given.facts.get(key) == value for key, value in bound.items())
