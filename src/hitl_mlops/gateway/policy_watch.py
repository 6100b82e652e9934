"""What the service looks at while nobody asks: which policy is in force."""

from __future__ import annotations

import asyncio
import logging

from hitl_mlops.project import Project

LOOKS_EVERY_S = 10.0
_told = logging.getLogger(__name__)


async def watch_policy(project: Project) -> None:
    """The policy file is looked at every 10 s, whoever asks: so it is known when it was last good."""
    while True:
        await asyncio.sleep(LOOKS_EVERY_S)
        try:
            await asyncio.to_thread(project.verbs.look_at_policy)
            await asyncio.to_thread(project.verbs.policy_in_force)
        except Exception:  # noqa: BLE001 - the next look may pass, and no batch is let in before
            _told.exception("the policy in force could not be told to the trail")
