"""What is looked at before each batch: which policy is in force, and whether people can be asked more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hitl_mlops.gateway.batcher import Decide, Row
from hitl_mlops.project import Project

LOOKS_EVERY_S = 10.0
_told = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Porter:
    """Lets batches in, or says why not; keeps an eye on the policy file while none comes.

    Attributes:
        project: what is decided about.
        decide: what a batch is given to.
    """

    project: Project
    work: Decide

    def decide(self, rows: Sequence[Row], strict: bool) -> Sequence[Any]:
        """An outcome for each row, by the policy as its file says it now.

        Raises:
            BusyError: too many tickets wait for the desk; nothing was decided.
            HitlError: the trail cannot tell of a new policy; nothing was decided. Or what `work` raised.
        """
        self.project.verbs.policy_in_force()
        self.project.verbs.demand_room()
        return self.work(rows, strict)

    async def watch(self) -> None:
        """The policy file is looked at every 10 s, whoever asks: so it is known when it was last good."""
        while True:
            await asyncio.sleep(LOOKS_EVERY_S)
            try:
                await asyncio.to_thread(self.project.verbs.policy_in_force)
            except Exception:  # noqa: BLE001 - the next look may pass, and no batch is let in before
                _told.exception("the policy in force could not be told to the trail")
