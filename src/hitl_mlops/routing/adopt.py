"""The verb: a policy comes into force, and the trail tells when."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.routing.policy import Policy

FILE_REF = "policy.yaml"
"""What every entry about the policy in force names, whatever the file is called."""


def adopt(
    policy: Policy,
    trail: Trail,
    transaction: Callable[[], AbstractContextManager[object]],
    *,
    actor: str,
    now: datetime,
) -> bool:
    """The trail's last word on the policy in force names this one; whether that is new.

    Args:
        policy: what decides from now on; `CLOSED` stands with the hash `none`.
        trail: where it is told.
        transaction: opens what look and entry share, `database.transaction`.
        actor: who decides by it.
        now: the time.
    """
    with transaction():
        told = trail.about(FILE_REF)
        before = told[-1].read()["facts"]["policy_hash"] if told else None
        if before == policy.hash:
            return False
        facts = {"policy_hash": policy.hash, "version": policy.version, "before": before}
        refs = {"policy": [policy.hash], "file": [FILE_REF]}
        trail.append([Event(Kind.POLICY_ADOPTED, actor, now, refs, facts)])
    return True
