"""The way back from a promotion: the champion before serves again. Pure."""

from __future__ import annotations

from datetime import datetime

from hitl_mlops.errors import RefusedError
from hitl_mlops.ids import content_id
from hitl_mlops.rollout.state import Rollout, Stage


def brought_back(bad: Rollout | None, reason: str, now: datetime, *, count: int) -> Rollout:
    """The rollout by which the champion before `bad` serves again, with the bytes it served with then.

    Args:
        bad: the rollout that made the present champion; None where there is none.
        reason: why, in a person's words.
        now: when.
        count: how many rollouts there were, which makes the id a new one.

    Raises:
        RefusedError: there was no champion before, or it was brought back already.
    """
    if bad is None or not bad.champion:
        raise RefusedError(
            "No champion was there before the present one.",
            remedy='Take decisions out of its hands: hitl freeze --reason "…".',
        )
    if bad.brought_back:
        raise RefusedError(
            f"Version {bad.challenger} was brought back already, in place of {bad.champion}.",
            remedy='If it is no good either: hitl freeze --reason "…"; to try another: '
            "hitl rollout start VERSION.",
            version=bad.challenger,
        )
    return Rollout(
        rollout_id=content_id("ro", [bad.challenger, bad.champion, "back", count]),
        champion=bad.challenger,
        champion_digest=bad.challenger_digest,
        challenger=bad.champion,
        challenger_digest=bad.champion_digest,
        stage=Stage.PROMOTED,
        share_percent=100.0,
        started_at=now,
        stage_at=now,
        reason=reason,
        brought_back=True,
    )
