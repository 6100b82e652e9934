"""Rows that no model is to see are kept for their owners, and the trail says how many and why."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from hitl_mlops.audit.entry import Event, Kind
from hitl_mlops.audit.trail import Trail
from hitl_mlops.decisions.decide import Transaction
from hitl_mlops.decisions.intake import Intake
from hitl_mlops.decisions.log import DecisionLog


def quarantine_refused(
    intake: Intake,
    *,
    log: DecisionLog,
    trail: Trail,
    transaction: Transaction,
    now: datetime,
    actor: str,
) -> int:
    """The refused rows are kept with their reasons, and an entry counts them; answers how many were new.

    The same rows refused again are not kept twice, and then there is no entry either.
    """
    if not intake.refused:
        return 0
    rows = [(each.case_id, dict(each.row), each.reasons) for each in intake.refused]
    with transaction():
        new = log.quarantine(rows, now)
        if new:
            reasons = Counter(reason for each in intake.refused for reason in each.reasons)
            facts = {"count": new, "refused": len(rows), "reasons": dict(reasons.most_common())}
            trail.append([Event(Kind.CASES_QUARANTINED, actor, now, {}, facts)])
    return new
