"""A named person's consent to one model version, bound to its bytes, its gates and the policy.

MLflow's tags carry neither identity nor time. Behind MLflow's app (`plugins.mlflow_app`) an approval is
proved. Without it, one read from a tag or typed at the shell is *claimed*: it says who says so, and
everything that shows it says that it is a claim.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hitl_mlops.audit.entry import Entry, Event, Kind
from hitl_mlops.errors import InputError
from hitl_mlops.ids import content_id, parse_instant
from hitl_mlops.rollout.policy import RolloutPolicy

MIN_REASON_CHARS = 3


def require_reason(reason: str) -> None:
    """A person says why.

    Raises:
        InputError: in fewer than 3 characters.
    """
    if len(reason.strip()) < MIN_REASON_CHARS:
        raise InputError(
            f"The reason has fewer than {MIN_REASON_CHARS} characters.",
            remedy='Say why, in your words: --reason "…".',
        )


@dataclass(frozen=True, slots=True)
class Subject:
    """What an approval is bound to; any change makes it another subject.

    Attributes:
        model_version: the registry's version.
        model_digest: content hash of its bytes.
        gates_digest: content hash of the gate report that was read.
        policy_hash: content hash of the policy.
    """

    model_version: str
    model_digest: str
    gates_digest: str
    policy_hash: str


@dataclass(frozen=True, slots=True)
class Approval:
    """One person's consent.

    Attributes:
        subject: what it is bound to.
        approver: who, as claimed.
        reason_digest: SHA-256 of the reason's words; the words stand on the model version, not in the trail.
        at: when it was given, or, claimed, recorded.
        claimed: nobody proved the identity.
        groups: the approver's groups, as MLflow's app had them; none of a claimed one.
    """

    subject: Subject
    approver: str
    reason_digest: str
    at: datetime
    claimed: bool
    groups: tuple[str, ...] = ()


def parse_approval(tag: str | None) -> str | None:
    """The reason in a tag `approve: <reason>`; None where the tag is no approval.

    Raises:
        InputError: it approves without a reason.

    >>> parse_approval("approve: better on the new scanner")
    'better on the new scanner'
    >>> parse_approval("looks fine") is None
    True
    """
    word, separator, reason = (tag or "").partition(":")
    if word.strip().lower() != "approve":
        return None
    if not separator or len(reason.strip()) < MIN_REASON_CHARS:
        raise InputError(
            "The approval gives no reason.", remedy="Set the tag hitl.approval to: approve: <your reason>."
        )
    return reason.strip()


def approval_event(approval: Approval) -> Event:
    """The approval as the trail keeps it."""
    subject = approval.subject
    return Event(
        kind=Kind.APPROVAL_RECORDED,
        actor=approval.approver,
        at=approval.at,
        refs={
            "model": [subject.model_version],
            "gates": [subject.gates_digest],
            "policy": [subject.policy_hash],
            "approval": [approval_id(approval)],
        },
        facts={
            "model_digest": subject.model_digest,
            "reason_digest": approval.reason_digest,
            "claimed": approval.claimed,
            "groups": list(approval.groups),
        },
    )


def approval_id(approval: Approval) -> str:
    """Stable for person, subject and reason: recording it again finds it."""
    subject = approval.subject
    bound = [subject.model_version, subject.model_digest, subject.gates_digest, subject.policy_hash]
    return content_id("ap", [approval.approver, approval.reason_digest, bound])


def recorded_approvals(entries: Iterable[Entry]) -> list[Approval]:
    """The approvals among the entries about one model version."""
    found = []
    for entry in entries:
        body = json.loads(entry.body)
        if body["kind"] != Kind.APPROVAL_RECORDED:
            continue
        refs, facts = body["refs"], body["facts"]
        subject = Subject(refs["model"][0], facts["model_digest"], refs["gates"][0], refs["policy"][0])
        at, groups = parse_instant(body["at"]), tuple(facts.get("groups", ()))
        found.append(Approval(subject, body["actor"], facts["reason_digest"], at, facts["claimed"], groups))
    return found


def refusals(
    approvals: Iterable[Approval],
    subject: Subject,
    policy: RolloutPolicy,
    now: datetime,
    trainer: str | None = None,
) -> tuple[str, ...]:
    """Why these approvals do not allow the rollout of the subject; empty where they do.

    Distinct people count once. An approval of other bytes, other gates, another policy, one that has expired,
    one of the trainer, or a proved one of somebody in none of the policy's groups, does not count. A claimed
    one claims its group too.

    Args:
        approvals: what was said.
        subject: what is to be rolled out.
        policy: who counts, how many, how long.
        now: the time.
        trainer: who trained it; None where that is not known, and nobody can be it.
    """
    bound = [approval for approval in approvals if approval.subject == subject]
    fresh = [approval for approval in bound if now - approval.at <= policy.approval_expires]
    may = [one for one in fresh if one.claimed or _in_a_group(one, policy)]
    others = [one for one in may if not policy.not_the_trainer or one.approver != trainer]
    good = {approval.approver for approval in others if policy.claimed_approvals or not approval.claimed}
    if len(good) >= policy.approval_signatures:
        return ()
    reasons = [f"{len(good)} of {policy.approval_signatures} approvals"]
    if len(fresh) < len(bound):
        reasons.append(f"{len(bound) - len(fresh)} expired after {policy.approval_expires}")
    if len(may) < len(fresh):
        reasons.append(f"{len(fresh) - len(may)} by somebody outside {', '.join(policy.approval_by)}")
    if len(others) < len(may):
        reasons.append("who trained it does not approve it")
    if any(one.claimed for one in fresh) and not policy.claimed_approvals:
        reasons.append("the policy refuses approvals whose approver is only claimed")
    return tuple(reasons)


def _in_a_group(approval: Approval, policy: RolloutPolicy) -> bool:
    return not policy.approval_by or bool(set(approval.groups) & set(policy.approval_by))
